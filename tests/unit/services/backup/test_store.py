"""An index of the backups that cannot be read is made anew, out of what cannot be wrong with it."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from services.backup.records import Backup, BackupProgress, ChangeMarker
from services.backup.store import INDEX, BackupStore, entry_of_manifest, parse_index
from services.core.logs import Log
from services.loss.high_water_mark import HighWaterMark
from tests.unit.memory import MemoryBucket

NOW = datetime(2026, 5, 10, 12, tzinfo=UTC)
LOG = Log("info", "test")


def backup(backup_id: str, hour: int) -> Backup:
    at = NOW.replace(hour=hour)
    progress = BackupProgress("verify", ChangeMarker(), ChangeMarker(), "0022_add_backups.sql")
    progress.totals = {"tracking_events": hour}
    finished = Backup(backup_id, "full", None, at, progress, state="verified", finished_at=at)
    return replace(finished, verified_at=at)


def store_with(*backups: Backup) -> tuple[BackupStore, MemoryBucket]:
    bucket = MemoryBucket()
    store = BackupStore(bucket, "production")
    for finished in backups:
        asyncio.run(store.finish(finished))
    return store, bucket


NONSENSE = [
    *(b"", b"{", b"[]", b"null", b"\xff", b'{"format": 1}', b'{"format": 2, "backups": []}'),
    *(b'{"format": 1, "backups": 5}', b'{"format": 1, "backups": [5]}'),
    *(b'{"format": 1, "backups": [{}]}', b'{"backups": []}'),
]


@pytest.mark.parametrize("content", NONSENSE)
def test_an_index_that_cannot_be_read_is_made_anew_out_of_the_manifests(
    content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    store, bucket = store_with(backup("early", 1), backup("late", 5), backup("damaged", 9))
    entries = [entry for entry in asyncio.run(store.entries()) if entry["id"] != "damaged"]
    bucket.objects["backups/damaged/manifest.json"] = b"{"
    bucket.objects[INDEX] = content
    assert asyncio.run(store.entries()) == []
    asyncio.run(store.repair_index(LOG))
    assert asyncio.run(store.entries()) == entries
    assert [entry["id"] for entry in entries] == ["late", "early"]
    asyncio.run(store.repair_index(LOG))
    assert capsys.readouterr().out.count("backup_index_unreadable") == 1


def test_an_index_that_is_gone_is_made_anew_too() -> None:
    store, bucket = store_with(backup("early", 1), backup("late", 5))
    entries = asyncio.run(store.entries())
    del bucket.objects[INDEX]
    asyncio.run(store.repair_index(LOG))
    assert asyncio.run(store.entries()) == entries


def with_totals(backup_id: str, hour: int, event: int) -> Backup:
    finished = backup(backup_id, hour)
    finished.progress.totals = {"tracking_events": event - 1, "projects": 2, "pixels": 3}
    finished.progress.marker = ChangeMarker(event=event)
    return finished


def test_the_newest_backup_and_the_fullest_stand_for_a_mark() -> None:
    store, bucket = store_with()
    assert asyncio.run(store.rebuilt_mark()) is None
    for made in (with_totals("full", 1, 900), with_totals("small", 3, 7), with_totals("new", 5, 8)):
        asyncio.run(store.finish(made, "a" * 32))
    mark = HighWaterMark(
        *("a" * 32, 900, 899, 2, 3, "2026-05-10T01:00:00Z"),
        counts={"events": 899, "archive_batches": 0, "persons": 0},
        counted_at="2026-05-10 01:00:00",
    )
    assert asyncio.run(store.rebuilt_mark()) == mark
    del bucket.objects[INDEX]
    assert asyncio.run(store.rebuilt_mark()) == mark
    for key in list(bucket.objects):
        bucket.objects[key] = b"{"
    assert asyncio.run(store.rebuilt_mark()) is None


def test_backups_of_earlier_versions_name_no_database_and_give_no_mark() -> None:
    store, _ = store_with(with_totals("full", 1, 900))
    assert asyncio.run(store.rebuilt_mark()) is None


def test_a_good_index_and_none_at_all_stay_as_they_are() -> None:
    store, bucket = store_with(backup("early", 1))
    before = dict(bucket.objects)
    asyncio.run(store.repair_index(LOG))
    assert bucket.objects == before
    empty, bucket = store_with()
    asyncio.run(empty.repair_index(LOG))
    assert bucket.objects == {}


def test_a_damaged_index_keeps_no_backup_from_being_finished() -> None:
    store, bucket = store_with()
    bucket.objects[INDEX] = b"{"
    asyncio.run(store.finish(backup("next", 3)))
    assert [entry["id"] for entry in parse_index(bucket.objects[INDEX]) or []] == ["next"]


@pytest.mark.parametrize("content", [None, *NONSENSE])
def test_a_manifest_that_cannot_be_read_is_no_entry(content: bytes | None) -> None:
    assert entry_of_manifest(content) is None


def test_a_manifest_of_another_format_is_no_entry() -> None:
    _, bucket = store_with(backup("early", 1))
    manifest = json.loads(bucket.objects["backups/early/manifest.json"])
    assert entry_of_manifest(json.dumps(manifest).encode())
    assert entry_of_manifest(json.dumps({**manifest, "format": 2}).encode()) is None


def test_a_backup_is_whole_while_its_manifest_and_parts_are_there() -> None:
    store, bucket = store_with()
    early = backup("early", 1)
    asyncio.run(store.put_part(early, "visitors", "walk", ['{"id":"a"}']))
    asyncio.run(store.finish(early, "this"))
    [part] = [key for key in bucket.objects if key.endswith(".gz")]

    def is_whole(database_id: str = "this") -> bool:
        return asyncio.run(store.holds_all_of("early", database_id))

    assert is_whole()
    assert not is_whole("another")
    assert not asyncio.run(store.holds_all_of("late", "this"))
    content = bucket.objects.pop(part)
    assert not is_whole()
    bucket.objects[part] = content
    key = "backups/early/manifest.json"
    manifest = json.loads(bucket.objects[key])
    for damaged in (b"", b"{", b"[]", b'{"format": 1, "parts": [{}]}', b'{"format": 1}'):
        bucket.objects[key] = damaged
        assert not is_whole()
    # As earlier versions wrote it.
    del manifest["database_id"]
    bucket.objects[key] = json.dumps(manifest).encode()
    assert is_whole("another")
