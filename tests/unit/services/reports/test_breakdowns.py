import asyncio
import base64
import json
from datetime import datetime, timedelta

import pytest

from services.core.errors import InvalidQueryError
from services.core.ports import Row
from services.reports.breakdowns import (
    BreakdownCursor,
    BreakdownQuery,
    read_breakdown,
    read_breakdown_cursor,
    read_breakdown_query,
)
from services.reports.spans import Span
from tests.unit.memory import NOW, MemoryDatabase

ARCHIVED: Row = {"events": 0, "until": None}
SPAN = Span(NOW - timedelta(days=30), NOW, 30, "UTC")


def in_utc(moment: datetime, _zone: str) -> datetime:
    return moment.replace(tzinfo=None)


FORGED = [
    base64.urlsafe_b64encode(json.dumps(["2026-05-01 12:00:00", 7, skipped]).encode()).decode()
    for skipped in ("google", -1, 10**9, None, 1.5)
]


def row(value: str, visitors: int = 3, submissions: int = 1) -> Row:
    return {"value": value, "events": 9, "visitors": visitors, "submissions": submissions}


def test_the_default_is_the_first_page_of_what_events_are_credited_to_over_thirty_days() -> None:
    assert read_breakdown_query({"by": "source"}, NOW, in_utc) == BreakdownQuery(
        "source", "credit", SPAN, 100, None
    )


@pytest.mark.parametrize("skipped", [1, 500])
def test_a_cursor_keeps_its_place_and_the_time_of_the_first_page(skipped: int) -> None:
    cursor = BreakdownCursor(NOW, 7, skipped)
    later = NOW + timedelta(hours=1)
    query = {"by": "source", "cursor": str(cursor)}
    assert read_breakdown_cursor(str(cursor)) == cursor
    assert read_breakdown_query(query, later, in_utc) == BreakdownQuery(
        "source", "credit", SPAN, 100, cursor
    )


@pytest.mark.parametrize(
    "cursor", ["x", "W10", "é", "bnVsbA", "WyIyMHgiLDEsImEiXQ", "e" * 5_000, *FORGED]
)
def test_a_forged_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(InvalidQueryError, match="cursor must be the next_cursor"):
        read_breakdown_cursor(cursor)


def test_one_row_more_than_asked_for_tells_that_there_is_another_page() -> None:
    database = MemoryDatabase(rows=[[row("a"), row("b"), row("c")], [ARCHIVED]])
    query = BreakdownQuery("source", "credit", SPAN, 2, None)
    page = asyncio.run(read_breakdown(database, "pixel-one", query))
    assert [row["value"] for row in page.rows] == ["a", "b"]
    assert page.next_cursor == str(BreakdownCursor(NOW, 9, 2))
    assert page.archived == ARCHIVED
    # One round trip.
    [parameters] = database.parameters
    assert (parameters["rows"], parameters["most_events"], parameters["skipped"]) == (3, None, 0)


@pytest.mark.parametrize(("events", "skipped"), [(9, 6), (10, 2)])
def test_a_page_skips_the_rows_of_the_same_number_that_were_read(events: int, skipped: int) -> None:
    database = MemoryDatabase(rows=[[row("a"), row("b"), row("c")], [ARCHIVED]])
    query = BreakdownQuery("source", "credit", SPAN, 2, BreakdownCursor(NOW, events, 4))
    page = asyncio.run(read_breakdown(database, "pixel-one", query))
    assert page.next_cursor == str(BreakdownCursor(NOW, 9, skipped))


@pytest.mark.parametrize(
    ("visitors", "submissions", "conversion"), [(3, 1, 0.3333), (1, 2, 2.0), (0, 1, None)]
)
def test_the_conversion_is_submissions_per_visitor(
    visitors: int, submissions: int, conversion: float | None
) -> None:
    database = MemoryDatabase(rows=[[row("a", visitors, submissions)], [ARCHIVED]])
    query = BreakdownQuery("source", "credit", SPAN, 2, BreakdownCursor(NOW, 10, 1))
    page = asyncio.run(read_breakdown(database, "pixel-one", query))
    assert ([row["conversion"] for row in page.rows], page.next_cursor) == ([conversion], None)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"attribution": "lst"}, "attribution must be one of credit, first, last, last_non_direct"),
        ({"by": "country", "attribution": "linear"}, "attribution must be credit"),
        ({"window": "30"}, "window is for attribution last_non_direct, linear, position"),
        ({"attribution": "linear", "window": "0"}, "window must be a whole number from 1 to 365"),
        ({"attribution": "linear", "window": "366"}, "window must be"),
        ({"attribution": "linear", "window": ""}, "window must be"),
    ],
)
def test_a_model_that_cannot_be_used_is_refused(changed: dict[str, str], message: str) -> None:
    with pytest.raises(InvalidQueryError, match=message):
        read_breakdown_query({"by": "source", **changed}, NOW, in_utc)


def test_the_window_of_a_model_can_be_set() -> None:
    query = {"by": "source", "attribution": "time_decay"}
    assert read_breakdown_query(query, NOW, in_utc).window_days == 90
    assert read_breakdown_query({**query, "window": "30"}, NOW, in_utc).window_days == 30


def test_a_model_has_shares_of_leads_and_no_conversion() -> None:
    database = MemoryDatabase(rows=[[{**row("a"), "submissions": 2 / 3}], [ARCHIVED]])
    query = BreakdownQuery("source", "linear", SPAN, 2, None, 30)
    page = asyncio.run(read_breakdown(database, "pixel-one", query))
    assert [(row["submissions"], row["conversion"]) for row in page.rows] == [(0.666667, None)]
    [parameters] = database.parameters
    assert parameters["window"] == 30
