"""What waits is stored in order, unless its pixel does not take it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from services.core.logs import Log
from services.core.ports import NotStoredError, OnCost, Row
from services.loss.guard import DatabaseGuard
from services.projects.pixel_cache import PixelCache
from services.tracking.replay import MAX_EVENTS_OF_REPLAY, Replay
from services.tracking.visits import Visits
from services.tracking.waiting_room import WaitingEvent, WaitingRoom
from tests.unit.memory import NOW, MemoryBucket, MemoryDatabase
from tests.unit.services.tracking.test_waiting_room import EVENT, ORIGIN

ANSWER = {
    "event_id": 1,
    "visitor_id": "v",
    "session_id": "s",
    "event_type": "pageview",
    "due_at": None,
    "touch": dict.fromkeys(("utm_source", "utm_medium")),
}
CONFIGURATIONS = {
    "pixel-one": {},
    "pixel-private": {"respect_dnt": True},
    "pixel-domain": {"allowed_domains": ["other.example"]},
}


class Database(MemoryDatabase):
    """D1 with some pixels, which stores nothing of the page `/refused`."""

    async def rows(self, statement: str, *values: str | int) -> Sequence[Row]:
        assert "?1" in statement
        pixel_id = str(values[0])
        configuration = CONFIGURATIONS.get(pixel_id)
        known = configuration is not None
        return [
            {
                "database_id": "a",
                "id": pixel_id if known else None,
                "active": 1,
                "project_id": "project" if known else None,
                "of_project": "{}",
                "of_pixel": json.dumps(configuration),
                "pixels": None if known else 3,
            }
        ]

    async def batch(
        self, statements: Sequence[str], parameters: str, on_cost: OnCost | None = None
    ) -> str:
        if json.loads(parameters)["page_url"].endswith("/refused"):
            raise NotStoredError("D1 stored nothing")
        return await super().batch(statements, parameters, on_cost)


class Story:
    """A waiting room and a database in memory."""

    def __init__(self) -> None:
        touch = dict.fromkeys(
            ("utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term", "gclid")
        )
        more = dict.fromkeys(
            ("fbclid", "msclkid", "ttclid", "twclid", "li_fat_id", "sc_click_id", "ad_group")
        )
        self.database = Database(json.dumps({**ANSWER, "touch": {**touch, **more}}))
        self.bucket = MemoryBucket()
        room = WaitingRoom(self.bucket, lambda: "0" * 32)
        pixels = PixelCache(self.database, DatabaseGuard(self.bucket), 60)
        visits = Visits(self.database, lambda: "1" * 32, 30, 420, 600)
        self.unreadable: Sequence[str] = ()
        self.room, self.replay = room, Replay(room, pixels, visits, lambda: NOW)

    def add(self, number: int = 0, *, declines: bool = False, **fields: object) -> None:
        event = replace(EVENT, event_key=f"event-key-{number}", **fields)  # type: ignore[arg-type]
        received_at = NOW - timedelta(hours=1) + timedelta(seconds=number)
        asyncio.run(self.room.add(WaitingEvent(event, ORIGIN, received_at, declines=declines)))

    def run(self) -> int:
        rest = asyncio.run(self.replay.run(Log("error", "test")))
        self.unreadable = rest.unreadable
        return rest.events

    def stored_keys(self) -> list[object]:
        return [parameters["event_key"] for parameters in self.database.parameters]


def test_events_are_stored_in_their_order_with_the_time_of_their_arrival() -> None:
    story = Story()
    for number in (2, 0, 1):
        story.add(number)
    assert story.run() == 0
    assert story.stored_keys() == ["event-key-0", "event-key-1", "event-key-2"]
    assert [parameters["now"] for parameters in story.database.parameters] == [
        *("2026-05-01 11:00:00", "2026-05-01 11:00:01", "2026-05-01 11:00:02")
    ]
    assert story.bucket.objects == {}
    assert story.run() == 0
    assert len(story.stored_keys()) == 3


def test_what_its_pixel_does_not_take_goes_without_being_stored() -> None:
    story = Story()
    story.add(0, pixel_id="pixel-unknown")
    story.add(1, pixel_id="pixel-private", declines=True)
    story.add(2, pixel_id="pixel-domain")
    story.add(3, page_url="https://shop.example/refused")
    story.add(4, pixel_id="pixel-private")
    assert story.run() == 0
    assert story.stored_keys() == ["event-key-4"]
    assert story.bucket.objects == {}


def test_one_that_cannot_be_read_stays_and_keeps_nothing_else() -> None:
    story = Story()
    key = "waiting/00/20200101T000000000000Z-0.json"
    story.bucket.objects[key] = b"{"
    story.add()
    assert story.run() == 0
    assert story.unreadable == [key]
    assert story.stored_keys() == ["event-key-0"]
    assert len(story.bucket.objects) == 1


def test_a_run_stores_a_portion_and_says_how_many_still_wait() -> None:
    story = Story()
    for number in range(MAX_EVENTS_OF_REPLAY + 2):
        story.add(number)
    assert story.run() == 2
    assert len(story.stored_keys()) == MAX_EVENTS_OF_REPLAY
    assert story.run() == 0
