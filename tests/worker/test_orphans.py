"""Migrations go through on rows whose parent is missing and on ids that are taken, and keep all."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.worker.inherited import COLUMNS, inherited_database
from tests.worker.local_d1 import LocalD1, Row, column_of, insert, rows

TABLES = ("projects", "pixels", "visitors", "sessions", "tracking_events")
EVENTS = (
    # project, pixel, visitor, session
    ("project-1", "gone-pixel", "campaign", "s"),
    ("gone-project", "gone-pixel-2", "gone-visitor", "gone-session"),
    ("project-1", "", "campaign", "s"),
    (None, None, None, None),
)


@dataclass(frozen=True)
class Migration:
    d1: LocalD1
    before: dict[str, list[Row]]


@pytest.fixture(scope="module")
def migration(tmp_path_factory: pytest.TempPathFactory) -> Migration:
    d1 = inherited_database(tmp_path_factory.mktemp("orphaned"))
    database = d1.connect()
    database.execute("PRAGMA foreign_keys = OFF")
    with database:
        _add_orphans(database)
    before = {table: _content(database, table) for table in TABLES}
    database.close()
    d1.apply_the_rest()
    return Migration(d1, before)


@pytest.fixture
def migrated(migration: Migration) -> Iterator[sqlite3.Connection]:
    database = migration.d1.copy()
    yield database
    database.close()


def _add_orphans(database: sqlite3.Connection) -> None:
    url = "https://hooks.example.com/9"
    insert(database, "projects", id="ppp-default-project", name="Other", webhook_url=url)
    insert(database, "pixels", id="ppp-website-2", project_id="project-1", name="own")
    insert(database, "pixels", id="orphaned-pixel", project_id="gone-project", name="shop")
    for session, visitor in (("orphan-1", "gone-visitor"), ("orphan-2", "gone-visitor")):
        insert(database, "sessions", id=session, visitor_id=visitor, session_cookie=session)
    insert(database, "sessions", id=None, visitor_id="campaign", session_cookie="no id")
    insert(database, "visitors", id=None, visitor_cookie="no id")
    names = ("project_id", "pixel_id", "visitor_id", "session_id")
    for ids in EVENTS:
        columns = dict(zip(names, ids, strict=True))
        insert(database, "tracking_events", **columns, utm_source="news")


def _content(database: sqlite3.Connection, table: str) -> list[Row]:
    columns = ", ".join(COLUMNS[table].split())
    return rows(database, f"SELECT {columns} FROM {table} ORDER BY id")


def test_no_row_is_lost_or_changed(migration: Migration, migrated: sqlite3.Connection) -> None:
    ignored = {"configuration", "updated_at"}
    for table, before in migration.before.items():
        after = {row["id"]: row for row in _content(migrated, table)}
        for row in before:
            if row["id"] is not None:
                # Bytes become text: see `test_bytes`.
                values = {
                    name: value
                    for name, value in row.items()
                    if name not in ignored and not isinstance(value, bytes)
                }
                assert values.items() <= after[row["id"]].items()
        assert len(after) >= len(before)


def test_the_database_is_sound(migrated: sqlite3.Connection) -> None:
    assert rows(migrated, "PRAGMA foreign_key_check") == []
    assert column_of(migrated, "PRAGMA integrity_check") == ["ok"]


def test_a_missing_parent_has_a_row_again_that_is_switched_off(
    migrated: sqlite3.Connection,
) -> None:
    missing = rows(migrated, "SELECT id, name, active FROM projects WHERE name LIKE 'missing%'")
    assert [tuple(row.values()) for row in missing] == [
        ("gone-project", "missing project gone-project", 0),
        ("missing-project", "missing project", 0),
    ]
    pixels = rows(
        migrated,
        "SELECT id, project_id, active FROM pixels WHERE name LIKE 'missing%' ORDER BY id",
    )
    assert [tuple(row.values()) for row in pixels] == [
        ("", "project-1", 0),
        ("gone-pixel", "project-1", 0),
        ("gone-pixel-2", "gone-project", 0),
    ]
    [visitor] = rows(migrated, "SELECT * FROM visitors WHERE id = 'gone-visitor'")
    assert visitor["visitor_cookie"] == "missing-gone-visitor"


def test_a_row_without_an_id_has_one(migrated: sqlite3.Connection) -> None:
    for table, column in (("visitors", "visitor_cookie"), ("sessions", "session_cookie")):
        [row] = rows(migrated, f"SELECT id FROM {table} WHERE {column} = 'no id'")
        assert str(row["id"]).startswith("missing-")


def test_the_default_project_and_its_pixels_take_other_ids(migrated: sqlite3.Connection) -> None:
    [project] = rows(migrated, "SELECT id FROM projects WHERE name = 'PPP'")
    assert str(project["id"]).startswith("ppp-default-project-")
    sql = "SELECT id FROM pixels WHERE project_id = ? ORDER BY name"
    first, second, third = column_of(migrated, sql, project["id"])
    assert (first, third) == ("ppp-website-1", "ppp-website-3")
    assert str(second).startswith("ppp-website-2-")
