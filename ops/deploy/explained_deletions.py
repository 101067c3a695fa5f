"""Rows that the jobs and erasures deleted since a moment, by their own records."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ops.backup.index import BackupContents
from ops.cloudflare.database import Database
from ops.deploy.database_checks import describe_missing_rows
from ops.terminal.errors import NoAnswerError
from ops.worker_api.retries import outage_retries
from services.loss.recorded_deletions import (
    DELETED_EVENTS,
    DELETED_SESSIONS,
    DELETED_VISITORS,
)

READ_CLOCK = "SELECT datetime('now') AS now"
PAUSE_SECONDS, MAX_ATTEMPTS = 5, 24

READ_DELETIONS = f"""
SELECT
  {DELETED_EVENTS} AS tracking_events, {DELETED_SESSIONS} AS sessions,
  {DELETED_VISITORS} AS visitors,
  EXISTS (
    SELECT 1 FROM job_runs WHERE job = 'retention' AND finished_at IS NULL
    AND lease_until > datetime('now')
  ) AS is_running
"""


@dataclass(frozen=True, slots=True)
class DeletionRecords:
    """The records of deletions in a database, since a time of its clock."""

    database: Database
    since: str
    pause: Callable[[], None] = lambda: time.sleep(PAUSE_SECONDS)

    def describe_loss(
        self, before: BackupContents, read_contents: Callable[[], BackupContents]
    ) -> tuple[str | None, BackupContents]:
        """Return a loss that no job and no erasure explains, or None, and the last count.

        It waits for a run of retention, which records what it deleted when it ends.

        Raises:
            NoAnswerError: the database does not answer.
        """
        for attempt in range(MAX_ATTEMPTS):
            now = read_contents()
            loss = describe_missing_rows(before, now, exact=True)
            if loss is None:
                return None, now
            ask = outage_retries(NoAnswerError)
            [[row]] = ask(self.database.ask, READ_DELETIONS.replace("{since}", f"'{self.since}'"))
            loss = describe_missing_rows(_without_deleted(before, row), now, exact=True)
            if loss is None or not row["is_running"] or attempt == MAX_ATTEMPTS - 1:
                break
            self.pause()
        return loss, now


def read_clock(database: Database) -> str:
    """Read the database's time.

    Raises:
        NoAnswerError: it does not answer.
    """
    [[row]] = database.ask(READ_CLOCK)
    return str(row["now"])


def _without_deleted(before: BackupContents, deletions: Mapping[str, int]) -> BackupContents:
    """Return a count of rows less those whose deletion is recorded."""
    rows = Counter(before.rows)
    for name in rows:
        rows[name] = max(0, rows[name] - deletions.get(name, 0))
    return BackupContents(rows, before.highest_event)
