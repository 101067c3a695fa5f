import asyncio
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.core.request_origin import Location, RequestOrigin
from services.core.stored_time import NEVER_DUE
from services.projects.pixel_cache import Pixel
from services.tracking.attribution import Attribution, Touch
from services.tracking.custom_events import CustomEvent
from services.tracking.events import Event, Size
from services.tracking.form_data import Lead
from services.tracking.referrers import Referrers
from services.tracking.site_directory import SiteDirectory
from services.tracking.visits import RecordedEvent, Visits, due_time
from tests.unit.memory import NOW, MemoryDatabase

DELAY, WINDOW = 420, 600
PIXEL = Pixel("pixel-one", "project-1", active=True, synced=True)
UNSYNCED = replace(PIXEL, synced=False)
ORIGIN = RequestOrigin("192.0.2.7", "", Location("DE", None, "Munich"))
LEAD = Lead("jane@example.com", "Jane", None)
NAME_ONLY = Lead(None, "Jane", "Doe")
PAGEVIEW = Event(
    pixel_id="pixel-one",
    visitor_cookie="pxl_0123456789abcdef",
    event_key=None,
    event_type="pageview",
    page_url="https://shop.example/contact",
    referrer_url=None,
    page_title=None,
    touch=None,
    lead=None,
    viewport=None,
    screen=None,
)
FORM = replace(PAGEVIEW, event_type="form_submit", lead=LEAD)
ANSWER = {
    "event_id": 42,
    "visitor_id": "visitor",
    "session_id": "session",
    "event_type": "form_submit",
    "due_at": "2026-05-01 12:07:00",
    "touch": {"utm_source": None, "gclid": "G1"},
}
KEYS = ("event_key", "oldest_key", "newest_key")


def record(
    event: Event,
    pixel: Pixel = PIXEL,
    now: datetime = NOW,
    answer: Mapping[str, object] = ANSWER,
) -> tuple[RecordedEvent, Mapping[str, object]]:
    """What was recorded, and the parameters that D1 got."""
    database = MemoryDatabase(json.dumps(answer))
    ids: Iterator[str] = iter(("id-1", "id-2"))
    visits = Visits(
        database,
        lambda: next(ids),
        session_minutes=30,
        sync_delay_seconds=DELAY,
        repeat_window_seconds=WINDOW,
        referrers=Referrers(database, SiteDirectory(database, 60)),
    )
    recorded = asyncio.run(visits.record(event, pixel, ORIGIN, now))
    [parameters] = database.parameters
    return recorded, parameters


def keys_of(event: Event, now: datetime = NOW) -> tuple[str, ...]:
    _, parameters = record(event, now=now)
    return tuple(str(parameters[name]) for name in KEYS if name in parameters)


def same(first: Event, second: Event, seconds: float = 0) -> bool:
    """Whether the second counts as the first one sent again, as the statements compare keys."""
    key = keys_of(first)[0]
    _, oldest, newest = keys_of(second, NOW + timedelta(seconds=seconds))
    return oldest <= key <= newest


def test_an_event_is_recorded_with_its_attribution() -> None:
    recorded, parameters = record(
        replace(PAGEVIEW, screen=Size(3, 4), touch=Touch("body", gclid="1"))
    )
    assert recorded == RecordedEvent(
        event_id=42,
        visitor_id="visitor",
        session_id="session",
        attribution=Attribution("google", "cpc", "none"),
        event_type="form_submit",
        due=None,
        touch={"utm_source": None, "gclid": "G1"},
    )
    assert (parameters["visitor_id"], parameters["session_id"]) == ("id-1", "id-2")
    assert parameters["now"] == "2026-05-01 12:00:00"
    assert parameters["open_since"] == "2026-05-01 11:30:00"
    assert parameters["touch"] == {"origin": "body", "gclid": "1"}
    assert parameters["device"] == {"type": "desktop", "screen": {"width": 3, "height": 4}}


def test_what_was_not_seen_is_absent() -> None:
    _, parameters = record(PAGEVIEW)
    assert None not in parameters.values()
    absent = {"region", "referrer_url", "touch", "form_data", "due_at", *KEYS}
    said_by_new_pixels = {"sequence", "outcome", "event_name", "event_data", "thanked_since"}
    assert not (absent | said_by_new_pixels) & set(parameters)


def test_what_a_new_pixel_says_is_passed_on() -> None:
    _, form = record(replace(FORM, sequence=7, outcome="accepted"))
    assert (form["sequence"], form["outcome"]) == (7, "accepted")
    custom = replace(PAGEVIEW, event_type="custom", custom=CustomEvent("signup", '{"plan":"pro"}'))
    _, parameters = record(custom)
    assert (parameters["event_name"], parameters["event_data"]) == ("signup", '{"plan":"pro"}')


def test_a_lead_in_an_address_looks_for_the_form_of_the_last_half_hour() -> None:
    _, parameters = record(replace(FORM, lead_in_address=True))
    assert parameters["thanked_since"] == "2026-05-01 11:30:00"


# When a submission is due


@pytest.mark.parametrize(
    ("event", "pixel", "due"),
    [
        (FORM, PIXEL, True),
        (replace(FORM, lead=Lead("j@x.com", None, None)), PIXEL, True),
        (FORM, UNSYNCED, False),
        (replace(FORM, lead=NAME_ONLY), PIXEL, False),
        (replace(FORM, lead=None), PIXEL, False),
        (PAGEVIEW, PIXEL, False),
        (replace(FORM, outcome="submitted"), PIXEL, True),
        (replace(FORM, outcome="accepted"), PIXEL, True),
        (replace(FORM, outcome="rejected"), PIXEL, False),
    ],
)
def test_a_lead_is_due_after_the_delay_if_somebody_wants_it(
    event: Event, pixel: Pixel, *, due: bool
) -> None:
    assert due_time(event, pixel, NOW, DELAY) == (NOW + timedelta(seconds=DELAY) if due else None)


@pytest.mark.parametrize(
    ("event", "pixel", "due_at"),
    [
        (FORM, PIXEL, "2026-05-01 12:07:00"),
        (FORM, UNSYNCED, NEVER_DUE),
        (replace(FORM, lead=NAME_ONLY), PIXEL, NEVER_DUE),
        (replace(FORM, lead=None), PIXEL, NEVER_DUE),
        (replace(FORM, outcome="rejected"), PIXEL, "2026-05-01 12:07:00"),
        (replace(FORM, outcome="rejected"), UNSYNCED, NEVER_DUE),
        (replace(FORM, outcome="rejected", lead=NAME_ONLY), PIXEL, NEVER_DUE),
        (PAGEVIEW, PIXEL, None),
        (replace(PAGEVIEW, event_type="custom", custom=CustomEvent("signup")), PIXEL, None),
    ],
)
def test_the_row_of_a_form_says_when_it_is_due_or_never(
    event: Event, pixel: Pixel, due_at: str | None
) -> None:
    _, parameters = record(event, pixel)
    assert parameters.get("due_at") == due_at


@pytest.mark.parametrize(
    ("stored", "is_reminded"),
    [
        ("2026-05-01 12:07:00", True),
        ("2026-05-01 12:03:00", False),
        (NEVER_DUE, False),
        (None, False),
    ],
)
def test_the_timer_is_for_a_lead_that_this_request_made_due(
    stored: str | None, *, is_reminded: bool
) -> None:
    recorded, _ = record(FORM, answer=ANSWER | {"due_at": stored})
    assert recorded.due == (NOW + timedelta(seconds=DELAY) if is_reminded else None)


# What makes an event the same one


@pytest.mark.parametrize("event", [PAGEVIEW, FORM])
def test_a_new_pixels_event_is_known_by_its_key(event: Event) -> None:
    assert keys_of(replace(event, event_key="event-key-1")) == ("event-key-1",) * 3


@pytest.mark.parametrize("event", [PAGEVIEW, replace(FORM, lead=None)])
def test_an_old_pixels_event_without_a_lead_is_always_a_new_one(event: Event) -> None:
    assert keys_of(event) == ()


def test_the_key_of_an_old_pixels_lead_is_its_content_and_time() -> None:
    key, oldest, newest = keys_of(FORM)
    moment = int(NOW.timestamp())
    digest = key.removesuffix(f"-{moment}")
    assert oldest == f"{digest}-{moment - WINDOW}"
    assert newest == f"{digest}-{moment + WINDOW}"
    assert "jane" not in key


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        *((0, True), (1, True), (WINDOW, True), (WINDOW + 1, False), (86_400, False)),
        *((-WINDOW, True), (-WINDOW - 1, False)),
    ],
)
def test_an_old_pixels_lead_is_the_same_one_within_the_window(
    seconds: int, *, expected: bool
) -> None:
    assert same(FORM, FORM, seconds) == expected


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (replace(FORM, page_title="Contact", visitor_cookie="0123456789abcdef"), True),
        (replace(FORM, page_url="https://shop.example/"), False),
        (replace(FORM, lead=Lead("john@example.com", "Jane", None)), False),
        (replace(FORM, lead=Lead("jane@example.com", None, "Jane")), False),
        (replace(FORM, pixel_id="pixel-two"), False),
        (replace(FORM, event_key="event-key-1"), False),
    ],
)
def test_an_old_pixels_lead_with_other_content_is_another_one(
    other: Event, *, expected: bool
) -> None:
    assert same(FORM, other) == expected


@given(st.integers(-100_000, 100_000))
def test_keys_sort_as_their_times_do(seconds: int) -> None:
    later = NOW + timedelta(days=365 * 200, seconds=seconds)
    assert (keys_of(FORM)[0] <= keys_of(FORM, later)[0]) == (later >= NOW)
    assert same(FORM, FORM, seconds) == (-WINDOW <= seconds <= WINDOW)
