"""The full backup that the jobs rely on which move or delete rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from services.backup.records import BackupRecords
from services.backup.store import BackupStore
from services.core.backed_up import MAX_BACKUP_AGE, BackedUpRows


@dataclass(frozen=True, slots=True)
class FullBackups:
    """The full backups of this database, by their rows in D1 and their objects in R2."""

    records: BackupRecords
    store: BackupStore

    async def backed_up_rows(self, now: datetime) -> BackedUpRows | None:
        """The rows of a full backup that was verified, is whole, and younger than a day, or None.

        Raises:
            UnavailableError: D1 or R2 failed.
        """
        for backup in await self.records.newest_full(now - MAX_BACKUP_AGE):
            if await self.store.holds_all_of(backup.id, backup.database_id):
                return BackedUpRows(backup.max_event_id, backup.started_at)
        return None
