"""The page /api.html: the OpenAPI document for people, without a script."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, StrictUndefined
from markdown_it import MarkdownIt
from markupsafe import Markup

from openapi import Node, operations, roles_of

TEMPLATE = Path(__file__).with_name("api_page.html")
JSON = "application/json"
DEEPEST = 8
MARKDOWN = MarkdownIt("commonmark")


@dataclass(frozen=True, slots=True)
class ApiField:
    """A parameter, a header, or a field of a body: `data.rows[].value` is one deep inside."""

    name: str
    type: str
    required: bool
    description: str


@dataclass(frozen=True, slots=True)
class Sample:
    """A body as it may be, as text."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class ApiResponse:
    """What one status means, and its body where it has one of its own."""

    status: str
    description: str
    headers: Sequence[ApiField]
    types: Sequence[str]
    fields: Sequence[ApiField]
    sample: str


@dataclass(frozen=True, slots=True)
class Operation:
    """One method at one address, as the page shows it; `role` is empty where no key is needed."""

    id: str
    method: str
    path: str
    also_at: Sequence[str]
    summary: str
    description: str
    role: str
    limit: str
    parameters: Sequence[ApiField]
    body: Sequence[ApiField]
    samples: Sequence[Sample]
    curl: str
    answers: Sequence[ApiResponse]


def page(document: Node) -> str:
    """The page of a document."""
    # Whatever the document holds is escaped.
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["paragraphs"] = lambda text: Markup(MARKDOWN.render(text))  # noqa: S704  # CommonMark, ours
    environment.filters["line"] = lambda text: Markup(MARKDOWN.renderInline(text))  # noqa: S704  # the same
    template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    groups = [(tag, list(_tag_operations(document, tag["name"]))) for tag in document["tags"]]
    return template.render(document=document, info=document["info"], groups=groups)


def resolved(node: Node, document: Node) -> Node:
    """Resolve a reference, with the keys beside it; return any other node as it is."""
    if "$ref" not in node:
        return node
    target: Node = document
    for name in node["$ref"].removeprefix("#/").split("/"):
        target = target[name]
    return {**resolved(target, document), **{k: v for k, v in node.items() if k != "$ref"}}


def example_of(schema: Node, document: Node) -> object:
    """A value as the schema wants it: its own example, or one made of those of its parts."""
    schema = resolved(schema, document)
    if "examples" in schema:
        return schema["examples"][0]
    for name in ("const", "default"):
        if name in schema:
            return schema[name]
    if "enum" in schema:
        return schema["enum"][0]
    if "anyOf" in schema:
        return example_of(schema["anyOf"][0], document)
    return _example_of_type(schema, document)


def _example_of_type(schema: Node, document: Node) -> object:
    kinds = _kinds(schema)
    if "properties" in schema:
        parts = schema["properties"].items()
        return {name: example_of(part, document) for name, part in parts}
    if kinds[0] == "array":
        return [example_of(schema["items"], document)]
    if "null" in kinds:
        return None
    if kinds[0] == "object":
        return {}
    return {"string": "…", "integer": 1, "number": 1, "boolean": True}[kinds[0]]


def fields_of(schema: Node, document: Node, prefix: str = "") -> Iterator[ApiField]:
    """Every field of a body with its path in it, in the order of the document."""
    schema = resolved(schema, document)
    if _kinds(schema)[0] == "array":
        yield from fields_of(schema["items"], document, f"{prefix}[]")
        return
    required = schema.get("required", ())
    for name, named in schema.get("properties", {}).items():
        path = f"{prefix}.{name}" if prefix else name
        part = resolved(named, document)
        yield ApiField(path, type_of(part), name in required, part.get("description", ""))
        if path.count(".") < DEEPEST:
            yield from fields_of(part, document, path)


def type_of(schema: Node) -> str:
    """Describe a schema in a few words."""
    if "const" in schema:
        return json.dumps(schema["const"])
    if "enum" in schema:
        return " · ".join(_plain(value) for value in schema["enum"])
    if "format" in schema:
        return str(schema["format"])
    kinds = " or ".join(_kinds(schema))
    limits = f", {schema['minimum']:,} to {schema['maximum']:,}" if "maximum" in schema else ""
    default = f", otherwise {_plain(schema['default'])}" if "default" in schema else ""
    return f"{kinds}{limits}{default}"


def _kinds(schema: Node) -> list[str]:
    kinds = schema.get("type", "any")
    return [kinds] if isinstance(kinds, str) else kinds


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _tag_operations(document: Node, tag: str) -> Iterator[Operation]:
    aliases = {alias for item in document["paths"].values() for alias in item.get("x-also-at", ())}
    for (method, path), operation in operations(document).items():
        if tag in operation["tags"] and path not in aliases:
            yield _read(document, method, path, operation)


def _read(document: Node, method: str, path: str, operation: Node) -> Operation:
    item = document["paths"][path]
    parameters = [
        resolved(parameter, document)
        for parameter in (*item.get("parameters", ()), *operation.get("parameters", ()))
    ]
    body = resolved(operation.get("requestBody", {}), document).get("content", {}).get(JSON, {})
    roles = roles_of(operation, document)
    samples = list(_samples(body))
    return Operation(
        id=operation["operationId"],
        method=method,
        path=path,
        also_at=item.get("x-also-at", ()),
        summary=operation["summary"],
        description=operation.get("description", ""),
        role=next(iter(roles), ""),
        limit=operation.get("x-rate-limit", ""),
        parameters=[_parameter(parameter, document) for parameter in parameters],
        body=list(fields_of(body.get("schema", {}), document)),
        samples=samples,
        curl=curl(document, method, path, operation),
        answers=[
            _answer(document, status, resolved(response, document))
            for status, response in operation["responses"].items()
        ],
    )


def _parameter(parameter: Node, document: Node) -> ApiField:
    schema = resolved(parameter["schema"], document)
    description = parameter.get("description", "") or schema.get("description", "")
    if "example" in parameter:
        description = f"{description.strip()} Such as `{parameter['example']}`.".strip()
    kind = type_of(schema)
    if "enum" in schema and "default" in schema:
        kind += f", otherwise {schema['default']}"
    return ApiField(parameter["name"], kind, parameter.get("required", False), description)


def _samples(body: Node) -> Iterator[Sample]:
    for example in body.get("examples", {}).values():
        yield Sample(example["summary"], _pretty(example["value"]))
    if "example" in body:
        yield Sample("", _pretty(body["example"]))


def _answer(document: Node, status: str, response: Node) -> ApiResponse:
    content: Mapping[str, Node] = response.get("content", {})
    schema = content.get(JSON, {}).get("schema", {})
    is_error = "error" in resolved(schema, document).get("properties", {})
    fields = [] if is_error else list(fields_of(schema, document))
    return ApiResponse(
        status=status,
        description=response["description"],
        headers=[
            _parameter({"name": name, **resolved(header, document)}, document)
            for name, header in response.get("headers", {}).items()
            if not name.startswith(("X-RateLimit-", "X-Request-Id"))
        ],
        types=list(content),
        fields=fields,
        sample=_pretty(example_of(schema, document)) if fields else "",
    )


def curl(document: Node, method: str, path: str, operation: Node) -> str:
    """A command that calls the operation with the examples of what it needs."""
    item = document["paths"][path]
    query: dict[str, object] = {}
    for reference in (*item.get("parameters", ()), *operation.get("parameters", ())):
        parameter: Node = resolved(reference, document)
        if parameter["in"] == "path":
            path = path.replace(f"{{{parameter['name']}}}", parameter["example"])
        elif parameter.get("required") or ("example" in parameter and "days" in parameter["name"]):
            query[parameter["name"]] = parameter["example"]
    address = document["servers"][0]["url"] + path + (f"?{urlencode(query)}" if query else "")
    body: dict[str, Any] = operation.get("requestBody", {}).get("content", {}).get(JSON, {})
    # What curl calls with by itself.
    chosen = "" if method == ("POST" if body else "GET") else f"-X {method} "
    lines = [f"curl {chosen}{shlex.quote(address)}"]
    if roles_of(operation, document):
        lines.append('-H "X-API-Key: $PPP_KEY"')
    if body:
        examples = body.get("examples", {}).values()
        value = body.get("example") or next(iter(examples))["value"]
        lines.append(f"--json {shlex.quote(json.dumps(value, ensure_ascii=False))}")
    return " \\\n  ".join(lines)


def _pretty(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)
