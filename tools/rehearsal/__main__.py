"""`make rehearse`: plays a production's life on the stand-in, and reports what it took."""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

# Run as a folder, Python looks for modules inside of it; the package is found beside it.
sys.path[0] = str(Path(__file__).resolve().parent.parent)

from paths import ROOT  # noqa: E402  # needs the line above
from rehearsal.contents import digest_columns  # noqa: E402  # needs the line above
from rehearsal.life import LONG_LIFE, SHORT_LIFE, Act, acts_of  # noqa: E402  # as above
from rehearsal.proof import count_rows, prove  # noqa: E402  # as above
from rehearsal.report import ActReport, read_origin, write_report  # noqa: E402  # as above
from rehearsal.stage import RehearsalError, Stage, open_stage  # noqa: E402  # as above

EVENTS, SHORT_EVENTS = 200_000, 3_000
ONLY_HELP = "only acts whose name has this, and the deployments that they need; repeatable"


def main(arguments: Sequence[str] | None = None) -> int:
    """Play the acts; exits with 1 if one of them failed."""
    parser = argparse.ArgumentParser(prog="make rehearse", description=__doc__)
    parser.add_argument("--short", action="store_true", help="docs/upgrade.md, few rows")
    parser.add_argument("--events", type=int, help="rows of the event table")
    parser.add_argument("--only", action="append", help=ONLY_HELP)
    parser.add_argument("--folder", type=Path, help="where it is played; kept afterwards")
    parser.add_argument("--reports", type=Path, default=ROOT / "rehearsals", help="where it goes")
    options = parser.parse_args(arguments)
    # A shell lets what runs in its background ignore Ctrl+C, and so would all that is started here.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    events = options.events or (SHORT_EVENTS if options.short else EVENTS)
    acts = SHORT_LIFE if options.short else LONG_LIFE
    chosen = acts_of(acts, options.only)
    if not any(word in act.name for act in chosen for word in options.only or [""]):
        names = "\n  ".join(act.name for act in acts)
        parser.error(f"no act has {' or '.join(options.only)} in its name; there are\n  {names}")
    origin = read_origin(datetime.now(UTC))
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        with open_stage(folder, events) as stage:
            database = stage.cloud.cloud.database_path(stage.database_id)
            stage.digests = digest_columns(database, events, {})
            before = ActReport("before", 0, "as it was inherited", "", rows=count_rows(stage))
            reports = [before, *(_play(stage, act, events) for act in chosen)]
    file = write_report(options.reports, reports, events, origin)
    print(f"report: {file}")
    return 1 if any(report.failure for report in reports) else 0


def _play(stage: Stage, act: Act, events: int) -> ActReport:
    print(f"{act.name} …", flush=True)
    start = time.monotonic()
    failure, proof, rows = "", "", dict[str, int]()
    try:
        act.play(stage)
        proven = prove(stage, events)
        proof, rows = str(proven), dict(proven.rows)
    except RehearsalError as error:
        failure = str(error)
    seconds = time.monotonic() - start
    print(f"  {seconds:.0f} s, {failure or proof}", flush=True)
    steps, stage.steps = stage.steps, []
    return ActReport(act.name, seconds, proof, failure, steps, rows)


if __name__ == "__main__":
    sys.exit(main())
