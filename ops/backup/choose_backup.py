"""Which backup is meant: the newest, one by its id, or the last one before a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from rich.console import Console

from ops.backup.backup_chain import ids_of_chain
from ops.backup.index import INDEX, Backup, last_backup, read_index
from ops.cloudflare.bucket import Bucket
from ops.cloudflare.target import Target
from ops.terminal.errors import OpsError, WrongUsageError
from ops.terminal.output import show_table, spoken

COLUMNS = ("backup", "made (UTC)", "age", "events", "rows", "bytes", "label")
TIME = "%Y-%m-%d %H:%M"


def known_backups(target: Target) -> Sequence[Backup]:
    """The backups in the bucket, the newest first; none where there is no index.

    Raises:
        NoAnswerError: R2 does not answer, or the index is damaged.
    """
    return read_index(Bucket(target).read_json) or []


def choose_backup(
    backups: Sequence[Backup], target: Target, backup_id: str | None, before: datetime | None
) -> str:
    """The id of the backup that is meant; one that the index does not know may be named.

    Raises:
        WrongUsageError: two are meant.
        OpsError: there is none.
    """
    if backup_id and before:
        raise WrongUsageError("say which backup: either --backup ID or --at TIME")
    if backup_id:
        return backup_id
    if not backups:
        raise OpsError(
            f"there is no backup in {target.bucket} ({INDEX} is missing): is it the right bucket?"
            " A backup whose id is known can be named with --backup"
        )
    found = last_backup(
        [
            each
            for each in backups
            if before is None or (each.finished_at and each.finished_at <= before)
        ]
    )
    if found is None:
        when = f" from before {before:{TIME}} UTC" if before else ""
        raise OpsError(f"there is no verified backup{when}: ./ppp backups shows what there is")
    return found.id


def read_time(text: str) -> datetime:
    """A time in ISO 8601, in UTC where it does not say.

    Raises:
        WrongUsageError: it is none.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise WrongUsageError(
            f"{text!r} is no time: write 2026-11-21T03:00 (UTC), or with an offset"
        ) from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def without(backups: Sequence[Backup], broken: str) -> str | None:
    """The newest verified backup that does not need a broken one."""
    fine = [each for each in backups if broken not in ids_of_chain(backups, each.id)]
    found = last_backup(fine)
    return found.id if found else None


def show_backups(terminal: Console, backups: Sequence[Backup]) -> None:
    """A table of backups."""
    now = datetime.now(UTC)
    show_table(terminal, COLUMNS, [_cells(each, now) for each in backups])


def as_json(backup: Backup) -> dict[str, Any]:
    """A backup for scripts."""
    finished = backup.finished_at
    return {**asdict(backup), "finished_at": f"{finished:%Y-%m-%dT%H:%M:%SZ}" if finished else None}


def _cells(backup: Backup, now: datetime) -> Sequence[object]:
    finished = backup.finished_at
    when = f"{finished:{TIME}}" if finished else None
    age = spoken((now - finished).total_seconds()) if finished else None
    kept = (backup.events, backup.rows, backup.bytes)
    return (backup.id, when, age, *kept, backup.label if backup.verified else "not verified")
