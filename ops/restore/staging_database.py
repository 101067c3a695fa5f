"""The SQLite database on this machine in which a chain of backups is assembled and checked.

Its schema comes from the migrations of this repository, each applied at its position in the chain,
so that a backup of an older schema gets the newest one. What is sent to D1 is read from it, and
what D1 then holds is compared with it.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from operator import itemgetter
from pathlib import Path
from typing import Any

from ops.terminal.errors import OpsError
from paths import ROOT
from services.backup.tables import EXCLUDED_TABLES

MIGRATIONS = ROOT / "migrations"
# The highest ids ever assigned, which AUTOINCREMENT continues.
SEQUENCE = "sqlite_sequence"
# Without its row a database counts as lost: it is written when all others are there and compared.
IDENTITY = "database_identity"
# As wrangler creates it.
_MIGRATIONS_TABLE = """
CREATE TABLE d1_migrations (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT UNIQUE,
  applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL
)
"""
_SPEED_PRAGMAS = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
PRAGMA cache_size = -500000;
"""


HIGHEST_EVENT = """
SELECT max(
  coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'tracking_events'), 0),
  coalesce((SELECT max(id) FROM tracking_events), 0)
)
"""


class UnknownSchemaError(OpsError):
    """The migrations of this checkout cannot make the schema of the backup."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table, its columns, the columns of its key, and those without a default value."""

    name: str
    columns: Sequence[str]
    key: Sequence[str]
    null_if_omitted: Collection[str]


@dataclass(slots=True)
class StagingDatabase:
    """The database into which a chain of backups is written.

    `skipped_rows` counts rows by the table or columns that no migration makes.
    """

    database: sqlite3.Connection
    migrations: Sequence[Path]
    tables: Mapping[str, Table] = field(default_factory=dict)
    skipped_rows: dict[str, int] = field(default_factory=dict)
    applied: list[str] = field(default_factory=list)
    indexes: Sequence[str] = ()
    triggers: Sequence[str] = ()

    def migrate(self, until: str | None = None) -> None:
        """Apply the migrations up to *until*, or all.

        Raises:
            UnknownSchemaError: one is missing here, or fails.
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
            dropped = (*self.indexes, *self.triggers)
            self.database.executescript("".join(f"{statement};\n" for statement in dropped))
            for file in new:
                self._apply(file)
            self.indexes = self._drop("index")
            self.triggers = self._drop("trigger")
        self.tables = {table.name: table for table in _read_tables(self.database)}

    def _apply(self, file: Path) -> None:
        try:
            self.database.executescript(file.read_text(encoding="utf-8"))
        except sqlite3.Error as error:
            raise UnknownSchemaError(
                f"{file.name} cannot be applied on this machine: {error}"
                f" (SQLite {sqlite3.sqlite_version})"
            ) from None
        self.applied.append(file.name)

    def _drop(self, kind: str) -> Sequence[str]:
        """Drop all indexes or triggers, and return the statements that create them.

        No query here needs an index, and they take a third of the time. Triggers are for rows that
        are written for the first time.
        """
        dropped = self.database.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = ? AND sql IS NOT NULL ORDER BY rowid",
            (kind,),
        ).fetchall()
        for name, _ in dropped:
            self.database.execute(f'DROP {kind} "{name}"')
        return [sql for _, sql in dropped]

    def schema(self) -> Sequence[str]:
        """Return the statements that create its tables, then its indexes."""
        tables = self.database.execute("""
          SELECT sql FROM sqlite_master
          WHERE type = 'table' AND sql IS NOT NULL AND substr(name, 1, 7) <> 'sqlite_'
          ORDER BY rowid
        """).fetchall()
        return [*(sql for (sql,) in tables), *self.indexes]

    def clear(self, *names: str) -> None:
        """Delete all rows of tables."""
        for name in names:
            self.database.execute(f'DELETE FROM "{name}"')

    def insert(self, name: str, lines: Iterable[str]) -> None:
        """Insert rows, one JSON object a line, in place of those with the same keys."""
        rows = [json.loads(line) for line in lines]
        table = self.tables.get(name)
        unknown = {*rows[0]}.difference(table.columns if table else ()) if rows else set()
        if unknown:
            source = f"{name} ({', '.join(sorted(unknown))})" if table else name
            self.skipped_rows[source] = self.skipped_rows.get(source, 0) + len(rows)
        if name == SEQUENCE:
            # It has no key that could conflict with the rows that SQLite wrote.
            self._execute_many(f"DELETE FROM {name} WHERE name = :name", rows)
        if table:
            columns = table.columns
            self._execute_many(
                insert_statement(table), (tuple(map(row.get, columns)) for row in rows)
            )

    def delete(self, name: str, ids: Iterable[str | int]) -> int:
        """Delete rows by their ids, and return how many there were."""
        return self._execute_many(
            f'DELETE FROM "{name}" WHERE id = ?', ((row_id,) for row_id in ids)
        )

    def run(self, statement: str, parameter: str) -> int:
        """Run a statement with one parameter, and return how many rows it changed."""
        return self._execute_many(statement, [(parameter,)])

    def _execute_many(self, statement: str, rows: Iterable[Any]) -> int:
        """Execute a statement for all rows in one transaction, which is much faster."""
        with self.database:
            self.database.execute("BEGIN")
            return self.database.executemany(statement, rows).rowcount

    def highest_event(self) -> int:
        """Return the highest event id that was ever given."""
        [[number]] = self.database.execute(HIGHEST_EVENT).fetchall()
        return int(number)

    def row_counts(self) -> dict[str, int]:
        """Count the rows of each table."""
        return {
            name: self.database.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]
            for name in self.tables
        }

    def orphans(self) -> Mapping[str, int]:
        """Count the rows whose foreign key is missing, by table and parent table."""
        orphans: dict[str, int] = {}
        for table, _, parent, _ in self.database.execute("PRAGMA foreign_key_check"):
            relation = f"{table} without their {parent}"
            orphans[relation] = orphans.get(relation, 0) + 1
        return orphans


def insert_statement(table: Table) -> str:
    """Build the statement that inserts a row or replaces it."""
    columns = ", ".join(f'"{name}"' for name in table.columns)
    return (
        f'INSERT OR REPLACE INTO "{table.name}" ({columns})'
        f" VALUES ({', '.join('?' * len(table.columns))})"
    )


def open_staging(file: Path, migrations: Path = MIGRATIONS) -> StagingDatabase:
    """Open an empty staging database in a file."""
    database = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    database.executescript(_SPEED_PRAGMAS)
    database.execute(_MIGRATIONS_TABLE)
    return StagingDatabase(database, sorted(migrations.glob("*.sql")))


def _read_tables(database: sqlite3.Connection) -> Iterator[Table]:
    """Yield the tables, each after those that it refers to."""
    names = [
        name
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        if name not in EXCLUDED_TABLES and (name == SEQUENCE or not name.startswith("sqlite_"))
    ]
    parents: dict[str, Collection[str]] = {
        name: {row[2] for row in database.execute(f'PRAGMA foreign_key_list("{name}")')} - {name}
        for name in sorted(names)
    }
    for name in TopologicalSorter(parents).static_order():
        columns = database.execute(f'PRAGMA table_info("{name}")').fetchall()
        key = [column[1] for column in sorted(columns, key=itemgetter(5)) if column[5]]
        if not key:
            key = ["name"] if name == SEQUENCE else ["rowid"]
        without_default = {column[1] for column in columns if column[4] is None}
        yield Table(name, [column[1] for column in columns], key, without_default)
