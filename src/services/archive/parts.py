"""Writes events to R2 as parts: some events of one pixel and one UTC day.

`<folder>/<pixel>/<day>/<batch>.ndjson.gz` holds the events, one JSON object a line. Beside it,
written last, `<batch>.json` is its manifest. The name of a batch contains a digest of its events,
so that no part overwrites a different one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass

from services.core.cursors import EventPosition
from services.core.ndjson_parts import DamagedPartError, pack, unpack
from services.core.ports import Bucket

MANIFEST_FORMAT = 1
NAME_DIGEST_DIGITS = 12
PART_SUFFIX = ".ndjson.gz"

ARCHIVE = "archive"
"""The folder of events that were in this Worker's own database."""

RECEIVED = "received"
"""The folder of batches that other deployments sent."""


@dataclass(frozen=True, slots=True)
class EventsPart:
    """At least one event, sorted by time and id: their positions, and their JSON lines."""

    pixel_id: str
    day: str
    positions: Sequence[EventPosition]
    lines: Sequence[str]

    @property
    def ids(self) -> list[int]:
        """The ids of the events, in their order."""
        return [position.event_id for position in self.positions]

    @property
    def first(self) -> EventPosition:
        """The position of the oldest event."""
        return self.positions[0]

    @property
    def last(self) -> EventPosition:
        """The position of the newest event."""
        return self.positions[-1]

    @property
    def sha256(self) -> str:
        """The SHA-256 of the lines with their line ends, in hex."""
        return events_digest(self.lines)

    @property
    def name(self) -> str:
        """The name of the batch: the same for the same events, different for different ones."""
        digest = self.sha256[:NAME_DIGEST_DIGITS]
        return f"{self.first.event_id}-{self.last.event_id}-{digest}"

    def subset(self, ids: Collection[int]) -> EventsPart | None:
        """The events with these ids, or None if the part has none of them."""
        chosen = [
            (position, line)
            for position, line in zip(self.positions, self.lines, strict=True)
            if position.event_id in ids
        ]
        if not chosen:
            return None
        positions, lines = zip(*chosen, strict=True)
        return EventsPart(self.pixel_id, self.day, positions, lines)


@dataclass(frozen=True, slots=True)
class Manifest:
    """Describes a part: `sha256` and `bytes` of its object, `events_sha256` of its lines.

    An erasure does not change the `events_sha256` of a received part.
    """

    format: int
    pixel_id: str
    day: str
    batch: str
    count: int
    first_id: int
    last_id: int
    sha256: str
    bytes: int
    events_sha256: str


def events_digest(lines: Sequence[str]) -> str:
    """The SHA-256 of events' lines with their line ends, in hex."""
    return hashlib.sha256("".join(f"{line}\n" for line in lines).encode()).hexdigest()


def part_key(folder: str, pixel_id: str, day: str, batch: str) -> str:
    """The key of a part."""
    return f"{folder}/{pixel_id}/{day}/{batch}{PART_SUFFIX}"


def part_manifest_key(key: str) -> str:
    """The key of a part's manifest."""
    return f"{key.removesuffix(PART_SUFFIX)}.json"


async def write_part(bucket: Bucket, folder: str, part: EventsPart, batch: str) -> Manifest:
    """Writes a part and its manifest, and compares what R2 gives back.

    Raises:
        DamagedPartError: R2 gave back something else.
        UnavailableError: R2 failed.
    """
    packed = pack(part.lines)
    manifest = Manifest(
        format=MANIFEST_FORMAT,
        pixel_id=part.pixel_id,
        day=part.day,
        batch=batch,
        count=packed.rows,
        first_id=part.first.event_id,
        last_id=part.last.event_id,
        sha256=packed.sha256,
        bytes=len(packed.content),
        events_sha256=part.sha256,
    )
    key = part_key(folder, part.pixel_id, part.day, batch)
    text = json.dumps(asdict(manifest)).encode()
    await bucket.put(key, packed.content)
    await bucket.put(part_manifest_key(key), text)
    if unpack(key, await bucket.get(key), manifest.count, manifest.sha256) != list(part.lines):
        raise DamagedPartError(f"{key} has other lines")
    if await bucket.get(part_manifest_key(key)) != text:
        raise DamagedPartError(f"{part_manifest_key(key)} is not what was written")
    return manifest


async def discard_part(bucket: Bucket, folder: str, part: EventsPart, batch: str) -> None:
    """Deletes a part that was not recorded, with its manifest.

    Raises:
        UnavailableError: R2 failed.
    """
    key = part_key(folder, part.pixel_id, part.day, batch)
    await bucket.delete([part_manifest_key(key), key])
