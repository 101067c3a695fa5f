import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest

from services.core.cursors import EventPosition
from services.core.json_lines import ABOVE_MAX_ROWID, MAX_PAGE_LINES, MIN_ROWS, rows_of_next_page
from services.core.ports import UnavailableError
from services.reports.export_pages import (
    FORMATS,
    MAX_PART_EVENTS,
    RecentEvents,
    export_query,
    read_pages,
    recent_events_from_rows,
)
from services.reports.spans import DEFAULT_ZONE, Span
from tests.unit.memory import NOW, MemoryDatabase

SPAN = Span(NOW - timedelta(days=1), NOW, 1, DEFAULT_ZONE)
QUERY = export_query("shop", SPAN, None, 10)
FLOOR = EventPosition("2026-04-30 12:00:00", -1)
OLDEST = {"timestamp": "2026-05-01 06:00:00", "id": 7}


def test_a_part_that_more_events_follow_ends_with_its_last_event() -> None:
    recent = recent_events_from_rows(QUERY, FLOOR, [OLDEST, {**OLDEST, "id": 6}], [{"events": 10}])
    assert (recent.last, recent.is_complete) == (EventPosition("2026-05-01 06:00:00", 7), False)


def test_the_last_part_ends_at_the_floor() -> None:
    for rows in ([], [OLDEST]):
        recent = recent_events_from_rows(QUERY, FLOOR, rows, [{"events": len(rows)}])
        assert (recent.last, recent.is_complete) == (EventPosition("2026-04-30 12:00:00", 0), True)
        assert recent.count == len(rows)


def test_an_export_begins_at_the_cursor_but_not_after_the_end_of_the_span() -> None:
    end = EventPosition("2026-05-01 12:00:00", ABOVE_MAX_ROWID)
    for cursor, before in (
        (None, end),
        (EventPosition("2026-05-02 00:00:00", 1), end),
        (EventPosition("2026-05-01 12:00:00", 5), EventPosition("2026-05-01 12:00:00", 5)),
    ):
        assert export_query("shop", SPAN, cursor, 10).before == before


async def lines_of(recent: RecentEvents) -> list[str]:
    database = MemoryDatabase(rows=[[{**OLDEST, "line": "{}"}]])
    pages: list[Sequence[str]] = [
        page async for page in read_pages(database, recent, FORMATS["json"])
    ]
    return [line for page in pages for line in page]


def test_a_part_that_loses_events_while_it_is_read_is_an_error() -> None:
    recent = recent_events_from_rows(QUERY, FLOOR, [], [{"events": 1}])
    assert asyncio.run(lines_of(recent)) == ["{}"]
    with pytest.raises(UnavailableError, match="archived or erased while they were exported"):
        asyncio.run(lines_of(recent_events_from_rows(QUERY, FLOOR, [], [{"events": 2}])))


def test_the_largest_part_stays_below_what_d1_answers_in_one_invocation() -> None:
    assert MAX_PART_EVENTS / MIN_ROWS <= 900


@pytest.mark.parametrize(
    ("lines", "rows"),
    [
        (["x" * 1_000] * MIN_ROWS, 2 * MIN_ROWS),
        (["x" * 1_000] * MAX_PAGE_LINES, MAX_PAGE_LINES),
        (["x" * 5_000] * MAX_PAGE_LINES, 300),
        (["x" * 50_000] * MAX_PAGE_LINES, MIN_ROWS),
        (["x" * 10], MIN_ROWS),
    ],
)
def test_the_longer_the_events_the_fewer_are_read_at_once(lines: list[str], rows: int) -> None:
    assert rows_of_next_page(lines) == rows
