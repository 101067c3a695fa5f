"""Migrations whose time grows with the events: how they are applied, and how many are proven.

wrangler sends a migration as one request, and Cloudflare ends a request after 30 seconds. An import
has no such end: it is asked for until it is over. There each statement alone has the 30 seconds.
https://github.com/cloudflare/workers-sdk/issues/7780
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from ops.cloudflare.new_database import execute_file_command
from ops.cloudflare.target import Target
from ops.cloudflare.worker_commands import WorkerCommands
from ops.deploy.check_result import CheckResult, failed, passed
from ops.terminal.errors import NoAnswerError
from ops.terminal.output import format_duration, note
from paths import ROOT

MILLION = 1_000_000
# Of the whole file: twice the CPU that SQLite took, because D1's speed is not known
# (docs/decisions.md#the-tracking-tables-are-rebuilt).
SECONDS_FOR_A_MILLION = {
    "0014_rebuild_tracking_events.sql": 17,
    "0015_index_tracking_events.sql": 13,
    "0017_rebuild_sessions_and_visitors.sql": 20,
    "0017_turn_blobs_into_text.sql": 9,
    "0018_backfill_touches.sql": 21,
    "0021_add_what_a_new_pixel_says.sql": 13,
    "0030_backfill_touches_again.sql": 14,
    "0032_backfill_touches_by_project.sql": 48,
    "0041_backfill_click_ids.sql": 66,
}
MAX_REQUEST_SECONDS = 15
# While both copies of the events exist, the file has 8 of D1's 10 GB.
MAX_PROVEN_EVENTS = 3 * MILLION
HELP = "docs/upgrade.md#a-large-database"


def largest_migration_seconds(pending: Sequence[str], events: int) -> float:
    """Estimate the longest of the pending migrations for so many events."""
    rates = [SECONDS_FOR_A_MILLION.get(name, 0) for name in pending]
    return max(rates, default=0) * events / MILLION


def check_size(result: CheckResult, pending: Sequence[str], events: int) -> CheckResult:
    """Add to the passed check how long the pending migrations take, or fail: too many events."""
    if not largest_migration_seconds(pending, events):
        return result
    if events <= MAX_PROVEN_EVENTS:
        seconds = sum(SECONDS_FOR_A_MILLION.get(name, 0) for name in pending) * events / MILLION
        return passed(
            f"{result.reason}; with {events:,} events they take some "
            f"{format_duration(max(1, seconds))}, in which D1 answers nobody else"
        )
    return failed(
        f"{events:,} events are more than the {MAX_PROVEN_EVENTS:,} up to which the migrations "
        "keep within D1's limits of time and size",
        HELP,
    )


def apply_migrations(target: Target, pending: Sequence[str], events: int) -> None:
    """Apply the pending migrations, each as an import where a request may be too short for one.

    Raises:
        NoAnswerError: one failed; those before it are applied, and nothing of it is.
    """
    seconds = largest_migration_seconds(pending, events)
    if target.environment is None or seconds <= MAX_REQUEST_SECONDS:
        WorkerCommands(target).apply_migrations().run()
        return
    note(
        "migrations: as imports, because of the number of events; D1 answers nobody else meanwhile"
    )
    for name in pending:
        import_migration(target, name)
        note(f"migrations: {name} is applied")


def import_migration(target: Target, name: str) -> None:
    """Apply one migration as an import, and record it as wrangler does: all of it or nothing.

    Raises:
        NoAnswerError: it failed.
    """
    sql = (ROOT / "migrations" / name).read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / name
        file.write_text(f"{sql}\nINSERT INTO d1_migrations (name) VALUES ('{name}');\n", "utf-8")
        try:
            execute_file_command(target, file).run()
        except NoAnswerError as error:
            raise NoAnswerError(f"{name} failed, and D1 took all of it back: {error}") from None
