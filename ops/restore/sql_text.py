"""Rows as SQL text for `wrangler d1 execute --file`, which can bind no values.

Text is quoted if every character is printable, and otherwise written as hexadecimal bytes: NUL
ends a quoted text in SQLite, and wrangler removes every `BEGIN TRANSACTION` of a file.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ops.restore.staging_database import StagingDatabase, Table

# D1 allows a statement 100 KB. https://developers.cloudflare.com/d1/platform/limits/
MAX_STATEMENT_BYTES = 100_000
# A character has at most 4 bytes, each of which takes 2 digits.
CHUNK_CHARACTERS = 10_000
MAX_INLINE_CHARACTERS = 500
_SEPARATOR = ",\n"
_FETCHED_ROWS = 1_000

Value = str | int | float | bytes | None


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement, and how many rows it adds."""

    sql: str
    rows: int


def literal(value: Value) -> str:
    """Write a value of SQLite as an SQL literal."""
    if value is None:
        return "NULL"
    if isinstance(value, str):
        if value.isprintable() and "BEGIN TRANSACTION" not in value:
            return "'" + value.replace("'", "''") + "'"
        return f"CAST({literal(value.encode())} AS TEXT)"
    if isinstance(value, bytes):
        return f"X'{value.hex()}'"
    # SQLite has no literal for infinity, but takes a number that is too large for it.
    return repr(value).replace("inf", "9e999")


def insert_statements(staging: StagingDatabase, table: Table) -> Iterator[Statement]:
    """Yield statements of at most MAX_STATEMENT_BYTES that insert a table's rows in key order."""
    max_bytes = MAX_STATEMENT_BYTES - len(_insert_into(table, table.columns))
    rows: list[Sequence[str]] = []
    size = 0
    for row in _rows(staging.database, table):
        literals = [*map(literal, row)]
        added = len(_tuple(literals).encode()) + len(_SEPARATOR)
        if added > max_bytes:
            yield from _in_chunks(table, row)
            continue
        if size + added > max_bytes:
            yield _insert(table, rows)
            rows, size = [], 0
        rows.append(literals)
        size += added
    if rows:
        yield _insert(table, rows)


def _insert(table: Table, rows: Sequence[Sequence[str]]) -> Statement:
    """Build the statement that inserts rows of literals.

    Columns that are NULL in all of them are left out: that is half of an event's columns, and
    wrangler looks at every letter of a NULL.
    """
    used = [
        number
        for number, values in enumerate(zip(*rows, strict=True))
        if table.columns[number] not in table.null_if_omitted or set(values) != {"NULL"}
    ]
    prefix = _insert_into(table, [table.columns[number] for number in used])
    tuples = (_tuple([row[number] for number in used]) for row in rows)
    return Statement(prefix + _SEPARATOR.join(tuples), len(rows))


def _in_chunks(table: Table, row: Sequence[Value]) -> Iterator[Statement]:
    """Insert a row that is longer than a statement, and append its long texts in chunks."""
    yield _insert(table, [[literal("" if _is_long(value) else value) for value in row]])
    values = dict(zip(table.columns, row, strict=True))
    key_condition = " AND ".join(f'"{name}" = {literal(values[name])}' for name in table.key)
    for column, value in values.items():
        if isinstance(value, str) and _is_long(value):
            for start in range(0, len(value), CHUNK_CHARACTERS):
                chunk = literal(value[start : start + CHUNK_CHARACTERS])
                assignment = f'"{column}" = "{column}" || {chunk}'
                yield Statement(f'UPDATE "{table.name}" SET {assignment} WHERE {key_condition}', 0)


def _insert_into(table: Table, columns: Sequence[str]) -> str:
    names = ", ".join(f'"{name}"' for name in columns)
    return f'INSERT INTO "{table.name}" ({names}) VALUES\n'


def _tuple(literals: Iterable[str]) -> str:
    return f"({','.join(literals)})"


def _is_long(value: Value) -> bool:
    return isinstance(value, str) and len(value) > MAX_INLINE_CHARACTERS


def _rows(database: sqlite3.Connection, table: Table) -> Iterator[Sequence[Value]]:
    columns = ", ".join(f'"{name}"' for name in table.columns)
    order = ", ".join(table.key)
    read = database.execute(f'SELECT {columns} FROM "{table.name}" ORDER BY {order}')
    while rows := read.fetchmany(_FETCHED_ROWS):
        yield from rows
