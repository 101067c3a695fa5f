"""Backups in R2: parts, a manifest each, and one index of all.

The manifest is written last: a folder without one is an unfinished backup.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from services.backup.records import Backup, BackupPart, BackupProgress, PartKind
from services.backup.retention import IndexEntry, finished_at, ids_to_retain
from services.core.ndjson_parts import DamagedPartError, pack, unpack
from services.core.ports import Bucket
from services.core.stored_time import format_iso

FORMAT_VERSION = 1
FOLDER = "backups"
INDEX = f"{FOLDER}/index.json"


@dataclass(frozen=True, slots=True)
class BackupStore:
    """The bucket of the backups. Each method raises UnavailableError if R2 fails."""

    bucket: Bucket
    environment: str

    async def put_part(
        self, backup: Backup, table: str, kind: PartKind, lines: Sequence[str]
    ) -> None:
        """Writes the next part of a backup and adds it to its progress."""
        packed = pack(lines)
        number = backup.progress.written + 1
        key = f"{FOLDER}/{backup.id}/{number:05}-{table}.ndjson.gz"
        await self.bucket.put(key, packed.content)
        part = BackupPart(key, table, kind, packed.rows, len(packed.content), packed.sha256)
        backup.progress.add(part)

    async def check_part(self, part: BackupPart) -> None:
        """Reads a part back and compares it.

        Raises:
            DamagedPartError: it differs from what was written.
        """
        unpack(part.key, await self.bucket.get(part.key), part.rows, part.sha256)

    async def finish(self, backup: Backup) -> None:
        """Writes the manifest, reads it back, and puts the backup into the index.

        Verifying a full backup takes so long that later hourly ones may be in the index before it.

        Raises:
            DamagedPartError: the manifest differs from what was written.
        """
        key = f"{FOLDER}/{backup.id}/manifest.json"
        content = json.dumps(self._manifest(backup), indent=1).encode()
        await self.bucket.put(key, content)
        if await self.bucket.get(key) != content:
            raise DamagedPartError(f"{key} is not what was written")
        entries = [entry for entry in await self.entries() if entry["id"] != backup.id]
        entries.append(self._entry(backup))
        await self._put_index(sorted(entries, key=finished_at, reverse=True))

    async def entries(self) -> Sequence[IndexEntry]:
        """The index: every verified backup, the newest first."""
        content = await self.bucket.get(INDEX)
        entries: list[IndexEntry] = [] if content is None else json.loads(content)["backups"]
        return entries

    async def prune(self, now: datetime) -> Sequence[str]:
        """Deletes backups that have expired; returns their ids.

        They are marked in the index first: a run that is stopped is completed by the next one.
        """
        entries = list(await self.entries())
        retained_ids = ids_to_retain(entries, now)
        expired = [entry for entry in entries if entry["id"] not in retained_ids]
        if not expired:
            return ()
        for entry in expired:
            entry["removed"] = True
        await self._put_index(entries)
        for entry in expired:
            await self._delete_folder(str(entry["id"]))
        await self._put_index([entry for entry in entries if "removed" not in entry])
        return [str(entry["id"]) for entry in expired]

    async def _delete_folder(self, backup_id: str) -> None:
        prefix = f"{FOLDER}/{backup_id}/"
        cursor: str | None = None
        has_next = True
        while has_next:
            page = await self.bucket.page(prefix, cursor)
            await self.bucket.delete(page.names)
            cursor, has_next = page.cursor, page.cursor is not None

    async def _put_index(self, entries: Sequence[IndexEntry]) -> None:
        index = {"format": FORMAT_VERSION, "backups": entries}
        await self.bucket.put(INDEX, json.dumps(index, indent=1).encode())

    def _entry(self, backup: Backup) -> IndexEntry:
        return {
            **_summary(backup),
            "environment": self.environment,
            "events": backup.progress.totals["tracking_events"],
        }

    def _manifest(self, backup: Backup) -> Mapping[str, object]:
        progress = backup.progress
        return {
            "format": FORMAT_VERSION,
            **_summary(backup),
            "environment": self.environment,
            "since": None if backup.previous is None else asdict(progress.start),
            "started_at": format_iso(backup.started_at),
            "marker": asdict(progress.marker),
            "tables": _tables(progress),
            "parts": [asdict(part) for part in progress.parts],
        }


def _summary(backup: Backup) -> IndexEntry:
    return {
        **{name: getattr(backup, name) for name in ("id", "kind", "label", "base", "previous")},
        "migration": backup.progress.migration,
        "finished_at": backup.finished_at and format_iso(backup.finished_at),
        "verified_at": backup.verified_at and format_iso(backup.verified_at),
        "rows": backup.progress.rows,
        "bytes": backup.progress.bytes,
    }


def _tables(progress: BackupProgress) -> Mapping[str, Mapping[str, int]]:
    rows: Counter[str] = Counter()
    for part in progress.parts:
        if part.kind != "deleted":
            rows[part.table] += part.rows
    return {
        table: {"rows": rows[table], "total": total} for table, total in progress.totals.items()
    }
