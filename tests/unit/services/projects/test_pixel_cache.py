import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace

import pytest

from services.core.ports import Batch, OnCost, Row, UnavailableError
from services.loss.guard import DatabaseGuard, LostDatabaseError
from services.loss.high_water_mark import KEY, HighWaterMark, parse_mark
from services.projects.pixel_cache import MAX_CACHED_PIXELS, Pixel, PixelCache
from services.projects.pixel_rules import PixelRules
from tests.unit.memory import MemoryBucket

SECONDS = 60
ID = "a" * 32
SITE = "https://shop.example/"


class MemoryDatabase:
    """D1 as far as `PixelCache` uses it: rows by pixel ID. It fails while `failing` is set."""

    def __init__(self, *ids: str, pipedrive_enabled: object = None) -> None:
        self.active = dict.fromkeys(ids, 1)
        self.pipedrive_enabled = pipedrive_enabled
        self.of_pixel: str | None = None
        self.failing = False
        self.database_id: str | None = ID
        self.generation = "first"

    async def rows(self, statement: str, *values: str | int) -> Sequence[Row]:
        assert "?1" in statement
        if self.failing:
            raise UnavailableError("D1 failed")
        (pixel_id,) = map(str, values)
        if not self.database_id:
            return []
        identity = {"database_id": self.database_id, "generation": self.generation}
        if pixel_id not in self.active:
            nothing = ("id", "project_id", "active", "of_project", "of_pixel", "website_url")
            row: Row = dict.fromkeys(nothing)
            return [{**row, **identity, "pixels": len(self.active)}]
        row = {
            **identity,
            "pixels": None,
            "id": pixel_id,
            "project_id": "project-1",
            "active": self.active[pixel_id],
            "of_project": json.dumps({"pipedrive_enabled": self.pipedrive_enabled}),
            "of_pixel": self.of_pixel,
            "website_url": SITE,
        }
        return [row]

    async def batches(self, batches: Sequence[Batch]) -> Sequence[str | None]:
        raise AssertionError("PixelCache writes nothing", batches)

    async def batch(
        self, statements: Sequence[str], parameters: str, on_cost: OnCost | None = None
    ) -> str:
        raise AssertionError("PixelCache writes nothing", statements, parameters, on_cost)

    async def batch_rows(
        self, statements: Sequence[str], parameters: str
    ) -> Sequence[Sequence[Row]]:
        raise AssertionError("PixelCache reads one row at a time", statements, parameters)


def cached(database: MemoryDatabase, bucket: MemoryBucket | None = None) -> PixelCache:
    return PixelCache(database, DatabaseGuard(database, bucket or MemoryBucket()), SECONDS)


def find(pixels: PixelCache, pixel_id: str, now: float) -> Pixel | None:
    return asyncio.run(pixels.find(pixel_id, now))


def test_a_pixel_is_found_with_its_project() -> None:
    pixels = cached(MemoryDatabase("pixel-one"))
    assert find(pixels, "pixel-one", 0.0) == Pixel(
        "pixel-one", "project-1", active=True, synced=True, database_id=ID, website_url=SITE
    )


def test_an_inactive_pixel_is_found_as_such() -> None:
    database = MemoryDatabase("pixel-one")
    database.active["pixel-one"] = 0
    assert find(cached(database), "pixel-one", 0.0) == Pixel(
        "pixel-one", "project-1", active=False, synced=True, database_id=ID, website_url=SITE
    )


@pytest.mark.parametrize(
    ("pipedrive_enabled", "synced"),
    [
        *((None, True), (1, True), ("true", True), ("yes", True), ("", True)),
        *((0, False), ("0", False), ("false", False), ("False", False)),
    ],
)
def test_leads_are_synced_unless_the_project_says_no(
    pipedrive_enabled: object, *, synced: bool
) -> None:
    database = MemoryDatabase("pixel-one", pipedrive_enabled=pipedrive_enabled)
    pixel = find(cached(database), "pixel-one", 0.0)
    assert pixel is not None
    assert pixel.synced == synced
    assert pixel.active


def test_a_pixel_is_remembered_for_the_seconds_and_then_asked_for_again() -> None:
    database = MemoryDatabase("pixel-one")
    pixels = cached(database)
    first = find(pixels, "pixel-one", 1_000.0)
    database.active["pixel-one"] = 0
    assert find(pixels, "pixel-one", 1_059.9) == first
    assert pixels.lookups == 1
    now_inactive = find(pixels, "pixel-one", 1_060.0)
    assert now_inactive is not None
    assert not now_inactive.active
    assert pixels.lookups == 2


def test_a_miss_is_remembered_too() -> None:
    database = MemoryDatabase()
    pixels = cached(database)
    assert find(pixels, "pixel-new", 1_000.0) is None
    database.active["pixel-new"] = 1
    assert find(pixels, "pixel-new", 1_059.0) is None
    assert pixels.lookups == 1
    assert find(pixels, "pixel-new", 1_060.0) is not None


def test_a_failure_is_raised_and_not_remembered() -> None:
    database = MemoryDatabase("pixel-one")
    pixels = cached(database)
    database.failing = True
    with pytest.raises(UnavailableError):
        find(pixels, "pixel-one", 0.0)
    database.failing = False
    assert find(pixels, "pixel-one", 0.0) is not None


def test_what_is_remembered_survives_a_failure_of_the_database() -> None:
    database = MemoryDatabase("pixel-one")
    pixels = cached(database)
    find(pixels, "pixel-one", 0.0)
    database.failing = True
    assert find(pixels, "pixel-one", 1.0) is not None


def test_only_so_many_pixels_are_remembered_and_the_oldest_goes_first() -> None:
    pixels = cached(MemoryDatabase())
    for number in range(MAX_CACHED_PIXELS + 1):
        find(pixels, f"pixel-{number}", 0.0)
    assert pixels.lookups == MAX_CACHED_PIXELS + 1
    find(pixels, "pixel-1", 0.0)
    find(pixels, f"pixel-{MAX_CACHED_PIXELS}", 0.0)
    assert pixels.lookups == MAX_CACHED_PIXELS + 1
    find(pixels, "pixel-0", 0.0)
    assert pixels.lookups == MAX_CACHED_PIXELS + 2


def test_a_pixel_that_was_asked_for_again_counts_as_new() -> None:
    pixels = cached(MemoryDatabase())
    for number in range(MAX_CACHED_PIXELS):
        find(pixels, f"pixel-{number}", 0.0)
    find(pixels, "pixel-0", SECONDS)
    find(pixels, "pixel-new", SECONDS)
    lookups = pixels.lookups
    find(pixels, "pixel-0", SECONDS)
    assert pixels.lookups == lookups


def test_a_pixel_has_the_rules_of_its_configuration() -> None:
    database = MemoryDatabase("pixel-one")
    database.of_pixel = '{"session_minutes": 5}'
    pixel = find(cached(database), "pixel-one", 0.0)
    assert pixel
    assert pixel.rules == PixelRules(session_minutes=5)


def marked(database_id: str = ID, pixels: int = 1) -> MemoryBucket:
    """R2 with the mark of a database."""
    bucket = MemoryBucket()
    mark = HighWaterMark(database_id, 10, 10, 1, pixels, "2026-05-01T12:00:00Z")
    bucket.objects[KEY] = mark.as_bytes()
    return bucket


@pytest.mark.parametrize("database_id", ["b" * 32, None], ids=["another one", "no identity"])
@pytest.mark.parametrize("pixel_id", ["pixel-one", "pixel-new"])
def test_another_database_has_no_pixel_and_misses_none(
    database_id: str | None, pixel_id: str
) -> None:
    database = MemoryDatabase("pixel-one")
    pixels = cached(database, marked())
    database.database_id = database_id
    for _ in range(2):
        with pytest.raises(LostDatabaseError):
            find(pixels, pixel_id, 0.0)
    database.database_id = ID
    assert find(pixels, "pixel-one", 1.0) is not None


def test_another_copy_of_the_database_takes_no_event() -> None:
    database, bucket = MemoryDatabase("pixel-one"), marked()
    pixels = cached(database, bucket)
    # The mark of an older Worker knows no copies.
    assert find(pixels, "pixel-one", 0.0) is not None
    mark = parse_mark(bucket.objects[KEY])
    assert mark is not None
    mark = replace(mark, generation="first")
    bucket.objects[KEY] = mark.as_bytes()
    assert find(pixels, "pixel-one", 60.0) is not None
    database.generation = "restored"
    with pytest.raises(LostDatabaseError, match="another copy"):
        find(pixels, "pixel-one", 120.0)
    bucket.objects[KEY] = replace(mark, generation="restored").as_bytes()
    assert find(pixels, "pixel-one", 180.0) is not None
    database.generation = "first"
    with pytest.raises(LostDatabaseError, match="another copy"):
        find(pixels, "pixel-one", 240.0)


class SlowBucket(MemoryBucket):
    """R2, which lets others go on while it reads."""

    async def get(self, key: str) -> bytes | None:
        await asyncio.sleep(0)
        return await super().get(key)


def test_what_arrives_while_the_mark_is_read_waits_for_it() -> None:
    bucket = SlowBucket()
    bucket.objects = marked("b" * 32).objects
    pixels = cached(MemoryDatabase("pixel-one"), bucket)

    async def find_at_once() -> list[Pixel | BaseException | None]:
        finds = [pixels.find("pixel-one", 0.0) for _ in range(3)]
        return await asyncio.gather(*finds, return_exceptions=True)

    answers = asyncio.run(find_at_once())
    assert [type(answer) for answer in answers] == [LostDatabaseError] * 3


def test_an_unknown_pixel_of_a_database_with_all_its_pixels_is_unknown() -> None:
    assert find(cached(MemoryDatabase("pixel-one"), marked()), "pixel-new", 0.0) is None


def test_an_unknown_pixel_may_be_one_of_those_that_are_lost() -> None:
    pixels = cached(MemoryDatabase("pixel-one"), marked(pixels=2))
    assert find(pixels, "pixel-one", 0.0) is not None
    with pytest.raises(LostDatabaseError):
        find(pixels, "pixel-new", 0.0)


@pytest.mark.parametrize("content", [b"", b"{", b'{"format": 2}'])
def test_without_a_mark_that_can_be_read_tracking_goes_on(content: bytes) -> None:
    bucket = MemoryBucket()
    bucket.objects[KEY] = content
    assert find(cached(MemoryDatabase("pixel-one"), bucket), "pixel-one", 0.0) is not None


def test_without_r2_tracking_goes_on() -> None:
    def fail(_key: str, _content: bytes) -> bytes:
        raise UnavailableError("R2 failed")

    bucket = MemoryBucket(fail)
    bucket.objects[KEY] = b"{}"
    assert find(cached(MemoryDatabase("pixel-one"), bucket), "pixel-one", 0.0) is not None


def test_the_mark_is_read_once_for_a_database_that_is_the_one_that_is_meant() -> None:
    reads = []

    def note(key: str, content: bytes) -> bytes:
        reads.append(key)
        return content

    bucket = MemoryBucket(note)
    bucket.objects = marked().objects
    pixels = cached(MemoryDatabase("pixel-one"), bucket)
    for minute in range(5):
        find(pixels, "pixel-one", 61.0 * minute)
    assert len(reads) == 1


def test_a_database_that_is_accepted_takes_events_within_a_minute() -> None:
    database, bucket = MemoryDatabase("pixel-one"), marked("b" * 32)
    pixels = cached(database, bucket)
    with pytest.raises(LostDatabaseError):
        find(pixels, "pixel-one", 0.0)
    bucket.objects = marked().objects
    assert find(pixels, "pixel-one", 60.0) is not None
