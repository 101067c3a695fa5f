"""Arrows point one way: entry → pipeline → routes → handlers → services (docs/architecture.md)."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

SRC = Path(__file__).resolve().parents[2] / "src"
CLOUDFLARE = {"js", "pyodide", "pyodide_js", "workers"}
SERVICES = {"services", "generated"}

# What each part of src/ may import of the others, besides itself.
MAY_IMPORT = {
    "generated": set[str](),
    "security_headers": set[str](),
    "services": {"generated"},
    "config": SERVICES,
    "web": SERVICES,
    "app": {"config", *SERVICES},
    "handlers": {"app", "config", "web", *SERVICES},
    "routes": {"app", "config", "handlers", "web", *SERVICES},
    "pipeline": {"app", "config", "routes", "security_headers", "web", *SERVICES},
    "bindings": {"app", "config", "web", *SERVICES, *CLOUDFLARE},
    "wiring": {"app", "bindings", "config", *SERVICES, *CLOUDFLARE},
    "entry": {
        "app",
        "bindings",
        "config",
        "handlers",
        "pipeline",
        "routes",
        "web",
        "wiring",
        *SERVICES,
        *CLOUDFLARE,
    },
}
# Besides Python's own library: what python_modules/ brings for the services.
VENDORED = {"ua_parser", "ua_parser_builtins"}

MODULES = sorted(path.relative_to(SRC).as_posix() for path in SRC.rglob("*.py"))


def part_of(module: str) -> str:
    """The top of a file's path: `services` for services/access/bots.py, `app` for app.py."""
    return module.partition("/")[0].removesuffix(".py")


def imports_of(source: str) -> Iterator[str]:
    """The first name of everything that is imported, wherever in the file it stands."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                yield from (alias.name.partition(".")[0] for alias in names)
            case ast.ImportFrom(module=str(module), level=0):
                yield module.partition(".")[0]
            case ast.ImportFrom():
                yield "."
            case ast.Name(id="__import__") | ast.Attribute(attr="import_module"):
                yield "a name at run time"


def forbidden_imports(module: str, source: str) -> set[str]:
    part = part_of(module)
    allowed = MAY_IMPORT[part] | {part} | VENDORED | sys.stdlib_module_names
    return set(imports_of(source)) - allowed


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_only_what_lies_below_it(module: str) -> None:
    source = (SRC / module).read_text(encoding="utf-8")
    assert forbidden_imports(module, source) == set()


def test_every_part_of_the_source_has_its_place() -> None:
    assert {part_of(module) for module in MODULES} == set(MAY_IMPORT)


def test_only_the_bindings_their_wiring_and_the_entry_know_cloudflare() -> None:
    knowing = {part for part, allowed in MAY_IMPORT.items() if allowed & CLOUDFLARE}
    assert knowing == {"bindings", "entry", "wiring"}


@pytest.mark.parametrize(
    "name",
    [
        *("js", "pyodide.ffi", "workers", "handlers.tracking", "app", "routes", "pipeline"),
        *("web", "bindings.d1", "config", "entry", "httpx"),
    ],
)
@pytest.mark.parametrize(
    "statement", ["import {}", "from {} import x", "def late():\n    from {} import x as y"]
)
def test_a_service_that_knew_the_edge_would_be_seen(name: str, statement: str) -> None:
    source = statement.format(name)
    assert forbidden_imports("services/new.py", source) == {name.partition(".")[0]}


@pytest.mark.parametrize("name", ["bindings.kv", "routes", "pipeline", "entry", "js"])
def test_a_handler_that_looked_up_would_be_seen(name: str) -> None:
    assert forbidden_imports("handlers/new.py", f"import {name}") == {name.partition(".")[0]}


@pytest.mark.parametrize(
    "source",
    ["from . import app", "from .. import js", "__import__('js')", "x.import_module('js')"],
)
def test_no_import_goes_around_the_rule(source: str) -> None:
    assert forbidden_imports("services/new.py", source)


def test_services_and_the_standard_library_are_free_to_use() -> None:
    source = "import json\nfrom services.core.text import clean\nfrom ua_parser import OS"
    assert forbidden_imports("services/new.py", source) == set()
