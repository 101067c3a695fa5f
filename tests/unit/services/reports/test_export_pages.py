import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest

from services.core.cursors import EventPosition
from services.core.json_lines import AFTER_ALL_IDS, FEWEST_ROWS, PAGE_ROWS, rows_of_next_page
from services.core.ports import UnavailableError
from services.reports.export_pages import FORMATS, LARGEST_PART, Part, ask, read_pages, read_part
from services.reports.spans import DEFAULT_ZONE, Span
from tests.unit.memory import NOW, MemoryDatabase

SPAN = Span(NOW - timedelta(days=1), NOW, 1, DEFAULT_ZONE)
ASKED = ask("shop", SPAN, None, 10)
FLOOR = EventPosition("2026-04-30 12:00:00", -1)
OLDEST = {"timestamp": "2026-05-01 06:00:00", "id": 7}


def test_a_part_with_more_behind_it_says_where_to_go_on() -> None:
    part = read_part(ASKED, FLOOR, [OLDEST, {**OLDEST, "id": 6}], [{"events": 10}])
    assert (part.last, part.is_whole) == (EventPosition("2026-05-01 06:00:00", 7), False)


def test_the_last_part_goes_down_to_where_it_has_to() -> None:
    for rows in ([], [OLDEST]):
        part = read_part(ASKED, FLOOR, rows, [{"events": len(rows)}])
        assert (part.last, part.is_whole) == (EventPosition("2026-04-30 12:00:00", 0), True)
        assert part.events == len(rows)


def test_a_cursor_behind_the_end_of_the_span_begins_at_its_end() -> None:
    end = EventPosition("2026-05-01 12:00:00", AFTER_ALL_IDS)
    for cursor, before in (
        (None, end),
        (EventPosition("2026-05-02 00:00:00", 1), end),
        (EventPosition("2026-05-01 12:00:00", 5), EventPosition("2026-05-01 12:00:00", 5)),
    ):
        assert ask("shop", SPAN, cursor, 10).before == before


async def lines_of(part: Part) -> list[str]:
    database = MemoryDatabase(rows=[[{**OLDEST, "line": "{}"}]])
    pages: list[Sequence[str]] = [
        page async for page in read_pages(database, part, FORMATS["json"])
    ]
    return [line for page in pages for line in page]


def test_a_part_that_gets_shorter_while_it_is_read_is_not_whole() -> None:
    part = read_part(ASKED, FLOOR, [], [{"events": 1}])
    assert asyncio.run(lines_of(part)) == ["{}"]
    with pytest.raises(UnavailableError, match="archived or erased while they were exported"):
        asyncio.run(lines_of(read_part(ASKED, FLOOR, [], [{"events": 2}])))


def test_the_largest_part_stays_below_what_d1_answers_in_one_invocation() -> None:
    assert LARGEST_PART / FEWEST_ROWS <= 900


@pytest.mark.parametrize(
    ("lines", "rows"),
    [
        (["x" * 1_000] * FEWEST_ROWS, 2 * FEWEST_ROWS),
        (["x" * 1_000] * PAGE_ROWS, PAGE_ROWS),
        (["x" * 5_000] * PAGE_ROWS, 300),
        (["x" * 50_000] * PAGE_ROWS, FEWEST_ROWS),
        (["x" * 10], FEWEST_ROWS),
    ],
)
def test_the_longer_the_events_the_fewer_are_read_at_once(lines: list[str], rows: int) -> None:
    assert rows_of_next_page(lines) == rows
