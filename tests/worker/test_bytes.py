"""Bytes where text belongs, as D1 made them of the arrays that an old Worker bound."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator

import pytest

from tests.harness.migrating import MIGRATIONS
from tests.worker.inherited import COLUMNS, inherited_database
from tests.worker.local_d1 import LocalD1, column_of, insert, rows

TURN = "0017_turn_blobs_into_text.sql"
EVENT = {"pixel_id": "pixel-1-shop", "visitor_id": "old", "session_id": "old"}
BOUND = (
    *("gclid", "fbclid", "msclkid", "ttclid", "twclid", "li_fat_id", "sc_click_id"),
    *("search_query", "campaign_region", "ad_group", "ad_id", "event_type", "user_agent"),
)
KEYS: dict[str, dict[str, object]] = {
    "projects": {"id": "new", "name": "new"},
    "pixels": {"id": "new", "project_id": "new", "name": "new"},
    "visitors": {"id": "new", "visitor_cookie": "new"},
    "sessions": {"id": "new", "visitor_id": "new", "session_cookie": "new"},
    "tracking_events": {"id": 1_000_000},
    "system_logs": {
        "id": 1_000_000, "level": "WARN", "category": "a", "action": "b", "message": "c",
    },
}  # fmt: skip
MEANINGS = ((b"", None), (b"AB", "AB"), (b"\xff", None), (b"\x07", None), ("Schön", "Schön"))


@pytest.fixture(scope="module")
def upgrade(tmp_path_factory: pytest.TempPathFactory) -> LocalD1:
    d1 = inherited_database(tmp_path_factory.mktemp("bytes"))
    database = d1.connect()
    with database:
        insert(database, "projects", id="p-bytes", name=b"", webhook_url=b"")
        pixel = {"name": b"\x01", "website_url": b""}
        insert(database, "pixels", id="x-bytes", project_id="p-bytes", **pixel)
    database.close()
    d1.apply_the_rest()
    return d1


@pytest.fixture
def upgraded(upgrade: LocalD1) -> Iterator[sqlite3.Connection]:
    database = upgrade.copy()
    yield database
    database.close()


def _without_triggers(database: sqlite3.Connection) -> None:
    for name in column_of(database, "SELECT name FROM sqlite_master WHERE type = 'trigger'"):
        database.execute(f"DROP TRIGGER {name}")


def _columns_with_bytes(database: sqlite3.Connection) -> list[str]:
    return [
        f"{table}.{name}"
        for table, names in COLUMNS.items()
        for name in names.split()
        if column_of(database, f"SELECT 1 FROM {table} WHERE typeof({name}) = 'blob' LIMIT 1")
    ]


def test_no_column_of_an_upgraded_database_holds_bytes(upgraded: sqlite3.Connection) -> None:
    assert _columns_with_bytes(upgraded) == []
    names = "SELECT name FROM projects WHERE id = 'p-bytes' UNION ALL SELECT name FROM pixels"
    assert column_of(upgraded, f"{names} WHERE id = 'x-bytes'") == [
        "unreadable name p-bytes", "unreadable name x-bytes"
    ]  # fmt: skip


def test_touches_leave_bytes_out(upgraded: sqlite3.Connection) -> None:
    [visitor] = rows(upgraded, "SELECT * FROM visitors WHERE id = 'bytes'")
    touch = json.loads(str(visitor["first_touches"]))["project-1"]
    assert (touch["gclid"], touch["origin"]) == ("AB", "inherited")
    [session] = rows(upgraded, "SELECT * FROM sessions WHERE id = 'session-bytes'")
    assert json.loads(str(session["touch"])) == {
        "utm_source": "google", "search_query": "shoes", "origin": "inherited"
    }  # fmt: skip


def test_every_column_of_text_of_every_inherited_table_is_turned(
    upgraded: sqlite3.Connection,
) -> None:
    """Also behind the later migrations, on rows that somebody wrote by hand."""
    _without_triggers(upgraded)
    for table in COLUMNS:
        for name in _columns_of_text(upgraded, table):
            for content, text in MEANINGS:
                upgraded.execute(f"UPDATE {table} SET {name} = ?", (content,))
                upgraded.commit()
                _turn(upgraded)
                assert set(column_of(upgraded, f"SELECT {name} FROM {table}")) == {text}, name


@pytest.mark.parametrize(("content", "text"), MEANINGS)
def test_no_column_that_is_turned_takes_bytes_afterwards(
    upgraded: sqlite3.Connection, content: object, text: str | None
) -> None:
    for table, keys in KEYS.items():
        # A trigger stamps updated_at.
        columns = [name for name in _columns_of_text(upgraded, table) if name != "updated_at"]
        insert(upgraded, table, **keys, **dict.fromkeys(columns, content))
        [row] = rows(upgraded, f"SELECT * FROM {table} WHERE id = ?", keys["id"])
        assert {name: row[name] for name in columns if row[name] != text} == {}, table
        if table in ("projects", "pixels", "visitors", "sessions"):
            for name in columns:
                upgraded.execute(f"UPDATE {table} SET {name} = ? WHERE id = 'new'", (content,))
    assert _columns_with_bytes(upgraded) == []


def _columns_of_text(database: sqlite3.Connection, table: str) -> list[str]:
    """What a request could set to bytes: no key, and nothing that a foreign key holds."""
    keys = {"id", "visitor_cookie", "session_cookie", "level", "category", "action", "message"}
    keys |= {"name"}  # unique, see below
    texts = "SELECT name FROM pragma_table_info(?) WHERE type = 'TEXT'"
    references = set(column_of(database, 'SELECT "from" FROM pragma_foreign_key_list(?)', table))
    return [
        str(name)
        for name in column_of(database, texts, table)
        if name in COLUMNS[table].split() and name not in keys | references
    ]


def _turn(database: sqlite3.Connection) -> None:
    statements = (MIGRATIONS / TURN).read_text().split("\n\n")
    database.executescript("\n".join(each for each in statements if "CREATE TRIGGER" not in each))


def test_only_rows_with_bytes_are_written(upgraded: sqlite3.Connection) -> None:
    _without_triggers(upgraded)
    upgraded.execute("UPDATE tracking_events SET gclid = x'' WHERE id = 2")
    upgraded.commit()
    before = upgraded.total_changes
    _turn(upgraded)
    assert upgraded.total_changes == before + 1
    _turn(upgraded)
    assert upgraded.total_changes == before + 1


@pytest.mark.parametrize(("content", "text"), MEANINGS)
def test_the_old_worker_goes_on_writing_bytes_and_they_become_text(
    upgraded: sqlite3.Connection, content: object, text: str | None
) -> None:
    insert(upgraded, "visitors", id="old", visitor_cookie="pxl_old", user_agent=content)
    insert(upgraded, "sessions", id="old", visitor_id="old", session_cookie="old", ad_group=content)
    upgraded.execute("UPDATE sessions SET search_query = ? WHERE id = 'old'", (content,))
    insert(upgraded, "tracking_events", **EVENT, utm_source="bing", **dict.fromkeys(BOUND, content))
    insert(upgraded, "system_logs", level="WARN", category="a", action="b", message="c",
        pixel_id=content)  # fmt: skip
    assert _columns_with_bytes(upgraded) == []
    [event] = rows(upgraded, "SELECT * FROM tracking_events WHERE visitor_id = 'old'")
    assert {event[name] for name in BOUND} == {text}
    [session] = rows(upgraded, "SELECT * FROM sessions WHERE id = 'old'")
    assert (session["ad_group"], session["search_query"]) == (text, text)
    touch = json.loads(str(session["touch"]))
    assert touch["utm_source"] == "bing"
    assert touch.get("gclid") == (text if isinstance(content, str) else None)
    [visitor] = rows(upgraded, "SELECT * FROM visitors WHERE id = 'old'")
    assert json.loads(str(visitor["first_touches"]))["project-1"] == touch


def test_a_project_or_pixel_named_by_bytes_has_a_name_that_can_be_read(
    upgraded: sqlite3.Connection,
) -> None:
    insert(upgraded, "projects", id="p", name=b"\xff")
    insert(upgraded, "pixels", id="x", project_id="p", name=b"", website_url=b"")
    upgraded.execute("UPDATE projects SET name = x'' WHERE id = 'project-1'")
    named = "SELECT name FROM {} WHERE id = ?"
    assert column_of(upgraded, named.format("projects"), "p") == ["unreadable name p"]
    assert column_of(upgraded, named.format("pixels"), "x") == ["unreadable name x"]
    assert column_of(upgraded, named.format("projects"), "project-1") == [
        "unreadable name project-1"
    ]
    assert column_of(upgraded, "SELECT website_url FROM pixels WHERE id = 'x'") == [None]
