"""Which rows stay in the database because they still wait for Pipedrive, asked of SQLite itself."""

from __future__ import annotations

import sqlite3

import pytest

from services.core.pending_leads import IS_NOT_PENDING, IS_PENDING
from services.core.stored_time import NEVER_DUE

TABLE = """
CREATE TABLE tracking_events (
  id INTEGER PRIMARY KEY, event_type TEXT, pipedrive_sync_status TEXT, pipedrive_due_at TEXT
)
"""
PAST, FUTURE = "2020-01-01 00:00:00", "2099-01-01 00:00:00"


def count(condition: str, *row: str | None) -> int:
    """How many rows of a table with this one row meet the condition."""
    database = sqlite3.connect(":memory:")
    database.execute(TABLE)
    database.execute("INSERT INTO tracking_events VALUES (1, ?, ?, ?)", row)
    [[number]] = database.execute(f"SELECT count(*) FROM tracking_events WHERE {condition}")
    database.close()
    return int(number)


@pytest.mark.parametrize("due_at", [None, PAST, FUTURE])
def test_a_lead_that_is_due_one_day_is_pending(due_at: str | None) -> None:
    row = ("form_submit", None, due_at)
    assert (count(IS_PENDING, *row), count(IS_NOT_PENDING, *row)) == (1, 0)


@pytest.mark.parametrize(
    "row",
    [
        ("form_submit", None, NEVER_DUE),
        *(("form_submit", status, None) for status in ("synced", "not_found", "error")),
        ("form_submit", "error", FUTURE),
        *((event_type, None, None) for event_type in ("pageview", "custom", None)),
    ],
)
def test_a_row_that_is_never_due_or_has_its_status_or_is_no_form_may_go(
    row: tuple[str | None, ...],
) -> None:
    assert (count(IS_PENDING, *row), count(IS_NOT_PENDING, *row)) == (0, 1)
