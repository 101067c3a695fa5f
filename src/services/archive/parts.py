"""Events outside the database: some of one pixel and one UTC day, as they lie in R2.

`<folder>/<pixel>/<day>/<batch>.ndjson.gz` holds the events, a JSON object a line, and beside it
`<batch>.json` is the manifest, written last. A batch has the name of what it holds, so that no part
is ever written over another one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass

from services.core.event_place import Cursor
from services.core.ndjson_parts import DamagedPartError, pack, unpack
from services.core.ports import Bucket

FORMAT = 1
DIGITS_OF_A_NAME = 12
PART_SUFFIX = ".ndjson.gz"

ARCHIVE = "archive"
"""The folder of what this Worker's own database gave away."""

RECEIVED = "received"
"""The folder of what others sent here."""


@dataclass(frozen=True, slots=True)
class EventsPart:
    """Some events, at least one, in the order of their time and id, each with its line."""

    pixel_id: str
    day: str
    places: Sequence[Cursor]
    lines: Sequence[str]

    @property
    def ids(self) -> list[int]:
        """The ids of the events, in their order."""
        return [place.event_id for place in self.places]

    @property
    def first(self) -> Cursor:
        """The place of the oldest event."""
        return self.places[0]

    @property
    def last(self) -> Cursor:
        """The place of the newest event."""
        return self.places[-1]

    @property
    def sha256(self) -> str:
        """The digest, in hex, of the lines, each with its line end."""
        return events_digest(self.lines)

    @property
    def name(self) -> str:
        """The name of the batch: the same events have the same one, others another one."""
        digest = self.sha256[:DIGITS_OF_A_NAME]
        return f"{self.first.event_id}-{self.last.event_id}-{digest}"

    def only(self, ids: Collection[int]) -> EventsPart | None:
        """The events with these ids, or None where there is none of them."""
        chosen = [
            (place, line)
            for place, line in zip(self.places, self.lines, strict=True)
            if place.event_id in ids
        ]
        if not chosen:
            return None
        places, lines = zip(*chosen, strict=True)
        return EventsPart(self.pixel_id, self.day, places, lines)


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a part holds: `sha256` and `bytes` of its object, `events_sha256` of its lines.

    Of what others sent, `events_sha256` stays that of all lines when some are erased.
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
    """The digest, in hex, of events' lines, each with its line end."""
    return hashlib.sha256("".join(f"{line}\n" for line in lines).encode()).hexdigest()


def part_key(folder: str, pixel_id: str, day: str, batch: str) -> str:
    """The key of a part."""
    return f"{folder}/{pixel_id}/{day}/{batch}{PART_SUFFIX}"


def manifest_of(key: str) -> str:
    """The key of a part's manifest."""
    return f"{key.removesuffix(PART_SUFFIX)}.json"


async def write_part(bucket: Bucket, folder: str, part: EventsPart, batch: str) -> Manifest:
    """Writes a part and its manifest, and reads both back.

    Raises:
        DamagedPartError: what lies there is not what was written.
        UnavailableError: R2 failed.
    """
    packed = pack(part.lines)
    manifest = Manifest(
        format=FORMAT,
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
    await bucket.put(manifest_of(key), text)
    if unpack(key, await bucket.get(key), manifest.count, manifest.sha256) != list(part.lines):
        raise DamagedPartError(f"{key} has other lines")
    if await bucket.get(manifest_of(key)) != text:
        raise DamagedPartError(f"{manifest_of(key)} is not what was written")
    return manifest


async def forget_part(bucket: Bucket, folder: str, part: EventsPart, batch: str) -> None:
    """Deletes a part that does not count, with its manifest.

    Raises:
        UnavailableError: R2 failed.
    """
    key = part_key(folder, part.pixel_id, part.day, batch)
    await bucket.delete([manifest_of(key), key])
