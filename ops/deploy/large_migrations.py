"""Migrations whose time grows with the tables: how they are applied, and how many rows are proven.

wrangler sends a migration as one request, and Cloudflare ends a request after 30 seconds. An import
has no such end: it is asked for until it is over. There each statement alone has the 30 seconds.
https://github.com/cloudflare/workers-sdk/issues/7780
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from ops.cloudflare.new_database import execute_file_command
from ops.cloudflare.target import Target
from ops.cloudflare.worker_commands import WorkerCommands
from ops.deploy.check_result import CheckResult, failed, passed
from ops.terminal.errors import NoAnswerError
from ops.terminal.output import format_duration, note
from paths import ROOT

MILLION = 1_000_000
# Of the whole file, for a million rows of each table: twice the CPU that SQLite took, because D1's
# speed is not known (docs/decisions.md#the-tracking-tables-are-rebuilt). The old Worker's archive
# deleted events and left their sessions and visitors, so that each table is counted.
SECONDS_FOR_A_MILLION: Mapping[str, Mapping[str, float]] = {
    "0014_rebuild_tracking_events.sql": {"tracking_events": 17},
    "0015_index_tracking_events.sql": {"tracking_events": 13},
    "0017_rebuild_sessions_and_visitors.sql": {"sessions": 60, "visitors": 40},
    "0017_turn_blobs_into_text.sql": {"tracking_events": 9},
    "0018_backfill_touches.sql": {"tracking_events": 13, "sessions": 26},
    "0021_add_what_a_new_pixel_says.sql": {"tracking_events": 13},
    "0030_backfill_touches_again.sql": {"tracking_events": 8, "sessions": 19},
    "0032_backfill_touches_by_project.sql": {
        "tracking_events": 37,
        "sessions": 18,
        "visitors": 27,
    },
    "0041_backfill_click_ids.sql": {"tracking_events": 66},
    "0053_turn_all_bytes_into_text.sql": {"tracking_events": 3},
    "0054_give_sessions_their_project.sql": {"sessions": 4},
}
MAX_REQUEST_SECONDS = 15
# While both copies of the events exist, the file has 8 of D1's 10 GB. Of the other two, a statement
# that cannot be portioned takes as long as the index of so many events.
MAX_PROVEN_ROWS = {
    "tracking_events": 3 * MILLION,
    "sessions": 3 * MILLION,
    "visitors": 2 * MILLION,
}
NAMES = {"tracking_events": "events"}
HELP = "docs/upgrade.md#a-large-database"


def largest_migration_seconds(pending: Sequence[str], rows: Mapping[str, int]) -> float:
    """Estimate the longest of the pending migrations for so many rows of each table."""
    return max((_seconds(name, rows) for name in pending), default=0)


def check_size(result: CheckResult, pending: Sequence[str], rows: Mapping[str, int]) -> CheckResult:
    """Add to the passed check how long the pending migrations take, or fail: too many rows."""
    if not largest_migration_seconds(pending, rows):
        return result
    tables = [table for table in MAX_PROVEN_ROWS if rows.get(table)]
    for table in tables:
        if rows[table] > MAX_PROVEN_ROWS[table]:
            return failed(
                f"{_counted(table, rows[table])} are more than the {MAX_PROVEN_ROWS[table]:,} up "
                "to which the migrations keep within D1's limits of time and size",
                HELP,
            )
    seconds = sum(_seconds(name, rows) for name in pending)
    counts = ", ".join(_counted(table, rows[table]) for table in tables)
    return passed(
        f"{result.reason}; with {counts} they take some "
        f"{format_duration(max(1, seconds))}, in which D1 answers nobody else"
    )


def apply_migrations(target: Target, pending: Sequence[str], rows: Mapping[str, int]) -> None:
    """Apply the pending migrations, each as an import where a request may be too short for one.

    Raises:
        NoAnswerError: one failed; those before it are applied, and nothing of it is.
    """
    seconds = largest_migration_seconds(pending, rows)
    if target.environment is None or seconds <= MAX_REQUEST_SECONDS:
        WorkerCommands(target).apply_migrations().run()
        return
    note("migrations: as imports, because of the number of rows; D1 answers nobody else meanwhile")
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


def _seconds(name: str, rows: Mapping[str, int]) -> float:
    rates = SECONDS_FOR_A_MILLION.get(name, {})
    return sum(rate * rows.get(table, 0) for table, rate in rates.items()) / MILLION


def _counted(table: str, number: int) -> str:
    return f"{number:,} {NAMES.get(table, table)}"
