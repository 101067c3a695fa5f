"""What a full backup holds: the jobs that move or delete rows take nothing else."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

# A job waits while its last full backup is older.
MAX_BACKUP_AGE = timedelta(days=1)
# The outcome of a run that waits for a backup.
NO_BACKUP = "no_backup"


@dataclass(frozen=True, slots=True)
class BackedUpRows:
    """The rows of a verified full backup: events up to an id, other rows older than a time."""

    max_event_id: int
    before: datetime


FindBackedUpRows = Callable[[datetime], Awaitable[BackedUpRows | None]]
"""Finds the rows of a full backup that is younger than a day at a time; None if there is none."""
