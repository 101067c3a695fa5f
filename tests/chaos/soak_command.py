"""The command `make soak`, and its dated report."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from local_config import prepare_local_config
from tests.chaos.soak import Soak, soak

REPORTS = Path("chaos")


def describe(run: Soak, faults: Sequence[str], start: datetime, minutes: float) -> str:
    """The report as Markdown: what was sent, how memory and latency went, what is not right."""
    answers = ", ".join(
        f"{number:,} {status or 'without an answer'}"
        for status, number in sorted(run.ledger.statuses.items())
    )
    verdict = f"{len(faults)} faults" if faults else "nothing grew, nothing lost"
    step = max(1, len(run.samples) // 12)
    lines = [
        f"# Soak of {start:%Y-%m-%d %H:%M} UTC: {verdict}",
        "",
        f"Seed {run.seed}, {minutes:g} minutes, at most {run.rate:g} events a second.",
        "",
        f"- {len(run.ledger.events):,} events, {len(run.ledger.campaigns):,} of them leads",
        f"- {run.strangers:,} strangers: images, crawlers, reads of the API, clients that hung up",
        f"- answers: {answers}",
        "",
        "| seconds | answers | p50 ms | p99 ms | interpreter MiB | workerd MiB |",
        "| --- | --- | --- | --- | --- | --- |",
        *(
            f"| {sample.seconds:.0f} | {sample.answers:,} | {sample.p50:.1f} | {sample.p99:.1f}"
            f" | {sample.interpreter:.0f} | {sample.resident:.0f} |"
            for sample in run.samples[::step]
        ),
        "",
        *(f"- {fault}" for fault in faults[:100]),
    ]
    return "\n".join(lines).rstrip() + "\n"


def main() -> int:
    """Runs for so many minutes; 1 if anything grew, was lost or was written that should not be."""
    parser = argparse.ArgumentParser(prog="make soak ARGS=…", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0, help="how long")
    parser.add_argument("--rate", type=float, default=40.0, help="events a second, at most")
    parser.add_argument("--seed", type=int, default=1, help="the same visitors again")
    parser.add_argument("--reports", type=Path, default=REPORTS, help="the folder of the reports")
    options = parser.parse_args()
    if options.minutes <= 0 or options.rate <= 0:
        parser.error("--minutes and --rate are above 0")
    start = datetime.now(UTC)
    prepare_local_config()
    print(f"{options.minutes:g} minutes; Ctrl+C ends it without a result", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        run = Soak(
            options.seed,
            Path(folder) / "storage",
            lambda line: print(line, flush=True),
            log=Path(folder) / "workerd.log",
            rate=options.rate,
        )
        faults = soak(run, options.minutes * 60)
    report = describe(run, faults, start, options.minutes)
    print(report)
    options.reports.mkdir(exist_ok=True)
    file = options.reports / f"soak-{start:%Y%m%dT%H%M%SZ}.md"
    file.write_text(report, encoding="utf-8")
    print(f"written to {file}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
