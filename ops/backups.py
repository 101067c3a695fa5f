"""Backups, as the Worker makes them: started and taken further over its API."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from ops.api import Api, segment
from ops.errors import NoAnswerError, OpsError

BACKUPS = "/api/backups"
VERIFIED, FAILED = "verified", "failed"
# So often a portion may bring nothing new, in a row: while the cron is at work on backups, it does.
MOST_IDLE = 40
IDLE_SECONDS = 3

Backup = dict[str, Any]
"""`id`, `state` (running, verified or failed), and how far it is: `rows` and `parts`."""

OnProgress = Callable[[int], None]


def start_backup(api: Api, label: str | None = None) -> Backup:
    """Starts a backup of the whole database."""
    started: Backup = api.send("POST", BACKUPS, {"label": label} if label else {})["data"]
    return started


def continue_backup(api: Api, backup_id: str) -> Backup:
    """Does one portion more of a backup."""
    path = f"{BACKUPS}/{segment(backup_id)}/continue"
    further: Backup = api.send("POST", path)["data"]
    return further


def list_backups(api: Api) -> Sequence[Backup]:
    """The backups that the database knows of."""
    backups: Sequence[Backup] = api.get(BACKUPS)["data"]
    return backups


def make_backup(api: Api, label: str | None, on_progress: OnProgress) -> str:
    """Makes a backup and returns its id when it is verified. Progress is told in rows.

    Raises:
        OpsError: it failed, or does not get any further.
        NoAnswerError: the Worker does not answer; its cron goes on with what was begun.
    """
    return finish_backup(api, start_backup(api, label), on_progress)


def finish_backup(api: Api, backup: Backup, on_progress: OnProgress) -> str:
    """Takes a backup that was begun to its end, as `make_backup` does."""
    backup_id = str(backup["id"])
    idle = 0
    while backup["state"] not in {VERIFIED, FAILED}:
        before = _reached(backup)
        backup = _continued(api, backup_id)
        on_progress(int(backup.get("rows") or 0))
        idle = idle + 1 if _reached(backup) == before else 0
        if idle:
            time.sleep(IDLE_SECONDS)
        if idle == MOST_IDLE:
            raise OpsError(
                f"the backup {backup_id} stays at {backup.get('rows')} rows: see its log"
            )
    if backup["state"] == FAILED:
        raise OpsError(f"the backup {backup_id} failed: {backup.get('error') or 'see its log'}")
    return backup_id


def _continued(api: Api, backup_id: str) -> Backup:
    try:
        return continue_backup(api, backup_id)
    except NoAnswerError as error:
        raise NoAnswerError(
            f"the backup {backup_id} is not finished ({error}); the cron goes on with it by itself"
        ) from None


def _reached(backup: Backup) -> tuple[object, ...]:
    return tuple(backup.get(each) for each in ("state", "rows", "parts", "parts_verified"))
