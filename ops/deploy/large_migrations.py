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
from ops.deploy.check_result import CheckResult, failed
from ops.terminal.errors import NoAnswerError
from ops.terminal.output import note
from paths import ROOT

MILLION = 1_000_000
# Seconds for a million events, of the whole file; docs/decisions.md#large-tables says of what.
SECONDS_FOR_A_MILLION = {
    "0014_rebuild_tracking_events.sql": 19,
}
MAX_REQUEST_SECONDS = 15
MAX_PROVEN_EVENTS = 3 * MILLION
HELP = "docs/upgrade.md#a-large-database"


def largest_migration_seconds(pending: Sequence[str], events: int) -> float:
    """Estimate the longest of the pending migrations for so many events."""
    rates = [SECONDS_FOR_A_MILLION.get(name, 0) for name in pending]
    return max(rates, default=0) * events / MILLION


def check_size(pending: Sequence[str], events: int) -> CheckResult | None:
    """Return a failure where the pending migrations were not proven for so many events."""
    if events <= MAX_PROVEN_EVENTS or not largest_migration_seconds(pending, events):
        return None
    return failed(
        f"{events:,} events are more than the {MAX_PROVEN_EVENTS:,} that the migrations were "
        "measured with: one of their statements may take longer than D1 allows",
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
