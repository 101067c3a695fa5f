"""Stores events that waited in R2, in their order, with the time at which they were received.

What its pixel does not take now is parked for some days (`parked_events.py`). Each is stored once,
however often a portion is repeated: the pixel may have sent it again in the meantime, or a run died
before it removed what it stored. D1 knows it by its key.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import timedelta

from services.core.clock_history import ClockHistory
from services.core.logs import Log
from services.core.ports import Batch, Clock, UnavailableError
from services.projects.pixel_cache import Pixel, PixelCache
from services.tracking.parked_events import ParkedEvents, pixel_of
from services.tracking.senders import may_send
from services.tracking.smoke_event import is_smoke_event
from services.tracking.visits import Visits
from services.tracking.waiting_queue import WaitingQueue
from services.tracking.waiting_room import (
    WaitingEvent,
    WaitingRoom,
    digest_of,
    parse_waiting_event,
)

# Of an invocation's 1,000 queries to D1, of which the other jobs of the cron need some too: three
# for each event, four for a form, and one where its pixel must be looked up.
QUERIES_OF_CRON = 450
QUERIES_OF_REQUEST = 900
QUERIES_OF_EVENT = 4
EVENTS_OF_TRANSACTION = 20
MAX_TIME = timedelta(seconds=20)
# After as many in a row the database is asked whether it answers at all.
MAX_FAILURES = 3
# How an event of another version of the Worker fails.
UNREADABLE = (ArithmeticError, AttributeError, KeyError, TypeError, ValueError)


@dataclass(frozen=True, slots=True)
class WaitingRest:
    """What still waits: the number of events to store, and the keys that nobody can read.

    `failed` of them the database does not take, though it answers.
    """

    events: int = 0
    failed: int = 0
    unreadable: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class ReplayedPortion:
    """What became of one portion. `waiting` are left, without those that are `unreadable`.

    `refused` are gone for good: their visitors decline, or a smoke test sent them. Of the `parked`
    the pixel is not there now.
    """

    stored: int
    refused: int
    parked: int
    failed: int
    unreadable: int
    waiting: int


class VisitorDeclinesError(Exception):
    """The visitor of an event asked not to be tracked, and the pixel heeds that."""


class OtherEnvironmentError(ValueError):
    """An event is another environment's, whose Worker writes into the same bucket."""


class NotTakenError(Exception):
    """The pixel of an event is unknown, inactive, or of other domains."""


@dataclass(frozen=True, slots=True)
class ReadyEvent:
    """A waiting event as the database takes it."""

    key: str
    waiting: WaitingEvent
    batch: Batch


@dataclass(frozen=True, slots=True)
class Replay:
    """Moves waiting events into the database that is meant."""

    room: WaitingRoom
    queue: WaitingQueue
    parked: ParkedEvents
    pixels: PixelCache
    visits: Visits
    history: ClockHistory
    clock: Clock
    environment: str = ""

    async def run(self, log: Log) -> WaitingRest:
        """Stores one portion beside other work; returns what still waits.

        Raises:
            UnavailableError: D1 or R2 failed, or the database is lost; the events wait on.
        """
        portion = await self.run_portion(log, QUERIES_OF_CRON)
        return WaitingRest(portion.waiting, self.queue.postponed, self.queue.unreadable)

    async def run_portion(self, log: Log, queries: int = QUERIES_OF_REQUEST) -> ReplayedPortion:
        """Stores as many events as so many queries to D1 allow.

        Raises:
            UnavailableError: D1 or R2 failed, or the database is lost; the events wait on.
        """
        counts: Counter[str] = Counter()
        passed: set[str] = set()
        end, lookups = self.clock() + MAX_TIME, self.pixels.lookups
        await self._release(log)
        try:
            while self.clock() < end:
                spent = counts["queries"] + self.pixels.lookups - lookups
                room = max(0, queries - spent) // (QUERIES_OF_EVENT + 1)
                keys = await self.queue.first(min(room, EVENTS_OF_TRANSACTION), passed)
                if not keys:
                    break
                await self._replay(keys, counts, passed)
            else:
                # Whether nothing waits any more says a list only.
                await self.queue.first(0, passed)
        finally:
            portion = self._portion(counts)
            if counts.total():
                log.info("waiting_replayed", **asdict(portion))
        return portion

    def _portion(self, counts: Mapping[str, int]) -> ReplayedPortion:
        return ReplayedPortion(
            *(counts["stored"], counts["refused"], counts["parked"], counts["failed"]),
            unreadable=len(self.queue.unreadable),
            waiting=len(self.queue),
        )

    async def _release(self, log: Log) -> None:
        """Lets parked events wait again whose pixels take them now."""
        keys = await self.parked.remove_expired(self.history, log)
        if not keys:
            return
        active = await self.pixels.active_ids()
        keys = self.parked.rotated([key for key in keys if pixel_of(key) in active])
        for pixel_id in {pixel_of(key) for key in keys}:
            # An isolate may remember it as it was.
            self.pixels.forget(pixel_id)
        released: dict[str, str] = {}
        for key, content in zip(keys, await self.parked.read_each(keys), strict=True):
            if content and (waiting_key := await self._put_back(key, content)):
                released[key] = waiting_key
        if released:
            self.queue.add(sorted(released.values(), key=lambda key: key.rpartition("/")[2]))
            await self.parked.remove([*released])
            log.info("parked_events_released", number=len(released))

    async def _put_back(self, key: str, content: bytes) -> str | None:
        try:
            waiting = self._read(content)
            await self._pixel_of(waiting)
        except VisitorDeclinesError:
            pass
        except (NotTakenError, *UNREADABLE):
            return None
        return await self.room.put_back(waiting, digest_of(key))

    async def _replay(self, keys: Sequence[str], counts: Counter[str], passed: set[str]) -> None:
        """Stores the events of some keys, and removes them from what waits."""
        events: list[ReadyEvent] = []
        settled: list[str] = []
        for key, content in zip(keys, await self.room.read_each(keys), strict=True):
            if content is None:
                # Another run has stored it.
                self.queue.remove((key,))
                continue
            try:
                events.append(await self._prepare(key, content))
            except VisitorDeclinesError:
                counts["refused"] += 1
                settled.append(key)
            except NotTakenError:
                counts[await self._park(key, parse_waiting_event(content))] += 1
                settled.append(key)
            except UNREADABLE:
                # Of another environment, or of another version of the Worker, which may come back:
                # it waits on.
                counts["unreadable"] += 1
                self.queue.set_aside(key)
        await self._remove(settled)
        await self._store(events, counts, passed)

    async def _park(self, key: str, waiting: WaitingEvent) -> str:
        """Parks an event, or drops that of a smoke test; returns which of both, as it is counted.

        Raises:
            UnavailableError: R2 failed.
        """
        if is_smoke_event(waiting.event):
            return "refused"
        await self.parked.park(waiting.event.pixel_id, key, waiting.as_bytes())
        return "parked"

    async def _prepare(self, key: str, content: bytes) -> ReadyEvent:
        """An event as it is to be stored; raises VisitorDeclinesError and NotTakenError."""
        waiting = self._read(content)
        if waiting.event.event_key is None and waiting.event.lead is None:
            # Without a key it would be stored again by a run after one that died.
            waiting = replace(waiting, event=replace(waiting.event, event_key=digest_of(key)))
        return ReadyEvent(key, waiting, await self._batch(waiting))

    def _read(self, content: bytes) -> WaitingEvent:
        """An event of this environment, or of one that is not named."""
        waiting = parse_waiting_event(content)
        if self.environment and waiting.environment not in {self.environment, ""}:
            raise OtherEnvironmentError(waiting.environment)
        return waiting

    async def _batch(self, waiting: WaitingEvent) -> Batch:
        pixel = await self._pixel_of(waiting)
        event = await self.visits.prepared(waiting.event, pixel, self.clock())
        return self.visits.batch(event, pixel, waiting.origin, waiting.received_at, waited=True)

    async def _pixel_of(self, waiting: WaitingEvent) -> Pixel:
        """The pixel that takes an event.

        Raises:
            VisitorDeclinesError: never.
            NotTakenError: not as it is now.
        """
        event = waiting.event
        pixel = await self.pixels.find(event.pixel_id, self.clock().timestamp())
        if pixel is None or not pixel.active:
            raise NotTakenError
        if pixel.rules.respects_dnt and waiting.declines:
            raise VisitorDeclinesError
        is_own = may_send(pixel.rules, waiting.sender, event.page_url)
        if not (is_own and pixel.rules.allow(event.page_url)):
            raise NotTakenError
        return pixel

    async def _store(
        self, events: Sequence[ReadyEvent], counts: Counter[str], passed: set[str]
    ) -> None:
        if not events:
            return
        try:
            are_stored = await self._record(events, counts)
        except UnavailableError:
            await self._store_singly(events, counts, passed)
            return
        stored = [
            event.key for event, is_stored in zip(events, are_stored, strict=True) if is_stored
        ]
        counts["stored"] += len(stored)
        await self._remove(stored)
        for event, is_stored in zip(events, are_stored, strict=True):
            if not is_stored:
                await self._store_again(event, counts)

    async def _store_singly(
        self, events: Sequence[ReadyEvent], counts: Counter[str], passed: set[str]
    ) -> None:
        """Stores events one by one: one that D1 cannot take keeps no other from being stored."""
        failures = 0
        for event in events:
            try:
                [is_stored] = await self._record([event], counts)
            except UnavailableError:
                failures += 1
                if failures % MAX_FAILURES == 0:
                    await self._require_database(event.waiting.event.pixel_id)
                counts["failed"] += 1
                passed.add(event.key)
                self.queue.postpone(event.key)
                continue
            failures = 0
            if is_stored:
                counts["stored"] += 1
                await self._remove([event.key])
            else:
                await self._store_again(event, counts)

    async def _require_database(self, pixel_id: str) -> None:
        """Looks a pixel up anew: a database that answers this does not take those events.

        Raises:
            UnavailableError: D1 failed.
        """
        self.pixels.forget(pixel_id)
        await self.pixels.find(pixel_id, self.clock().timestamp())

    async def _store_again(self, event: ReadyEvent, counts: Counter[str]) -> None:
        """Stores an event whose pixel may have been looked up in another database."""
        self.pixels.forget(event.waiting.event.pixel_id)
        try:
            batch = await self._batch(event.waiting)
        except VisitorDeclinesError:
            counts["refused"] += 1
        except NotTakenError:
            counts[await self._park(event.key, event.waiting)] += 1
        else:
            [is_stored] = await self._record([replace(event, batch=batch)], counts)
            # Else it is the same event of another pixel: D1 refused it before, too.
            counts["stored" if is_stored else "refused"] += 1
        await self._remove([event.key])

    async def _record(self, events: Sequence[ReadyEvent], counts: Counter[str]) -> Sequence[bool]:
        counts["queries"] += sum(len(event.batch.statements) for event in events)
        return await self.visits.record_each([event.batch for event in events])

    async def _remove(self, keys: Sequence[str]) -> None:
        await self.room.remove(keys)
        self.queue.remove(keys)
