import asyncio
from datetime import datetime, timedelta

import pytest

from services.core.errors import InvalidQueryError
from services.core.ports import Row
from services.reports.breakdowns import After, Breakdown, read_after, read_breakdown, read_page
from services.reports.spans import Span
from tests.unit.memory import NOW, MemoryDatabase

ARCHIVED: Row = {"events": 0, "until": None}
SPAN = Span(NOW - timedelta(days=30), NOW, 30, "UTC")


def in_utc(moment: datetime, _zone: str) -> datetime:
    return moment.replace(tzinfo=None)


def row(value: str, visitors: int = 3, submissions: int = 1) -> Row:
    return {"value": value, "events": 9, "visitors": visitors, "submissions": submissions}


def test_what_is_not_said_is_the_last_touch_of_thirty_days_and_the_first_page() -> None:
    assert read_breakdown({"by": "source"}, NOW, in_utc) == Breakdown(
        "source", "last", SPAN, 100, None
    )


@pytest.mark.parametrize("value", ["google", "Läufer 👟", "https://a.example/?x=1", ""])
def test_a_cursor_keeps_its_place_and_the_time_of_the_first_page(value: str) -> None:
    after = After(NOW, 7, value)
    later = NOW + timedelta(hours=1)
    query = {"by": "source", "cursor": after.cursor()}
    assert read_after(after.cursor()) == after
    assert read_breakdown(query, later, in_utc) == Breakdown("source", "last", SPAN, 100, after)


@pytest.mark.parametrize("cursor", ["x", "W10", "é", "bnVsbA", "WyIyMHgiLDEsImEiXQ", "e" * 5_000])
def test_a_cursor_that_nobody_gave_is_refused(cursor: str) -> None:
    with pytest.raises(InvalidQueryError, match="cursor must be the next_cursor"):
        read_after(cursor)


def test_one_row_more_than_asked_for_tells_that_there_is_another_page() -> None:
    database = MemoryDatabase(rows=[[row("a"), row("b"), row("c")], [ARCHIVED]])
    asked = Breakdown("source", "last", SPAN, 2, None)
    page = asyncio.run(read_page(database, "pixel-one", asked))
    assert [found["value"] for found in page.rows] == ["a", "b"]
    assert page.next_cursor == After(NOW, 9, "b").cursor()
    assert page.archived == ARCHIVED
    # One round trip.
    [parameters] = database.parameters
    assert (parameters["rows"], parameters["after_events"]) == (3, None)


@pytest.mark.parametrize(
    ("visitors", "submissions", "conversion"), [(3, 1, 0.3333), (1, 2, 2.0), (0, 1, None)]
)
def test_the_conversion_is_submissions_per_visitor(
    visitors: int, submissions: int, conversion: float | None
) -> None:
    database = MemoryDatabase(rows=[[row("a", visitors, submissions)], [ARCHIVED]])
    asked = Breakdown("source", "last", SPAN, 2, After(NOW, 10, "z"))
    page = asyncio.run(read_page(database, "pixel-one", asked))
    assert ([found["conversion"] for found in page.rows], page.next_cursor) == ([conversion], None)
