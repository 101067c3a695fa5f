"""Rows as SQL text for `wrangler d1 execute --file`, which can bind no values.

Text is quoted where every character is harmless, and otherwise written as hexadecimal bytes: NUL
ends a quoted text in SQLite, and wrangler takes `BEGIN TRANSACTION` out of a file wherever it is.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ops.restore.staging_database import Staging, Table

# D1 allows a statement 100 KB. https://developers.cloudflare.com/d1/platform/limits/
LONGEST_STATEMENT = 100_000
# Of a value that does not fit: 4 bytes a character at most, 2 digits a byte.
PIECE = 10_000
SHORT = 500
_BETWEEN = ",\n"
_READ_AT_ONCE = 1_000

Value = str | int | float | bytes | None


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement, and how many rows it adds."""

    sql: str
    rows: int


def literal(value: Value) -> str:
    """A value of SQLite as SQL."""
    if value is None:
        return "NULL"
    if isinstance(value, str):
        if value.isprintable() and "BEGIN TRANSACTION" not in value:
            return "'" + value.replace("'", "''") + "'"
        return f"CAST({literal(value.encode())} AS TEXT)"
    if isinstance(value, bytes):
        return f"X'{value.hex()}'"
    # SQLite has no word for infinity, but takes a number that is too large for it.
    return repr(value).replace("inf", "9e999")


def statements(staging: Staging, table: Table) -> Iterator[Statement]:
    """Statements that write all rows of a table, in the order of their keys, none too long."""
    columns = ", ".join(f'"{each}"' for each in table.columns)
    into = f'INSERT INTO "{table.name}" ({columns}) VALUES\n'
    room = LONGEST_STATEMENT - len(into)
    texts: list[str] = []
    size = 0
    for row in _rows(staging.database, table):
        text = _tuple(row)
        length = len(text.encode()) + len(_BETWEEN)
        if length > room:
            yield from _in_pieces(into, table, row)
            continue
        if size + length > room:
            yield Statement(into + _BETWEEN.join(texts), len(texts))
            texts, size = [], 0
        texts.append(text)
        size += length
    if texts:
        yield Statement(into + _BETWEEN.join(texts), len(texts))


def _in_pieces(into: str, table: Table, row: Sequence[Value]) -> Iterator[Statement]:
    """A row that is longer than a statement: its long texts follow piece by piece."""
    short = ["" if _is_long(value) else value for value in row]
    yield Statement(into + _tuple(short), 1)
    values = dict(zip(table.columns, row, strict=True))
    where = " AND ".join(f'"{each}" = {literal(values[each])}' for each in table.key)
    for column, value in values.items():
        if isinstance(value, str) and _is_long(value):
            for start in range(0, len(value), PIECE):
                piece = literal(value[start : start + PIECE])
                grown = f'"{column}" = "{column}" || {piece}'
                yield Statement(f'UPDATE "{table.name}" SET {grown} WHERE {where}', 0)


def _tuple(row: Iterable[Value]) -> str:
    return f"({','.join(map(literal, row))})"


def _is_long(value: Value) -> bool:
    return isinstance(value, str) and len(value) > SHORT


def _rows(database: sqlite3.Connection, table: Table) -> Iterator[Sequence[Value]]:
    columns = ", ".join(f'"{each}"' for each in table.columns)
    order = ", ".join(table.key)
    read = database.execute(f'SELECT {columns} FROM "{table.name}" ORDER BY {order}')
    while rows := read.fetchmany(_READ_AT_ONCE):
        yield from rows
