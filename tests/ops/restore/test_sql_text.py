"""Rows as SQL text: whatever was stored comes back as it was."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from ops.restore.sql_text import MAX_STATEMENT_BYTES, insert_statements, literal
from ops.restore.staging_database import StagingDatabase, open_staging

NASTY = [
    None,
    0,
    -1,
    2**63 - 1,
    1.5,
    1e308,
    float("inf"),
    float("-inf"),
    "",
    "it's",
    "'; DROP TABLE pixels; --",
    "a;b\nc\r\nd\te",
    "nul \x00 in the middle",
    "\x00",
    "BEGIN TRANSACTION; COMMIT;",
    "/* comment */ -- comment",
    "Grüße, 你好, 🙂 and \u2028 \u2029 \ufeff \ue000 \U0010ffff",
    "NULL",
    "12",
    '"quoted" [brackets] `ticks` \\backslash\\',
    b"\x00\xff",
]


@pytest.fixture
def staging() -> StagingDatabase:
    """A database of this product's schema, without rows."""
    made = open_staging(Path(":memory:"))
    made.migrate()
    made.clear(*made.tables)
    return made


@pytest.mark.parametrize("value", NASTY, ids=ascii)
def test_a_value_comes_back_with_its_type(value: str | float | bytes | None) -> None:
    read = sqlite3.connect(":memory:").execute(f"SELECT {literal(value)}").fetchone()[0]
    assert (read, type(read)) == (value, type(value))


def test_no_text_looks_like_a_transaction_to_wrangler() -> None:
    assert "BEGIN TRANSACTION" not in literal("BEGIN TRANSACTION;")


def copied(staging: StagingDatabase, table: str) -> list[tuple[object, ...]]:
    """The rows after they were written as SQL into another database."""
    other = open_staging(Path(":memory:"))
    other.migrate()
    for statement in insert_statements(staging, staging.tables[table]):
        assert len(statement.sql.encode()) <= MAX_STATEMENT_BYTES
        other.database.execute(statement.sql)
    return other.database.execute(f"SELECT * FROM {table} ORDER BY id").fetchall()


def rows(staging: StagingDatabase, table: str) -> list[tuple[object, ...]]:
    return staging.database.execute(f"SELECT * FROM {table} ORDER BY id").fetchall()


def test_columns_that_are_null_in_all_rows_are_left_out_unless_they_have_a_default(
    staging: StagingDatabase,
) -> None:
    staging.database.executescript("""
      INSERT INTO visitors (id, visitor_cookie, user_agent, first_seen, last_seen)
      VALUES ('a', 'cookie-a', NULL, NULL, NULL), ('b', 'cookie-b', NULL, NULL, NULL)
    """)
    [statement] = insert_statements(staging, staging.tables["visitors"])
    assert '"user_agent"' not in statement.sql
    # Their default is the current time.
    assert '"first_seen"' in statement.sql
    assert copied(staging, "visitors") == rows(staging, "visitors")


def test_many_rows_are_few_statements_none_too_long(staging: StagingDatabase) -> None:
    staging.database.executemany(
        "INSERT INTO visitors (id, visitor_cookie, user_agent) VALUES (?, ?, ?)",
        [(f"v{number:05}", f"c{number}", "é'" * 50) for number in range(3_000)],
    )
    written = list(insert_statements(staging, staging.tables["visitors"]))
    assert sum(statement.rows for statement in written) == 3_000
    assert len(written) < 12
    assert copied(staging, "visitors") == rows(staging, "visitors")


def test_a_row_that_is_longer_than_a_statement_goes_in_pieces(staging: StagingDatabase) -> None:
    long = "🙂'\x00" * 70_000
    staging.database.execute(
        "INSERT INTO tracking_events (id, form_data, page_url, page_title) VALUES (7, ?, ?, 'x')",
        (long, "u" * 90_000),
    )
    assert copied(staging, "tracking_events") == rows(staging, "tracking_events")
