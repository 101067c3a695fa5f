"""When a backup is due, and which ones are retained."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from services.backup.backup_run import due_kinds, newest_verified
from services.backup.records import Backup, BackupKind, BackupProgress, BackupState, ChangeMarker
from services.backup.store import ids_to_retain

NOW = datetime(2026, 5, 10, 12, tzinfo=UTC)


def backup(kind: BackupKind, minutes: int, state: BackupState = "verified") -> Backup:
    """A backup that began so many minutes ago, and ended in the same one."""
    at = NOW - timedelta(minutes=minutes)
    progress = BackupProgress("verify", ChangeMarker(), ChangeMarker(), "0022_add_backups.sql")
    ended = at if state == "verified" else None
    return Backup(f"{kind}-{minutes}", kind, None, at, progress, state=state, finished_at=ended)


NIGHT = backup("full", 10 * 60)
YESTERDAY = backup("full", 34 * 60)


@pytest.mark.parametrize(
    ("backups", "due"),
    [
        ([], ["full"]),
        ([backup("full", 1, "running")], []),
        ([backup("full", 14, "failed")], []),
        ([backup("full", 16, "failed")], ["full"]),
        ([NIGHT], ["hourly"]),
        ([YESTERDAY], ["hourly", "full"]),
        ([backup("hourly", 44), NIGHT], []),
        ([backup("hourly", 45), NIGHT], ["hourly"]),
        ([backup("manual", 44), NIGHT], []),
        ([backup("hourly", 50, "running"), NIGHT], []),
        ([backup("hourly", 14, "failed"), NIGHT], []),
        ([backup("full", 50, "running"), YESTERDAY], ["hourly"]),
        ([backup("manual", 1)], ["full"]),
    ],
)
def test_kinds_that_are_due(backups: list[Backup], due: list[BackupKind]) -> None:
    assert due_kinds(backups, NOW) == due


def test_a_full_backup_is_due_at_two_in_the_morning() -> None:
    at = NOW.replace(hour=1, minute=59)
    backups = [backup("full", 34 * 60 - 1)]
    assert "full" not in due_kinds(backups, at)
    assert "full" in due_kinds(backups, at + timedelta(minutes=1))


def test_the_newest_verified_backup_holds_the_latest_state() -> None:
    backups = [backup("full", 1, "running"), backup("hourly", 50), backup("full", 200)]
    assert newest_verified(backups) == backups[1]
    assert newest_verified(backups[:1]) is None


def entry(
    name: str, kind: BackupKind, days: float, previous: str | None = None
) -> dict[str, object]:
    finished_at = (NOW - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"id": name, "kind": kind, "finished_at": finished_at, "previous": previous}


def test_each_kind_has_its_retention() -> None:
    entries = [
        *(entry("hour", "hourly", 1.9), entry("old hour", "hourly", 2.1)),
        *(entry("night", "full", 29), entry("second of a month", "full", 38)),
        entry("first of a month", "full", 39),
        *(entry("asked", "manual", 365), entry("asked long ago", "manual", 367)),
        entry("first of last year's May", "full", 370),
    ]
    assert ids_to_retain(entries, NOW) == {"hour", "night", "first of a month", "asked"}


def test_backups_that_a_retained_one_continues_are_retained() -> None:
    entries = [
        entry("third", "hourly", 1, "second"),
        entry("second", "hourly", 40, "first"),
        entry("first", "full", 41),
        entry("other", "full", 40.5),
    ]
    assert ids_to_retain(entries, NOW) == {"third", "second", "first"}


def test_a_backup_that_is_being_removed_is_not_retained() -> None:
    assert ids_to_retain([{**entry("night", "full", 1), "removed": True}], NOW) == set()
