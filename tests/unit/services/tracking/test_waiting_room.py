"""Events in R2 that D1 could not take: each once, in order, bounded, and nothing else of them."""

from __future__ import annotations

import asyncio
import itertools
import json
from dataclasses import replace
from datetime import timedelta

import pytest

from services.core.request_origin import Location, RequestOrigin
from services.tracking.attribution import Touch
from services.tracking.custom_events import CustomEvent
from services.tracking.events import Event, Size
from services.tracking.form_data import Lead
from services.tracking.waiting_room import (
    MAX_EVENTS_OF_SHARD,
    PREFIX,
    UnreadableEventError,
    WaitingEvent,
    WaitingRoom,
    parse_waiting_event,
)
from tests.unit.memory import NOW, MemoryBucket

EVENT = Event(
    pixel_id="pixel-one",
    visitor_cookie="0123456789abcdef",
    event_key="event-key-1",
    event_type="form_submit",
    page_url="https://shop.example/contact",
    referrer_url=None,
    page_title="Contact",
    touch=Touch("page_url", utm_source="google", gclid="Cj0K"),
    lead=Lead("jane@example.com", "Jane", None),
    viewport=Size(1_024, 768),
    screen=None,
    sequence=3,
    outcome="accepted",
    custom=CustomEvent("order", '{"total":5}'),
)
ORIGIN = RequestOrigin("192.0.2.1", "Firefox", Location("CH", "Zurich", "Zürich"))
UNKNOWN = RequestOrigin(None, "", Location(None, None, None))
WAITING = WaitingEvent(EVENT, ORIGIN, NOW, declines=True)


class Room:
    """A waiting room in memory, whose ids count up."""

    def __init__(self) -> None:
        self.bucket = MemoryBucket()
        ids = itertools.count()
        self.room = WaitingRoom(self.bucket, lambda: f"{next(ids):032x}")

    def add(self, waiting: WaitingEvent) -> bool:
        return asyncio.run(self.room.add(waiting))

    def read(self, key: str) -> WaitingEvent:
        [content] = asyncio.run(self.room.read_each([key]))
        assert content is not None
        return parse_waiting_event(content)

    def keys(self) -> list[str]:
        return list(asyncio.run(self.room.keys()))


@pytest.mark.parametrize(
    "waiting",
    [
        WAITING,
        replace(WAITING, declines=False, origin=UNKNOWN),
        replace(WAITING, environment="staging"),
        replace(WAITING, event=replace(EVENT, touch=None, lead=None, custom=None, viewport=None)),
    ],
)
def test_an_event_comes_back_as_it_was_received(waiting: WaitingEvent) -> None:
    room = Room()
    assert room.add(waiting)
    [key] = room.keys()
    assert room.read(key) == waiting


def test_an_event_that_is_sent_again_waits_once_with_its_first_time() -> None:
    room = Room()
    for minutes in range(3):
        assert room.add(replace(WAITING, received_at=NOW + timedelta(minutes=minutes)))
    [key] = room.keys()
    waiting = room.read(key)
    assert waiting is not None
    assert waiting.received_at == NOW


@pytest.mark.parametrize(
    "change",
    [
        {"event_key": "event-key-2"},
        {"visitor_cookie": "fedcba9876543210"},
        {"outcome": "rejected"},
        {"lead": Lead("jane@example.com", "Jane", "Doe")},
    ],
)
def test_what_differs_waits_beside_it(change: dict[str, object]) -> None:
    room = Room()
    room.add(WAITING)
    room.add(replace(WAITING, event=replace(EVENT, **change)))  # type: ignore[arg-type]  # by name
    assert len(room.keys()) == 2


def test_page_views_of_an_old_pixel_are_all_different() -> None:
    room = Room()
    page_view = replace(EVENT, event_key=None, lead=None, event_type="pageview")
    for _ in range(3):
        room.add(replace(WAITING, event=page_view))
    assert len(room.keys()) == 3


def test_keys_are_in_the_order_of_time_and_say_nothing_personal() -> None:
    room = Room()
    for minutes in (2, 0, 1):
        event = replace(EVENT, event_key=f"event-key-{minutes}")
        room.add(WaitingEvent(event, ORIGIN, NOW + timedelta(minutes=minutes), declines=False))
    keys = room.keys()
    order = [room.read(key) for key in keys]
    assert [waiting and waiting.event.event_key for waiting in order] == [
        *("event-key-0", "event-key-1", "event-key-2")
    ]
    for personal in ("jane", "0123456789abcdef", "192.0.2.1", "shop"):
        assert personal not in str(keys)


def test_a_full_shard_takes_no_more() -> None:
    room = Room()
    room.add(WAITING)
    [key] = room.keys()
    shard = key[: len(PREFIX) + 3]
    for number in range(MAX_EVENTS_OF_SHARD - 1):
        room.bucket.objects[f"{shard}{number}.json"] = b"{}"
    assert room.add(WAITING)
    del room.bucket.objects[key]
    room.bucket.objects[f"{shard}another.json"] = b"{}"
    assert not room.add(WAITING)
    assert len(room.keys()) == MAX_EVENTS_OF_SHARD


GOOD = json.loads(WAITING.as_bytes())


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"{", b"[]", b"null", b"\xff"),
        *(json.dumps({**GOOD, "format": version}).encode() for version in (2, None)),
        *(json.dumps({**GOOD, "received_at": moment}).encode() for moment in ("soon", 5, None)),
        *(json.dumps({**GOOD, name: 5}).encode() for name in ("event", "origin")),
        json.dumps({**GOOD, "origin": {**GOOD["origin"], "location": 5}}).encode(),
        json.dumps({**GOOD, "event": {**GOOD["event"], "of_a_later_version": 1}}).encode(),
        json.dumps({**GOOD, "event": {**GOOD["event"], "touch": {"x": 1}}}).encode(),
        json.dumps({**GOOD, "event": {**GOOD["event"], "pixel_id": 5}}).encode(),
        json.dumps({"format": 1}).encode(),
    ],
)
def test_nonsense_and_other_formats_are_refused(content: bytes) -> None:
    with pytest.raises(UnreadableEventError):
        parse_waiting_event(content)
