"""Backups in R2: parts, a manifest each, and one index of all.

The manifest is written last: a folder without one is an unfinished backup.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from services.backup.records import Backup, BackupPart, BackupProgress, PartKind
from services.backup.retention import RETENTION, IndexEntry, finished_at, ids_to_retain
from services.core.key_listing import keys_under
from services.core.logs import Log
from services.core.ndjson_parts import DamagedPartError, pack, unpack
from services.core.ports import Bucket
from services.core.stored_time import format_iso
from services.core.text import read_long_json
from services.loss.high_water_mark import HighWaterMark, mark_of_manifests

FORMAT_VERSION = 1
FOLDER = "backups"
INDEX = f"{FOLDER}/index.json"
MANIFEST = "manifest.json"
# Of a backup's id, which begins with the time of its start.
DAY_CHARACTERS = len("20260131")
MAX_MANIFESTS_OF_MARK = 5
SUMMARY = (
    *("id", "kind", "label", "base", "previous"),
    *("migration", "finished_at", "verified_at", "rows", "bytes"),
)


@dataclass(frozen=True, slots=True)
class PartKeys:
    """The keys of the parts that a manifest names, and its database, if it names one."""

    parts: frozenset[str]
    database_id: str | None


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
        key = f"{FOLDER}/{backup.id}/{_number_of_part(number)}-{table}.ndjson.gz"
        await self.bucket.put(key, packed.content)
        part = BackupPart(key, table, kind, packed.rows, len(packed.content), packed.sha256)
        backup.progress.add(part)

    async def check_part(self, part: BackupPart) -> None:
        """Reads a part back and compares it.

        Raises:
            DamagedPartError: it differs from what was written.
        """
        unpack(part.key, await self.bucket.get(part.key), part.rows, part.sha256)

    async def finish(self, backup: Backup, database_id: str | None = None) -> None:
        """Writes the manifest, reads it back, and puts the backup of a database into the index.

        Verifying a full backup takes so long that later hourly ones may be in the index before it.

        Raises:
            DamagedPartError: the manifest differs from what was written.
        """
        key = f"{FOLDER}/{backup.id}/{MANIFEST}"
        manifest = {**self._manifest(backup), "database_id": database_id}
        content = json.dumps(manifest, indent=1).encode()
        await self.bucket.put(key, content)
        if await self.bucket.get(key) != content:
            raise DamagedPartError(f"{key} is not what was written")
        entries = [entry for entry in await self.entries() if entry["id"] != backup.id]
        entries.append(self._entry(backup))
        await self._put_index(sorted(entries, key=finished_at, reverse=True))

    async def holds_all_of(self, backup_id: str, database_id: str) -> bool:
        """Whether the manifest and every part are there, and are not of another database.

        Manifests of earlier versions do not name the database.
        """
        prefix = f"{FOLDER}/{backup_id}/"
        manifest = read_part_keys(await self.bucket.get(f"{prefix}{MANIFEST}"))
        if manifest is None or manifest.database_id not in (None, database_id):
            return False
        return manifest.parts.issubset(await keys_under(self.bucket, prefix))

    async def missing_objects(self, parts: Mapping[str, int]) -> Mapping[str, int]:
        """How many objects each of these backups lacks, by the number of its parts; whole: none.

        The folders are listed by the day with which they begin.
        """
        stored: dict[str, set[str]] = {backup_id: set() for backup_id in parts}
        for day in dict.fromkeys(backup_id[:DAY_CHARACTERS] for backup_id in parts):
            for key in await keys_under(self.bucket, f"{FOLDER}/{day}"):
                _, backup_id, name = key.split("/", 2)
                if backup_id in stored:
                    # A step that was done again may have left another table with the same number.
                    stored[backup_id].add(name.partition("-")[0])
        missing = {
            backup_id: len(_names_of_objects(number) - stored[backup_id])
            for backup_id, number in parts.items()
        }
        return {backup_id: number for backup_id, number in missing.items() if number}

    async def entries(self) -> Sequence[IndexEntry]:
        """The index: every verified backup, the newest first; empty if it cannot be read."""
        content = await self.bucket.get(INDEX)
        return (content and parse_index(content)) or []

    async def rebuilt_mark(self) -> HighWaterMark | None:
        """The mark that the newest backup and the fullest one give; None where none names it."""
        entries = await self.entries()
        ids = [str(entry["id"]) for entry in entries]
        if entries:
            fullest = max(entries, key=lambda entry: int(str(entry["events"])))
            ids = [ids[0], str(fullest["id"])]
        keys = [f"{FOLDER}/{backup_id}/{MANIFEST}" for backup_id in dict.fromkeys(ids)]
        if not keys:
            # A key begins with the time of its backup.
            keys = sorted(await self._manifest_keys(), reverse=True)[:MAX_MANIFESTS_OF_MARK]
        contents = [await self.bucket.get(key) for key in keys]
        return mark_of_manifests(map(_read_manifest, contents))

    async def _manifest_keys(self) -> Sequence[str]:
        return [
            key
            for key in await keys_under(self.bucket, f"{FOLDER}/")
            if key.endswith(f"/{MANIFEST}")
        ]

    async def repair_index(self, log: Log) -> None:
        """Makes an index that cannot be read, or is gone, anew out of the manifests."""
        content = await self.bucket.get(INDEX)
        if content is not None and parse_index(content) is not None:
            return
        keys = await self._manifest_keys()
        if content is None and not keys:
            # Nothing was backed up yet.
            return
        manifests = [await self.bucket.get(key) for key in keys]
        entries = [entry for manifest in manifests if (entry := entry_of_manifest(manifest))]
        log.error("backup_index_unreadable", key=INDEX, backups=len(entries))
        await self._put_index(sorted(entries, key=finished_at, reverse=True))

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


def parse_index(content: bytes) -> list[IndexEntry] | None:
    """The entries of an index; None if it does not parse, or is of another format."""
    try:
        index: Any = read_long_json(content.decode())
        entries: list[IndexEntry] = index["backups"]
        is_readable = index["format"] == FORMAT_VERSION and isinstance(entries, list)
        is_readable = is_readable and all(map(_is_entry, entries))
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return entries if is_readable else None


def entry_of_manifest(content: bytes | None) -> IndexEntry | None:
    """The entry of a backup in the index; None if its manifest cannot be read."""
    try:
        manifest: Any = read_long_json((content or b"").decode())
        entry: IndexEntry = {name: manifest[name] for name in SUMMARY}
        entry["environment"] = manifest["environment"]
        entry["events"] = manifest["tables"]["tracking_events"]["total"]
        is_readable = manifest["format"] == FORMAT_VERSION and _is_entry(entry)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return entry if is_readable else None


def _number_of_part(number: int) -> str:
    return f"{number:05}"


def _names_of_objects(parts: int) -> set[str]:
    """The manifest and the numbers of so many parts."""
    return {MANIFEST, *map(_number_of_part, range(1, parts + 1))}


def _read_manifest(content: bytes | None) -> object:
    try:
        return read_long_json((content or b"").decode())
    except ValueError:
        return None


def read_part_keys(content: bytes | None) -> PartKeys | None:
    """What a manifest names; None if it cannot be read."""
    try:
        manifest: Any = read_long_json((content or b"").decode())
        parts = frozenset(part["key"] for part in manifest["parts"])
        database_id = manifest.get("database_id")
        is_readable = manifest["format"] == FORMAT_VERSION
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return PartKeys(parts, database_id) if is_readable else None


def _is_entry(entry: IndexEntry) -> bool:
    finished_at(entry)
    return (
        isinstance(entry["id"], str)
        and entry["kind"] in RETENTION
        and isinstance(entry["events"], int)
        and "previous" in entry
    )


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
