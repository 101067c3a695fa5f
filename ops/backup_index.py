"""What the bucket says about backups: its index, and the manifests of single ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ops.bucket import Bucket
from ops.errors import NoAnswerError

INDEX = "backups/index.json"
FORMAT = 1


@dataclass(frozen=True, slots=True)
class Backup:
    """One line of the index. `events` are the rows of tracking_events at its end.

    `base` is the whole backup that an hourly one adds to, `previous` the one before it; `bytes` are
    those of its own parts, compressed.
    """

    id: str
    environment: str
    finished_at: datetime | None
    verified: bool
    events: int
    migration: str | None
    base: str | None
    previous: str | None = None
    kind: str = "full"
    label: str | None = None
    rows: int = 0
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class Held:
    """What the database held at a backup: rows by table, and the highest id of an event."""

    rows: Mapping[str, int]
    highest_event: int


def read_index(bucket: Bucket) -> Sequence[Backup] | None:
    """All backups, the newest first, or None where no backup was ever made.

    Raises:
        NoAnswerError: R2 did not answer, or what it has is no index.
    """
    index = bucket.read_json(INDEX)
    if index is None:
        return None
    try:
        require_format(index)
        return [_backup(each) for each in index["backups"]]
    except (LookupError, TypeError, ValueError) as error:
        raise _unreadable(INDEX, error) from None


def last_backup(backups: Sequence[Backup] | None) -> Backup | None:
    """The newest one that was verified."""
    return next((each for each in backups or () if each.verified), None)


def read_held(bucket: Bucket, backup: Backup) -> Held | None:
    """What the database held at a backup; None where a manifest is missing.

    An hourly backup holds what changed, so the rows are those of the whole one that it adds to.
    """
    rows: dict[str, int] = {}
    highest = 0
    for backup_id in filter(None, (backup.id, backup.base)):
        key = f"backups/{backup_id}/manifest.json"
        manifest = bucket.read_json(key)
        if manifest is None:
            return None
        try:
            require_format(manifest)
            rows |= _totals(manifest["tables"])
            highest = max(highest, manifest["tables"]["tracking_events"]["highest_id"] or 0)
        except (LookupError, TypeError, ValueError) as error:
            raise _unreadable(key, error) from None
    return Held(rows, highest)


def require_format(content: Mapping[str, Any]) -> None:
    """Sees that this code can read an index or manifest.

    Raises:
        ValueError: it is of another format.
    """
    if content["format"] != FORMAT:
        raise ValueError(f"it has format {content['format']}, this code reads {FORMAT}")


def _backup(entry: Mapping[str, Any]) -> Backup:
    finished = entry["finished_at"]
    return Backup(
        id=entry["id"],
        environment=entry["environment"],
        finished_at=datetime.fromisoformat(finished) if finished else None,
        # One that is being removed may have lost parts.
        verified=bool(finished and entry["verified_at"] and not entry.get("removed")),
        events=int(entry["events"] or 0),
        migration=entry["migration"],
        base=entry["base"],
        previous=entry.get("previous"),
        kind=entry["kind"],
        label=entry["label"],
        rows=int(entry["rows"] or 0),
        bytes=int(entry["bytes"] or 0),
    )


def _totals(tables: Mapping[str, Mapping[str, Any]]) -> dict[str, int]:
    return {
        name: table["total"] for name, table in tables.items() if table.get("total") is not None
    }


def _unreadable(key: str, error: Exception) -> NoAnswerError:
    return NoAnswerError(f"{key} cannot be read ({error or type(error).__name__}): it is damaged")
