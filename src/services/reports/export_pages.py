"""Exports a pixel's events from the database, page by page, newest first.

The index `tracking_events_by_pixel` finds a page by the end of the last one. SQL makes the line of
each event; Python only passes it on. Events that are stored during an export are newer than its
start, so that they do not shift its pages.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import asdict, dataclass

from services.core.cursors import EventPosition, event_position
from services.core.event_lines import COLUMNS, CSV_LINE, JSON_LINE, archived_csv, archived_json
from services.core.json_lines import AFTER_ALL_IDS, MIN_ROWS, rows_of_next_page
from services.core.ports import Database, Row, UnavailableError
from services.core.stored_time import format_stored_time
from services.reports.spans import Span

MAX_EXPORT_ROWS = 10_000
# In pages of MIN_ROWS each; D1 allows 1,000 queries in an invocation.
# https://developers.cloudflare.com/d1/platform/limits/
MAX_PART_EVENTS = 90_000
EVENTS_DISAPPEARED = "events were archived or erased while they were exported"

_IS_OLDER = """
  pixel_id = ?1 ->> 'pixel_id'
  AND timestamp <= ?1 ->> '$.before.timestamp'
  AND (timestamp < ?1 ->> '$.before.timestamp' OR id < ?1 ->> '$.before.event_id')
"""

_IS_ABOVE_FLOOR = """
  timestamp >= ?1 ->> '$.floor.timestamp'
  AND (timestamp > ?1 ->> '$.floor.timestamp' OR id > ?1 ->> '$.floor.event_id')
"""

# The last event of a part, and the first one after it. Reads the index only.
END_OF_PART = f"""
SELECT timestamp, id FROM tracking_events
WHERE {_IS_OLDER} AND {_IS_ABOVE_FLOOR}
ORDER BY timestamp DESC, id DESC LIMIT 2 OFFSET ?1 ->> 'most' - 1
"""

# How many events a part has. Reads the index only.
SIZE_OF_PART = f"""
SELECT count(*) AS events FROM (
  SELECT 1 FROM tracking_events WHERE {_IS_OLDER} AND {_IS_ABOVE_FLOOR} LIMIT ?1 ->> 'most'
)
"""


def _by_id(line: str) -> str:
    return f"""
SELECT id, {line} AS line FROM tracking_events
WHERE id IN (SELECT value FROM json_each(?1, '$.ids'))
"""


def _page(line: str) -> str:
    return f"""
SELECT timestamp, id, {line} AS line FROM tracking_events
WHERE {_IS_OLDER}
  AND timestamp >= ?1 ->> '$.last.timestamp'
  AND (timestamp > ?1 ->> '$.last.timestamp' OR id >= ?1 ->> '$.last.event_id')
ORDER BY timestamp DESC, id DESC LIMIT ?1 ->> 'rows'
"""


PAGE_OF_JSON = _page(JSON_LINE)
PAGE_OF_CSV = _page(CSV_LINE)
JSON_BY_ID = _by_id(JSON_LINE)
CSV_BY_ID = _by_id(CSV_LINE)


@dataclass(frozen=True, slots=True)
class ExportFormat:
    """How events are written.

    `page` and `by_id` are statements that make the lines of stored events; `archived` makes the
    same line of an archived event. Lines have `separator` between them and `end` after the last.
    """

    content_type: str
    page: str
    by_id: str
    archived: Callable[[str], str]
    separator: str
    end: str


FORMATS = {
    "json": ExportFormat("application/json", PAGE_OF_JSON, JSON_BY_ID, archived_json, ",\n", ""),
    "csv": ExportFormat(
        "text/csv; charset=utf-8; header=present",
        PAGE_OF_CSV,
        CSV_BY_ID,
        archived_csv,
        "\r\n",
        "\r\n",
    ),
    "ndjson": ExportFormat(
        "application/x-ndjson", PAGE_OF_JSON, JSON_BY_ID, archived_json, "\n", "\n"
    ),
}
CSV_HEADER = f"{','.join(COLUMNS)}\r\n"


@dataclass(frozen=True, slots=True)
class ExportQuery:
    """Which events are exported: the newest `limit` of those before `before`, from `start` on."""

    pixel_id: str
    start: str
    before: EventPosition
    limit: int


def export_query(
    pixel_id: str, span: Span, before: EventPosition | None, limit: int
) -> ExportQuery:
    """The query for a span's events, or for those of them that are older than an event."""
    end = EventPosition(format_stored_time(span.end), AFTER_ALL_IDS)
    return ExportQuery(pixel_id, format_stored_time(span.start), min(before or end, end), limit)


@dataclass(frozen=True, slots=True)
class RecentEvents:
    """A number of events in the database older than `before`, down to `last`.

    `is_complete`: no more events of the query are between `last` and the floor.
    """

    pixel_id: str
    before: EventPosition
    last: EventPosition
    is_complete: bool
    count: int


def recent_events_from_rows(
    query: ExportQuery, floor: EventPosition, end_rows: Sequence[Row], size_rows: Sequence[Row]
) -> RecentEvents:
    """The events above `floor`, from the rows of `END_OF_PART` and `SIZE_OF_PART`."""
    is_complete = len(end_rows) <= 1
    last = (
        EventPosition(floor.timestamp, floor.event_id + 1)
        if is_complete
        else event_position(end_rows[0])
    )
    return RecentEvents(query.pixel_id, query.before, last, is_complete, size_rows[0]["events"])


async def read_pages(
    database: Database, recent: RecentEvents, export_format: ExportFormat
) -> AsyncGenerator[Sequence[str], None]:
    """Yields the events' lines page by page, one round trip each; no page is empty.

    Raises:
        UnavailableError: D1 failed, or events were archived or erased; the export is incomplete.
    """
    before, rows_of_page, has_next, count = recent.before, MIN_ROWS, True, 0
    while has_next:
        bounds = {"before": asdict(before), "last": asdict(recent.last)}
        parameters = {"pixel_id": recent.pixel_id, "rows": rows_of_page, **bounds}
        [rows] = await database.batch_rows((export_format.page,), json.dumps(parameters))
        has_next = len(rows) == rows_of_page
        if rows:
            before = event_position(rows[-1])
            lines = [row["line"] for row in rows]
            rows_of_page = rows_of_next_page(lines)
            count += len(lines)
            yield lines
    if count < recent.count:
        raise UnavailableError(EVENTS_DISAPPEARED)
