"""`make chaos`: bad weather over the real runtime, and a dated report of what was counted."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from local_config import prepare_local_config
from tests.chaos.weather import Weather, weather

REPORTS = Path("chaos")


def main() -> int:
    """Play for so many minutes; 1 if anything is lost, doubled or of another lead."""
    parser = argparse.ArgumentParser(prog="make chaos ARGS=…", description=__doc__)
    parser.add_argument("--minutes", type=float, default=2.0, help="how long; 60 is a long one")
    parser.add_argument("--seed", type=int, default=None, help="the same blows in the same order")
    parser.add_argument("--reports", type=Path, default=REPORTS, help="the folder of the reports")
    options = parser.parse_args()
    now = datetime.now(UTC)
    seed = options.seed if options.seed is not None else int(now.timestamp())
    prepare_local_config()
    print(f"seed {seed}, {options.minutes:g} minutes; Ctrl+C ends it without a result", flush=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        weather(seed, Path(folder), lambda line: print(line, flush=True)) as run,
    ):
        faults = run.play(options.minutes * 60)
        report = describe(run, faults, now, options.minutes)
    print(report)
    options.reports.mkdir(exist_ok=True)
    file = options.reports / f"{now:%Y%m%dT%H%M%SZ}.md"
    file.write_text(report, encoding="utf-8")
    print(f"written to {file}")
    return 1 if faults else 0


def describe(run: Weather, faults: Sequence[str], start: datetime, minutes: float) -> str:
    """The report as Markdown: what struck, what was sent, what is not as it must be."""
    ledger = run.ledger
    answers = ", ".join(
        f"{number:,} {status or 'without an answer'}"
        for status, number in sorted(ledger.statuses.items())
    )
    verdict = f"{len(faults)} faults" if faults else "nothing lost, nothing doubled"
    lines = [
        f"# Chaos of {start:%Y-%m-%d %H:%M} UTC: {verdict}",
        "",
        f"Seed {run.seed}, {minutes:g} minutes, real workerd with D1, KV, R2 and Durable Object, a",
        "simulated Pipedrive.",
        "",
        *(f"- {name}: {number} times" for name, number in sorted(run.blows.items())),
        f"- {len(ledger.events):,} events, {len(ledger.campaigns):,} of them leads",
        f"- answers: {answers}",
        "",
        *(f"- {fault}" for fault in faults[:100]),
    ]
    return "\n".join(lines).rstrip() + "\n"


if __name__ == "__main__":
    sys.exit(main())
