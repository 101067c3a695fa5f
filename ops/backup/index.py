"""What the bucket says about backups: its index, and the manifests of single ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ops.terminal.errors import NoAnswerError

INDEX = "backups/index.json"
FORMAT = 1

ReadJson = Callable[[str], Any]
"""Reads an object of the bucket by its key; None where there is none."""


@dataclass(frozen=True, slots=True)
class Backup:
    """One line of the index. `events` are the rows of tracking_events at its end.

    `previous` is the backup that an hourly one goes on from; `bytes` are those of its own parts,
    compressed.
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
class Held:
    """What the database held at a backup: rows by table, and the highest id of an event."""

    rows: Mapping[str, int]
    highest_event: int


def read_index(read: ReadJson) -> Sequence[Backup] | None:
    """All backups, the newest first, or None where no backup was ever made.

    Raises:
        NoAnswerError: what is there is no index.
    """
    index = read(INDEX)
    if index is None:
        return None
    try:
        require_format(index)
        # What is being removed is in the index until it is gone.
        return [_backup(each) for each in index["backups"] if not each.get("removed")]
    except (LookupError, TypeError, ValueError) as error:
        raise _unreadable(INDEX, error) from None


def last_backup(backups: Sequence[Backup] | None) -> Backup | None:
    """The newest one that was verified."""
    return next((each for each in backups or () if each.verified), None)


def read_held(read: ReadJson, backup: Backup) -> Held | None:
    """What the database held in the moment of a backup; None where its manifest is missing.

    Raises:
        NoAnswerError: what is there is no manifest.
    """
    key = f"backups/{backup.id}/manifest.json"
    manifest = read(key)
    if manifest is None:
        return None
    try:
        require_format(manifest)
        rows = {name: int(table["total"]) for name, table in manifest["tables"].items()}
        return Held(rows, int(manifest["marker"]["event"]))
    except (LookupError, TypeError, ValueError) as error:
        raise _unreadable(key, error) from None


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
        verified=bool(finished and entry["verified_at"]),
        events=int(entry["events"] or 0),
        migration=entry["migration"],
        previous=entry.get("previous"),
        kind=entry["kind"],
        label=entry.get("label"),
        rows=int(entry.get("rows") or 0),
        bytes=int(entry.get("bytes") or 0),
    )


def _unreadable(key: str, error: Exception) -> NoAnswerError:
    return NoAnswerError(f"{key} cannot be read ({error or type(error).__name__}): it is damaged")
