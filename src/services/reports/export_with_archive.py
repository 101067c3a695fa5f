"""Exports a pixel's events from the database and the archive, newest first.

Events that are newer than the newest archived one come from the database page by page
(`export_pages`). Older events may be in either place: parts of the archive are read and checked
before the response begins, so that its events and its cursor are known.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

from services.archive.batches import FIND_BATCHES, MAX_BATCHES, ArchiveBatch, read_batch
from services.archive.parts import ARCHIVE, part_key
from services.core.cursors import EventPosition, event_position
from services.core.json_lines import MIN_ROWS
from services.core.ndjson_parts import DamagedPartError, unpack
from services.core.ports import Bucket, Database, UnavailableError
from services.reports.export_pages import (
    END_OF_PART,
    EVENTS_DISAPPEARED,
    SIZE_OF_PART,
    ExportFormat,
    ExportQuery,
    RecentEvents,
    read_pages,
    recent_events_from_rows,
)

# What one response reads of the archive. Parts wait compressed and are unpacked one by one.
MAX_ARCHIVED_EVENTS = 10_000
MAX_PARTS = 100
MAX_BYTES = 8 * 2**20
# How often the archive may change while an export reads where it begins.
MAX_SNAPSHOT_ATTEMPTS = 5

# The events in the database that are as old as those of the archive.
STORED_AMONG_ARCHIVED = f"""
SELECT timestamp, id FROM tracking_events
WHERE pixel_id = ?1 ->> 'pixel_id' AND timestamp >= ?1 ->> 'from'
  AND timestamp <= ?1 ->> '$.border.timestamp'
  AND (timestamp < ?1 ->> '$.border.timestamp' OR id < ?1 ->> '$.border.event_id')
ORDER BY timestamp DESC, id DESC LIMIT {MAX_ARCHIVED_EVENTS + 1}
"""


@dataclass(frozen=True, slots=True)
class OlderEvent:
    """An event's position, and where its line is in the archive.

    `part_index` counts the loaded parts, `line_index` the lines of one. In the database: None, 0.
    """

    position: EventPosition
    part_index: int | None
    line_index: int


@dataclass(frozen=True, slots=True)
class LoadedPart:
    """The object of a part of the archive, still packed."""

    batch: ArchiveBatch
    key: str
    content: bytes

    def lines(self) -> Sequence[str]:
        """Unpacks the lines.

        Raises:
            DamagedPartError: they are not the archived ones.
        """
        return unpack(self.key, self.content, self.batch.events, self.batch.sha256)


@dataclass(frozen=True, slots=True)
class OlderEvents:
    """The events from the newest archived one on; `next_cursor` is None if no more follow."""

    events: Sequence[OlderEvent]
    parts: Sequence[LoadedPart]
    next_cursor: str | None


NO_OLDER_EVENTS = OlderEvents((), (), None)


@dataclass(frozen=True, slots=True)
class ExportEvents:
    """The events of one response: recent ones from the database, then older ones."""

    recent: RecentEvents
    older: OlderEvents

    @property
    def next_cursor(self) -> str | None:
        """The cursor of the next response, or None at the end."""
        return self.older.next_cursor if self.recent.is_complete else str(self.recent.last)

    @property
    def count(self) -> int:
        """How many events there are."""
        return self.recent.count + len(self.older.events)

    @property
    def archived_count(self) -> int:
        """How many of the events come from the archive."""
        return sum(event.part_index is not None for event in self.older.events)


@dataclass(frozen=True, slots=True)
class _Snapshot:
    """Database and archive at one moment; `stored` are rows older than the newest batch."""

    recent: RecentEvents
    batches: Sequence[ArchiveBatch]
    stored: Sequence[EventPosition]


async def find_events(database: Database, bucket: Bucket, query: ExportQuery) -> ExportEvents:
    """Finds the events of one response.

    Raises:
        UnavailableError: D1 or R2 failed, or a part of the archive is damaged.
    """
    snapshot = await _read_snapshot(database, query)
    recent = snapshot.recent
    if not recent.is_complete or not snapshot.batches:
        return ExportEvents(recent, NO_OLDER_EVENTS)
    limit = min(query.limit - recent.count, MAX_ARCHIVED_EVENTS)
    if limit == 0:
        return ExportEvents(recent, replace(NO_OLDER_EVENTS, next_cursor=str(recent.last)))
    older_query = replace(query, before=recent.last, limit=limit)
    try:
        older = await _find_older(bucket, older_query, snapshot)
    except DamagedPartError as error:
        raise UnavailableError(f"a part of the archive is damaged: {error}") from error
    return ExportEvents(recent, older)


async def read_events(
    database: Database, events: ExportEvents, export_format: ExportFormat
) -> AsyncGenerator[Sequence[str], None]:
    """Yields the events' lines page by page; no page is empty.

    Raises:
        UnavailableError: D1 failed, or events were archived or erased; the export is incomplete.
    """
    async for lines in read_pages(database, events.recent, export_format):
        yield lines
    parts, older = _UnpackedParts(events.older), events.older.events
    for start in range(0, len(older), MIN_ROWS):
        page = older[start : start + MIN_ROWS]
        stored = await _stored_lines(database, page, export_format)
        yield [
            stored[event.position.event_id]
            if event.part_index is None
            else export_format.archived(parts.line(event.part_index, event.line_index))
            for event in page
        ]


async def _read_snapshot(database: Database, query: ExportQuery) -> _Snapshot:
    """Reads database and archive in one transaction.

    The statements need to know where the archive begins, so they are repeated until the batches
    that they find are those that they were given.
    """
    batches: Sequence[ArchiveBatch] = ()
    for _ in range(MAX_SNAPSHOT_ATTEMPTS):
        floor = _before_start(query)
        border = EventPosition("", 0)
        if batches:
            floor = max(floor, min(batches[0].last, _just_before(query.before)))
            border = _just_after(floor)
        parameters = {
            "pixel_id": query.pixel_id,
            "from": query.start,
            "before": asdict(query.before),
            "most": query.limit,
            "floor": asdict(floor),
            "border": asdict(border),
        }
        statements = (END_OF_PART, SIZE_OF_PART, STORED_AMONG_ARCHIVED, FIND_BATCHES)
        answers = await database.batch_rows(statements, json.dumps(parameters))
        end_rows, size_rows, stored, batch_rows = answers
        present_batches = [read_batch(row) for row in batch_rows]
        if present_batches == list(batches):
            recent = recent_events_from_rows(query, floor, end_rows, size_rows)
            return _Snapshot(recent, batches, [event_position(row) for row in stored])
        batches = present_batches
    raise UnavailableError(EVENTS_DISAPPEARED)


async def _find_older(bucket: Bucket, query: ExportQuery, snapshot: _Snapshot) -> OlderEvents:
    batches, floor = choose_batches(snapshot.batches, query)
    parts = [await _load(bucket, query.pixel_id, batch) for batch in batches]
    lowest = max(floor or EventPosition("", 0), _before_start(query))
    by_id: dict[int, OlderEvent] = {}
    # Of two parts with the same event the later one counts, and the database before both.
    for index in sorted(range(len(parts)), key=lambda index: parts[index].batch.archived_at):
        by_id |= {event.position.event_id: event for event in _events_of(parts[index], index)}
    by_id |= {position.event_id: OlderEvent(position, None, 0) for position in snapshot.stored}
    events = [event for event in by_id.values() if lowest < event.position < query.before]
    events.sort(key=lambda event: event.position, reverse=True)
    page = events[: query.limit]
    if len(events) > query.limit:
        return OlderEvents(page, parts, str(page[-1].position))
    return OlderEvents(page, parts, str(_just_after(floor)) if floor else None)


def choose_batches(
    batches: Sequence[ArchiveBatch], query: ExportQuery
) -> tuple[Sequence[ArchiveBatch], EventPosition | None]:
    """The batches that one response reads, and the position at which it stops, None at the end.

    All batches that reach up to `before` are read, so that every response makes progress.
    """
    events = size_bytes = 0
    for number, batch in enumerate(batches):
        is_full = (
            events >= query.limit or number >= MAX_PARTS or size_bytes + batch.bytes > MAX_BYTES
        )
        if number and is_full and _just_after(batch.last) < query.before:
            return batches[:number], batch.last
        events += batch.events if batch.last < query.before else 0
        size_bytes += batch.bytes
    # At the limit of the statement there may be more batches.
    return batches, batches[-1].last if len(batches) == MAX_BATCHES else None


async def _load(bucket: Bucket, pixel_id: str, batch: ArchiveBatch) -> LoadedPart:
    key = part_key(ARCHIVE, pixel_id, batch.day, batch.name)
    content = await bucket.get(key)
    if content is None:
        raise DamagedPartError(f"{key} is missing")
    return LoadedPart(batch, key, content)


def _events_of(part: LoadedPart, part_index: int) -> Iterator[OlderEvent]:
    for line_index, line in enumerate(part.lines()):
        event = json.loads(line)
        yield OlderEvent(EventPosition(event["timestamp"], event["id"]), part_index, line_index)


class _UnpackedParts:
    """The lines of the parts; each part is in memory from its first line to its last one."""

    def __init__(self, older: OlderEvents) -> None:
        self._parts = older.parts
        self._remaining = Counter(event.part_index for event in older.events)
        self._lines: dict[int, Sequence[str]] = {}

    def line(self, part_index: int, line_index: int) -> str:
        if part_index not in self._lines:
            self._lines[part_index] = self._parts[part_index].lines()
        line = self._lines[part_index][line_index]
        self._remaining[part_index] -= 1
        if not self._remaining[part_index]:
            del self._lines[part_index]
        return line


async def _stored_lines(
    database: Database, events: Sequence[OlderEvent], export_format: ExportFormat
) -> Mapping[int, str]:
    """The lines of those events that are in the database, by their ids."""
    ids = [event.position.event_id for event in events if event.part_index is None]
    if not ids:
        return {}
    [rows] = await database.batch_rows((export_format.by_id,), json.dumps({"ids": ids}))
    if len(rows) < len(ids):
        raise UnavailableError(EVENTS_DISAPPEARED)
    return {row["id"]: export_format.line(row) for row in rows}


def _before_start(query: ExportQuery) -> EventPosition:
    return EventPosition(query.start, -1)


def _just_before(position: EventPosition) -> EventPosition:
    return EventPosition(position.timestamp, position.event_id - 1)


def _just_after(position: EventPosition) -> EventPosition:
    return EventPosition(position.timestamp, position.event_id + 1)
