"""Every response header of the OpenAPI document is written in src letter by letter."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]


def response_headers(node: object) -> Iterator[str]:
    """The names below every `headers` of a response; those of `components` are only labels."""
    match node:
        case {"description": str(), "headers": dict(headers)}:
            yield from headers
    children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    for child in children:
        yield from response_headers(child)


DOCUMENT = yaml.safe_load((ROOT / "static" / "openapi.yaml").read_text(encoding="utf-8"))
NAMES = sorted(set(response_headers(DOCUMENT)))
LITERALS = {
    node.value
    for path in (ROOT / "src").rglob("*.py")
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    if isinstance(node, ast.Constant) and isinstance(node.value, str)
}


def test_the_document_has_the_headers_that_clients_follow() -> None:
    assert {"X-Next-Cursor", "Retry-After", "Set-Cookie"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_documented_header_is_a_literal_in_src(name: str) -> None:
    assert name in LITERALS
