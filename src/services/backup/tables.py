"""Which tables a backup holds, and the statements that read them, page by page.

They are found in the schema, so that a table or a column that somebody adds is in the next backup.
All statements read one JSON text (`?1`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from services.core.json_lines import json_line
from services.core.ports import Database, Row

# These grow without end. A backup of an hour holds what changed in them, and all of every other.
GROWING = ("tracking_events", "sessions", "visitors", "system_logs")
# About backups of this very database: in another one they would be wrong.
LEFT_OUT = ("backups", "row_changes")

_NAME = re.compile("[A-Za-z_][A-Za-z0-9_]*")

# D1 refuses whoever looks into a table of Cloudflare's own (`_cf_…`): SQLITE_AUTH.
READ_SCHEMA = """
SELECT tables.name, tables.wr AS is_without_rowid, (
  SELECT json_group_array(json_array(name, pk)) FROM pragma_table_info(tables.name)
) AS columns
FROM pragma_table_list AS tables
WHERE tables.schema = 'main' AND tables.type = 'table' AND ?1 IS NOT NULL
  AND substr(tables.name, 1, 4) <> '_cf_'
ORDER BY tables.name
"""


class UnknownNameError(Exception):
    """The schema holds a name that this code does not put into a statement."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table, its columns, and the columns by which its rows are in order."""

    name: str
    columns: Sequence[str]
    key: Sequence[str]

    @property
    def grows(self) -> bool:
        """Whether backups of an hour hold its changes only."""
        return self.name in GROWING

    def line(self) -> str:
        """The SQL of a row as a line."""
        return json_line(self.columns)

    def page(self, *, is_first: bool) -> str:
        """The statement of a page after a place, up to an id where the rows have one."""
        key = ", ".join(self.key)
        after = ", ".join(f"?1 ->> '$.after[{place}]'" for place in range(len(self.key)))
        conditions = [] if is_first else [f"({key}) > ({after})"]
        if self.key == ("rowid",):
            conditions.append("rowid <= ?1 ->> 'until'")
        return f"""
SELECT json_array({key}) AS place, {self.line()} AS line FROM {self.name}
WHERE {" AND ".join(conditions) or "true"}
ORDER BY {key} LIMIT ?1 ->> 'rows'
"""


async def read_tables(database: Database) -> Sequence[Table]:
    """Every table of the database but those that must not go into another one.

    Raises:
        UnavailableError: D1 failed.
        UnknownNameError: a name is none that can stand in a statement as it is.
    """
    [rows] = await database.batch_rows((READ_SCHEMA,), "{}")
    return [_table(row) for row in rows if _is_ours(row["name"])]


def _is_ours(name: str) -> bool:
    if name == "sqlite_sequence":  # the highest ids ever given
        return True
    return not name.startswith("sqlite_") and name not in LEFT_OUT


def _table(row: Row) -> Table:
    columns: list[tuple[str, int]] = json.loads(row["columns"])
    names = [name for name, _ in columns]
    for name in (row["name"], *names):
        if not _NAME.fullmatch(name):
            raise UnknownNameError(f"the schema has a name that cannot be backed up: {name!r}")
    key = [name for name, place in sorted(columns, key=lambda each: each[1]) if place]
    return Table(row["name"], names, tuple(key) if row["is_without_rowid"] else ("rowid",))
