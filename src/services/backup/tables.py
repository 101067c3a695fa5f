"""The tables of a backup, and the statements that read them page by page.

They are read from the schema, so that a new table or column is in the next backup.
All statements read one JSON text (`?1`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter

from services.core.json_lines import json_line
from services.core.ports import Database, Row

# These grow without end: an hourly backup holds their changes, and all rows of every other table.
GROWING_TABLES = ("tracking_events", "sessions", "visitors", "system_logs")
# They describe backups of this database: in a restored one they would be wrong.
EXCLUDED_TABLES = ("backups", "row_changes")

_NAME = re.compile("[A-Za-z_][A-Za-z0-9_]*")

# D1 refuses to read the tables of Cloudflare (`_cf_…`): SQLITE_AUTH.
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
    """The schema has a name that cannot stand in a statement unquoted."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table, its columns, and the key columns that order its rows."""

    name: str
    columns: Sequence[str]
    key: Sequence[str]

    @property
    def grows(self) -> bool:
        """Whether hourly backups hold only its changes."""
        return self.name in GROWING_TABLES

    def line(self) -> str:
        """The SQL expression of a row as a line of JSON."""
        return json_line(self.columns)

    def page(self, *, is_first: bool) -> str:
        """The statement of a page after a key (`after`), up to a row id (`until`)."""
        key = ", ".join(self.key)
        after = ", ".join(f"?1 ->> '$.after[{index}]'" for index in range(len(self.key)))
        conditions = [] if is_first else [f"({key}) > ({after})"]
        if self.key == ("rowid",):
            conditions.append("rowid <= ?1 ->> 'until'")
        return f"""
SELECT json_array({key}) AS position, {self.line()} AS line FROM {self.name}
WHERE {" AND ".join(conditions) or "true"}
ORDER BY {key} LIMIT ?1 ->> 'rows'
"""


async def read_tables(database: Database) -> Sequence[Table]:
    """Every table of the database but those that no backup holds.

    Raises:
        UnavailableError: D1 failed.
        UnknownNameError: a name cannot stand in a statement unquoted.
    """
    [rows] = await database.batch_rows((READ_SCHEMA,), "{}")
    return [_table(row) for row in rows if _is_backed_up(row["name"])]


def _is_backed_up(name: str) -> bool:
    if name == "sqlite_sequence":  # the highest ids ever given
        return True
    return not name.startswith("sqlite_") and name not in EXCLUDED_TABLES


def _table(row: Row) -> Table:
    columns: list[tuple[str, int]] = json.loads(row["columns"])
    names = [name for name, _ in columns]
    for name in (row["name"], *names):
        if not _NAME.fullmatch(name):
            raise UnknownNameError(f"the schema has a name that cannot be backed up: {name!r}")
    key = [name for name, position in sorted(columns, key=itemgetter(1)) if position]
    return Table(row["name"], names, tuple(key) if row["is_without_rowid"] else ("rowid",))
