import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.core.logs import Log
from services.core.ports import Row, UnavailableError
from services.tracking.attribution import Attribution
from services.tracking.events import Event
from services.tracking.form_data import Lead
from services.tracking.repeats import REMEMBERED_SECONDS, Repeats
from services.tracking.visits import RecordedEvent
from tests.unit.memory import NOW, MemoryDatabase, MemoryKeyValues

WINDOW = 600
LOG = Log("error", "test")
OLD = Event(
    pixel_id="pixel-one",
    visitor_cookie="pxl_0123456789abcdef",
    event_key=None,
    event_type="form_submit",
    page_url="https://shop.example/contact",
    referrer_url=None,
    page_title=None,
    touch=None,
    lead=Lead("jane@example.com", "Jane", None),
    viewport=None,
    screen=None,
)
NEW = replace(OLD, event_key="event-key-1")
RECORDED = RecordedEvent(
    event_id=42,
    visitor_id="visitor",
    session_id="session",
    attribution=Attribution("google", "cpc", "spring"),
    event_type="form_submit",
    due=None,
    touch={},
)


class Rows(MemoryDatabase):
    """D1 with the row of RECORDED, which was stored at NOW, or without it."""

    def __init__(self, *, has_row: bool = True) -> None:
        super().__init__()
        self.has_row = has_row

    async def rows(self, statement: str, *values: str | int) -> Sequence[Row]:
        assert "?4" in statement
        assert isinstance(values[0], int)
        assert all(isinstance(value, str) for value in values[1:])
        return [{"1": 1}] if self.has_row else []


def remember(repeats: Repeats, event: Event) -> None:
    asyncio.run(repeats.remember(event, RECORDED, NOW))


def recall(repeats: Repeats, event: Event, seconds: float = 0) -> RecordedEvent | None:
    return asyncio.run(repeats.recall(event, NOW + timedelta(seconds=seconds), LOG))


@pytest.mark.parametrize("event", [OLD, NEW])
def test_a_submission_that_comes_twice_is_answered_as_before(event: Event) -> None:
    repeats = Repeats(Rows(), MemoryKeyValues(), WINDOW)
    assert recall(repeats, event) is None
    remember(repeats, event)
    assert recall(repeats, event, 1) == RECORDED


@pytest.mark.parametrize(
    ("event", "seconds", "known"),
    [(OLD, WINDOW, True), (OLD, WINDOW + 1, False), (NEW, WINDOW + 1, True), (NEW, 86_000, True)],
)
def test_an_old_pixels_submission_is_the_same_one_within_the_window(
    event: Event, seconds: int, *, known: bool
) -> None:
    repeats = Repeats(Rows(), MemoryKeyValues(), WINDOW)
    remember(repeats, event)
    assert (recall(repeats, event, seconds) is not None) == known


@pytest.mark.parametrize(
    ("event", "change", "same"),
    [
        (OLD, {"pixel_id": "pixel-two"}, False),
        (OLD, {"page_url": "https://shop.example/"}, False),
        (OLD, {"lead": Lead("john@example.com", "Jane", None)}, False),
        (OLD, {"event_key": "event-key-1"}, False),
        (OLD, {"visitor_cookie": "fedcba9876543210"}, False),
        (OLD, {"page_title": "Contact"}, True),
        (NEW, {"event_key": "event-key-2"}, False),
        (NEW, {"visitor_cookie": "fedcba9876543210"}, False),
        (NEW, {"pixel_id": "pixel-two"}, False),
        (NEW, {"lead": Lead("jane@example.com", "Jane", "Doe")}, False),
        (NEW, {"outcome": "submitted"}, False),
        (NEW, {"outcome": "accepted"}, False),
        (replace(NEW, outcome="accepted"), {"outcome": "rejected"}, False),
        (replace(NEW, outcome="accepted"), {"sequence": 7}, True),
        (NEW, {"page_url": "https://shop.example/"}, True),
    ],
)
def test_what_makes_two_submissions_the_same_one(
    event: Event, change: dict[str, object], *, same: bool
) -> None:
    repeats = Repeats(Rows(), MemoryKeyValues(), WINDOW)
    remember(repeats, event)
    changed = replace(event, **change)  # type: ignore[arg-type]  # by name
    assert (recall(repeats, changed) is not None) == same


@pytest.mark.parametrize("event", [OLD, NEW])
def test_an_answer_whose_row_is_gone_is_none(event: Event) -> None:
    database = Rows()
    repeats = Repeats(database, MemoryKeyValues(), WINDOW)
    remember(repeats, event)
    database.has_row = False
    assert recall(repeats, event) is None


@pytest.mark.parametrize("event", [OLD, NEW])
def test_nothing_personal_is_in_kv_and_only_for_a_day(event: Event) -> None:
    key_values = MemoryKeyValues()
    remember(Repeats(Rows(), key_values, WINDOW), event)
    [(name, value)] = key_values.values.items()
    for personal in ("jane", "Jane", "shop.example", "0123456789abcdef"):
        assert personal not in name + value
    assert key_values.seconds == {name: REMEMBERED_SECONDS}


def test_kv_stores_no_touch() -> None:
    key_values = MemoryKeyValues()
    touched = replace(RECORDED, due=NOW, touch={"gclid": "Cj0KCQ"})
    asyncio.run(Repeats(Rows(), key_values, WINDOW).remember(NEW, touched, NOW))
    assert "Cj0KCQ" not in json.dumps(list(key_values.values.values()))
    assert recall(Repeats(Rows(), key_values, WINDOW), NEW) == RECORDED


def test_without_kv_no_answer_is_recalled_and_remembering_raises() -> None:
    key_values = MemoryKeyValues()
    repeats = Repeats(Rows(), key_values, WINDOW)
    remember(repeats, NEW)
    key_values.operations = 0
    assert recall(repeats, NEW) is None
    with pytest.raises(UnavailableError):
        remember(repeats, NEW)


SAID = json.dumps(
    {
        "at": NOW.isoformat(),
        "event_id": 42,
        "visitor_id": "v",
        "session_id": "s",
        "attribution": {"source": "a", "medium": "b", "campaign": "c"},
    }
)


def recall_said(text: str) -> RecordedEvent | None:
    key_values = MemoryKeyValues()
    repeats = Repeats(Rows(), key_values, WINDOW)
    remember(repeats, OLD)
    key_values.values = dict.fromkeys(key_values.values, text)
    return recall(repeats, OLD)


@pytest.mark.parametrize(
    "text",
    [
        *("", "{", "null", "5", "[]", "{}", '"x"'),
        SAID.replace("+00:00", ""),
        SAID.replace("2026-", "x"),
        SAID.replace('"at"', '"when"'),
        SAID.replace('"event_id"', '"id"'),
        SAID.replace('"source"', '"origin"'),
        SAID.replace('"attribution": {', '"attribution": 5, "x": {'),
    ],
)
def test_nonsense_in_kv_is_as_good_as_nothing(text: str) -> None:
    assert recall_said(SAID) is not None
    assert recall_said(text) is None


JSON = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text())


@given(st.dictionaries(st.sampled_from(tuple(json.loads(SAID))), JSON))
def test_whatever_is_in_kv_recalling_never_raises(odd: dict[str, object]) -> None:
    recall_said(json.dumps({**json.loads(SAID), **odd}))


def test_a_time_in_kv_near_the_end_of_time_is_no_answer() -> None:
    late = SAID.replace("2026-", "9999-").replace("05-01T12", "12-31T23")
    recall_said(late.replace(":00:00+", ":59:59+"))
