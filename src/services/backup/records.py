"""The table `backups`: what each backup is, its progress, and its outcome."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Literal, cast

from services.core.ports import Database, Row
from services.core.stored_time import format_iso, format_stored_time, parse_stored_time

BackupKind = Literal["full", "hourly", "manual"]
BackupState = Literal["running", "verified", "failed"]
BackupPhase = Literal["walk", "changes", "whole", "verify"]
PartKind = Literal["walk", "changes", "whole", "deleted"]

MAX_LISTED = 100
MAX_FULL_BACKUPS = 5

ADD = """
INSERT INTO backups (id, kind, label, state, started_at, progress)
SELECT
  ?1 ->> 'id', ?1 ->> 'kind', ?1 ->> 'label', 'running', ?1 ->> 'started_at', ?1 -> 'progress'
WHERE true
ON CONFLICT (id) DO NOTHING
RETURNING id
"""

# A late run does not change the outcome.
SAVE = """
UPDATE backups SET
  state = ?1 ->> 'state', error = ?1 ->> 'error', rows = ?1 ->> 'rows', bytes = ?1 ->> 'bytes',
  finished_at = ?1 ->> 'finished_at', verified_at = ?1 ->> 'verified_at',
  progress = ?1 -> 'progress'
WHERE id = ?1 ->> 'id' AND state = 'running'
"""

FIND = "SELECT * FROM backups WHERE id = ?1 ->> 'id'"
# An id begins with the time of the start.
LIST = f"SELECT * FROM backups WHERE ?1 IS NOT NULL ORDER BY id DESC LIMIT {MAX_LISTED}"

# Changes that all incremental backups have read are not needed any more. The newest row stays:
# SQLite continues its numbers.
FORGET_CHANGES = """
DELETE FROM row_changes WHERE seq < (
  SELECT min(coalesce(progress ->> '$.start.change', 0)) FROM (
    SELECT progress FROM backups WHERE state = 'running'
    UNION ALL
    SELECT json_object('start', json(progress -> 'marker')) FROM (
      SELECT progress FROM backups WHERE state = 'verified' ORDER BY finished_at DESC LIMIT 1
    )
  )
) AND ?1 IS NOT NULL
"""

# Of full backups first the one that holds the newest event.
FIND_FULL = f"""
SELECT
  id, started_at, progress ->> '$.marker.event' AS max_event_id,
  (SELECT id FROM database_identity) AS database_id
FROM backups
WHERE kind IN ('full', 'manual') AND state = 'verified' AND finished_at > ?1 ->> 'since'
ORDER BY progress ->> '$.marker.event' DESC, id DESC LIMIT {MAX_FULL_BACKUPS}
"""

FORGET_OLD = """
DELETE FROM backups WHERE started_at < ?1 ->> 'before' AND state <> 'running'
"""


@dataclass(frozen=True, slots=True)
class ChangeMarker:
    """How far the changes of a database were read: the highest event, change and log."""

    event: int = 0
    change: int = 0
    log: int = 0

    def advanced(self, *, event: int | None, change: int | None, log: int | None) -> ChangeMarker:
        """The marker after what was read; None where nothing new was read."""
        numbers = {"event": event, "change": change, "log": log}
        return replace(
            self, **{name: number for name, number in numbers.items() if number is not None}
        )


@dataclass(frozen=True, slots=True)
class BackupPart:
    """A part in R2, as its manifest names it."""

    key: str
    table: str
    kind: PartKind
    rows: int
    bytes: int
    sha256: str


@dataclass(slots=True)
class BackupProgress:
    """The progress of a backup, stored as JSON.

    `tables` are still to be read, the first one after the key `after`. `marker` advances as changes
    are written. `totals` are the rows of each table, of growing ones at the time of the last
    changes. `parts` move into the manifest in the end.
    """

    phase: BackupPhase
    start: ChangeMarker
    marker: ChangeMarker
    migration: str
    tables: list[str] = field(default_factory=list)
    after: str | None = None
    parts: list[BackupPart] = field(default_factory=list)
    totals: dict[str, int] = field(default_factory=dict)
    written: int = 0
    verified: int = 0
    rows: int = 0
    bytes: int = 0
    counts: bool = False

    def add(self, part: BackupPart) -> None:
        """Adds a part that was written."""
        self.parts.append(part)
        self.written += 1
        self.rows += part.rows
        self.bytes += part.bytes


@dataclass(slots=True)
class Backup:
    """One backup; `previous` is the one that an hourly backup continues."""

    id: str
    kind: BackupKind
    label: str | None
    started_at: datetime
    progress: BackupProgress
    previous: str | None = None
    base: str | None = None
    state: BackupState = "running"
    error: str | None = None
    finished_at: datetime | None = None
    verified_at: datetime | None = None

    def as_json(self) -> Mapping[str, object]:
        """The backup in an HTTP answer."""
        return {
            **{name: getattr(self, name) for name in ("id", "kind", "label", "state", "error")},
            **{name: moment and format_iso(moment) for name, moment in self._times().items()},
            "phase": self.progress.phase if self.state == "running" else None,
            "rows": self.progress.rows,
            "bytes": self.progress.bytes,
            "parts": self.progress.written,
            "parts_verified": self.progress.verified,
        }

    def as_row(self) -> Mapping[str, object]:
        """The backup as the statements read it."""
        chain = {"previous": self.previous, "base": self.base}
        return {
            **{name: getattr(self, name) for name in ("id", "kind", "label", "state", "error")},
            **{
                name: None if moment is None else format_stored_time(moment)
                for name, moment in self._times().items()
            },
            "rows": self.progress.rows,
            "bytes": self.progress.bytes,
            "progress": {**asdict(self.progress), **chain},
        }

    def _times(self) -> Mapping[str, datetime | None]:
        return {
            "started_at": self.started_at,
            "finished_at": self.finished_at,
            "verified_at": self.verified_at,
        }


@dataclass(frozen=True, slots=True)
class FullBackup:
    """A full backup that this database, `database_id`, says it has."""

    id: str
    started_at: datetime
    max_event_id: int
    database_id: str


@dataclass(frozen=True, slots=True)
class BackupRecords:
    """The table of backups. Each method is one round trip and raises UnavailableError."""

    database: Database

    async def add(self, backup: Backup) -> bool:
        """Inserts a new backup; False if the id exists."""
        return bool(await self._rows(ADD, backup.as_row()))

    async def save(self, backup: Backup) -> None:
        """Writes the progress and the outcome of a backup."""
        await self._rows(SAVE, backup.as_row())

    async def find(self, backup_id: str) -> Backup | None:
        """The backup of this id, or None."""
        rows = await self._rows(FIND, {"id": backup_id})
        return _backup(rows[0]) if rows else None

    async def newest(self) -> Sequence[Backup]:
        """The newest 100 backups, the newest first."""
        return [_backup(row) for row in await self._rows(LIST, {})]

    async def newest_full(self, since: datetime) -> Sequence[FullBackup]:
        """The verified full backups that ended since a time, first that of the newest event."""
        rows = await self._rows(FIND_FULL, {"since": format_stored_time(since)})
        return [
            FullBackup(
                row["id"],
                parse_stored_time(row["started_at"]),
                row["max_event_id"],
                row["database_id"],
            )
            for row in rows
        ]

    async def clean_up(self, started_before: datetime) -> None:
        """Deletes changes that no backup needs any more, and rows of backups that are older."""
        parameters = json.dumps({"before": format_stored_time(started_before)})
        await self.database.batch_rows((FORGET_CHANGES, FORGET_OLD), parameters)

    async def _rows(self, statement: str, parameters: Mapping[str, object]) -> Sequence[Row]:
        [rows] = await self.database.batch_rows((statement,), json.dumps(parameters))
        return rows


def backup_id(kind: BackupKind, now: datetime) -> str:
    """The id of a backup that begins now."""
    return f"{now:%Y%m%dT%H%M%SZ}-{kind}"


def _backup(row: Row) -> Backup:
    content = json.loads(row["progress"])
    previous, base = content.pop("previous"), content.pop("base")
    parts = [BackupPart(**part) for part in content.pop("parts")]
    progress = BackupProgress(**content)
    progress.parts, progress.start = parts, ChangeMarker(**content["start"])
    progress.marker = ChangeMarker(**content["marker"])
    return Backup(
        id=row["id"],
        kind=cast("BackupKind", row["kind"]),
        label=row["label"],
        started_at=parse_stored_time(row["started_at"]),
        progress=progress,
        previous=previous,
        base=base,
        state=cast("BackupState", row["state"]),
        error=row["error"],
        finished_at=_time(row["finished_at"]),
        verified_at=_time(row["verified_at"]),
    )


def _time(text: str | None) -> datetime | None:
    return None if text is None else parse_stored_time(text)
