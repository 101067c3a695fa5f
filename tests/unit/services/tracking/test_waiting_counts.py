"""What waits and what is parked is counted together, with the age of the oldest."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from services.core.logs import Log
from services.tracking.parked_events import ParkedEvents
from services.tracking.waiting_counts import WaitingReader
from services.tracking.waiting_room import WaitingRoom
from tests.unit.memory import NOW, MemoryBucket


def reader(bucket: MemoryBucket) -> WaitingReader:
    room = WaitingRoom(bucket, lambda: "0" * 32)
    return WaitingReader(room, ParkedEvents(bucket, lambda: NOW), lambda: NOW)


def test_the_oldest_event_says_since_when_the_database_takes_none() -> None:
    bucket = MemoryBucket()
    bucket.objects["waiting/00/20260501T103000000000Z-00.json"] = b""
    bucket.objects["waiting/0f/20260501T101500000000Z-0f.json"] = b""
    bucket.objects["parked/pixel-one/20260501T000000000000Z-0f.json"] = b""
    counts = asyncio.run(reader(bucket).read())
    assert counts.oldest == timedelta(hours=1, minutes=45)
    assert counts.as_json() == {
        "waiting": 2,
        "room": 51_200,
        "oldest_at": "2026-05-01T10:15:00Z",
        "parked": 1,
        "parked_by_pixel": {"pixel-one": 1},
        "parked_until": "2026-05-08T00:00:00Z",
    }


def test_nothing_has_no_age() -> None:
    counts = asyncio.run(reader(MemoryBucket()).read())
    assert (counts.waiting, counts.oldest) == (0, None)


def test_a_key_that_nobody_can_read_hides_no_other_number() -> None:
    bucket = MemoryBucket()
    bucket.objects["waiting/00/0.json"] = b""
    counts = asyncio.run(reader(bucket).read_if_possible(Log("error", "test")))
    assert counts is not None
    assert (counts.waiting, counts.oldest) == (1, None)
