"""Backups as this database remembers them: what each one is, how far it got, how it ended."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Literal, cast

from services.core.ports import Database, Row
from services.core.stored_time import format_stored_time, parse_stored_time

Kind = Literal["full", "hourly", "manual"]
State = Literal["running", "verified", "failed"]
Phase = Literal["walk", "changes", "whole", "verify"]
PartKind = Literal["walk", "changes", "whole", "deleted"]

MAX_LISTED = 100

ADD = """
INSERT INTO backups (id, kind, label, state, started_at, progress)
SELECT
  ?1 ->> 'id', ?1 ->> 'kind', ?1 ->> 'label', 'running', ?1 ->> 'started_at', ?1 -> 'progress'
WHERE true
ON CONFLICT (id) DO NOTHING
RETURNING id
"""

# Whoever is late does not change how it ended.
SAVE = """
UPDATE backups SET
  state = ?1 ->> 'state', error = ?1 ->> 'error', rows = ?1 ->> 'rows', bytes = ?1 ->> 'bytes',
  finished_at = ?1 ->> 'finished_at', verified_at = ?1 ->> 'verified_at',
  progress = ?1 -> 'progress'
WHERE id = ?1 ->> 'id' AND state = 'running'
"""

FIND = "SELECT * FROM backups WHERE id = ?1 ->> 'id'"
# An id begins with the time.
LIST = f"SELECT * FROM backups WHERE ?1 IS NOT NULL ORDER BY id DESC LIMIT {MAX_LISTED}"

# What every backup that goes on from another has seen, is needed no more. The newest row stays: it
# is from where SQLite counts on.
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

FORGET_OLD = """
DELETE FROM backups WHERE started_at < ?1 ->> 'before' AND state <> 'running'
"""


@dataclass(frozen=True, slots=True)
class Marker:
    """How far the changes of a database were seen: the highest event, change and log."""

    event: int = 0
    change: int = 0
    log: int = 0


@dataclass(frozen=True, slots=True)
class StoredPart:
    """A part in R2, as its manifest names it."""

    key: str
    table: str
    kind: PartKind
    rows: int
    bytes: int
    sha256: str


@dataclass(slots=True)
class Progress:
    """How far a backup got.

    `tables` are still to read, the current one from `after` on. `marker` moves on as changes are
    written. `totals` are the rows of each table, of the growing ones in the moment of the last
    changes. `parts` are in the manifest when it is done, and no longer here.
    """

    phase: Phase
    start: Marker
    marker: Marker
    migration: str
    tables: list[str] = field(default_factory=list)
    after: str | None = None
    parts: list[StoredPart] = field(default_factory=list)
    totals: dict[str, int] = field(default_factory=dict)
    written: int = 0
    verified: int = 0
    rows: int = 0
    bytes: int = 0
    counts: bool = False

    def add(self, part: StoredPart) -> None:
        """Takes down a part that was written."""
        self.parts.append(part)
        self.written += 1
        self.rows += part.rows
        self.bytes += part.bytes


@dataclass(slots=True)
class Backup:
    """One backup; `previous` is the one that an hourly backup goes on from."""

    id: str
    kind: Kind
    label: str | None
    started_at: datetime
    progress: Progress
    previous: str | None = None
    base: str | None = None
    state: State = "running"
    error: str | None = None
    finished_at: datetime | None = None
    verified_at: datetime | None = None

    def as_json(self) -> Mapping[str, object]:
        """The backup as an answer shows it."""
        return {
            **{name: getattr(self, name) for name in ("id", "kind", "label", "state", "error")},
            **{
                name: None if moment is None else _iso(moment)
                for name, moment in self._times().items()
            },
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
class Records:
    """The table of backups. Each method is one round trip and raises UnavailableError."""

    database: Database

    async def add(self, backup: Backup) -> bool:
        """Remembers a new backup; False if there is one of this id."""
        return bool(await self._rows(ADD, backup.as_row()))

    async def save(self, backup: Backup) -> None:
        """Remembers how far a backup got, and how it ended."""
        await self._rows(SAVE, backup.as_row())

    async def find(self, backup_id: str) -> Backup | None:
        """The backup of this id, or None."""
        rows = await self._rows(FIND, {"id": backup_id})
        return _backup(rows[0]) if rows else None

    async def newest(self) -> Sequence[Backup]:
        """The newest 100 backups, the newest first."""
        return [_backup(row) for row in await self._rows(LIST, {})]

    async def tidy(self, before: datetime) -> None:
        """Forgets changes that nobody needs any more, and backups begun before."""
        said = json.dumps({"before": format_stored_time(before)})
        await self.database.batch_rows((FORGET_CHANGES, FORGET_OLD), said)

    async def _rows(self, statement: str, said: Mapping[str, object]) -> Sequence[Row]:
        [rows] = await self.database.batch_rows((statement,), json.dumps(said))
        return rows


def backup_id(kind: Kind, now: datetime) -> str:
    """The id of a backup that begins now."""
    return f"{now:%Y%m%dT%H%M%SZ}-{kind}"


def _backup(row: Row) -> Backup:
    said = json.loads(row["progress"])
    previous, base = said.pop("previous"), said.pop("base")
    parts = [StoredPart(**part) for part in said.pop("parts")]
    progress = Progress(**said)
    progress.parts, progress.start = parts, Marker(**said["start"])
    progress.marker = Marker(**said["marker"])
    return Backup(
        id=row["id"],
        kind=cast("Kind", row["kind"]),
        label=row["label"],
        started_at=parse_stored_time(row["started_at"]),
        progress=progress,
        previous=previous,
        base=base,
        state=cast("State", row["state"]),
        error=row["error"],
        finished_at=_time(row["finished_at"]),
        verified_at=_time(row["verified_at"]),
    )


def moved(marker: Marker, *, event: int | None, change: int | None, log: int | None) -> Marker:
    """The marker, moved on to what was read; None where there was nothing new."""
    found = {"event": event, "change": change, "log": log}
    return replace(marker, **{name: each for name, each in found.items() if each is not None})


def _time(text: str | None) -> datetime | None:
    return None if text is None else parse_stored_time(text)


def _iso(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
