import asyncio
import json
from datetime import UTC, datetime

import pytest

from services.core.logs import Log
from services.privacy.erasure_notes import INDEX, LISTS, ErasureNotes, repair_index
from tests.unit.memory import MemoryBucket

AT = datetime(2026, 5, 1, 12, tzinfo=UTC)

LOG = Log("error", "test")


def notes(bucket: MemoryBucket, receipt: str) -> ErasureNotes:
    return ErasureNotes(bucket, receipt, AT)


def note_of(bucket: MemoryBucket, receipt: str) -> dict[str, object]:
    content: dict[str, object] = json.loads(bucket.objects[f"erasures/{receipt}.json"])
    return content


def test_ids_are_added_once_in_their_order() -> None:
    bucket = MemoryBucket()
    asyncio.run(notes(bucket, "r1").add(event_ids=[3, 1], session_ids=["s"]))
    asyncio.run(notes(bucket, "r1").add(event_ids=[1, 2]))
    note = note_of(bucket, "r1")
    assert (note["event_ids"], note["session_ids"]) == ([3, 1, 2], ["s"])
    assert (note["receipt"], note["at"]) == ("r1", "2026-05-01T12:00:00Z")


def test_the_index_lists_receipts_once_the_newest_first() -> None:
    bucket = MemoryBucket()
    for receipt in ("r1", "r2", "r1"):
        asyncio.run(notes(bucket, receipt).add(event_ids=[1]))
    assert json.loads(bucket.objects[INDEX]) == {"format": 1, "receipts": ["r2", "r1"]}


def test_an_erasure_that_deleted_nothing_has_an_empty_note() -> None:
    bucket = MemoryBucket()
    asyncio.run(notes(bucket, "r1").close())
    note = note_of(bucket, "r1")
    assert [note[name] for name in LISTS] == [[]] * len(LISTS)
    assert "r1" in json.loads(bucket.objects[INDEX])["receipts"]


def test_an_index_that_is_gone_forgets_no_erasure() -> None:
    bucket = MemoryBucket()
    asyncio.run(repair_index(bucket, LOG))
    assert bucket.objects == {}
    for receipt in ("first", "second"):
        asyncio.run(notes(bucket, receipt).close())
    before = bucket.objects[INDEX]
    asyncio.run(repair_index(bucket, LOG))
    assert bucket.objects[INDEX] == before
    del bucket.objects[INDEX]
    asyncio.run(repair_index(bucket, LOG))
    assert json.loads(bucket.objects[INDEX])["receipts"] == ["first", "second"]
    del bucket.objects[INDEX]
    asyncio.run(notes(bucket, "third").close())
    assert json.loads(bucket.objects[INDEX])["receipts"] == ["third", "first", "second"]


@pytest.mark.parametrize(
    "content", [b"{", b"[]", b"null", b"\xff", b'{"format": 1}', b'{"format": 2, "receipts": []}']
)
def test_an_index_that_cannot_be_read_is_made_anew_out_of_the_notes(content: bytes) -> None:
    bucket = MemoryBucket()
    for receipt in ("first", "second"):
        asyncio.run(notes(bucket, receipt).close())
    bucket.objects[INDEX] = content
    asyncio.run(notes(bucket, "third").close())
    assert json.loads(bucket.objects[INDEX]) == {
        "format": 1,
        "receipts": ["third", "first", "second"],
    }


def test_a_note_names_the_database_whose_rows_went() -> None:
    bucket = MemoryBucket()
    asyncio.run(ErasureNotes(bucket, "r1", AT, "a" * 32).close())
    assert note_of(bucket, "r1")["database_id"] == "a" * 32
