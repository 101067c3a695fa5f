"""What the bucket says about backups."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ops.backup.index import (
    INDEX_KEY,
    Backup,
    BackupContents,
    newest_verified,
    read_backup_contents,
    read_index,
)
from ops.terminal.errors import NoAnswerError

BASE, HOURLY = "20261121T030000Z-full", "20261121T040000Z-hourly"


def entry(backup: str, **changes: object) -> dict[str, object]:
    time = "2026-11-21T03:00:05Z"
    return {
        "id": backup,
        "kind": "full",
        "environment": "production",
        "finished_at": time,
        "verified_at": time,
        "migration": "0021_x",
        "events": 12,
        **changes,
    }


MANIFEST = f"backups/{HOURLY}/manifest.json"
OBJECTS: dict[str, Any] = {
    INDEX_KEY: {
        "format": 1,
        "backups": [
            entry("going", removed=True),
            entry("running", finished_at=None, verified_at=None, events=None),
            entry(HOURLY, kind="hourly"),
            entry(BASE),
        ],
    },
    MANIFEST: {
        "format": 1,
        "marker": {"event": 12, "change": 3, "log": 0},
        "tables": {
            "tracking_events": {"rows": 2, "total": 10},
            "visitors": {"rows": 0, "total": 4},
        },
    },
}


def test_the_last_backup_is_the_newest_verified_one() -> None:
    backups = read_index(OBJECTS.get)
    assert backups
    assert [backup.verified for backup in backups] == [False, True, True]
    last = newest_verified(backups)
    assert last
    assert (last.id, last.events) == (HOURLY, 12)
    assert last.finished_at
    assert last.finished_at.isoformat() == "2026-11-21T03:00:05+00:00"


def test_a_manifest_says_what_the_database_held() -> None:
    last = newest_verified(read_index(OBJECTS.get))
    assert last
    assert read_backup_contents(OBJECTS.get, last) == BackupContents(
        {"tracking_events": 10, "visitors": 4}, 12
    )
    assert read_backup_contents({INDEX_KEY: OBJECTS[INDEX_KEY]}.get, last) is None


@pytest.mark.parametrize("manifest", [{}, {"format": 1, "tables": {}}, {"format": 2}, [1]])
def test_a_manifest_that_cannot_be_read_is_damaged(manifest: object) -> None:
    last = newest_verified(read_index(OBJECTS.get))
    assert last
    with pytest.raises(NoAnswerError, match=f"{MANIFEST} cannot be read .* is damaged"):
        read_backup_contents({MANIFEST: manifest}.get, last)


def test_no_index_is_no_backup() -> None:
    assert read_index(dict[str, object]().get) is None
    assert newest_verified(None) is None


@pytest.mark.parametrize(
    "index",
    [[], {}, {"format": 2, "backups": []}, {"format": 1}, {"format": 1, "backups": [{"id": "x"}]}],
)
def test_an_index_that_cannot_be_read_is_never_taken_for_none(index: object) -> None:
    with pytest.raises(NoAnswerError, match=r"backups/index.json cannot be read .* is damaged"):
        read_index({INDEX_KEY: index}.get)


def test_the_newest_backup_is_none_from_the_future_if_there_is_another() -> None:
    now = datetime.now(UTC)
    ahead, good = (
        Backup(
            name, "production", now + timedelta(days=days), verified=True, events=1, migration="1"
        )
        for name, days in (("ahead", 365), ("good", -1))
    )
    assert newest_verified([ahead, good]) == good
    assert newest_verified([ahead]) == ahead


def test_a_time_without_an_offset_is_in_utc() -> None:
    entry = {
        "id": "b",
        "environment": "production",
        "kind": "full",
        "events": 1,
        "migration": "1",
        **dict.fromkeys(("finished_at", "verified_at"), "2026-05-01T12:00:00"),
    }
    [backup] = read_index(lambda _: {"format": 1, "backups": [entry]}) or []
    assert backup.finished_at == datetime(2026, 5, 1, 12, tzinfo=UTC)
