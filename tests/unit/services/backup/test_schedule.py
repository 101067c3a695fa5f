"""When a backup is due."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from services.backup.records import Backup, BackupKind, BackupProgress, BackupState, ChangeMarker
from services.backup.schedule import due_kinds, newest_verified, without_future

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


def test_backups_that_a_clock_dated_a_year_ahead_keep_no_other_from_being_made() -> None:
    ahead = [backup("full", -525_600), backup("hourly", -525_590)]
    assert due_kinds(ahead, NOW) == due_kinds([], NOW)
    assert due_kinds([*ahead, NIGHT], NOW) == due_kinds([NIGHT], NOW)
    assert without_future([*ahead, NIGHT], NOW) == [NIGHT]
