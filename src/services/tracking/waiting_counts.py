"""How many events wait in R2, since when, and how many their pixels do not take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.core.logs import Log
from services.core.ports import Clock, UnavailableError
from services.core.stored_time import format_iso
from services.tracking.parked_events import ParkedEvents, ParkedSummary
from services.tracking.waiting_room import MAX_WAITING_EVENTS, WaitingRoom, received_at


@dataclass(frozen=True, slots=True)
class WaitingCounts:
    """The events under `waiting/` and `parked/`. `oldest` is the age of the first that waits."""

    waiting: int
    room: int
    oldest: timedelta | None
    oldest_at: datetime | None
    parked: ParkedSummary

    def as_json(self) -> Mapping[str, object]:
        """The counts for clients."""
        return {
            "waiting": self.waiting,
            "room": self.room,
            "oldest_at": self.oldest_at and format_iso(self.oldest_at),
            **self.parked.as_json(),
        }


@dataclass(frozen=True, slots=True)
class WaitingReader:
    """Counts events in R2."""

    events: WaitingRoom
    parked: ParkedEvents
    clock: Clock

    async def read(self) -> WaitingCounts:
        """The counts now.

        Raises:
            UnavailableError: R2 failed.
        """
        keys = await self.events.keys()
        oldest_at = received_at(keys[0]) if keys else None
        oldest = max(timedelta(), self.clock() - oldest_at) if oldest_at else None
        summary = await self.parked.summary()
        return WaitingCounts(len(keys), MAX_WAITING_EVENTS, oldest, oldest_at, summary)

    async def read_if_possible(self, log: Log) -> WaitingCounts | None:
        """The counts now; None if R2 does not answer."""
        try:
            return await self.read()
        except UnavailableError as error:
            log.warning("waiting_not_counted", reason=str(error))
            return None
