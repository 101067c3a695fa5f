"""`make bench`: the tracking endpoint beside JavaScript Workers, and the rungs between them.

All run on the same machine, each in a workerd of its own, in turn, several times. What counts is
the ratio inside one round; the times themselves belong to the machine. The tables are printed and
written into docs/performance.md.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench.competitors import EQUIPPED_NAME, MINIMAL, RUNGS, THIS_PRODUCT, USUAL, running
from bench.load import Measured, load
from bench.tables import format_table, write_tables
from local_config import prepare_local_config
from tests.harness.prepared import WITHOUT_SNAPSHOT

WARM_UP_SECONDS = 2


@dataclass(frozen=True, slots=True)
class Comparison:
    """One kind of load with so many connections, on some Workers; the first is what is 1."""

    title: str
    kind: str
    connections: int
    names: Sequence[str]


YARDSTICKS = (MINIMAL, EQUIPPED_NAME, USUAL)
COMPARISONS = (
    *(
        Comparison(
            f"Repeat page views, {connections} connection{'s' if connections > 1 else ''}",
            *("repeat", connections, (*YARDSTICKS, *RUNGS, THIS_PRODUCT)),
        )
        for connections in (16, 8, 1)
    ),
    Comparison(
        "One new visitor in ten, one lead in fifty, 16 connections",
        *("mixed", 16, (*YARDSTICKS, THIS_PRODUCT)),
    ),
    Comparison("`page.gif`, 16 connections", "image", 16, (*YARDSTICKS, THIS_PRODUCT)),
)


def compare(folder: Path, rounds: int, seconds: float, chosen: Sequence[Comparison]) -> list[str]:
    """Loads all Workers in turn; the tables as Markdown, each printed as soon as it is there."""
    tables = []
    with running(
        folder, list(dict.fromkeys(name for compared in chosen for name in compared.names))
    ) as workers:
        for comparison in chosen:
            names, kind, connections = comparison.names, comparison.kind, comparison.connections
            for name in names:
                load(workers[name], kind, connections, WARM_UP_SECONDS)
            measured: list[list[Measured]] = []
            for number in range(rounds):
                print(f"{comparison.title}: round {number + 1} of {rounds}", file=sys.stderr)
                measured.append([load(workers[n], kind, connections, seconds) for n in names])
            table = format_table(comparison.title, names, measured)
            print(table, flush=True)
            tables.append(table)
            if any(figures.failed for row in measured for figures in row):
                raise SystemExit("error: requests were not answered 200: the figures are void")
    return tables


def main() -> int:
    """Measures all, or what `--only` names."""
    parser = argparse.ArgumentParser(prog="make bench ARGS=…", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4, help="of one load")
    parser.add_argument("--only", metavar="TEXT", help="comparisons with this in their title")
    parser.add_argument("--keep", action="store_true", help="leave docs/performance.md as it is")
    options = parser.parse_args()
    chosen = [compared for compared in COMPARISONS if (options.only or "") in compared.title]
    if not chosen:
        titles = "".join(f"\n  {compared.title}" for compared in COMPARISONS)
        parser.error(f"no comparison has {options.only} in its title; there are{titles}")
    # Started as they were for every figure in docs/performance.md.
    os.environ[WITHOUT_SNAPSHOT] = "1"
    start = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, load {os.getloadavg()[0]:.1f} before"
    bundle = prepare_local_config().description
    with tempfile.TemporaryDirectory() as folder:
        tables = compare(Path(folder), options.rounds, options.seconds, chosen)
    head = f"{start}; {options.rounds} rounds of {options.seconds:g} s; {bundle}"
    print(head)
    if chosen == list(COMPARISONS) and not options.keep:
        write_tables(head, tables)
    return 0


if __name__ == "__main__":
    sys.exit(main())
