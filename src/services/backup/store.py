"""Backups as they lie in R2: parts, a manifest each, and an index, because a list needs a key.

The manifest is written last: a folder without one is a backup that was never finished.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from services.backup.records import Backup, PartKind, Progress, StoredPart
from services.core.ndjson_parts import DamagedPartError, pack, unpack
from services.core.ports import Bucket

FORMAT = 1
FOLDER = "backups"
INDEX = f"{FOLDER}/index.json"
KEPT = {
    "hourly": timedelta(hours=48),
    "full": timedelta(days=30),
    "manual": timedelta(days=366),
}
# Of each month the first full backup.
MONTHLY_KEPT = timedelta(days=366)
ISO = "%Y-%m-%dT%H:%M:%SZ"

Entry = dict[str, object]


@dataclass(frozen=True, slots=True)
class BackupStore:
    """The bucket of the backups. Each method raises UnavailableError where R2 fails."""

    bucket: Bucket
    environment: str

    async def put_part(
        self, backup: Backup, table: str, kind: PartKind, lines: Sequence[str]
    ) -> None:
        """Writes the next part of a backup and takes it down."""
        packed = pack(lines)
        number = backup.progress.written + 1
        key = f"{FOLDER}/{backup.id}/{number:05}-{table}.ndjson.gz"
        await self.bucket.put(key, packed.content)
        part = StoredPart(key, table, kind, packed.rows, len(packed.content), packed.sha256)
        backup.progress.add(part)

    async def check_part(self, part: StoredPart) -> None:
        """Reads a part back.

        Raises:
            DamagedPartError: it is not what was written.
        """
        unpack(part.key, await self.bucket.get(part.key), part.rows, part.sha256)

    async def finish(self, backup: Backup) -> None:
        """Writes the manifest, reads it back, and puts the backup into the index.

        A full backup is checked for so long that hourly ones of later moments may be there first.

        Raises:
            DamagedPartError: what came back is not what was written.
        """
        key = f"{FOLDER}/{backup.id}/manifest.json"
        content = json.dumps(self._manifest(backup), indent=1).encode()
        await self.bucket.put(key, content)
        if await self.bucket.get(key) != content:
            raise DamagedPartError(f"{key} is not what was written")
        entries = [entry for entry in await self.entries() if entry["id"] != backup.id]
        entries.append(self._entry(backup))
        await self._put_index(sorted(entries, key=_finished, reverse=True))

    async def entries(self) -> Sequence[Entry]:
        """The index: every finished backup, the newest first."""
        content = await self.bucket.get(INDEX)
        entries: list[Entry] = [] if content is None else json.loads(content)["backups"]
        return entries

    async def prune(self, now: datetime) -> Sequence[str]:
        """Deletes what is older than it is kept; gives the ids of what went.

        They go from the index first, and on the next run if this one is stopped between.
        """
        entries = list(await self.entries())
        keeping = kept(entries, now)
        going = [entry for entry in entries if entry["id"] not in keeping]
        if not going:
            return ()
        for entry in going:
            entry["removed"] = True
        await self._put_index(entries)
        for entry in going:
            await self._delete_folder(str(entry["id"]))
        await self._put_index([entry for entry in entries if "removed" not in entry])
        return [str(entry["id"]) for entry in going]

    async def _delete_folder(self, backup_id: str) -> None:
        prefix = f"{FOLDER}/{backup_id}/"
        cursor: str | None = None
        more = True
        while more:
            page = await self.bucket.page(prefix, cursor)
            await self.bucket.delete(page.names)
            cursor, more = page.cursor, page.cursor is not None

    async def _put_index(self, entries: Sequence[Entry]) -> None:
        said = {"format": FORMAT, "backups": entries}
        await self.bucket.put(INDEX, json.dumps(said, indent=1).encode())

    def _entry(self, backup: Backup) -> Entry:
        return {
            **_described(backup),
            "environment": self.environment,
            "events": backup.progress.totals["tracking_events"],
        }

    def _manifest(self, backup: Backup) -> Mapping[str, object]:
        progress = backup.progress
        return {
            "format": FORMAT,
            **_described(backup),
            "environment": self.environment,
            "since": None if backup.previous is None else asdict(progress.start),
            "started_at": backup.started_at.strftime(ISO),
            "marker": asdict(progress.marker),
            "tables": _tables(progress),
            "parts": [asdict(part) for part in progress.parts],
        }


def _described(backup: Backup) -> Entry:
    return {
        **{name: getattr(backup, name) for name in ("id", "kind", "label", "base", "previous")},
        "migration": backup.progress.migration,
        "finished_at": _iso(backup.finished_at),
        "verified_at": _iso(backup.verified_at),
        "rows": backup.progress.rows,
        "bytes": backup.progress.bytes,
    }


def _tables(progress: Progress) -> Mapping[str, Mapping[str, int]]:
    rows: Counter[str] = Counter()
    for part in progress.parts:
        if part.kind != "deleted":
            rows[part.table] += part.rows
    return {
        table: {"rows": rows[table], "total": total} for table, total in progress.totals.items()
    }


def kept(entries: Sequence[Entry], now: datetime) -> set[str]:
    """The ids of those to keep: by their age, and what these go on from."""
    previous = {str(entry["id"]): entry["previous"] for entry in entries}
    keeping: set[str] = set()
    for entry in entries:
        needed: object = entry["id"] if _is_young(entry, entries, now) else None
        while needed is not None and str(needed) not in keeping:
            keeping.add(str(needed))
            needed = previous.get(str(needed))
    return keeping


def _is_young(entry: Entry, entries: Sequence[Entry], now: datetime) -> bool:
    age = now - _finished(entry)
    kind = str(entry["kind"])
    return "removed" not in entry and (
        age <= KEPT[kind]
        or (kind == "full" and age <= MONTHLY_KEPT and _is_first_of_month(entry, entries))
    )


def _is_first_of_month(entry: Entry, entries: Sequence[Entry]) -> bool:
    month = str(entry["finished_at"])[:7]
    return entry["finished_at"] == min(
        str(other["finished_at"])
        for other in entries
        if other["kind"] == "full" and str(other["finished_at"]).startswith(month)
    )


def _finished(entry: Entry) -> datetime:
    return datetime.fromisoformat(str(entry["finished_at"]))


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.strftime(ISO)
