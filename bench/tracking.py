"""`make bench`: the tracking endpoint beside a minimal JavaScript Worker with the same D1 batch.

A second yardstick also sends our headers and writes a log line. All run on the same machine, each
in a workerd of its own, in turn, several times. What counts is the ratio inside one run; the times
themselves belong to the machine.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from local_config import prepare_local_config, read_wrangler_toml
from paths import LOCAL_CONFIG, NODE_BIN, tool_environment
from pipeline import COMMON_HEADERS, CORS_HEADERS
from services.tracking.record_statements import RECORD_EVENT_BATCH
from startup_check import bundle_worker
from tests.harness.direct import Direct, migrate, running_directly
from tests.harness.prepared import WITHOUT_SNAPSHOT

BENCH = Path(__file__).resolve().parent

NO_LIMIT = {"TRACKING_PER_MINUTE": "999999999"}
MINIMAL: Mapping[str, str] = {}
# What else an answer to an event has, and a log line.
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
def minimal_worker(
    folder: Path, name: str = "minimal", env_vars: Mapping[str, str] = MINIMAL
) -> Iterator[Direct]:
    """The JavaScript yardstick, with the same batch, on a fresh database."""
    (folder / name).mkdir()
    code = (BENCH / "minimal" / "worker.js").read_text(encoding="utf-8")
    (folder / name / "worker.js").write_text(code, encoding="utf-8")
    (folder / name / "statements.js").write_text(
        f"export const statements = {json.dumps(RECORD_EVENT_BATCH)};\n", encoding="utf-8"
    )
    storage = folder / f"{name}-storage"
    migrate(storage)
    wrangler = read_wrangler_toml()
    config = {name: wrangler[name] for name in ("compatibility_date", "d1_databases")}
    with running_directly(folder / name, "worker.js", config, storage, env_vars) as worker:
        yield worker


def compare(folder: Path, rounds: int, seconds: int) -> None:
    """Loads all in turn and prints the medians, and the median of the ratios of each round."""
    with (
        our_worker(folder) as python_worker,
        minimal_worker(folder) as minimal,
        minimal_worker(folder, "equipped", EQUIPPED) as equipped,
    ):
        workers = (python_worker, minimal, equipped)
        for connections in (16, 1):
            for worker in workers:
                load(worker, connections, 2)
            measured = [
                tuple(load(worker, connections, seconds) for worker in workers)
                for _ in range(rounds)
            ]
            report(connections, measured)


def report(connections: int, rounds: Sequence[Sequence[Measured]]) -> None:
    """Prints the table of one comparison."""
    print(f"\n{connections} connection(s), {len(rounds)} rounds, medians")
    print("ratios: to the minimal JavaScript, and to the one with our headers and a log line")
    print(f"{'':<12}{'Python':>10}{'minimal':>10}{'equipped':>10}{'ratio':>8}{'ratio':>8}")
    for figure in ("per_second", "p50", "p95", "p99"):
        columns = [
            [getattr(measured, figure) for measured in figures_of_round]
            for figures_of_round in rounds
        ]
        medians = [statistics.median(column) for column in zip(*columns, strict=True)]
        ratios = [statistics.median(row[0] / row[i] for row in columns) for i in (1, 2)]
        figures = "".join(f"{median:>10.1f}" for median in medians)
        print(f"{figure:<12}{figures}" + "".join(f"{ratio:>8.2f}" for ratio in ratios))
    failed = sum(measured.failed for figures_of_round in rounds for measured in figures_of_round)
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
