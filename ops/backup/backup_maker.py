"""Backups on demand: the Worker makes them, started and continued over its API."""

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
# A portion works for a minute (BACKUP_RUN_SECONDS) and finishes its last step.
MAX_PORTION_SECONDS = 180
# A portion is idle while another run holds the lease, or the Worker cannot be reached.
IDLE_PAUSE_SECONDS, MAX_IDLE_PORTIONS = 5, 70

BackupRow = dict[str, Any]
"""As the API shows it: `id`, `kind`, `state`, `error`, `rows`, `parts`, `parts_verified` …"""

OnProgress = Callable[[BackupRow], None]


def start_backup(api: Api, label: str | None = None) -> BackupRow:
    """Start a backup of the whole database."""
    started: BackupRow = api.send("POST", BACKUPS, {"label": label} if label else {})["data"]
    return started


def continue_backup(api: Api, backup_id: str) -> BackupRow:
    """Make one more portion of a backup, unless another run holds its lease."""
    path = f"{BACKUPS}/{path_segment(backup_id)}/continue"
    continued: BackupRow = api.send("POST", path)["data"]
    return continued


def list_backups(api: Api) -> Sequence[BackupRow]:
    """Return the newest hundred backups of the database, the newest first."""
    backups: Sequence[BackupRow] = api.get(BACKUPS)["data"]
    return backups


@dataclass(frozen=True, slots=True)
class BackupMaker:
    """Makes a backup until it is verified. `pause` waits between idle portions."""

    api: Api
    on_progress: OnProgress
    pause: Callable[[], None] = lambda: time.sleep(IDLE_PAUSE_SECONDS)

    def make(self, label: str | None) -> str:
        """Make a backup and return its id when it is verified.

        A running one is continued instead: it holds the moment at which it ends.

        Raises:
            OpsError: it failed, or makes no progress.
            NoAnswerError: the Worker does not answer; its cron continues the backup.
        """
        with _portion_timeout(self.api):
            backup = self._running_backup() or start_backup(self.api, label)
            idle_portions = 0
            while backup["state"] == RUNNING:
                before, backup = backup, self._continue(backup)
                self.on_progress(backup)
                idle_portions = idle_portions + 1 if backup == before else 0
                if idle_portions > MAX_IDLE_PORTIONS:
                    raise OpsError(f"the backup {backup['id']} gets no further: see the log")
                # The portion of an empty table changes nothing either.
                if idle_portions > 1:
                    self.pause()
        if backup["state"] != VERIFIED:
            raise OpsError(f"the backup {backup['id']} failed: {backup['error'] or 'see the log'}")
        return str(backup["id"])

    def _running_backup(self) -> BackupRow | None:
        return next(filter(_is_running, list_backups(self.api)), None)

    def _continue(self, backup: BackupRow) -> BackupRow:
        """Return the backup after a portion, or unchanged if no complete answer arrived."""
        try:
            return continue_backup(self.api, backup["id"])
        except UnreachableError:
            return backup
        except NoAnswerError as error:
            raise NoAnswerError(
                f"the backup {backup['id']} is not finished ({error}); "
                "the cron goes on with it by itself"
            ) from None


def _is_running(backup: BackupRow) -> bool:
    return bool(backup["kind"] == MANUAL and backup["state"] == RUNNING)


@contextmanager
def _portion_timeout(api: Api) -> Iterator[None]:
    """Extend the client's timeout to the length of a portion."""
    usual_timeout = api.http.timeout
    api.http.timeout = MAX_PORTION_SECONDS
    try:
        yield
    finally:
        api.http.timeout = usual_timeout
