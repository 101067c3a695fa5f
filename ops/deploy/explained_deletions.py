"""Rows that the jobs and erasures deleted since a moment, by their own records."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ops.backup.index import BackupContents
from ops.cloudflare.database import Database
from ops.deploy.database_checks import describe_missing_rows
from services.privacy.retention import JOB as RETENTION

READ_CLOCK = "SELECT datetime('now') AS now"
PAUSE_SECONDS, MAX_ATTEMPTS = 5, 24

# The archive records its deletions in the transaction that makes them, a run of retention when it
# ends, an erasure portion by portion. A run that began before and ended after counts as a whole.
_RETENTION_RUNS = f"job = '{RETENTION}' AND finished_at >= '{{since}}'"
_ERASURES = "kind = 'erase' AND coalesce(finished_at, '9') >= '{since}'"
_SUM_OF_RUNS = "SELECT coalesce(sum(summary ->> '{name}'), 0) FROM job_runs"
_SUM_OF_ERASURES = "SELECT coalesce(sum(counts ->> '{name}'), 0) FROM privacy_requests"
READ_DELETIONS = f"""
SELECT
  (SELECT coalesce(sum(events), 0) FROM archive_batches WHERE archived_at >= '{{since}}')
    + ({_SUM_OF_RUNS.format(name="events")} WHERE {_RETENTION_RUNS})
    + ({_SUM_OF_ERASURES.format(name="tracking_events")} WHERE {_ERASURES}) AS tracking_events,
  ({_SUM_OF_RUNS.format(name="sessions")} WHERE {_RETENTION_RUNS})
    + ({_SUM_OF_ERASURES.format(name="sessions")} WHERE {_ERASURES}) AS sessions,
  ({_SUM_OF_RUNS.format(name="visitors")} WHERE {_RETENTION_RUNS})
    + ({_SUM_OF_ERASURES.format(name="visitors")} WHERE {_ERASURES}) AS visitors,
  EXISTS (
    SELECT 1 FROM job_runs WHERE job = '{RETENTION}' AND finished_at IS NULL
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
            [[row]] = self.database.ask(READ_DELETIONS.format(since=self.since))
            loss = describe_missing_rows(_less_deleted(before, row), now, exact=True)
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


def _less_deleted(before: BackupContents, deletions: Mapping[str, int]) -> BackupContents:
    """Return a count of rows less those whose deletion is recorded."""
    rows = Counter(before.rows)
    for name in rows:
        rows[name] = max(0, rows[name] - deletions.get(name, 0))
    return BackupContents(rows, before.highest_event)
