"""A backup put together on this machine, in SQLite: what is wrong with it is found here.

The schema is made by the very migrations of this repository, each at its place in the chain, so
that a backup of an older schema becomes what it would be today. What is sent to D1 is read from
here, and what D1 then holds is compared with it.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

from ops.terminal.errors import OpsError
from paths import ROOT
from services.backup.tables import LEFT_OUT

MIGRATIONS = ROOT / "migrations"
# The highest ids ever given, after which AUTOINCREMENT goes on.
SEQUENCE = "sqlite_sequence"
# As wrangler makes it.
_LEDGER = """
CREATE TABLE d1_migrations (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT UNIQUE,
  applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL
)
"""
_FAST = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
PRAGMA cache_size = -500000;
"""


class UnknownSchemaError(OpsError):
    """The migrations at hand cannot make the schema of the backup."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table, its columns, and those by which its rows are in order."""

    name: str
    columns: Sequence[str]
    key: Sequence[str]


@dataclass(slots=True)
class Staging:
    """The database that grows out of a chain of backups."""

    database: sqlite3.Connection
    migrations: Sequence[Path]
    tables: Mapping[str, Table] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)
    applied: list[str] = field(default_factory=list)
    indexes: Sequence[str] = ()

    def migrate(self, until: str | None = None) -> None:
        """Applies the migrations up to one, or all.

        Raises:
            UnknownSchemaError: one is not here, or does not work.
        """
        names = [file.name for file in self.migrations]
        if until is not None and until > names[-1]:
            raise UnknownSchemaError(
                f"the backup was made on migration {until}, and the newest one here is {names[-1]}:"
                " check out the code that was deployed then, or newer"
            )
        new = [
            file
            for file in self.migrations[len(self.applied) :]
            if until is None or file.name <= until
        ]
        if new:
            self.database.executescript("".join(f"{index};\n" for index in self.indexes))
            for file in new:
                self._apply(file)
            self._drop_indexes()
        self.tables = {each.name: each for each in _tables(self.database)}

    def _apply(self, file: Path) -> None:
        try:
            self.database.executescript(file.read_text(encoding="utf-8"))
        except sqlite3.Error as error:
            raise UnknownSchemaError(
                f"{file.name} cannot be applied on this machine: {error}"
                f" (SQLite {sqlite3.sqlite_version})"
            ) from None
        self.applied.append(file.name)

    def _drop_indexes(self) -> None:
        """Nothing is looked for by them here, and they cost a third of the time."""
        found = self.database.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
        ).fetchall()
        self.indexes = [sql for _, sql in found]
        for name, _ in found:
            self.database.execute(f'DROP INDEX "{name}"')

    def schema(self) -> Sequence[str]:
        """The statements that make its tables, then its indexes and triggers."""
        made = self.database.execute("""
          SELECT type, sql FROM sqlite_master
          WHERE sql IS NOT NULL AND substr(name, 1, 7) <> 'sqlite_' ORDER BY rowid
        """).fetchall()
        tables = [sql for kind, sql in made if kind == "table"]
        return [*tables, *self.indexes, *(sql for kind, sql in made if kind == "trigger")]

    def clear(self, *names: str) -> None:
        """Empties tables."""
        for name in names:
            self.database.execute(f'DELETE FROM "{name}"')

    def put(self, name: str, lines: Iterable[str]) -> None:
        """Writes rows, one JSON object a line, in place of those with the same keys."""
        rows = [json.loads(line) for line in lines]
        table = self.tables.get(name)
        unknown = {*rows[0]}.difference(table.columns if table else ()) if rows else set()
        if unknown:
            what = f"{name} ({', '.join(sorted(unknown))})" if table else name
            self.left_out[what] = self.left_out.get(what, 0) + len(rows)
        if name == SEQUENCE:
            # It has no key, and SQLite wrote some of its rows already.
            self._all(f"DELETE FROM {name} WHERE name = :name", rows)
        if table:
            columns = table.columns
            self._all(insertion(table), (tuple(map(row.get, columns)) for row in rows))

    def delete(self, name: str, ids: Iterable[str | int]) -> int:
        """Deletes rows by their ids; returns how many there were."""
        return self._all(f'DELETE FROM "{name}" WHERE id = ?', ((each,) for each in ids))

    def run(self, statement: str, said: str) -> int:
        """Runs a statement that reads one JSON text; returns how many rows it changed."""
        return self._all(statement, [(said,)])

    def _all(self, statement: str, rows: Iterable[Any]) -> int:
        """One transaction: one for each row would cost more than the row."""
        with self.database:
            self.database.execute("BEGIN")
            return self.database.executemany(statement, rows).rowcount

    def counts(self) -> dict[str, int]:
        """The rows of each table."""
        return {
            name: self.database.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]
            for name in self.tables
        }

    def orphans(self) -> Mapping[str, int]:
        """Rows that refer to others that are not there, by table and what is missing."""
        found: dict[str, int] = {}
        for table, _, parent, _ in self.database.execute("PRAGMA foreign_key_check"):
            words = f"{table} without their {parent}"
            found[words] = found.get(words, 0) + 1
        return found


def insertion(table: Table) -> str:
    """The statement that writes a row."""
    columns = ", ".join(f'"{each}"' for each in table.columns)
    return (
        f'INSERT OR REPLACE INTO "{table.name}" ({columns})'
        f" VALUES ({', '.join('?' * len(table.columns))})"
    )


def open_staging(file: Path, migrations: Path = MIGRATIONS) -> Staging:
    """An empty database in a file."""
    database = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    database.executescript(_FAST)
    database.execute(_LEDGER)
    return Staging(database, sorted(migrations.glob("*.sql")))


def _tables(database: sqlite3.Connection) -> Iterator[Table]:
    """The tables, those that others refer to first."""
    names = [
        name
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        if name not in LEFT_OUT and (name == SEQUENCE or not name.startswith("sqlite_"))
    ]
    parents: dict[str, Collection[str]] = {
        name: {row[2] for row in database.execute(f'PRAGMA foreign_key_list("{name}")')} - {name}
        for name in sorted(names)
    }
    for name in TopologicalSorter(parents).static_order():
        columns = database.execute(f'PRAGMA table_info("{name}")').fetchall()
        key = [column[1] for column in sorted(columns, key=lambda each: each[5]) if column[5]]
        if not key:
            key = ["name"] if name == SEQUENCE else ["rowid"]
        yield Table(name, [column[1] for column in columns], key)
