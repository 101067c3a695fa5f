import asyncio
import json
from collections.abc import Callable

import pytest

from services.archive.parts import (
    ARCHIVE,
    EventsPart,
    discard_part,
    part_key,
    part_manifest_key,
    write_part,
)
from services.core.cursors import EventPosition
from services.core.ndjson_parts import DamagedPartError, pack, unpack
from tests.unit.memory import MemoryBucket

CURSORS = [EventPosition("2026-05-01 06:00:00", 7), EventPosition("2026-05-01 06:00:01", 3)]
PART = EventsPart("shop", "2026-05-01", CURSORS, ['{"id":7}', '{"id":3}'])
LOCATION = (ARCHIVE, PART.pixel_id, PART.day, PART.name)
KEY = part_key(*LOCATION)
MANIFEST = part_manifest_key(KEY)


def test_a_part_lies_beside_its_manifest() -> None:
    bucket = MemoryBucket()
    manifest = asyncio.run(write_part(bucket, ARCHIVE, PART, PART.name))
    assert f"archive/shop/2026-05-01/{PART.name}.ndjson.gz" == KEY
    assert list(bucket.objects) == [KEY, MANIFEST]
    assert json.loads(bucket.objects[MANIFEST])["sha256"] == manifest.sha256
    lines = unpack(KEY, bucket.objects[KEY], manifest.count, manifest.sha256)
    assert lines == list(PART.lines)
    asyncio.run(discard_part(bucket, ARCHIVE, PART, PART.name))
    assert bucket.objects == {}


@pytest.mark.parametrize("key", [KEY, MANIFEST])
@pytest.mark.parametrize(
    "damage", [lambda _: None, lambda content: content[:-1], lambda _: pack(["{}", "{}"]).content]
)
def test_a_part_that_is_read_back_with_other_content_is_damaged(
    key: str, damage: Callable[[bytes], bytes | None]
) -> None:
    bucket = MemoryBucket(damage=lambda name, content: damage(content) if name == key else content)
    with pytest.raises(DamagedPartError, match=key.replace(".", r"\.")):
        asyncio.run(write_part(bucket, ARCHIVE, PART, PART.name))


def test_a_name_is_the_same_for_the_same_events_only() -> None:
    same = EventsPart("shop", "2026-05-01", CURSORS, list(PART.lines))
    other = EventsPart("shop", "2026-05-01", CURSORS, ['{"id":7}', '{"id":3,"country":"AT"}'])
    assert same.name == PART.name
    assert other.name != PART.name
    assert PART.name.startswith("7-3-")


def test_a_subset_of_a_part_keeps_its_order() -> None:
    subset = PART.subset({3, 99})
    assert subset
    assert (subset.ids, list(subset.lines)) == ([3], ['{"id":3}'])
    assert PART.subset({99}) is None
