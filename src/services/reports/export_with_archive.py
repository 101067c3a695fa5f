"""The events of an export, those in the archive included, newest first.

What is newer than anything archived is read from the database page by page (`export_pages`).
Below that, events of both lie between each other: the parts of the archive are read and checked
before the answer begins, so that it is known which events follow and where to go on.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

from services.archive.batches import FIND_BATCHES, MAX_BATCHES, ArchiveBatch, read_batch
from services.archive.parts import ARCHIVE, part_key
from services.core.cursors import EventPosition, event_position
from services.core.json_lines import FEWEST_ROWS
from services.core.ndjson_parts import DamagedPartError, unpack
from services.core.ports import Bucket, Database, UnavailableError
from services.reports.export_pages import (
    END_OF_PART,
    LEFT_MEANWHILE,
    SIZE_OF_PART,
    Asked,
    Format,
    Part,
    read_pages,
    read_part,
)

# What one answer takes from the archive. Parts wait compressed, and are read one after the other.
MAX_ARCHIVED = 10_000
MAX_PARTS = 100
MAX_BYTES = 8 * 2**20
# How often the archive may change while an export looks where to begin.
ATTEMPTS = 5

# The events in the database that lie between those of the archive.
BETWEEN_ARCHIVED = f"""
SELECT timestamp, id FROM tracking_events
WHERE pixel_id = ?1 ->> 'pixel_id' AND timestamp >= ?1 ->> 'from'
  AND timestamp <= ?1 ->> '$.border.timestamp'
  AND (timestamp < ?1 ->> '$.border.timestamp' OR id < ?1 ->> '$.border.event_id')
ORDER BY timestamp DESC, id DESC LIMIT {MAX_ARCHIVED + 1}
"""


@dataclass(frozen=True, slots=True)
class Item:
    """An event among those of the archive: a line of a part, or of the database (part None)."""

    place: EventPosition
    part: int | None
    line: int


@dataclass(frozen=True, slots=True)
class LoadedPart:
    """A part of the archive as it lies there, found whole."""

    batch: ArchiveBatch
    key: str
    content: bytes

    def lines(self) -> Sequence[str]:
        """Its lines.

        Raises:
            DamagedPartError: it is not what was archived.
        """
        return unpack(self.key, self.content, self.batch.events, self.batch.sha256)


@dataclass(frozen=True, slots=True)
class OlderEvents:
    """The events from the newest archived one on; `next_cursor` is None where no more follow."""

    items: Sequence[Item]
    parts: Sequence[LoadedPart]
    next_cursor: str | None


NOTHING_OLDER = OlderEvents((), (), None)


@dataclass(frozen=True, slots=True)
class Events:
    """What an answer holds: a part of the database, then what is older."""

    recent: Part
    older: OlderEvents

    @property
    def next_cursor(self) -> str | None:
        """Where to go on, or None at the end."""
        return self.older.next_cursor if self.recent.is_whole else str(self.recent.last)


@dataclass(frozen=True, slots=True)
class _Snapshot:
    """Both at the same moment; `between` are the database's events below the newest batch."""

    recent: Part
    batches: Sequence[ArchiveBatch]
    between: Sequence[EventPosition]


async def find_events(database: Database, bucket: Bucket, asked: Asked) -> Events:
    """The events that an answer holds.

    Raises:
        UnavailableError: D1 or R2 failed, or a part of the archive is not what was archived.
    """
    snapshot = await _snapshot(database, asked)
    recent = snapshot.recent
    if not recent.is_whole or not snapshot.batches:
        return Events(recent, NOTHING_OLDER)
    left = min(asked.most - recent.events, MAX_ARCHIVED)
    if left == 0:
        return Events(recent, replace(NOTHING_OLDER, next_cursor=str(recent.last)))
    try:
        older = await _older(bucket, replace(asked, before=recent.last, most=left), snapshot)
    except DamagedPartError as error:
        raise UnavailableError(f"a part of the archive is damaged: {error}") from error
    return Events(recent, older)


async def read_events(
    database: Database, events: Events, written: Format
) -> AsyncGenerator[Sequence[str], None]:
    """The lines of the events, page by page; none of them is empty.

    Raises:
        UnavailableError: D1 failed, or events left it; what was given is a beginning only.
    """
    async for page in read_pages(database, events.recent, written):
        yield page
    parts, items = _Unpacked(events.older), events.older.items
    for start in range(0, len(items), FEWEST_ROWS):
        page_items = items[start : start + FEWEST_ROWS]
        stored = await _stored_lines(database, page_items, written)
        yield [
            stored[item.place.event_id]
            if item.part is None
            else written.archived(parts.line(item.part, item.line))
            for item in page_items
        ]


async def _snapshot(database: Database, asked: Asked) -> _Snapshot:
    """Where the archive begins is known only when it was read, and must still be so then."""
    batches: Sequence[ArchiveBatch] = ()
    for _ in range(ATTEMPTS):
        floor = _just_before_all(asked)
        border = EventPosition("", 0)
        if batches:
            floor = max(floor, min(batches[0].last, _just_before(asked.before)))
            border = _just_after(floor)
        said = {
            "pixel_id": asked.pixel_id,
            "from": asked.start,
            "before": asdict(asked.before),
            "most": asked.most,
            "floor": asdict(floor),
            "border": asdict(border),
        }
        statements = (END_OF_PART, SIZE_OF_PART, BETWEEN_ARCHIVED, FIND_BATCHES)
        answers = await database.batch_rows(statements, json.dumps(said))
        end, size, between, found = answers
        same = [read_batch(row) for row in found]
        if same == list(batches):
            recent = read_part(asked, floor, end, size)
            return _Snapshot(recent, batches, [event_position(row) for row in between])
        batches = same
    raise UnavailableError(LEFT_MEANWHILE)


async def _older(bucket: Bucket, asked: Asked, snapshot: _Snapshot) -> OlderEvents:
    chosen, floor = choose(snapshot.batches, asked)
    parts = [await _load(bucket, asked.pixel_id, batch) for batch in chosen]
    lowest = max(floor or EventPosition("", 0), _just_before_all(asked))
    found: dict[int, Item] = {}
    # Of two that hold an event the later one counts, and the database before both.
    for number in sorted(range(len(parts)), key=lambda number: parts[number].batch.archived_at):
        found |= {item.place.event_id: item for item in _items_of(parts[number], number)}
    found |= {place.event_id: Item(place, None, 0) for place in snapshot.between}
    wanted = [item for item in found.values() if lowest < item.place < asked.before]
    wanted.sort(key=lambda item: item.place, reverse=True)
    items = wanted[: asked.most]
    if len(wanted) > asked.most:
        return OlderEvents(items, parts, str(items[-1].place))
    return OlderEvents(items, parts, str(_just_after(floor)) if floor else None)


def choose(
    batches: Sequence[ArchiveBatch], asked: Asked
) -> tuple[Sequence[ArchiveBatch], EventPosition | None]:
    """The batches that one answer reads, and the place down to which it gets, if not to the end.

    All that reach up to `before` are read, so that each answer gets further.
    """
    events = size = 0
    for number, batch in enumerate(batches):
        is_full = events >= asked.most or number >= MAX_PARTS or size + batch.bytes > MAX_BYTES
        if number and is_full and _just_after(batch.last) < asked.before:
            return batches[:number], batch.last
        events += batch.events if batch.last < asked.before else 0
        size += batch.bytes
    # There are more than were looked for.
    return batches, batches[-1].last if len(batches) == MAX_BATCHES else None


async def _load(bucket: Bucket, pixel_id: str, batch: ArchiveBatch) -> LoadedPart:
    key = part_key(ARCHIVE, pixel_id, batch.day, batch.name)
    content = await bucket.get(key)
    if content is None:
        raise DamagedPartError(f"{key} is missing")
    return LoadedPart(batch, key, content)


def _items_of(part: LoadedPart, number: int) -> Iterator[Item]:
    for line_number, line in enumerate(part.lines()):
        event = json.loads(line)
        yield Item(EventPosition(event["timestamp"], event["id"]), number, line_number)


class _Unpacked:
    """The lines of the parts, each unpacked when its first one is wanted, until its last one."""

    def __init__(self, older: OlderEvents) -> None:
        self._parts = older.parts
        self._wanted = Counter(item.part for item in older.items)
        self._lines: dict[int, Sequence[str]] = {}

    def line(self, part: int, number: int) -> str:
        if part not in self._lines:
            self._lines[part] = self._parts[part].lines()
        line = self._lines[part][number]
        self._wanted[part] -= 1
        if not self._wanted[part]:
            del self._lines[part]
        return line


async def _stored_lines(
    database: Database, items: Sequence[Item], written: Format
) -> Mapping[int, str]:
    ids = [item.place.event_id for item in items if item.part is None]
    if not ids:
        return {}
    [rows] = await database.batch_rows((written.by_id,), json.dumps({"ids": ids}))
    if len(rows) < len(ids):
        raise UnavailableError(LEFT_MEANWHILE)
    return {row["id"]: row["line"] for row in rows}


def _just_before_all(asked: Asked) -> EventPosition:
    return EventPosition(asked.start, -1)


def _just_before(place: EventPosition) -> EventPosition:
    return EventPosition(place.timestamp, place.event_id - 1)


def _just_after(place: EventPosition) -> EventPosition:
    return EventPosition(place.timestamp, place.event_id + 1)
