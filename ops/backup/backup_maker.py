"""Backups, as the Worker makes them: started and taken further over its API."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ops.terminal.errors import NoAnswerError, OpsError
from ops.worker_api.client import Api, path_segment
from ops.worker_api.retries import UnreachableError

BACKUPS = "/api/backups"
MANUAL, RUNNING, VERIFIED = "manual", "running", "verified"
# A portion works for a minute (BACKUP_RUN_SECONDS) and ends its last step.
LONGEST_PORTION = 180
# Another run is at work on it, for as long as its lease, or the Worker is out of reach.
IDLE_SECONDS, MAX_IDLE = 5, 70

Backup = dict[str, Any]
"""As the API shows it: `id`, `kind`, `state`, `error`, `rows`, `parts`, `parts_verified` …"""

OnProgress = Callable[[Backup], None]


def start_backup(api: Api, label: str | None = None) -> Backup:
    """Starts a backup of the whole database."""
    started: Backup = api.send("POST", BACKUPS, {"label": label} if label else {})["data"]
    return started


def continue_backup(api: Api, backup_id: str) -> Backup:
    """Does one portion more of a backup, unless another run is at work on it."""
    path = f"{BACKUPS}/{path_segment(backup_id)}/continue"
    further: Backup = api.send("POST", path)["data"]
    return further


def list_backups(api: Api) -> Sequence[Backup]:
    """The newest hundred backups that the database knows of, the newest first."""
    backups: Sequence[Backup] = api.get(BACKUPS)["data"]
    return backups


@dataclass(frozen=True, slots=True)
class BackupMaker:
    """Makes a backup on demand, to its end. `pause` waits where nothing else helps."""

    api: Api
    on_progress: OnProgress
    pause: Callable[[], None] = lambda: time.sleep(IDLE_SECONDS)

    def make(self, label: str | None) -> str:
        """Makes a backup and returns its id when it is verified.

        One that is under way is taken to its end: it holds the moment at which it ends.

        Raises:
            OpsError: it failed, or does not get any further.
            NoAnswerError: the Worker does not answer; its cron goes on with what was begun.
        """
        with _patient(self.api):
            backup = self._under_way() or start_backup(self.api, label)
            idle = 0
            while backup["state"] == RUNNING:
                before, backup = backup, self._continued(backup)
                self.on_progress(backup)
                idle = idle + 1 if backup == before else 0
                if idle > MAX_IDLE:
                    raise OpsError(f"the backup {backup['id']} gets no further: see the log")
                # An empty table is a portion without anything to tell.
                if idle > 1:
                    self.pause()
        if backup["state"] != VERIFIED:
            raise OpsError(f"the backup {backup['id']} failed: {backup['error'] or 'see the log'}")
        return str(backup["id"])

    def _under_way(self) -> Backup | None:
        known = list_backups(self.api)
        return next((each for each in known if _is_under_way(each)), None)

    def _continued(self, backup: Backup) -> Backup:
        """The backup after a portion; as it was, where nothing whole came back."""
        try:
            return continue_backup(self.api, backup["id"])
        except UnreachableError:
            return backup
        except NoAnswerError as error:
            raise NoAnswerError(
                f"the backup {backup['id']} is not finished ({error}); "
                "the cron goes on with it by itself"
            ) from None


def _is_under_way(backup: Backup) -> bool:
    return bool(backup["kind"] == MANUAL and backup["state"] == RUNNING)


@contextmanager
def _patient(api: Api) -> Iterator[None]:
    """Waits for an answer as long as a portion takes."""
    usual = api.http.timeout
    api.http.timeout = LONGEST_PORTION
    try:
        yield
    finally:
        api.http.timeout = usual
