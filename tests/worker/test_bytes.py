"""Bytes where text belongs, as D1 made them of the arrays that an old Worker bound."""

from __future__ import annotations

import csv
import json
import sqlite3
from collections.abc import Iterator

import pytest

from services.core.event_lines import COLUMNS as EVENT_COLUMNS
from services.core.event_lines import CSV_LINE, JSON_LINE
from tests.worker.inherited import COLUMNS, inherited_database
from tests.worker.local_d1 import MIGRATIONS, LocalD1, column_of, insert, rows

TURN = "0017_turn_blobs_into_text.sql"
EVENT = {"pixel_id": "pixel-1-shop", "visitor_id": "old", "session_id": "old"}
BOUND = (
    *("gclid", "fbclid", "msclkid", "ttclid", "twclid", "li_fat_id", "sc_click_id"),
    *("search_query", "campaign_region", "ad_group", "ad_id", "event_type", "user_agent"),
)
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
    d1.apply()
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
    keys = {"id", "visitor_cookie", "session_cookie", "level", "category", "action", "message"}
    keys |= {"name"}  # unique, see below
    for table, names in COLUMNS.items():
        text_columns = "SELECT name FROM pragma_table_info(?) WHERE type = 'TEXT'"
        references = 'SELECT "from" FROM pragma_foreign_key_list(?)'
        texts = set(column_of(upgraded, text_columns, table))
        for name in texts.intersection(names.split()) - keys:
            if name in column_of(upgraded, references, table):
                continue
            for content, text in MEANINGS:
                upgraded.execute(f"UPDATE {table} SET {name} = ?", (content,))
                upgraded.commit()
                _turn(upgraded)
                assert set(column_of(upgraded, f"SELECT {name} FROM {table}")) == {text}, name


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


def test_backups_and_exports_read_bytes_that_are_there_all_the_same(
    upgraded: sqlite3.Connection,
) -> None:
    _without_triggers(upgraded)
    # SQLite on this machine may lack it.
    upgraded.create_function("concat_ws", -1, _concat_with_separator)
    for content, text in MEANINGS:
        upgraded.execute("UPDATE tracking_events SET gclid = ?", (content,))
        [line] = column_of(upgraded, f"SELECT {JSON_LINE} FROM tracking_events LIMIT 1")
        assert json.loads(str(line))["gclid"] == text
        [line] = column_of(upgraded, f"SELECT {CSV_LINE} FROM tracking_events LIMIT 1")
        [cells] = csv.reader([str(line)])
        assert cells[EVENT_COLUMNS.index("gclid")] == (text or "")


def _concat_with_separator(separator: str, *values: object) -> str:
    return separator.join(str(value) for value in values if value is not None)
