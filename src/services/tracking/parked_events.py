"""Events that waited and that their pixel does not take now: kept in R2 for some days.

A restored backup may be older than a pixel, or know it as inactive or with other domains. A key is
`parked/<pixel>/<time>-<digest>.json`: since when it is parked, and the digest of the event.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from services.core.clock_history import ClockHistory
from services.core.key_listing import keys_under
from services.core.logs import Log
from services.core.ports import Bucket, Clock
from services.core.stored_time import format_iso
from services.projects.entry_kinds import PIXEL_ID
from services.tracking.waiting_room import FORMAT_VERSION, digest_of, received_at
from services.tracking.waiting_room import PREFIX as WAITING

PREFIX = "parked/"
RETENTION = timedelta(days=7)
MAX_DELETED = 1_000
# Some of many are looked at in each run, others in the next one.
MAX_READ = 300
ROTATION = timedelta(minutes=5)
_TIME = "%Y%m%dT%H%M%S%fZ"


@dataclass(frozen=True, slots=True)
class ParkedSummary:
    """How many events are parked, by pixel, and when the first of them will be deleted."""

    by_pixel: Mapping[str, int]
    expires_at: datetime | None

    @property
    def number(self) -> int:
        """How many events are parked."""
        return sum(self.by_pixel.values())

    def as_json(self) -> Mapping[str, object]:
        """The summary for clients."""
        return {
            "parked": self.number,
            "parked_by_pixel": self.by_pixel,
            "parked_until": self.expires_at and format_iso(self.expires_at),
        }


@dataclass(frozen=True, slots=True)
class ParkedEvents:
    """The events under `parked/`. Each method raises UnavailableError when R2 fails."""

    bucket: Bucket
    clock: Clock

    async def park(self, pixel_id: str, waiting_key: str, content: bytes) -> None:
        """Keeps a copy of a waiting event."""
        folder = pixel_id if PIXEL_ID.fullmatch(pixel_id) else "unknown"
        moment = self.clock().strftime(_TIME)
        await self.bucket.put(f"{PREFIX}{folder}/{moment}-{digest_of(waiting_key)}.json", content)

    async def keys(self) -> Sequence[str]:
        """The keys of all events, those parked longest first."""
        keys = await keys_under(self.bucket, PREFIX)
        return sorted(keys, key=lambda key: key.rpartition("/")[2])

    async def keys_with_waiting(self) -> Sequence[str]:
        """The keys of all events that are not in the database: the parked and the waiting ones."""
        return [*await self.keys(), *await keys_under(self.bucket, WAITING)]

    async def read_each(self, keys: Sequence[str]) -> Sequence[bytes | None]:
        """The objects of some keys; None where it is gone."""
        return await self.bucket.get_each(keys)

    async def remove(self, keys: Sequence[str]) -> None:
        """Removes events."""
        for first in range(0, len(keys), MAX_DELETED):
            await self.bucket.delete(keys[first : first + MAX_DELETED])

    async def remove_expired(self, history: ClockHistory, log: Log) -> Sequence[str]:
        """Removes events that were parked for seven days; returns the keys of the others.

        None is removed by a clock that leapt.
        """
        now, keys = self.clock(), await self.keys()
        expired = [key for key in keys if parked_since(key) < now - RETENTION]
        if not expired:
            return keys
        if not await history.is_steady(now):
            log.warning("parked_events_stay", number=len(expired))
            return keys
        await self.remove(expired)
        numbers = Counter(pixel_of(key) for key in expired)
        log.error("parked_events_deleted", number=len(expired), pixels=dict(numbers))
        return keys[len(expired) :]

    async def summary(self) -> ParkedSummary:
        """How many events are parked, and of which pixels."""
        keys = await self.keys()
        expires_at = parked_since(keys[0]) + RETENTION if keys else None
        return ParkedSummary(dict(Counter(pixel_of(key) for key in keys)), expires_at)

    def rotated(self, keys: Sequence[str]) -> Sequence[str]:
        """As many of the keys as one run reads, others in each run."""
        if len(keys) <= MAX_READ:
            return keys
        turn = int(self.clock().timestamp() // ROTATION.total_seconds())
        first = turn * MAX_READ % len(keys)
        return [*keys[first:], *keys[:first]][:MAX_READ]


def pixel_of(key: str) -> str:
    """The pixel in a key."""
    return key.split("/")[1]


def parked_since(key: str) -> datetime:
    """The time in a key; of one that nobody can read, a time long ago."""
    return received_at(key) or datetime.fromtimestamp(0, UTC)


def person_texts(content: bytes) -> Mapping[str, object]:
    """A parked event as the columns by which it is found whether it is about a person.

    Raises:
        ValueError: it does not parse, is none, or is of another format.
    """
    fields = json.loads(content)
    if fields["format"] != FORMAT_VERSION:
        # What another version of the Worker wrote is for that one to understand.
        raise ValueError
    event = fields["event"]
    custom = event.get("custom") or {}
    lead = event.get("lead")
    return {
        "pixel_id": event.get("pixel_id"),
        "visitor_cookie": event.get("visitor_cookie"),
        "form_data": json.dumps(lead) if lead else None,
        "event_data": custom.get("data"),
        **{name: event.get(name) for name in ("page_url", "referrer_url", "page_title")},
    }
