"""A local D1 database of its own, migrated by wrangler and looked at with SQLite."""

import sqlite3
from dataclasses import dataclass
from pathlib import Path

from tests.harness.migrating import MIGRATIONS, migrate
from wrangler import wrangler

DATABASE_ID = "00000000-0000-0000-0000-000000000000"

Row = dict[str, object]


@dataclass(frozen=True)
class LocalD1:
    folder: Path

    def apply(self, migrations: Path = MIGRATIONS) -> str:
        """Applies the migrations that are not recorded yet; returns what wrangler said."""
        config = self.folder / "wrangler.toml"
        config.write_text(
            'name = "migrations-test"\n'
            'compatibility_date = "2026-11-01"\n'
            "[[d1_databases]]\n"
            'binding = "DB"\n'
            'database_name = "migrations-test"\n'
            f'database_id = "{DATABASE_ID}"\n'
            f'migrations_dir = "{migrations}"\n'
        )
        apply = ("d1", "migrations", "apply", "DB", "--local", "--persist-to", self._state)
        return wrangler(*apply, config=config)

    def apply_the_rest(self) -> None:
        """Applies what is not recorded yet without wrangler, for tests of what becomes of rows."""
        migrate(self._state, DATABASE_ID)

    def connect(self) -> sqlite3.Connection:
        """The database's own file, with foreign keys on as D1 has them."""
        (file,) = (
            file for file in self._state.glob("v3/d1/*/*.sqlite") if file.name != "metadata.sqlite"
        )
        return _prepared(sqlite3.connect(file))

    def copy(self) -> sqlite3.Connection:
        """A copy in memory, to write to without a trace."""
        copy = _prepared(sqlite3.connect(":memory:"))
        original = self.connect()
        original.backup(copy)
        original.close()
        return copy

    @property
    def _state(self) -> Path:
        return self.folder / "state"


def rows(database: sqlite3.Connection, sql: str, *values: object) -> list[Row]:
    return [dict(row) for row in database.execute(sql, values)]


def column_of(database: sqlite3.Connection, sql: str, *values: object) -> list[object]:
    return [row[0] for row in database.execute(sql, values)]


def insert(database: sqlite3.Connection, table: str, **values: object) -> None:
    columns = ", ".join(values)
    placeholders = ", ".join("?" * len(values))
    database.execute(
        f"INSERT INTO {table} ({columns}) VALUES ({placeholders})",
        tuple(values.values()),
    )


def _prepared(database: sqlite3.Connection) -> sqlite3.Connection:
    database.row_factory = sqlite3.Row
    database.execute("PRAGMA foreign_keys = ON")
    return database
