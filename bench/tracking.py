"""`make bench`: the tracking endpoint beside a minimal JavaScript Worker with the same D1 batch.

Both run in the same workerd on the same machine, in turn, several times. What counts is the ratio
inside one run; the times themselves belong to the machine.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from local_config import prepare_local_config, read_wrangler_toml
from paths import LOCAL_CONFIG, NODE_BIN, tool_environment
from services.tracking.record_statements import RECORD_EVENT_BATCH
from startup_check import bundle_worker
from tests.harness.direct import Direct, migrate, running_directly
from tests.harness.prepared import WITHOUT_SNAPSHOT

BENCH = Path(__file__).resolve().parent

NO_LIMIT = {"TRACKING_PER_MINUTE": "999999999"}


@dataclass(frozen=True, slots=True)
class Measured:
    """One load on one Worker: events a second, and latencies in milliseconds."""

    per_second: float
    p50: float
    p95: float
    p99: float
    failed: int


def load(worker: Direct, connections: int, seconds: int) -> Measured:
    """Sends events to a Worker from a process of its own."""
    arguments = [f"{worker.url}/e", str(connections), str(seconds)]
    command = [str(NODE_BIN / "node"), str(BENCH / "load.mjs"), *arguments]
    client = subprocess.run(
        command, capture_output=True, text=True, check=True, env=tool_environment()
    )
    return Measured(**json.loads(client.stdout))


@contextmanager
def our_worker(folder: Path) -> Iterator[Direct]:
    """This Worker as it is uploaded, with its own log level, on a fresh database."""
    bundle_worker(folder / "ours")
    migrate(folder / "our-storage")
    config = json.loads(LOCAL_CONFIG.read_text(encoding="utf-8"))
    with running_directly(
        folder / "ours", "entry.py", config, folder / "our-storage", NO_LIMIT
    ) as worker:
        yield worker


@contextmanager
def minimal_worker(folder: Path) -> Iterator[Direct]:
    """The JavaScript yardstick, with the same batch, on a fresh database."""
    (folder / "minimal").mkdir()
    code = (BENCH / "minimal" / "worker.js").read_text(encoding="utf-8")
    (folder / "minimal" / "worker.js").write_text(code, encoding="utf-8")
    (folder / "minimal" / "statements.js").write_text(
        f"export const statements = {json.dumps(RECORD_EVENT_BATCH)};\n", encoding="utf-8"
    )
    migrate(folder / "minimal-storage")
    wrangler = read_wrangler_toml()
    config = {name: wrangler[name] for name in ("compatibility_date", "d1_databases")}
    storage = folder / "minimal-storage"
    with running_directly(folder / "minimal", "worker.js", config, storage, {}) as worker:
        yield worker


def compare(folder: Path, rounds: int, seconds: int) -> None:
    """Loads both in turn and prints the medians, and the median of the ratios of each round."""
    with our_worker(folder) as python_worker, minimal_worker(folder) as javascript_worker:
        for connections in (16, 1):
            for worker in (python_worker, javascript_worker):
                load(worker, connections, 2)
            pairs = [
                (
                    load(python_worker, connections, seconds),
                    load(javascript_worker, connections, seconds),
                )
                for _ in range(rounds)
            ]
            report(connections, pairs)


def report(connections: int, pairs: Sequence[tuple[Measured, Measured]]) -> None:
    """Prints the table of one comparison."""
    print(f"\n{connections} connection(s), {len(pairs)} rounds, medians")
    print(f"{'':<12}{'Python':>10}{'JavaScript':>12}{'ratio':>8}")
    for figure in ("per_second", "p50", "p95", "p99"):
        python_figures = [getattr(pair[0], figure) for pair in pairs]
        javascript_figures = [getattr(pair[1], figure) for pair in pairs]
        ratio = statistics.median(
            a / b for a, b in zip(python_figures, javascript_figures, strict=True)
        )
        medians = statistics.median(python_figures), statistics.median(javascript_figures)
        print(f"{figure:<12}{medians[0]:>10.1f}{medians[1]:>12.1f}{ratio:>8.2f}")
    failed = sum(measured.failed for pair in pairs for measured in pair)
    if failed:
        raise SystemExit(f"error: {failed} requests were not answered 200: the figures are void")


def main() -> int:
    """Measures throughput with many connections, then latency with one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4)
    options = parser.parse_args()
    # Started as they were for every figure in docs/performance.md.
    os.environ[WITHOUT_SNAPSHOT] = "1"
    print(f"Pyodide bundle: {prepare_local_config().description}")
    with tempfile.TemporaryDirectory() as folder:
        compare(Path(folder), options.rounds, options.seconds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
