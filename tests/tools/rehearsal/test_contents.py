"""The inherited rows are compared value by value; what is added to them is no change."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from rehearsal.contents import changed_columns, digest_columns
from rehearsal.new_production import migrate
from rehearsal.old_production import write_old_database

EVENTS = 20
ADD_EVENT = (
    "INSERT INTO tracking_events (pixel_id, visitor_id, session_id, event_type)"
    " VALUES ('pixel-1-shop', 'visitor-0', 'session-0', 'pageview')"
)


def changed_by(file: Path, sql: str) -> list[str]:
    old = digest_columns(file, EVENTS, {})
    with closing(sqlite3.connect(file)) as database, database:
        database.execute(sql)
    return changed_columns(old, digest_columns(file, EVENTS, old))


def test_the_migrations_and_new_rows_change_no_inherited_value(tmp_path: Path) -> None:
    file = tmp_path / "database.sqlite"
    write_old_database(file, EVENTS)
    old = digest_columns(file, EVENTS, {})
    assert "tracking_events.page_url" in old
    migrate(file)
    new = digest_columns(file, EVENTS, old)
    assert changed_columns(old, new) == []
    assert new.keys() == old.keys()
    assert changed_by(file, ADD_EVENT) == []


def test_a_value_that_changed_and_a_row_that_is_gone_are_seen(tmp_path: Path) -> None:
    file = tmp_path / "database.sqlite"
    write_old_database(file, EVENTS)
    changed = changed_by(file, "UPDATE tracking_events SET utm_source = 'bing' WHERE id = 7")
    assert changed == ["tracking_events.utm_source"]
    assert "tracking_events.id" in changed_by(file, "DELETE FROM tracking_events WHERE id = 8")
