"""Stores events that waited in R2, in their order, with the time at which they were received.

Each is stored once: the pixel may have sent it again in the meantime, and D1 knows it by its key.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from services.core.logs import Log
from services.core.ports import Clock, NotStoredError
from services.projects.pixel_cache import PixelCache
from services.tracking.visits import Visits
from services.tracking.waiting_room import WaitingEvent, WaitingRoom

# Each takes up to four of an invocation's 1,000 queries to D1, which the other jobs need too.
MAX_EVENTS_OF_REPLAY = 150
# With those that cannot be read.
MAX_OBJECTS_OF_REPLAY = 500
UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class WaitingRest:
    """What still waits: the number of events to store, and the keys that nobody can read."""

    events: int = 0
    unreadable: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Replay:
    """Moves waiting events into the database that is meant."""

    room: WaitingRoom
    pixels: PixelCache
    visits: Visits
    clock: Clock

    async def run(self, log: Log) -> WaitingRest:
        """Stores one portion; returns what still waits.

        Raises:
            UnavailableError: D1 or R2 failed, or the database is lost; the events wait on.
        """
        keys = await self.room.keys()
        if not keys:
            return WaitingRest()
        unreadable: list[str] = []
        counts: Counter[str] = Counter({"stored": 0, "refused": 0, UNREADABLE: 0})
        for key in keys[:MAX_OBJECTS_OF_REPLAY]:
            outcome = await self._replay(key)
            counts[outcome] += 1
            if outcome == UNREADABLE:
                unreadable.append(key)
            if counts["stored"] + counts["refused"] == MAX_EVENTS_OF_REPLAY:
                break
        waiting = len(keys) - counts["stored"] - counts["refused"]
        log.info("waiting_replayed", **counts, waiting=waiting)
        return WaitingRest(max(0, waiting - len(unreadable)), unreadable)

    async def _replay(self, key: str) -> str:
        try:
            waiting = await self.room.read(key)
            outcome = "stored" if waiting and await self._store(waiting) else "refused"
        except (AttributeError, KeyError, TypeError, ValueError):
            # Of another version of the Worker, which may come back: it waits on.
            return UNREADABLE
        except NotStoredError:
            # The same event of another pixel: D1 refused it before, too.
            outcome = "refused"
        await self.room.remove(key)
        return outcome

    async def _store(self, waiting: WaitingEvent) -> bool:
        """Stores an event, unless its pixel does not take it."""
        event = waiting.event
        pixel = await self.pixels.find(event.pixel_id, self.clock().timestamp())
        if pixel is None or not pixel.active:
            return False
        if pixel.rules.respects_dnt and waiting.declines:
            return False
        if not pixel.rules.allow(event.page_url):
            return False
        await self.visits.record(event, pixel, waiting.origin, waiting.received_at)
        return True
