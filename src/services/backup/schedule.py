"""When a backup of each kind is due, given those that there are."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time, timedelta

from services.backup.records import Backup, BackupKind
from services.core.stored_time import MAX_CLOCK_DIFFERENCE

# With a cron every five minutes and the time to write, less than an hour is ever lost.
HOURLY_INTERVAL = timedelta(minutes=45)
FULL_AT = time(2, 0)
PAUSE_AFTER_FAILURE = timedelta(minutes=15)


def due_kinds(backups: Sequence[Backup], now: datetime) -> Sequence[BackupKind]:
    """The kinds of backups to start now, given the newest ones, the newest first."""
    backups = without_future(backups, now)
    return [kind for kind in ("hourly", "full") if _is_due(kind, backups, now)]


def may_begin(kind: BackupKind, backups: Sequence[Backup], now: datetime) -> bool:
    """Whether none of this kind is running, or failed just now."""
    return not any(
        backup.kind == kind
        and (
            backup.state == "running"
            or (backup.state == "failed" and now - backup.started_at < PAUSE_AFTER_FAILURE)
        )
        for backup in without_future(backups, now)
    )


def _is_due(kind: BackupKind, backups: Sequence[Backup], now: datetime) -> bool:
    if not may_begin(kind, backups, now):
        return False
    if kind == "full":
        same_kind = [backup for backup in backups if backup.kind == kind]
        today = datetime.combine(now, FULL_AT, now.tzinfo)
        since = today if now >= today else today - timedelta(days=1)
        return not any(
            backup.state == "verified" and backup.started_at >= since for backup in same_kind
        )
    newest = newest_verified(backups)
    return newest is not None and now - _state_time(newest) >= HOURLY_INTERVAL


def without_future(backups: Sequence[Backup], now: datetime) -> Sequence[Backup]:
    """The backups without those dated more than an hour in the future."""
    latest = now + MAX_CLOCK_DIFFERENCE
    return [backup for backup in backups if _state_time(backup) <= latest]


def newest_verified(backups: Sequence[Backup]) -> Backup | None:
    """The verified backup of the latest state, or None."""
    verified = (backup for backup in backups if backup.state == "verified")
    return max(verified, key=_state_time, default=None)


def _state_time(backup: Backup) -> datetime:
    """The time whose state a backup holds."""
    return backup.finished_at or backup.started_at
