"""The OpenAPI document of the HTTP API, out of its readable source static/openapi.yaml.

What follows from the rest is added here, so that an address is described in a few lines: see the
head of the source.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import yaml
from openapi_spec_validator import OpenAPIV31SpecValidator
from openapi_spec_validator.validation.exceptions import OpenAPIValidationError
from referencing.exceptions import Unresolvable

from paths import ROOT

SOURCE = ROOT / "static" / "openapi.yaml"
METHODS = ("get", "put", "post", "delete", "patch")
LIMIT_HEADERS = {
    "X-RateLimit-Limit": "RateLimit",
    "X-RateLimit-Remaining": "RateLimitRemaining",
    "X-RateLimit-Reset": "RateLimitReset",
}
FILES = "Files"


# YAML as it is read: nested dicts and lists.
Node = dict[str, Any]


class DocumentError(Exception):
    """The source describes no OpenAPI document; the message says where."""


def read_document(version: str) -> Node:
    """The whole document of a version of the Worker, the caller's own.

    Raises:
        DocumentError: it is no OpenAPI 3.1; says where.
    """
    text = SOURCE.read_text(encoding="utf-8").replace("{{version}}", version)
    document: Node = _copied(_document_of(text))
    return document


@lru_cache(maxsize=1)
def _document_of(text: str) -> Node:
    """The document of a source; to read and check it takes half a second."""
    document: Node = _copied(yaml.safe_load(text))
    for schema in _objects(document):
        _require_all(schema)
    for operation in operations(document).values():
        _complete(operation, document)
    document["paths"] = dict(_with_aliases(document["paths"]))
    _check(document)
    return document


def _check(document: Node) -> None:
    try:
        OpenAPIV31SpecValidator(document).validate()
    except OpenAPIValidationError as error:
        raise DocumentError(f"{error.json_path}: {error.message}") from None
    except Unresolvable as error:  # its own text holds the whole document
        raise DocumentError(f"{error.ref} does not exist") from None


def operations(document: Node) -> Mapping[tuple[str, str], Node]:
    """Every operation by its method, in capitals, and its path."""
    return {
        (method.upper(), path): item[method]
        for path, item in document["paths"].items()
        for method in METHODS
        if method in item
    }


def roles_of(operation: Node, document: Node) -> set[str]:
    """The roles of the keys that are asked for; none where anybody may call."""
    needed = operation["security"] if "security" in operation else document["security"]
    return {role for scheme in needed for roles in scheme.values() for role in roles}


def _copied(node: Any) -> Any:  # noqa: ANN401  # whatever YAML holds
    """The node without anything shared: an anchor of YAML is one object at several places."""
    if isinstance(node, dict):
        return {name: _copied(value) for name, value in node.items()}
    return [_copied(value) for value in node] if isinstance(node, list) else node


def _objects(node: Any) -> Iterator[Node]:  # noqa: ANN401  # whatever YAML holds
    """Every schema of an object, wherever it stands."""
    if isinstance(node, dict):
        if node.get("type") in ("object", ["object", "null"]) and "properties" in node:
            yield node
        for value in node.values():
            yield from _objects(value)
    elif isinstance(node, list):
        for value in node:
            yield from _objects(value)


def _require_all(schema: Node) -> None:
    required = schema.pop("required", list(schema["properties"]))
    if required:
        schema["required"] = required


def _complete(operation: Node, document: Node) -> None:
    """Adds the answers and headers that every operation of this kind has."""
    roles = roles_of(operation, document)
    common = {"413": "TooLarge"} if "requestBody" in operation else {}
    common |= {"401": "Unauthorized"} if roles else {}
    common |= {"403": "Forbidden"} if "admin" in roles else {}
    common |= {"429": "TooMany", "503": "Unavailable"} if "x-rate-limit" in operation else {}
    responses = operation["responses"]
    for status, name in common.items():
        responses[status] = _ref("responses", name) | responses.get(status, {})
    if FILES not in operation["tags"]:
        names = LIMIT_HEADERS if "x-rate-limit" in operation else {}
        headers = {name: _ref("headers", header) for name, header in names.items()}
        headers["X-Request-Id"] = _ref("headers", "RequestId")
        responses = {
            status: _with_headers(response, headers, document)
            for status, response in responses.items()
        }
    operation["responses"] = dict(sorted(responses.items()))


def _with_headers(response: Node, headers: Node, document: Node) -> Node:
    merged = {name: part for name, part in response.items() if name != "$ref"}
    if "$ref" in response:
        name = response["$ref"].rpartition("/")[2]
        merged = document["components"]["responses"][name] | merged
    return {**merged, "headers": {**merged.get("headers", {}), **headers}}


def _with_aliases(paths: Node) -> Iterator[tuple[str, Node]]:
    for path, item in paths.items():
        yield path, item
        for number, alias in enumerate(item.get("x-also-at", ()), 2):
            yield (
                alias,
                {name: _renamed(part, number) for name, part in _without_aliases(item).items()},
            )


def _without_aliases(item: Node) -> Node:
    return {name: part for name, part in item.items() if name != "x-also-at"}


def _renamed(part: Any, number: int) -> Any:  # noqa: ANN401  # an operation or a list of parameters
    """Give an operation a unique operationId."""
    if not isinstance(part, dict):
        return part
    return {**part, "operationId": f"{part['operationId']}{number}"}


def _ref(kind: str, name: str) -> Node:
    return {"$ref": f"#/components/{kind}/{name}"}
