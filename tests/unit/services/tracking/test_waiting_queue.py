"""The keys of what waits: listed rarely, in order, never trusted for long."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from datetime import timedelta

from services.core.ports import KeyPage
from services.tracking.waiting_queue import MAX_AGE, WaitingQueue
from services.tracking.waiting_room import WaitingRoom
from tests.unit.memory import MemoryBucket, Time


class CountedBucket(MemoryBucket):
    """R2 that counts how often it is listed."""

    lists = 0

    async def page(self, prefix: str, cursor: str | None) -> KeyPage:
        self.lists += 1
        return await super().page(prefix, cursor)


class Story:
    """Five waiting events in two shards."""

    def __init__(self) -> None:
        self.bucket, self.time = CountedBucket(), Time()
        self.queue = WaitingQueue(WaitingRoom(self.bucket, lambda: ""), self.time.clock)
        for number in range(5):
            self.add(number)

    def add(self, number: int) -> None:
        self.bucket.objects[key_of(number)] = b""

    def first(self, number: int, passed: Collection[str] = ()) -> Sequence[str]:
        return asyncio.run(self.queue.first(number, passed))


def key_of(number: int) -> str:
    return f"waiting/{9 - number:02}/2026050{number}T120000000000Z-{number}.json"


def test_the_oldest_come_first_and_are_listed_once() -> None:
    story = Story()
    assert story.first(2) == [key_of(0), key_of(1)]
    story.queue.remove([key_of(0), key_of(1)])
    assert story.first(9) == [key_of(2), key_of(3), key_of(4)]
    assert story.bucket.lists == 1
    assert len(story.queue) == 3


def test_what_came_later_is_seen_when_the_others_are_gone_or_after_a_while() -> None:
    story = Story()
    story.first(1)
    story.add(5)
    assert len(story.first(9)) == 5
    story.time.now += MAX_AGE - timedelta(seconds=1)
    assert len(story.first(9)) == 5
    story.time.now += timedelta(seconds=1)
    assert len(story.first(9)) == 6
    for number in range(6):
        story.bucket.objects.pop(key_of(number))
        story.queue.remove([key_of(number)])
    story.add(6)
    assert story.first(9) == [key_of(6)]


def test_what_is_passed_over_or_set_aside_is_not_among_the_first() -> None:
    story = Story()
    story.first(1)
    story.queue.set_aside(key_of(0))
    assert story.first(2, {key_of(1)}) == [key_of(2), key_of(3)]
    assert (story.queue.unreadable, len(story.queue)) == ([key_of(0)], 4)
    story.time.now += MAX_AGE
    assert story.first(1) == [key_of(1)]
    story.bucket.objects.pop(key_of(0))
    story.time.now += MAX_AGE
    story.first(1)
    assert story.queue.unreadable == []
