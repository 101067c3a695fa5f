"""Whether the rows that a backup writes add up to the rows that it counts, as a restore checks.

Of events and logs, whose ids are never given twice: what is above the id where the backup began is
new, and the log of changes names what was deleted below it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from services.backup.records import BackupProgress
from services.core.ports import Row

TABLES = ("tracking_events", "system_logs")


# `start` is where the backup began, `previous` the one that an hourly backup continues.
COUNT_NEW_AND_DELETED = """
SELECT
  (SELECT progress -> 'totals' FROM backups WHERE id = ?1 ->> 'previous') AS before,
  (
    SELECT count(*) FROM tracking_events WHERE id > ?1 ->> '$.start.event'
  ) AS tracking_events_new,
  (SELECT count(*) FROM system_logs WHERE id > ?1 ->> '$.start.log') AS system_logs_new,
  (
    SELECT count(DISTINCT key) FROM row_changes
    WHERE seq > ?1 ->> '$.start.change' AND table_name = 'tracking_events' AND deleted
      AND CAST(key AS INTEGER) <= ?1 ->> '$.start.event'
  ) AS tracking_events_deleted,
  (
    SELECT count(DISTINCT key) FROM row_changes
    WHERE seq > ?1 ->> '$.start.change' AND table_name = 'system_logs' AND deleted
      AND CAST(key AS INTEGER) <= ?1 ->> '$.start.log'
  ) AS system_logs_deleted
WHERE ?1 ->> 'counts'
"""


class MisfitError(Exception):
    """No restore could take this backup: its rows do not add up."""


def require_sums(progress: BackupProgress, totals: Mapping[str, int], counts: Row) -> None:
    """Compares the totals with the rows before, the new and the deleted ones.

    Raises:
        MisfitError: rows went that the log of changes does not know, or others came back.
    """
    if problems := [*_problems(progress, totals, counts)]:
        raise MisfitError("; ".join(problems))


def _problems(progress: BackupProgress, totals: Mapping[str, int], counts: Row) -> Iterator[str]:
    before = json.loads(counts["before"] or "{}")
    for table in TABLES:
        old = totals[table] - counts[f"{table}_new"]
        deleted = counts[f"{table}_deleted"]
        if table in before:
            lowest = highest = before[table] - deleted
        else:
            # Some may have been deleted before the walk came to them.
            highest = sum(
                part.rows for part in progress.parts if part.kind == "walk" and part.table == table
            )
            lowest = highest - deleted
        if not lowest <= old <= highest:
            yield (
                f"{table} has {old:,} rows of before, and should have {lowest:,}: the table"
                " row_changes does not know what became of them"
            )
