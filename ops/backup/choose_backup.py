"""Choosing a backup: the newest, one by its id, or the last one before a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console

from ops.backup.backup_chain import chain_ids, highest_events
from ops.backup.high_water import acceptance_time, read_mark
from ops.backup.index import INDEX_KEY, Backup, newest_verified, read_index
from ops.cloudflare.bucket import Bucket
from ops.cloudflare.target import Target
from ops.terminal.errors import OpsError, WrongUsageError
from ops.terminal.output import format_duration, note, show_table

COLUMNS = ("backup", "made (UTC)", "age", "events", "rows", "bytes", "label")
TIME_FORMAT = "%Y-%m-%d %H:%M"


def backups_in_bucket(target: Target) -> Sequence[Backup]:
    """Return the backups in the bucket, the newest first; none if it has no index.

    Raises:
        NoAnswerError: R2 does not answer, or the index is damaged.
    """
    return read_index(Bucket(target).read_json) or []


@dataclass(frozen=True, slots=True)
class BackupChooser:
    """Chooses a backup of a target; `folder` is for the manifests that it reads."""

    target: Target
    folder: Path

    def choose(
        self, backups: Sequence[Backup], backup_id: str | None, before: datetime | None
    ) -> str:
        """Return the id of the backup to use; `backup_id` need not be in the index.

        Raises:
            WrongUsageError: both an id and a time are given.
            OpsError: no verified backup fits.
        """
        if backup_id and before:
            raise WrongUsageError("say which backup: either --backup ID or --at TIME")
        if backup_id:
            self._warn_of_larger(backups, backup_id)
            return backup_id
        if not backups:
            raise OpsError(
                f"there is no backup in {self.target.bucket} ({INDEX_KEY} is missing):"
                " is it the right bucket? One that is gone the next cron run makes anew."
                " A backup whose id is known can be named with --backup"
            )
        candidates = [
            backup for backup in backups if before is None or _is_from_before(backup, before)
        ]
        newest = newest_verified(candidates)
        if newest is None:
            limit = f" from before {before:{TIME_FORMAT}} UTC" if before else ""
            raise OpsError(f"there is no verified backup{limit}: ./ppp backups shows what there is")
        best = self._best(newest, candidates)
        if best is not newest:
            note(
                f"warning: an older backup has {best.events:,} events ({best.id}), the newest one"
                f" {newest.events:,} ({newest.id}): the older one is taken"
            )
        # Also one from before an acceptance, which may have been a mistake.
        self._warn_of_larger(backups, best.id)
        return best.id

    def _best(self, newest: Backup, candidates: Sequence[Backup]) -> Backup:
        """Return the newest backup that reaches the high-water mark, else the fullest one.

        The archive and retention make a backup smaller than older ones; the highest event id tells
        them from a backup of a database that was made anew.
        """
        larger = [
            backup for backup in candidates if backup.verified and backup.events > newest.events
        ]
        if not larger:
            return newest
        mark = read_mark(self.target)
        accepted_at = acceptance_time(mark)
        if accepted_at and newest.finished_at and newest.finished_at > accepted_at:
            larger = [
                backup
                for backup in larger
                if backup.finished_at and backup.finished_at > accepted_at
            ]
        rivals = [newest, *larger]
        highest = highest_events(self.target, [backup.id for backup in rivals], self.folder)
        rivals = [backup for backup in rivals if backup.id in highest] or [newest]
        if mark:
            for backup in rivals:
                if highest.get(backup.id, 0) >= mark.highest_event:
                    return backup
        return max(rivals, key=lambda backup: highest.get(backup.id, 0))

    def _warn_of_larger(self, backups: Sequence[Backup], backup_id: str) -> None:
        events = {backup.id: backup.events for backup in backups if backup.verified}
        largest = max(events, key=lambda name: events[name], default=backup_id)
        if backup_id in events and events[largest] > events[backup_id]:
            note(
                f"warning: another backup has {events[largest]:,} events ({largest}), this one"
                f" {events[backup_id]:,} ({backup_id}). The archive, retention and erasures make"
                f" backups smaller; else take that one: --backup {largest}"
            )


def _is_from_before(backup: Backup, moment: datetime) -> bool:
    return backup.finished_at is not None and backup.finished_at <= moment


def read_time(text: str) -> datetime:
    """Read a time in ISO 8601 as UTC; without an offset it is UTC.

    Raises:
        WrongUsageError: the text is no time.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise WrongUsageError(
            f"{text!r} is no time: write 2026-11-21T03:00 (UTC), or with an offset"
        ) from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def newest_without(backups: Sequence[Backup], broken_id: str) -> str | None:
    """Return the id of the newest verified backup that does not need the broken one."""
    usable = [backup for backup in backups if broken_id not in chain_ids(backups, backup.id)]
    newest = newest_verified(usable)
    return newest.id if newest else None


def show_backups(terminal: Console, backups: Sequence[Backup]) -> None:
    """Print a table of backups."""
    now = datetime.now(UTC)
    show_table(terminal, COLUMNS, [_cells(backup, now) for backup in backups])


def backup_as_json(backup: Backup) -> dict[str, Any]:
    """Return a backup as JSON for scripts."""
    finished = backup.finished_at
    return {**asdict(backup), "finished_at": f"{finished:%Y-%m-%dT%H:%M:%SZ}" if finished else None}


def _cells(backup: Backup, now: datetime) -> Sequence[object]:
    finished = backup.finished_at
    made_at = f"{finished:{TIME_FORMAT}}" if finished else None
    age = format_duration((now - finished).total_seconds()) if finished else None
    sizes = (backup.events, backup.rows, backup.bytes)
    return (backup.id, made_at, age, *sizes, backup.label if backup.verified else "not verified")
