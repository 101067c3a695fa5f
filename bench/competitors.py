"""The Workers that `make bench` compares: ours, the yardsticks, and the rungs between them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from paths import LOCAL_CONFIG
from pipeline import COMMON_HEADERS, CORS_HEADERS
from services.tracking.record_statements import RECORD_EVENT_BATCH
from startup_check import bundle_worker
from tests.harness.direct import Config, Direct, migrate, running_directly

BENCH = Path(__file__).resolve().parent
# No client is refused, however fast it is.
NO_LIMIT = {"TRACKING_PER_MINUTE": "999999999", "LEADS_PER_MINUTE": "999999999"}
# What else an answer to an event has; with it the minimal Worker also writes a log line.
EQUIPPED = {
    "HEADERS": json.dumps(
        {
            **COMMON_HEADERS,
            **CORS_HEADERS,
            "Cache-Control": "no-store",
            "X-Request-Id": "0" * 32,
            "X-RateLimit-Limit": "100",
            "X-RateLimit-Remaining": "99",
            "X-RateLimit-Reset": "1790000000",
        }
    )
}


@dataclass(frozen=True, slots=True)
class Code:
    """How a Worker comes into its folder, with its main module and its settings."""

    write: Callable[[Path, Path], None]
    """Takes the folder, which is there, and the folder of our bundle."""
    main: str
    settings: Mapping[str, str]
    names: Sequence[str] = ("compatibility_date", "d1_databases")
    """What of the local configuration it runs with; all of it where empty."""
    has_class: bool = False
    """Whether it is a class of the SDK, beside which no function may be a handler."""


def _write_product(folder: Path, bundle: Path) -> None:
    shutil.copytree(bundle, folder, dirs_exist_ok=True)


def _write_minimal(folder: Path, _bundle: Path) -> None:
    shutil.copy(BENCH / "minimal" / "worker.js", folder)
    statements = f"export const statements = {json.dumps(RECORD_EVENT_BATCH)};\n"
    (folder / "statements.js").write_text(statements, encoding="utf-8")


def _write_usual(folder: Path, _bundle: Path) -> None:
    for file in (BENCH / "usual").glob("*.js"):
        shutil.copy(file, folder)


def _write_rung(folder: Path, bundle: Path) -> None:
    _write_product(folder, bundle)
    for file in (BENCH / "ladder").glob("*.py"):
        shutil.copy(file, folder)


FUNCTIONS_FLAG = "disable_python_no_global_handlers"
_PYTHON = ("compatibility_date", "compatibility_flags", "d1_databases")
THIS_PRODUCT, MINIMAL, EQUIPPED_NAME, USUAL = (
    "this product",
    "JavaScript, the batch alone",
    "the same, our headers and a log line",
    "JavaScript, a query per step",
)
USUAL_COUNTED = f"{USUAL}, counted"
RUNGS = {
    "Python, class of the SDK": "rung_class.py",
    "Python, a function": "rung_function.py",
    "Python, a function on our event loop": "rung_loop.py",
}
CODE = {
    MINIMAL: Code(_write_minimal, "worker.js", {}),
    EQUIPPED_NAME: Code(_write_minimal, "worker.js", EQUIPPED),
    USUAL: Code(_write_usual, "worker.js", {}),
    USUAL_COUNTED: Code(_write_usual, "counted.js", {}),
    **{
        name: Code(_write_rung, main, {}, _PYTHON, has_class="class" in main)
        for name, main in RUNGS.items()
    },
    THIS_PRODUCT: Code(_write_product, "entry.py", NO_LIMIT, ()),
}


@contextmanager
def running(folder: Path, names: Sequence[str]) -> Iterator[Mapping[str, Direct]]:
    """Runs Workers by name, each in a workerd of its own, on a fresh database each."""
    bundle_worker(folder / "bundle")
    with ExitStack() as stack:
        yield {
            name: stack.enter_context(_running(folder / str(number), CODE[name], folder / "bundle"))
            for number, name in enumerate(names)
        }


@contextmanager
def _running(folder: Path, code: Code, bundle: Path) -> Iterator[Direct]:
    worker, storage = folder / "worker", folder / "storage"
    worker.mkdir(parents=True)
    code.write(worker, bundle)
    migrate(storage)
    local: Config = json.loads(LOCAL_CONFIG.read_text(encoding="utf-8"))
    config = {name: local[name] for name in code.names} if code.names else local
    if code.has_class:
        flags = [flag for flag in config["compatibility_flags"] if flag != FUNCTIONS_FLAG]
        config = config | {"compatibility_flags": flags}
    with running_directly(worker, code.main, config, storage, code.settings) as direct:
        yield direct
