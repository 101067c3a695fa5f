"""Events that their pixels do not take are kept by pixel, for some days."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta

import pytest

from services.core.clock_history import ClockHistory
from services.core.logs import Log
from services.tracking.parked_events import (
    MAX_READ,
    RETENTION,
    ParkedEvents,
    parked_since,
    person_texts,
    pixel_of,
)
from tests.unit.memory import NOW, MemoryBucket, MemoryDatabase
from tests.unit.services.tracking.test_waiting_room import WAITING

WAITING_KEY = "waiting/00/20260501T110000000000Z-00ab.json"


class Parked:
    """Parked events in memory."""

    def __init__(self) -> None:
        self.bucket, self.now = MemoryBucket(), NOW
        self.events = ParkedEvents(self.bucket, lambda: self.now)

    def park(self, pixel_id: str = "pixel-one", key: str = WAITING_KEY) -> None:
        asyncio.run(self.events.park(pixel_id, key, WAITING.as_bytes()))


def test_a_key_says_the_pixel_the_time_and_the_event() -> None:
    parked = Parked()
    parked.park()
    [key] = asyncio.run(parked.events.keys())
    assert key == "parked/pixel-one/20260501T120000000000Z-00ab.json"
    assert (pixel_of(key), parked_since(key)) == ("pixel-one", NOW)


def test_a_name_that_no_pixel_can_have_makes_no_folder() -> None:
    parked = Parked()
    parked.park("../backups")
    assert asyncio.run(parked.events.keys())[0].startswith("parked/unknown/")


def test_what_is_parked_is_counted_by_pixel_with_the_first_day_of_its_end() -> None:
    parked = Parked()
    parked.park()
    parked.now += timedelta(days=1)
    parked.park("pixel-two")
    parked.park("pixel-two", WAITING_KEY.replace("ab", "cd"))
    summary = asyncio.run(parked.events.summary())
    assert (summary.number, summary.by_pixel) == (3, {"pixel-one": 1, "pixel-two": 2})
    assert summary.expires_at == NOW + RETENTION
    assert asyncio.run(Parked().events.summary()).as_json() == {
        "parked": 0,
        "parked_by_pixel": {},
        "parked_until": None,
    }


def test_only_what_was_parked_for_seven_days_goes_by_a_clock_that_is_steady() -> None:
    parked = Parked()
    parked.park()
    parked.now += timedelta(days=1)
    parked.park("pixel-two")
    parked.now = NOW + RETENTION + timedelta(seconds=1)
    for has_run, number in ((0, 2), (1, 1)):
        history = ClockHistory(MemoryDatabase(rows=[[{"has_run": has_run}]]))
        keys = asyncio.run(parked.events.remove_expired(history, Log("error", "test")))
        assert len(keys) == number
    [key] = keys
    assert pixel_of(key) == "pixel-two"
    assert list(parked.bucket.objects) == [key]


def test_of_many_some_are_read_in_each_run_and_all_of_them_in_some() -> None:
    parked, keys = Parked(), [f"parked/p/{number:05}" for number in range(2 * MAX_READ + 1)]
    seen: set[str] = set()
    for _ in range(3):
        read = parked.events.rotated(keys)
        assert len(set(read)) == MAX_READ
        seen.update(read)
        parked.now += timedelta(minutes=5)
    assert seen == set(keys)
    assert parked.events.rotated(keys[:3]) == keys[:3]


def test_a_parked_event_has_the_texts_by_which_a_person_is_found() -> None:
    texts = person_texts(WAITING.as_bytes())
    assert texts["visitor_cookie"] == WAITING.event.visitor_cookie
    assert json.loads(str(texts["form_data"]))["email"] == "jane@example.com"
    assert texts["event_data"] == '{"total":5}'


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"event": 3}', b"null", b"\xff"])
def test_an_object_of_another_shape_is_no_event(content: bytes) -> None:
    with pytest.raises((AttributeError, LookupError, TypeError, ValueError)):
        person_texts(content)
