"""The changes in the growing tables, read in one transaction so that they are consistent.

New events are found by their ids, with their sessions and visitors; changed and deleted rows by
the triggers that write `row_changes`. The statements read one JSON text (`?1`): the marker
(`event`, `change`, `log`) to read after, and `rows`, how many of each at most.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from services.backup.records import Backup, ChangeMarker
from services.backup.sums import COUNT_NEW_AND_DELETED
from services.backup.tables import GROWING_TABLES, Table
from services.core.ports import Database, Row

_NEW_EVENTS = """
SELECT id, session_id, visitor_id FROM tracking_events
WHERE id > ?1 ->> 'event' ORDER BY id LIMIT ?1 ->> 'rows'
"""
_CHANGES = """
SELECT seq, table_name, key, deleted FROM row_changes
WHERE seq > ?1 ->> 'change' ORDER BY seq LIMIT ?1 ->> 'rows'
"""
_NEW_LOGS = """
SELECT id FROM system_logs WHERE id > ?1 ->> 'log' ORDER BY id LIMIT ?1 ->> 'rows'
"""

READ_MARKER = """
SELECT
  coalesce((SELECT max(id) FROM tracking_events), 0) AS event,
  coalesce((SELECT max(seq) FROM row_changes), 0) AS change,
  coalesce((SELECT max(id) FROM system_logs), 0) AS log,
  (SELECT max(name) FROM d1_migrations) AS migration
WHERE ?1 IS NOT NULL
"""

COUNT_CHANGES = f"""
SELECT
  (SELECT max(id) FROM ({_NEW_EVENTS})) AS event, (SELECT count(*) FROM ({_NEW_EVENTS})) AS events,
  (SELECT max(seq) FROM ({_CHANGES})) AS change, (SELECT count(*) FROM ({_CHANGES})) AS changes,
  (SELECT max(id) FROM ({_NEW_LOGS})) AS log, (SELECT count(*) FROM ({_NEW_LOGS})) AS logs
"""

DELETED = f"""
SELECT json_object('table', table_name, 'key', key) AS line FROM ({_CHANGES}) WHERE deleted
"""

COUNT_ROWS = f"""
SELECT {", ".join(f"(SELECT count(*) FROM {name}) AS {name}" for name in GROWING_TABLES)}
WHERE ?1 ->> 'counts'
"""


def _new_or_changed(column: str, table: str, cast: str) -> str:
    return f"""
SELECT {column} FROM ({_NEW_EVENTS})
UNION SELECT CAST(key AS {cast}) FROM ({_CHANGES})
WHERE table_name = '{table}' AND NOT deleted
"""


# The keys of the rows of a table that changed.
_CHANGED = {
    "tracking_events": _new_or_changed("id", "tracking_events", "INTEGER"),
    "sessions": _new_or_changed("session_id", "sessions", "TEXT"),
    "visitors": _new_or_changed("visitor_id", "visitors", "TEXT"),
    "system_logs": _NEW_LOGS,
}


def changed_rows(table: Table) -> str:
    """The statement that reads the changed rows of a growing table."""
    return f"SELECT {table.line()} AS line FROM {table.name} WHERE id IN ({_CHANGED[table.name]})"


@dataclass(frozen=True, slots=True)
class Changes:
    """Some changes, and the marker behind them.

    `lines` are by table; `totals`, where they were requested, the rows of each growing table at the
    same time, and `counts` what came and went since the backup began (`sums.py`). `is_all` says
    that there were no more changes then.
    """

    marker: ChangeMarker
    lines: Mapping[str, Sequence[str]]
    deleted: Sequence[str]
    totals: Mapping[str, int]
    counts: Row
    is_all: bool


async def read_changes(
    database: Database, tables: Sequence[Table], backup: Backup, rows: int
) -> Changes:
    """The changes after a backup's marker, up to so many rows of each kind, in one transaction.

    Raises:
        UnavailableError: D1 failed.
    """
    progress, marker = backup.progress, backup.progress.marker
    statements = (
        *map(changed_rows, tables),
        *(DELETED, COUNT_CHANGES, COUNT_ROWS, COUNT_NEW_AND_DELETED),
    )
    limits = {"rows": rows, "counts": progress.counts}
    beginning = {"start": asdict(progress.start), "previous": backup.previous}
    parameters = json.dumps({**asdict(marker), **limits, **beginning})
    *changed, deleted, [counts_of_changes], totals, counts = await database.batch_rows(
        statements, parameters
    )
    highest = {name: counts_of_changes[name] for name in ("event", "change", "log")}
    return Changes(
        marker=marker.advanced(**highest),
        lines={
            table.name: _lines(rows) for table, rows in zip(tables, changed, strict=True) if rows
        },
        deleted=_lines(deleted),
        totals=totals[0] if totals else {},
        counts=counts[0] if counts else {},
        is_all=max(counts_of_changes[name] for name in ("events", "changes", "logs")) < rows,
    )


async def read_marker(database: Database) -> tuple[ChangeMarker, str]:
    """The marker behind all changes so far, and the last migration.

    Raises:
        UnavailableError: D1 failed.
    """
    [[row]] = await database.batch_rows((READ_MARKER,), "{}")
    return ChangeMarker(row["event"], row["change"], row["log"]), row["migration"]


def _lines(rows: Sequence[Row]) -> list[str]:
    return [row["line"] for row in rows]
