"""What the bucket says about backups."""

from __future__ import annotations

from typing import Any

import pytest

from ops.backup_index import INDEX, Held, last_backup, read_held, read_index
from ops.errors import NoAnswerError

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
        "base": None,
        "events": 12,
        **changes,
    }


def table(total: int | None, highest: int | None) -> dict[str, object]:
    return {"rows": 1, "total": total, "highest_id": highest}


OBJECTS: dict[str, Any] = {
    INDEX: {
        "format": 1,
        "backups": [
            entry("running", finished_at=None, verified_at=None, events=None),
            entry(HOURLY, base=BASE),
            entry(BASE),
        ],
    },
    f"backups/{BASE}/manifest.json": {
        "format": 1,
        "tables": {"tracking_events": table(10, 10), "visitors": table(4, None)},
    },
    f"backups/{HOURLY}/manifest.json": {
        "format": 1,
        "tables": {"tracking_events": table(None, 12)},
    },
}


def test_the_last_backup_is_the_newest_verified_one() -> None:
    backups = read_index(OBJECTS.get)
    assert backups
    assert [each.verified for each in backups] == [False, True, True]
    last = last_backup(backups)
    assert last
    assert (last.id, last.events, last.base) == (HOURLY, 12, BASE)
    assert last.finished_at
    assert last.finished_at.isoformat() == "2026-11-21T03:00:05+00:00"


def test_an_hourly_backup_adds_to_what_its_base_held() -> None:
    last = last_backup(read_index(OBJECTS.get))
    assert last
    assert read_held(OBJECTS.get, last) == Held({"tracking_events": 10, "visitors": 4}, 12)


@pytest.mark.parametrize("backup", [BASE, HOURLY])
def test_a_backup_without_all_its_manifests_is_none(backup: str) -> None:
    rest = {key: each for key, each in OBJECTS.items() if key != f"backups/{backup}/manifest.json"}
    last = last_backup(read_index(rest.get))
    assert last
    assert read_held(rest.get, last) is None


def test_no_index_is_no_backup() -> None:
    assert read_index(dict[str, object]().get) is None
    assert last_backup(None) is None


@pytest.mark.parametrize(
    "index",
    [[], {}, {"format": 2, "backups": []}, {"format": 1}, {"format": 1, "backups": [{"id": "x"}]}],
)
def test_an_index_that_cannot_be_read_is_never_taken_for_none(index: object) -> None:
    with pytest.raises(NoAnswerError, match=r"backups/index.json cannot be read .* is damaged"):
        read_index({INDEX: index}.get)
