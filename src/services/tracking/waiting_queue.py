"""The keys of waiting events in their order, as an isolate remembers them: a cache, never a truth.

Of 51,000 waiting events a list takes 51 requests to R2, too many for each of 170 portions.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Sequence
from datetime import timedelta
from itertools import islice

from services.core.ports import Clock
from services.tracking.waiting_room import WaitingRoom

# Events that came later are seen after this time, or when all those before them are stored.
MAX_AGE = timedelta(minutes=5)


class WaitingQueue:
    """What waits, the oldest first, without what this Worker cannot read; last what failed."""

    def __init__(self, room: WaitingRoom, clock: Clock) -> None:
        self._room = room
        self._clock = clock
        self._keys: deque[str] = deque()
        self._unreadable: set[str] = set()
        self._postponed: set[str] = set()
        self._until = clock()

    def __len__(self) -> int:
        return len(self._keys)

    @property
    def unreadable(self) -> Sequence[str]:
        """The keys of events of another version of the Worker, which wait on."""
        return sorted(self._unreadable)

    @property
    def postponed(self) -> int:
        """How many of them the database did not take."""
        return sum(key in self._postponed for key in self._keys)

    async def first(self, number: int, passed: Collection[str]) -> Sequence[str]:
        """The first keys, except those that are passed over.

        Raises:
            UnavailableError: R2 failed.
        """
        if len(self._keys) <= len(passed) or self._clock() >= self._until:
            await self._list()
        return list(islice((key for key in self._keys if key not in passed), number))

    def remove(self, keys: Collection[str]) -> None:
        """Forgets keys whose events do not wait any more."""
        self._keys = deque(key for key in self._keys if key not in keys)

    def add(self, keys: Iterable[str]) -> None:
        """Puts events that came back behind those that are known."""
        self._keys.extend(keys)

    def set_aside(self, key: str) -> None:
        """Leaves an event where it is: another version of the Worker can read it."""
        self._unreadable.add(key)
        self.remove((key,))

    def postpone(self, key: str) -> None:
        """Puts an event that the database does not take behind all others."""
        self._postponed.add(key)
        self.remove((key,))
        self._keys.append(key)

    async def _list(self) -> None:
        keys = await self._room.keys()
        self._unreadable.intersection_update(keys)
        self._postponed.intersection_update(keys)
        waiting = [key for key in keys if key not in self._unreadable]
        self._keys = deque(sorted(waiting, key=self._postponed.__contains__))
        self._until = self._clock() + MAX_AGE
