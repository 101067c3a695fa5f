"""What waits is stored in order, unless its pixel does not take it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from services.core.clock_history import ClockHistory
from services.core.logs import Log
from services.core.ports import NotStoredError, OnCost, Row, UnavailableError
from services.loss.guard import DatabaseGuard
from services.projects.pixel_cache import FIND_ACTIVE_PIXELS, PixelCache
from services.tracking.parked_events import MAX_READ, ParkedEvents
from services.tracking.referrers import Referrers
from services.tracking.replay import QUERIES_OF_CRON, QUERIES_OF_EVENT, Replay
from services.tracking.site_directory import SiteDirectory
from services.tracking.smoke_event import VISITOR
from services.tracking.visits import Visits
from services.tracking.waiting_queue import WaitingQueue
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
CONFIGURATIONS: Mapping[str, Mapping[str, object]] = {
    "pixel-one": {},
    "pixel-private": {"respect_dnt": True},
    "pixel-domain": {"allowed_domains": ["other.example"]},
}


class Database(MemoryDatabase):
    """D1 with some pixels, which stores nothing of the page `/refused`."""

    database_id = "a"
    answers = True
    configurations = CONFIGURATIONS

    async def rows(self, statement: str, *values: str | int) -> Sequence[Row]:
        if not self.answers:
            raise UnavailableError("D1 failed: no answer")
        if statement == FIND_ACTIVE_PIXELS:
            return [{"id": pixel_id} for pixel_id in self.configurations]
        assert "?1" in statement
        pixel_id = str(values[0])
        configuration = self.configurations.get(pixel_id)
        known = configuration is not None
        return [
            {
                "database_id": self.database_id,
                "generation": "first",
                "id": pixel_id if known else None,
                "active": 1,
                "project_id": "project" if known else None,
                "of_project": "{}",
                "of_pixel": json.dumps(configuration),
                "website_url": None,
                "pixels": None if known else 3,
            }
        ]

    async def batch(
        self, statements: Sequence[str], parameters: str, on_cost: OnCost | None = None
    ) -> str:
        event = json.loads(parameters)
        is_other = event["database_id"] != self.database_id
        if event["page_url"].endswith("/refused") or is_other:
            raise NotStoredError("D1 stored nothing")
        if event["page_url"].endswith("/broken") or not self.answers:
            raise UnavailableError("D1 failed: it does not take this one")
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
        self.history = ClockHistory(MemoryDatabase(rows=[[{"has_run": 1}]]))
        self.bucket = MemoryBucket()
        room = WaitingRoom(self.bucket, lambda: "0" * 32)
        pixels = PixelCache(self.database, DatabaseGuard(self.database, self.bucket), 60)
        referrers = Referrers(self.database, SiteDirectory(self.database, 60))
        visits = Visits(self.database, lambda: "1" * 32, 30, 420, 600, referrers=referrers)
        self.unreadable: Sequence[str] = ()
        self.queue = WaitingQueue(room, lambda: NOW)
        self.now = NOW
        self.parked = ParkedEvents(self.bucket, lambda: self.now)
        self.room = room
        self.replay = Replay(
            *(room, self.queue, self.parked, pixels, visits, self.history), lambda: self.now
        )

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


def test_what_its_visitor_declines_goes_and_what_its_pixel_does_not_take_is_parked() -> None:
    story = Story()
    story.add(0, pixel_id="pixel-unknown")
    story.add(1, pixel_id="pixel-private", declines=True)
    story.add(2, pixel_id="pixel-domain")
    story.add(3, page_url="https://shop.example/refused")
    story.add(4, pixel_id="pixel-private")
    assert story.run() == 0
    assert story.stored_keys() == ["event-key-4"]
    folders = sorted(key.rpartition("/")[0] for key in story.bucket.objects)
    assert folders == ["parked/pixel-domain", "parked/pixel-unknown"]
    summary = asyncio.run(story.parked.summary())
    assert summary.as_json() == {
        "parked": 2,
        "parked_by_pixel": {"pixel-domain": 1, "pixel-unknown": 1},
        "parked_until": "2026-05-08T12:00:00Z",
    }


def test_the_page_view_of_a_smoke_test_is_not_parked() -> None:
    story = Story()
    story.add(0, pixel_id="pixel-unknown", visitor_cookie=VISITOR, lead=None, custom=None)
    story.add(1, pixel_id="pixel-one", visitor_cookie=VISITOR, lead=None, custom=None)
    assert story.run() == 0
    assert story.bucket.objects == {}
    assert len(story.stored_keys()) == 1


def test_what_is_parked_is_stored_once_its_pixel_takes_it() -> None:
    story = Story()
    story.add(0, pixel_id="pixel-unknown")
    story.add(1, pixel_id="pixel-domain")
    story.add(2, pixel_id="pixel-later", declines=True)
    assert story.run() == 0
    assert story.run() == 0
    assert story.stored_keys() == []
    assert len(story.bucket.objects) == 3
    # Somebody makes the pixels again, within the time for which an isolate remembers them.
    story.database.configurations = {
        "pixel-unknown": {},
        "pixel-domain": {},
        "pixel-later": {"respect_dnt": True},
    }
    assert story.run() == 0
    assert story.stored_keys() == ["event-key-0", "event-key-1"]
    assert story.database.parameters[0]["now"] == "2026-05-01 11:00:00"
    assert story.bucket.objects == {}


def test_what_nobody_took_for_seven_days_is_deleted_and_counted(
    capsys: pytest.CaptureFixture[str],
) -> None:
    story = Story()
    story.add(0, pixel_id="pixel-unknown")
    assert story.run() == 0
    story.now += timedelta(days=7)
    assert story.run() == 0
    assert len(story.bucket.objects) == 1
    story.now += timedelta(seconds=1)
    assert story.run() == 0
    assert story.bucket.objects == {}
    [line] = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "parked" in line]
    assert (line["event"], line["number"]) == ("parked_events_deleted", 1)
    assert line["pixels"] == {"pixel-unknown": 1}


def test_many_that_their_domain_keeps_out_hide_no_other_for_ever() -> None:
    story = Story()
    for number in range(MAX_READ + 20):
        content = replace(EVENT, event_key=f"event-key-{number}", pixel_id="pixel-domain")
        is_later = number >= MAX_READ
        if is_later:
            content = replace(content, pixel_id="pixel-one")
        waiting = WaitingEvent(content, ORIGIN, NOW, declines=False)
        key = f"waiting/00/20260501T110000000000Z-{number:032}.json"
        asyncio.run(story.parked.park(content.pixel_id, key, waiting.as_bytes()))
    for _ in range(MAX_READ):
        story.now += timedelta(minutes=5)
        if story.run() == 0 and len(story.stored_keys()) == 20:
            break
    assert len(story.stored_keys()) == 20
    assert len(story.bucket.objects) == MAX_READ


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
    events = QUERIES_OF_CRON // QUERIES_OF_EVENT + 2
    for number in range(events):
        story.add(number)
    waiting = story.run()
    stored = len(story.stored_keys())
    assert stored + waiting == events
    # The lookup of the pixel is a query, too, and no event is begun that might need one too many.
    assert QUERIES_OF_CRON - 2 * QUERIES_OF_EVENT < stored * QUERIES_OF_EVENT < QUERIES_OF_CRON
    assert story.run() == 0
    assert len(story.stored_keys()) == events


def test_an_event_without_a_key_gets_the_same_one_in_every_run() -> None:
    story = Story()
    story.add(0, event_type="pageview", lead=None)
    [(key, content)] = story.bucket.objects.items()
    [digest] = [key.rpartition("-")[2].removesuffix(".json")]
    keyless = content.replace(b'"event_key": "event-key-0"', b'"event_key": null')
    for _ in range(2):
        # The run that died after it was stored left it here.
        story.bucket.objects[key] = keyless
        assert story.run() == 0
    assert story.stored_keys() == [digest, digest]


def test_an_event_that_d1_does_not_take_keeps_no_other_waiting() -> None:
    story = Story()
    for number, page in enumerate(("one", "broken", "two", "three")):
        story.add(number, page_url=f"https://shop.example/{page}")
    assert story.run() == 1
    assert story.stored_keys() == ["event-key-0", "event-key-2", "event-key-3"]
    [key] = story.bucket.objects
    assert b"broken" in story.bucket.objects[key]


def test_a_database_that_does_not_answer_ends_the_run_and_everything_waits_on() -> None:
    story = Story()
    story.add(9)
    assert story.run() == 0
    for number in range(5):
        story.add(number)
    # The pixel is still cached: only the events say that the database is gone.
    story.database.answers = False
    with pytest.raises(UnavailableError):
        story.run()
    assert len(story.bucket.objects) == 5


def test_an_event_whose_pixel_was_found_in_another_database_is_looked_up_again() -> None:
    story = Story()
    story.add(0)
    assert story.run() == 0
    # The database was replaced by its restored self, while the pixel was still cached.
    story.database.database_id = "b"
    story.add(1)
    assert story.run() == 0
    assert story.stored_keys() == ["event-key-0", "event-key-1"]
    assert [stored["database_id"] for stored in story.database.parameters] == ["a", "b"]


def test_what_another_run_stored_meanwhile_is_not_missed() -> None:
    story = Story()
    for number in range(3):
        story.add(number)
    asyncio.run(story.queue.first(1, ()))
    story.bucket.objects.pop(min(story.bucket.objects, key=lambda key: key.rpartition("/")[2]))
    assert story.run() == 0
    assert story.stored_keys() == ["event-key-1", "event-key-2"]


def test_many_events_that_d1_does_not_take_keep_no_other_waiting_in_any_run() -> None:
    story = Story()
    broken = QUERIES_OF_CRON // QUERIES_OF_EVENT
    for number in range(broken):
        story.add(number, page_url="https://shop.example/broken")
    for number in range(broken, broken + 30):
        story.add(number)
    for _ in range(6):
        waiting = story.run()
    assert waiting == broken
    assert len(story.stored_keys()) == 30
    assert len(story.bucket.objects) == broken


def test_an_event_whose_time_is_beyond_all_times_is_set_aside() -> None:
    story = Story()
    story.add()
    [(key, content)] = story.bucket.objects.items()
    at = json.loads(content)["received_at"]
    story.bucket.objects[key] = content.replace(at.encode(), b"9999-12-31T23:59:59-14:00")
    assert story.run() == 0
    assert story.unreadable == [key]
