"""Whether an hourly backup may continue the one before it: a restore needs the whole chain."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from services.backup.records import Backup
from services.backup.store import BackupStore
from services.core.ports import Database, Row

# They write `row_changes`.
TRIGGERS = (
    *("tracking_events_changed", "tracking_events_deleted", "young_events_deleted"),
    *("sessions_deleted", "visitors_deleted"),
)
# From backup to backup by the primary key.
READ_CHAIN = """
WITH RECURSIVE chain (id, previous, parts) AS (
  SELECT id, progress ->> 'previous', progress ->> 'written' FROM backups
  WHERE id = ?1 ->> 'id' AND state = 'verified'
  UNION ALL
  SELECT backups.id, backups.progress ->> 'previous', backups.progress ->> 'written'
  FROM chain JOIN backups ON backups.id = chain.previous
  WHERE backups.state = 'verified'
)
SELECT id, previous, parts FROM chain
"""
# Numbers have no gaps, and the row of the last change that was read stays (`records.py`).
READ_LOG_OF_CHANGES = """
SELECT
  (SELECT json_group_array(name) FROM sqlite_master WHERE type = 'trigger') AS triggers,
  ?1 ->> 'change' = 0
    OR EXISTS (SELECT 1 FROM row_changes WHERE seq = ?1 ->> 'change') AS goes_on,
  count(*) = coalesce(max(seq) - ?1 ->> 'change', 0) AS has_no_gap
FROM row_changes WHERE seq > ?1 ->> 'change'
"""


@dataclass(frozen=True, slots=True)
class ChainCheck:
    """Checks the chain of a backup in D1 and R2."""

    database: Database
    store: BackupStore

    async def problem(self, last: Backup) -> str | None:
        """Why no backup can continue this one, or None.

        Raises:
            UnavailableError: D1 or R2 failed.
        """
        parameters = json.dumps({"id": last.id, "change": last.progress.marker.change})
        links, [log] = await self.database.batch_rows((READ_CHAIN, READ_LOG_OF_CHANGES), parameters)
        if problems := [*_problems_of_log(log)]:
            return "; ".join(problems)
        if missing := links[-1]["previous"] if links else last.id:
            return f"backup {missing}, which others continue, is not in the table backups"
        return await self._missing_objects({link["id"]: link["parts"] for link in links})

    async def _missing_objects(self, parts: Mapping[str, int]) -> str | None:
        missing = await self.store.missing_objects(parts)
        if not missing:
            return None
        backup_id, number = next(iter(missing.items()))
        text = f"{number:,} objects of backup {backup_id} are gone from R2"
        return f"{text}, and of {len(missing) - 1:,} more" if len(missing) > 1 else text


def _problems_of_log(log: Row) -> Iterator[str]:
    """What keeps changes and deletions from being known."""
    triggers = json.loads(log["triggers"])
    for name in TRIGGERS:
        if name not in triggers:
            yield f"the trigger {name} is missing"
    if not (log["goes_on"] and log["has_no_gap"]):
        yield "rows of the table row_changes are gone"
