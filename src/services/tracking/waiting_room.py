"""Events that D1 could not take, in R2 until it can again: bounded, each once.

A key is `waiting/<shard>/<time>-<digest>.json`. The digest is that of what makes two events the
same one, so that a pixel that sends an event again finds it here; nothing personal is in it. The
shard is the beginning of the digest: one list of it says whether the event is here, and whether
there is room.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from services.core.key_listing import keys_under
from services.core.ports import Bucket, NewId
from services.core.request_origin import Location, RequestOrigin
from services.core.text import read_object
from services.tracking.attribution import Touch
from services.tracking.custom_events import CustomEvent
from services.tracking.events import Event, Size
from services.tracking.form_data import Lead
from services.tracking.repeats import event_digest

PREFIX = "waiting/"
FORMAT_VERSION = 1
SHARD_CHARACTERS = 2
# Of each of the 256 shards: 51,200 events together.
MAX_EVENTS_OF_SHARD = 200
MAX_WAITING_EVENTS = 16**SHARD_CHARACTERS * MAX_EVENTS_OF_SHARD
_TIME = "%Y%m%dT%H%M%S%fZ"
_SECONDS_CHARACTERS = len("20260501T120000")


class UnreadableEventError(ValueError):
    """The object in R2 is no waiting event of this format."""


@dataclass(frozen=True, slots=True)
class WaitingEvent:
    """An event as it was received. `declines`: its visitor's browser asked not to be tracked.

    `sender` is the page that the browser itself said it sent from. `environment` is that of the
    Worker; empty where an older version wrote it.
    """

    event: Event
    origin: RequestOrigin
    received_at: datetime
    declines: bool
    sender: str | None = None
    environment: str = ""

    def as_bytes(self) -> bytes:
        """The object for R2."""
        return json.dumps(
            {
                "format": FORMAT_VERSION,
                "environment": self.environment,
                "received_at": self.received_at.isoformat(),
                "declines": self.declines,
                "sender": self.sender,
                "origin": asdict(self.origin),
                "event": asdict(self.event),
            }
        ).encode()


def parse_waiting_event(content: bytes) -> WaitingEvent:
    """The event in an object of R2.

    Raises:
        UnreadableEventError: it does not parse, or is of another format.
    """
    try:
        fields = _fields(content.decode())
        origin = fields["origin"]
        return WaitingEvent(
            event=_event(fields["event"]),
            origin=RequestOrigin(**{**origin, "location": Location(**origin["location"])}),
            received_at=datetime.fromisoformat(fields["received_at"]).astimezone(UTC),
            declines=bool(fields["declines"]),
            sender=_sender(fields),
            environment=str(fields.get("environment", "")),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise UnreadableEventError(f"a field is missing or wrong: {type(error).__name__}") from None


@dataclass(frozen=True, slots=True)
class WaitingRoom:
    """The events under `waiting/`. Each method raises UnavailableError when R2 fails."""

    bucket: Bucket
    new_id: NewId

    async def add(self, waiting: WaitingEvent) -> bool:
        """Adds an event that is not here yet; False if there is no room for it."""
        digest = event_digest(waiting.event) or self.new_id()
        shard = f"{PREFIX}{digest[:SHARD_CHARACTERS]}/"
        keys = (await self.bucket.page(shard, None)).names
        if any(key.endswith(f"-{digest}.json") for key in keys):
            return True
        if len(keys) >= MAX_EVENTS_OF_SHARD:
            return False
        key = f"{shard}{waiting.received_at.strftime(_TIME)}-{digest}.json"
        await self.bucket.put(key, waiting.as_bytes())
        return True

    async def put_back(self, waiting: WaitingEvent, digest: str) -> str | None:
        """Adds an event that was parked, under the digest of its key; None if there is no room."""
        shard = f"{PREFIX}{digest[:SHARD_CHARACTERS]}/"
        if len((await self.bucket.page(shard, None)).names) >= MAX_EVENTS_OF_SHARD:
            return None
        key = f"{shard}{waiting.received_at.strftime(_TIME)}-{digest}.json"
        await self.bucket.put(key, waiting.as_bytes())
        return key

    async def keys(self) -> Sequence[str]:
        """The keys of all events, in the order in which they were received."""
        keys = await keys_under(self.bucket, PREFIX)
        return sorted(keys, key=lambda key: key.rpartition("/")[2])

    async def read_each(self, keys: Sequence[str]) -> Sequence[bytes | None]:
        """The objects of some keys; None where it is gone."""
        return await self.bucket.get_each(keys)

    async def remove(self, keys: Sequence[str]) -> None:
        """Removes events, at most 1,000."""
        await self.bucket.delete(keys)


def received_at(key: str) -> datetime | None:
    """The time in a key, to the second; None of one that nobody can read."""
    moment = key.rpartition("/")[2].partition("-")[0]
    try:
        return datetime.fromisoformat(moment[:_SECONDS_CHARACTERS]).replace(tzinfo=UTC)
    except ValueError:
        return None


def digest_of(key: str) -> str:
    """The digest in a key: of two events that are the same one it is the same."""
    return key.rpartition("-")[2].removesuffix(".json")


def _fields(text: str) -> Mapping[str, Any]:
    fields = read_object(text)
    if fields.get("format") != FORMAT_VERSION:
        raise ValueError(f"it is not of format {FORMAT_VERSION}")
    return fields


def _sender(fields: Mapping[str, Any]) -> str | None:
    """The sender; one of an older version of the Worker has none."""
    sender = fields.get("sender")
    if sender is not None and not isinstance(sender, str):
        raise TypeError("sender")
    return sender


def _event(fields: Mapping[str, Any]) -> Event:
    parts = {
        name: part(**fields[name]) if fields[name] else None
        for name, part in (
            *(("touch", Touch), ("lead", Lead), ("custom", CustomEvent)),
            *(("viewport", Size), ("screen", Size)),
        )
    }
    event = Event(**{**fields, **parts})
    if not isinstance(event.pixel_id, str) or not isinstance(event.page_url, str):
        raise TypeError("pixel_id, page_url")
    return event
