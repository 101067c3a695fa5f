"""Arrows point one way: entry → pipeline → routes → handlers → services (docs/architecture.md)."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SRC = ROOT / "src"
OPS = ROOT / "ops"
CLOUDFLARE = {"_pyodide_entrypoint_helper", "js", "pyodide", "pyodide_js", "workers"}
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
    "scopes": {"app", "web", *SERVICES},
    "routes": {"app", "config", "handlers", "scopes", "web", *SERVICES},
    "pipeline": {"app", "config", "routes", "scopes", "security_headers", "web", *SERVICES},
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
# Which package of the services imports which. A new arrow is a mistake, or a decision.
SERVICE_PACKAGES = {
    "core": set[str](),
    "access": {"core"},
    "alerting": {"core"},
    "pipedrive": {"core"},
    "projects": {"core", "loss", "pipedrive"},
    "tracking": {"core", "projects"},
    "archive": {"core", "projects"},
    "loss": {"core"},
    "backup": {"archive", "core", "loss"},
    "sync": {"access", "alerting", "core", "pipedrive", "projects", "tracking"},
    "reports": {"archive", "core", "tracking"},
    "privacy": {"archive", "core", "projects", "sync", "tracking"},
    "monitoring": {
        *("alerting", "archive", "backup", "core", "loss", "privacy", "sync", "tracking"),
    },
}
# The same for the commands.
OPS_PACKAGES = {
    "terminal": set[str](),
    "cloudflare": {"terminal"},
    "worker_api": {"cloudflare", "terminal"},
    "leads": {"cloudflare", "terminal", "worker_api"},
    "projects": {"terminal", "worker_api"},
    "reports": {"terminal", "worker_api"},
    "checks": {"terminal", "worker_api"},
    "backup": {"cloudflare", "terminal", "worker_api"},
    "restore": {"backup", "cloudflare", "terminal", "worker_api"},
    "deploy": {"backup", "cloudflare", "leads", "projects", "terminal", "worker_api"},
    "commands": {
        *("backup", "checks", "cloudflare", "deploy", "leads"),
        *("projects", "reports", "restore", "terminal", "worker_api"),
    },
    "__main__": {"commands", "terminal"},
}
# What the edge uses of the services. Handlers, routes and the rest may use all of them.
EDGE_SERVICES = {
    "bindings": {"core"},
    "web": {"access", "core"},
    "config": {
        *("access", "alerting", "archive", "backup", "core"),
        *("monitoring", "pipedrive", "projects", "sync"),
    },
}
# What the commands use of the Worker: its rules and formats, and for checks what it answers.
OPS_USES_OF_SRC = {
    "terminal": {"services.core"},
    "cloudflare": set[str](),
    "worker_api": {"config"},
    "leads": {"services.core", "services.pipedrive", "services.tracking"},
    "projects": {"services.core"},
    "reports": {"services.core"},
    "checks": {
        *("routes", "security_headers", "web", "services.alerting", "services.backup"),
        *("services.core", "services.monitoring", "services.sync"),
    },
    "backup": {"services.core", "services.loss"},
    "restore": {
        *("services.archive", "services.backup", "services.core", "services.loss"),
        "services.privacy",
    },
    "deploy": {
        *("config", "services.core", "services.loss", "services.pipedrive"),
        "services.projects",
        "services.tracking",
    },
    "commands": {
        *("services.access", "services.alerting", "services.core", "services.loss"),
        *("services.monitoring", "services.pipedrive", "services.privacy", "services.reports"),
        "services.tracking",
    },
    "__main__": set[str](),
}
# Ways to import by a name that only the run knows.
IMPORTS_AT_RUN_TIME = {"__import__", "import_module", "importlib", "builtins", "exec", "eval"}
PACKAGES = [
    *(("services", SRC / "services", package) for package in SERVICE_PACKAGES),
    *(("ops", OPS, package) for package in OPS_PACKAGES),
]

# Besides Python's own library: what python_modules/ brings for the services.
VENDORED = {"idna", "ua_parser", "ua_parser_builtins"}

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
            case ast.Name(id=name) if name in IMPORTS_AT_RUN_TIME:
                yield "a name at run time"
            case (
                ast.Attribute(attr="import_module")
                | ast.Attribute(value=ast.Name(id="sys"), attr="modules")
            ):
                yield "a name at run time"


def forbidden_imports(module: str, source: str) -> set[str]:
    part = part_of(module)
    python = sys.stdlib_module_names - IMPORTS_AT_RUN_TIME
    allowed = MAY_IMPORT[part] | {part} | VENDORED | python
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
    [
        *("from . import app", "from .. import js", "__import__('js')", "x.import_module('js')"),
        *("from importlib import import_module", "import builtins", "exec('import js')"),
        "sys.modules['js']",
    ],
)
def test_no_import_goes_around_the_rule(source: str) -> None:
    assert forbidden_imports("services/new.py", source)


def test_services_and_the_standard_library_are_free_to_use() -> None:
    source = "import json\nfrom services.core.text import clean\nfrom ua_parser import OS"
    assert forbidden_imports("services/new.py", source) == set()


def imported_modules(source: str) -> set[str]:
    """The full names that a file imports; a relative one begins with a dot."""
    modules = set[str]()
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                modules |= {alias.name for alias in names}
            case ast.ImportFrom(module=module, names=names, level=level):
                modules |= {f"{'.' * level}{module or ''}.{alias.name}" for alias in names}
    return modules


def imported_packages(root: str, source: str) -> set[str]:
    """The packages below `root` that a file imports: `core` for `services.core.text`."""
    modules = imported_modules(source)
    return {module.split(".")[1] for module in modules if module.startswith(f"{root}.")}


def uses_of_src(source: str) -> set[str]:
    """What a command imports of the Worker or must not import at all, a service by its package."""
    uses = set[str]()
    for module in imported_modules(source):
        top, *rest = module.split(".")
        if top in MAY_IMPORT | {"tests": None, "bench": None}:
            uses.add(f"services.{rest[0]}" if top == "services" else top)
        elif not top:
            uses.add(module)
    return uses


def sources_of(folder: Path, package: str) -> list[str]:
    file = folder / f"{package}.py"
    files = [file] if file.exists() else sorted((folder / package).rglob("*.py"))
    return [path.read_text(encoding="utf-8") for path in files]


def has_circle(arrows: dict[str, set[str]]) -> bool:
    left = {package: set(targets) for package, targets in arrows.items()}
    while leaves := {package for package, targets in left.items() if not targets}:
        left = {name: targets - leaves for name, targets in left.items() if name not in leaves}
    return bool(left)


@pytest.mark.parametrize(("root", "folder", "package"), PACKAGES)
def test_a_package_has_exactly_the_arrows_of_the_table(
    root: str, folder: Path, package: str
) -> None:
    """An arrow that is gone leaves the table, too: the table is the picture of the code."""
    table = SERVICE_PACKAGES if root == "services" else OPS_PACKAGES
    sources = sources_of(folder, package)
    arrows = set[str]().union(*(imported_packages(root, source) for source in sources))
    assert arrows - {package} == table[package]


@pytest.mark.parametrize("part", EDGE_SERVICES)
def test_the_edge_uses_exactly_the_services_of_the_table(part: str) -> None:
    sources = sources_of(SRC, part)
    arrows = set[str]().union(*(imported_packages("services", source) for source in sources))
    assert arrows == EDGE_SERVICES[part]


@pytest.mark.parametrize("package", OPS_PACKAGES)
def test_commands_use_exactly_what_the_table_says_of_the_worker(package: str) -> None:
    uses = set[str]().union(*map(uses_of_src, sources_of(OPS, package)))
    assert uses == OPS_USES_OF_SRC[package]


@pytest.mark.parametrize(
    ("statement", "use"),
    [
        ("from ..restore import assembly", "..restore.assembly"),
        ("from handlers import tracking", "handlers"),
        ("from bindings.d1 import x", "bindings"),
        ("from tests.ops import running", "tests"),
        ("def late():\n    from services.sync import outbox", "services.sync"),
    ],
)
def test_a_command_that_used_more_would_be_seen(statement: str, use: str) -> None:
    assert uses_of_src(statement) == {use}


@pytest.mark.parametrize("package", [SRC / "services", OPS])
def test_a_root_package_imports_nothing(package: Path) -> None:
    assert imported_modules((package / "__init__.py").read_text(encoding="utf-8")) == set()


def packages_in(folder: Path) -> set[str]:
    return {path.stem for path in folder.iterdir()} - {"__init__", "__pycache__"}


def test_every_package_is_in_the_table() -> None:
    assert packages_in(SRC / "services") == set(SERVICE_PACKAGES)
    assert packages_in(OPS) == set(OPS_PACKAGES)


@pytest.mark.parametrize("arrows", [SERVICE_PACKAGES, OPS_PACKAGES], ids=["services", "ops"])
def test_no_arrow_leads_back(arrows: dict[str, set[str]]) -> None:
    assert not has_circle(arrows)


def test_a_circle_would_be_seen() -> None:
    assert has_circle({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": set()})
