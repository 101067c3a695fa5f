"""Checks recorded requests against Pipedrive's own OpenAPI document, where it is at hand.

The document is Pipedrive's, so it is not part of this repository. It is looked for at the path in
PIPEDRIVE_OPENAPI, else beside the checkout; without it the simulator alone says what is right.
It is tightened first, in memory: as published it lets through what the real API refuses.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import yaml
from jsonschema import Draft202012Validator

from paths import ROOT
from simulator.recording import RecordedRequest

BESIDE = ROOT.parent / "shared" / "pipedrive" / "openapi-v2.yaml"
PREFIX = "/api/v2"
OPERATIONS = {
    "search": ("/persons/search", "get"),
    "person": ("/persons/{id}", "get"),
    "update": ("/persons/{id}", "patch"),
    "fields": ("/personFields", "get"),
}
TIGHTER: Mapping[str, Mapping[str, object]] = {
    "term": {"minLength": 2},
    "limit": {"minimum": 1, "maximum": 500},
    "fields": {"pattern": "^(email|name)$"},
}
VALUE = {"type": ["string", "number", "object", "array", "null"], "minLength": 1}


def document_path() -> Path | None:
    """Where the document is, if it is at hand."""
    path = Path(os.environ.get("PIPEDRIVE_OPENAPI") or BESIDE)
    return path if path.is_file() else None


@cache
def _operations() -> Mapping[str, Mapping[str, Any]]:
    path = document_path()
    if path is None:
        return {}
    with path.open(encoding="utf-8") as file:
        paths = yaml.load(file, Loader=yaml.CSafeLoader)["paths"]  # it is a safe one
    return {name: paths[at][method] for name, (at, method) in OPERATIONS.items()}


def check_requests(requests: Sequence[RecordedRequest]) -> None:
    """Fails with every way in which a request is not what the document describes."""
    operations = _operations()
    problems = {
        f"{request.method} {request.path}: {problem}"
        for request in (requests if operations else ())
        for problem in problems_of(request, operations)
    }
    assert not problems, "\n".join(sorted(problems))


def problems_of(
    request: RecordedRequest, operations: Mapping[str, Mapping[str, Any]]
) -> Sequence[str]:
    """What is wrong with one request; nothing, if all is as described."""
    if request.operation is None or not request.path.startswith(PREFIX):
        return ["no such operation"]
    operation = operations[request.operation]
    problems = _query_problems(request, operation) + _header_problems(request)
    return problems + _body_problems(request, operation)


def _query_problems(request: RecordedRequest, operation: Mapping[str, Any]) -> list[str]:
    described = {
        parameter["name"]: parameter
        for parameter in operation["parameters"]
        if parameter["in"] == "query"
    }
    sent = dict(parse_qsl(request.query, keep_blank_values=True))
    missing = [name for name, one in described.items() if one.get("required") and name not in sent]
    problems = [f"{name} is missing" for name in missing]
    for name, text in sent.items():
        if name not in described:
            problems.append(f"{name} is not described")
        else:
            schema = described[name]["schema"] | TIGHTER.get(name, {})
            problems += _schema_problems(schema, _typed(text, schema), name)
    return problems


def _typed(text: str, schema: Mapping[str, Any]) -> object:
    match schema.get("type"):
        case "integer" if text.isdecimal():
            return int(text)
        case "boolean" if text in {"true", "false"}:
            return text == "true"
    return text


def _header_problems(request: RecordedRequest) -> list[str]:
    problems = [] if request.headers.get("x-api-token") else ["x-api-token is missing"]
    if request.body and request.headers.get("content-type") != "application/json":
        problems.append("the body is not announced as JSON")
    return problems


def _body_problems(request: RecordedRequest, operation: Mapping[str, Any]) -> list[str]:
    described = operation.get("requestBody")
    if described is None:
        return ["there is a body"] if request.body else []
    schema = dict(described["content"]["application/json"]["schema"])
    custom = schema["properties"]["custom_fields"]
    key = "^[0-9a-f]{40}$"
    tight = {**custom, "patternProperties": {key: VALUE}, "additionalProperties": False}
    schema["properties"] = {**schema["properties"], "custom_fields": tight}
    schema["additionalProperties"] = False
    return _schema_problems(schema, json.loads(request.body), "body")


def _schema_problems(schema: Mapping[str, Any], value: object, name: str) -> list[str]:
    # A value may be personal: only the place and the rule are said.
    errors = Draft202012Validator(dict(schema)).iter_errors(value)
    return [f"{name}{re.sub('^[$]', '', error.json_path)}: {error.validator}" for error in errors]
