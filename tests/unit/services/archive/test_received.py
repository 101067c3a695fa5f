"""What was erased from a received part stays out of it, wherever an erasure breaks off."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from contextlib import suppress

import pytest

from services.archive.parts import EventsPart, part_manifest_key
from services.archive.reading import read_part
from services.archive.received import ReceivedBatch, store_batch
from services.archive.rewriting import PartReplacement, erased_ids
from services.core.cursors import EventPosition
from services.core.ports import UnavailableError
from tests.unit.memory import MemoryBucket

DAY = "2026-05-01"
KEY = f"received/shop/{DAY}/b.ndjson.gz"
ALL = (7, 3, 9)
# One more than a replacement writes, deletes and reads.
STOPS = range(6)


class StoppingBucket(MemoryBucket):
    """R2 that fails after some operations, if `left` is a number."""

    left: int | None = None

    async def get(self, key: str) -> bytes | None:
        self._operate()
        return await super().get(key)

    async def put(self, key: str, content: bytes) -> None:
        self._operate()
        await super().put(key, content)

    async def delete(self, keys: Sequence[str]) -> None:
        self._operate()
        await super().delete(keys)

    def _operate(self) -> None:
        if self.left == 0:
            raise UnavailableError("R2 failed")
        if self.left:
            self.left -= 1


def received() -> ReceivedBatch:
    positions = [EventPosition(f"{DAY} 06:00:{second:02}", id_) for second, id_ in enumerate(ALL)]
    lines = [json.dumps({"id": id_, "pixel_id": "shop"}, separators=(",", ":")) for id_ in ALL]
    return ReceivedBatch("b", EventsPart("shop", DAY, positions, lines))


def send(bucket: MemoryBucket) -> bool:
    return asyncio.run(store_batch(bucket, received()))


def without(bucket: MemoryBucket, *ids: int, journal: Sequence[str] = ()) -> PartReplacement:
    """The part without these events, read as an erasure reads it."""
    part = asyncio.run(read_part(bucket, KEY, journal))
    assert part
    return PartReplacement(part, [line for line in part.lines if json.loads(line)["id"] not in ids])


def stored(bucket: MemoryBucket) -> list[int]:
    part = asyncio.run(read_part(bucket, KEY)) if KEY in bucket.objects else None
    return [json.loads(line)["id"] for line in part.lines] if part else []


def manifest(bucket: MemoryBucket) -> dict[str, object]:
    content: dict[str, object] = json.loads(bucket.objects[part_manifest_key(KEY)])
    return content


@pytest.mark.parametrize("stop", STOPS)
@pytest.mark.parametrize("ids", [(3,), ALL], ids=["one", "all"])
@pytest.mark.parametrize("comes_between", [True, False])
def test_an_erasure_that_broke_off_is_finished_and_nothing_comes_back(
    stop: int, ids: tuple[int, ...], *, comes_between: bool
) -> None:
    bucket = StoppingBucket()
    assert send(bucket)
    erasing = without(bucket, *ids)
    bucket.left = stop
    with suppress(UnavailableError):
        asyncio.run(erasing.write(bucket))
    bucket.left = None
    if comes_between:
        send(bucket)
    # What is listed is what an erasure that is gone on with reads.
    if KEY in bucket.objects:
        asyncio.run(without(bucket, *ids, journal=erasing.journal).write(bucket))

    for _ in range(2):
        assert stored(bucket) == [id_ for id_ in ALL if id_ not in ids]
        assert erased_ids(manifest(bucket)) == sorted(ids)
        assert send(bucket) is False


def test_two_persons_are_erased_one_after_the_other() -> None:
    bucket = MemoryBucket()
    send(bucket)
    for event_id in (9, 7):
        asyncio.run(without(bucket, event_id).write(bucket))
    assert stored(bucket) == [3]
    assert erased_ids(manifest(bucket)) == [7, 9]


@pytest.mark.parametrize("damaged", [b"", None])
def test_a_lost_part_is_received_again_without_its_erased_events(damaged: bytes | None) -> None:
    bucket = MemoryBucket()
    send(bucket)
    asyncio.run(without(bucket, 3).write(bucket))
    del bucket.objects[KEY]
    if damaged is not None:
        bucket.objects[KEY] = damaged
    assert send(bucket) is True
    assert stored(bucket) == [7, 9]


def test_an_erasure_between_the_reading_of_both_objects_is_seen() -> None:
    bucket = MemoryBucket()
    send(bucket)
    erasing = without(bucket, 3)

    class Racing(MemoryBucket):
        """The erasure happens after the manifest was read, and before the part is."""

        async def get(self, key: str) -> bytes | None:
            if key == KEY and not erased_ids(manifest(bucket)):
                await erasing.write(bucket)
            return await super().get(key)

    racing = Racing()
    racing.objects = bucket.objects
    send(racing)
    assert stored(bucket) == [7, 9]
