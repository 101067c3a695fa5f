"""The events that wait in R2: the Worker stores them, portion by portion."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from ops.terminal.output import counted, format_duration
from ops.worker_api.client import Api, Row
from ops.worker_api.retries import outage_retries

WAITING = "/api/waiting"
# A portion takes 20 seconds at most, and then ends its last transaction.
MAX_PORTION_SECONDS = 120
# In a portion that stores nothing, another run stored everything, or the database takes nothing.
MAX_IDLE_PORTIONS = 3


@dataclass(frozen=True, slots=True)
class ReplayOutcome:
    """What became of the events that waited. `parked`: their pixel does not take them now."""

    stored: int
    refused: int
    parked: int
    unreadable: int
    waiting: int
    seconds: float

    def __str__(self) -> str:
        parts = [f"{counted(self.stored, 'event')} stored of what waited"]
        if self.refused:
            parts.append(f"{self.refused:,} declined by their visitors, or known already")
        if self.parked:
            parts.append(f"{self.parked:,} parked until their pixels take them, for seven days")
        if self.unreadable:
            writers = "another environment or version of the Worker"
            parts.append(f"{self.unreadable:,} of {writers} wait on")
        if self.waiting:
            parts.append(f"{self.waiting:,} that the database does not take wait on")
        return f"{', '.join(parts)}; {format_duration(self.seconds)}"


def count_waiting(api: Api) -> int:
    """Return how many events wait.

    Raises:
        NoAnswerError: the Worker or R2 does not answer.
    """
    return int(api.get(WAITING)["data"]["waiting"])


def replay_waiting(api: Api, on_progress: Callable[[int], None]) -> ReplayOutcome:
    """Have all waiting events stored; `on_progress` is told how many do not wait any more.

    A portion that got no answer is asked for again: none of its events is stored twice.

    Raises:
        OpsError: the database is lost.
        NoAnswerError: the Worker does not answer; the events wait on.
    """
    counts: Counter[str] = Counter()
    portion: Row = {"waiting": 1}
    idle_portions, started = 0, time.monotonic()
    usual_timeout, api.http.timeout = api.http.timeout, MAX_PORTION_SECONDS
    try:
        while portion["waiting"] and idle_portions < MAX_IDLE_PORTIONS:
            portion = outage_retries()(api.send, "POST", f"{WAITING}/replay")["data"]
            # A Worker of an older version holds none.
            portion = {"parked": 0, **portion}
            moved = {name: portion[name] for name in ("stored", "refused", "parked")}
            counts.update(moved)
            on_progress(counts.total())
            idle_portions = 0 if any(moved.values()) else idle_portions + 1
    finally:
        api.http.timeout = usual_timeout
    return ReplayOutcome(
        *(counts["stored"], counts["refused"], counts["parked"]),
        *(portion["unreadable"], portion["waiting"]),
        seconds=round(time.monotonic() - started, 1),
    )
