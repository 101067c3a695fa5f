"""Migrations of large tables, on SQLite: no row is left out of a portion, whatever its id is."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Sequence

import pytest

from tests.harness.migrating import MIGRATIONS
from tests.worker.local_d1 import Row, insert, rows

LOWEST, HIGHEST = -(2**63), 2**63 - 1
DENSE = range(1, 161)
SKEWED = [1, *range(10**12, 10**12 + 159)]
PORTIONED = (
    "0014_rebuild_tracking_events.sql",
    "0018_backfill_touches.sql",
    "0030_backfill_touches_again.sql",
    "0032_backfill_touches_by_project.sql",
    "0041_backfill_click_ids.sql",
)
EXPLAIN = "EXPLAIN QUERY PLAN"
EVENTS = "SELECT * FROM tracking_events ORDER BY id"
PERSONS = (
    "SELECT * FROM visitors ORDER BY id",
    "SELECT * FROM sessions ORDER BY id",
)


def old_database(ids: Sequence[int]) -> sqlite3.Connection:
    """As the old Worker leaves it, with one visitor and session for each two events."""
    database = sqlite3.connect(":memory:", isolation_level=None)
    database.row_factory = sqlite3.Row
    for file in sorted(MIGRATIONS.glob("*.sql")):
        if file.name < "0012":
            database.executescript(file.read_text(encoding="utf-8"))
    database.execute("BEGIN")
    for number in (1, 2):
        insert(database, "projects", id=f"project-{number}", name=f"{number}", webhook_url="")
        insert(database, "pixels", id=f"pixel-{number}", project_id=f"project-{number}", name="a")
    times = {"timestamp": "2025-01-02 03:04:05", "created_at": "2025-01-02 03:04:05"}
    for number, event_id in enumerate(ids):
        owner = f"{number // 2:04}"
        if number % 2 == 0:
            times_of_visitor = {
                "first_seen": "2025-01-01 00:00:00",
                "last_seen": "2025-01-01 00:00:00",
            }
            insert(
                database, "visitors", id=owner, visitor_cookie=f"pxl_{owner}", **times_of_visitor
            )
            insert(
                database, "sessions", id=owner, visitor_id=owner, pixel_id="pixel-1",
                session_cookie=owner, utm_source="google", started_at="2025-01-01 00:00:00",
                last_activity="2025-01-01 00:00:00",
            )  # fmt: skip
        insert(
            database, "tracking_events", id=event_id, visitor_id=owner, session_id=owner,
            pixel_id=f"pixel-{1 + number % 2}", project_id="project-1", utm_source=f"{number}",
            page_url=f"https://a.example/?gbraid={number}", **times,
        )  # fmt: skip
    database.execute("COMMIT")
    database.execute("PRAGMA foreign_keys = ON")
    return database


def statements_of(name: str) -> Iterator[str]:
    statement = ""
    for line in (MIGRATIONS / name).read_text(encoding="utf-8").splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def migrate(database: sqlite3.Connection) -> dict[str, int]:
    """Applies what is newer; returns the most rows that one statement of each file wrote."""
    largest = {}
    for file in sorted(MIGRATIONS.glob("*.sql")):
        if file.name < "0012":
            continue
        if file.name.startswith("0030"):
            # What the old Worker wrote meanwhile.
            database.execute("UPDATE sessions SET touch = NULL")
            database.execute("UPDATE visitors SET first_touch = NULL")
        database.execute("BEGIN")
        written = [database.execute(sql).rowcount for sql in statements_of(file.name)]
        database.execute("COMMIT")
        largest[file.name] = max(written)
    return largest


@pytest.mark.parametrize(
    "ids",
    [
        [],
        [5],
        [-5, -1, 0, 3],
        [1, 2**60 + 1],
        [1, 2**59 + 2, 2**59 + 3],
        [LOWEST, 5],
        [1, HIGHEST],
        [LOWEST, HIGHEST],
        SKEWED,
    ],
)
def test_events_of_any_ids_are_kept_and_get_what_the_backfills_give(ids: Sequence[int]) -> None:
    database = old_database(ids)
    migrate(database)
    events = rows(database, EVENTS)
    assert [event["id"] for event in events] == sorted(ids)
    assert all(event["click_ids"] for event in events)
    visitors = rows(database, PERSONS[0])
    assert all(visitor["first_touch"] and visitor["first_touches"] for visitor in visitors)


def test_gaps_between_ids_change_nothing_but_the_ids() -> None:
    contents: list[list[list[Row]]] = []
    for ids in (DENSE, SKEWED):
        database = old_database(ids)
        migrate(database)
        events = [{**event, "id": None} for event in rows(database, EVENTS)]
        contents.append([events, *(rows(database, sql) for sql in PERSONS)])
    assert contents[0] == contents[1]


@pytest.mark.parametrize("ids", [DENSE, SKEWED], ids=["dense", "skewed"])
def test_no_statement_of_a_portioned_migration_writes_more_than_its_portion(
    ids: Sequence[int],
) -> None:
    largest = migrate(old_database(ids))
    assert {name: largest[name] for name in PORTIONED if largest[name] > len(ids) // 16} == {}


def test_no_statement_of_a_portion_reads_a_whole_table() -> None:
    database = old_database(DENSE)
    plans: dict[str, set[str]] = {}
    for file in sorted(MIGRATIONS.glob("*.sql")):
        for statement in statements_of(file.name) if file.name >= "0012" else ():
            if "number = 1 " in statement:
                code = "".join(re.findall("^(?!--).*\n", statement, re.MULTILINE))
                details = {str(row["detail"]) for row in rows(database, f"{EXPLAIN} {code}")}
                plans[file.name] = plans.get(file.name, set()) | details
            database.execute(statement)
    assert set(PORTIONED) - {"0041_backfill_click_ids.sql"} <= plans.keys()
    scans = {step for steps in plans.values() for step in steps if step.startswith("SCAN")}
    assert scans <= {"SCAN portions", "SCAN seen", "SCAN firsts"}
