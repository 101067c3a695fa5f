import asyncio
import json
from collections.abc import Sequence

import pytest

from services.core.ports import OnCost, Row, UnavailableError
from services.projects.pixel_cache import MAX_CACHED_PIXELS, Pixel, PixelCache
from services.projects.pixel_rules import PixelRules

SECONDS = 60


class MemoryDatabase:
    """D1 as far as `PixelCache` uses it: rows by pixel ID. It fails while `failing` is set."""

    def __init__(self, *ids: str, pipedrive_enabled: object = None) -> None:
        self.active = dict.fromkeys(ids, 1)
        self.pipedrive_enabled = pipedrive_enabled
        self.of_pixel: str | None = None
        self.failing = False

    async def rows(self, statement: str, *values: str | int) -> Sequence[Row]:
        assert "?1" in statement
        if self.failing:
            raise UnavailableError("D1 failed")
        (pixel_id,) = map(str, values)
        if pixel_id not in self.active:
            return []
        row = {
            "id": pixel_id,
            "project_id": "project-1",
            "active": self.active[pixel_id],
            "of_project": json.dumps({"pipedrive_enabled": self.pipedrive_enabled}),
            "of_pixel": self.of_pixel,
        }
        return [row]

    async def batch(
        self, statements: Sequence[str], parameters: str, on_cost: OnCost | None = None
    ) -> str:
        raise AssertionError("PixelCache writes nothing", statements, parameters, on_cost)

    async def batch_rows(
        self, statements: Sequence[str], parameters: str
    ) -> Sequence[Sequence[Row]]:
        raise AssertionError("PixelCache reads one row at a time", statements, parameters)


def find(pixels: PixelCache, pixel_id: str, now: float) -> Pixel | None:
    return asyncio.run(pixels.find(pixel_id, now))


def test_a_pixel_is_found_with_its_project() -> None:
    pixels = PixelCache(MemoryDatabase("pixel-one"), SECONDS)
    assert find(pixels, "pixel-one", 0.0) == Pixel(
        "pixel-one", "project-1", active=True, synced=True
    )


def test_an_inactive_pixel_is_found_as_such() -> None:
    database = MemoryDatabase("pixel-one")
    database.active["pixel-one"] = 0
    assert find(PixelCache(database, SECONDS), "pixel-one", 0.0) == Pixel(
        "pixel-one", "project-1", active=False, synced=True
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
    pixel = find(PixelCache(database, SECONDS), "pixel-one", 0.0)
    assert pixel is not None
    assert pixel.synced == synced
    assert pixel.active


def test_a_pixel_is_remembered_for_the_seconds_and_then_asked_for_again() -> None:
    database = MemoryDatabase("pixel-one")
    pixels = PixelCache(database, SECONDS)
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
    pixels = PixelCache(database, SECONDS)
    assert find(pixels, "pixel-new", 1_000.0) is None
    database.active["pixel-new"] = 1
    assert find(pixels, "pixel-new", 1_059.0) is None
    assert pixels.lookups == 1
    assert find(pixels, "pixel-new", 1_060.0) is not None


def test_a_failure_is_raised_and_not_remembered() -> None:
    database = MemoryDatabase("pixel-one")
    pixels = PixelCache(database, SECONDS)
    database.failing = True
    with pytest.raises(UnavailableError):
        find(pixels, "pixel-one", 0.0)
    database.failing = False
    assert find(pixels, "pixel-one", 0.0) is not None


def test_what_is_remembered_survives_a_failure_of_the_database() -> None:
    database = MemoryDatabase("pixel-one")
    pixels = PixelCache(database, SECONDS)
    find(pixels, "pixel-one", 0.0)
    database.failing = True
    assert find(pixels, "pixel-one", 1.0) is not None


def test_only_so_many_pixels_are_remembered_and_the_oldest_goes_first() -> None:
    pixels = PixelCache(MemoryDatabase(), SECONDS)
    for number in range(MAX_CACHED_PIXELS + 1):
        find(pixels, f"pixel-{number}", 0.0)
    assert pixels.lookups == MAX_CACHED_PIXELS + 1
    find(pixels, "pixel-1", 0.0)
    find(pixels, f"pixel-{MAX_CACHED_PIXELS}", 0.0)
    assert pixels.lookups == MAX_CACHED_PIXELS + 1
    find(pixels, "pixel-0", 0.0)
    assert pixels.lookups == MAX_CACHED_PIXELS + 2


def test_a_pixel_that_was_asked_for_again_counts_as_new() -> None:
    pixels = PixelCache(MemoryDatabase(), SECONDS)
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
    pixel = find(PixelCache(database, SECONDS), "pixel-one", 0.0)
    assert pixel
    assert pixel.rules == PixelRules(session_minutes=5)
