"""The index of the backups in the bucket, and the row counts in their manifests."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ops.terminal.errors import NoAnswerError
from services.core.stored_time import MAX_CLOCK_DIFFERENCE, parse_iso

INDEX_KEY = "backups/index.json"
FORMAT = 1
# How JSON of another shape fails.
DAMAGES = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)

ReadJson = Callable[[str], Any]
"""Reads the JSON object at a key of the bucket; None if there is none."""


@dataclass(frozen=True, slots=True)
class Backup:
    """One entry of the index. `events` is the number of rows in tracking_events at its end.

    `previous` is the backup that an hourly one continues; `bytes` is the compressed size of its
    own parts.
    """

    id: str
    environment: str
    finished_at: datetime | None
    verified: bool
    events: int
    migration: str | None
    previous: str | None = None
    kind: str = "full"
    label: str | None = None
    rows: int = 0
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class BackupContents:
    """What the database held at a backup: rows by table, and the highest event id."""

    rows: Mapping[str, int]
    highest_event: int


def read_index(read: ReadJson) -> Sequence[Backup] | None:
    """Return all backups, the newest first, or None if there is no index.

    Raises:
        NoAnswerError: the index is damaged.
    """
    index = read(INDEX_KEY)
    if index is None:
        return None
    try:
        require_format(index)
        # A backup stays in the index while its objects are being removed.
        return [_backup(entry) for entry in index["backups"] if not entry.get("removed")]
    except DAMAGES as error:
        raise _damaged_error(INDEX_KEY, error) from None


def newest_verified(backups: Sequence[Backup] | None) -> Backup | None:
    """Return the newest verified one of *backups*, which are in the order of the index.

    One from the future was made while a clock was ahead: only if there is no other.
    """
    latest = datetime.now(UTC) + MAX_CLOCK_DIFFERENCE
    verified = [backup for backup in backups or () if backup.verified]
    past = [backup for backup in verified if backup.finished_at and backup.finished_at <= latest]
    return next(iter(past or verified), None)


def read_backup_contents(read: ReadJson, backup: Backup) -> BackupContents | None:
    """Read what the database held at a backup; None if its manifest is missing.

    Raises:
        NoAnswerError: the manifest is damaged.
    """
    key = backup_manifest_key(backup.id)
    manifest = read(key)
    if manifest is None:
        return None
    try:
        require_format(manifest)
        rows = {name: int(table["total"]) for name, table in manifest["tables"].items()}
        return BackupContents(rows, int(manifest["marker"]["event"]))
    except DAMAGES as error:
        raise _damaged_error(key, error) from None


def backup_manifest_key(backup_id: str) -> str:
    """Return the key of a backup's manifest in the bucket."""
    return f"backups/{backup_id}/manifest.json"


def require_format(content: Mapping[str, Any]) -> None:
    """Require the format of an index or manifest that this code reads.

    Raises:
        ValueError: it has another format.
    """
    if content["format"] != FORMAT:
        raise ValueError(f"it has format {content['format']}, this code reads {FORMAT}")


def _backup(entry: Mapping[str, Any]) -> Backup:
    finished = entry["finished_at"]
    return Backup(
        id=entry["id"],
        environment=entry["environment"],
        finished_at=parse_iso(finished) if finished else None,
        verified=bool(finished and entry["verified_at"]),
        events=int(entry["events"] or 0),
        migration=entry["migration"],
        previous=entry.get("previous"),
        kind=entry["kind"],
        label=entry.get("label"),
        rows=int(entry.get("rows") or 0),
        bytes=int(entry.get("bytes") or 0),
    )


def _damaged_error(key: str, error: Exception) -> NoAnswerError:
    return NoAnswerError(f"{key} cannot be read ({error or type(error).__name__}): it is damaged")
