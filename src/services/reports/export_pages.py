"""A pixel's events as they are stored, for who takes them elsewhere: page by page, newest first.

A page is found by the index `tracking_events_by_pixel`, from where the last one ended on, and each
event becomes its line in SQL: Python only hands it on. Events that are stored meanwhile are newer
than where an export begins, so that they move nothing.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import asdict, dataclass

from services.core.cursors import EventPosition, event_position
from services.core.event_lines import COLUMNS, CSV_LINE, JSON_LINE, archived_csv, archived_json
from services.core.json_lines import AFTER_ALL_IDS, FEWEST_ROWS, rows_of_next_page
from services.core.ports import Database, Row, UnavailableError
from services.core.stored_time import format_stored_time
from services.reports.spans import Span

MAX_ROWS = 10_000
# In pages of the fewest rows. D1 answers 1,000 queries of an invocation.
# https://developers.cloudflare.com/d1/platform/limits/
LARGEST_PART = 90_000
LEFT_MEANWHILE = "events were archived or erased while they were exported"

_BEFORE = """
  pixel_id = ?1 ->> 'pixel_id'
  AND timestamp <= ?1 ->> '$.before.timestamp'
  AND (timestamp < ?1 ->> '$.before.timestamp' OR id < ?1 ->> '$.before.event_id')
"""

_AFTER_FLOOR = """
  timestamp >= ?1 ->> '$.floor.timestamp'
  AND (timestamp > ?1 ->> '$.floor.timestamp' OR id > ?1 ->> '$.floor.event_id')
"""

# The last event of a part, and the first one after it. The index alone is read.
END_OF_PART = f"""
SELECT timestamp, id FROM tracking_events
WHERE {_BEFORE} AND {_AFTER_FLOOR}
ORDER BY timestamp DESC, id DESC LIMIT 2 OFFSET ?1 ->> 'most' - 1
"""

# How many events a part has; of the index alone, too.
SIZE_OF_PART = f"""
SELECT count(*) AS events FROM (
  SELECT 1 FROM tracking_events WHERE {_BEFORE} AND {_AFTER_FLOOR} LIMIT ?1 ->> 'most'
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
WHERE {_BEFORE}
  AND timestamp >= ?1 ->> '$.last.timestamp'
  AND (timestamp > ?1 ->> '$.last.timestamp' OR id >= ?1 ->> '$.last.event_id')
ORDER BY timestamp DESC, id DESC LIMIT ?1 ->> 'rows'
"""


PAGE_OF_JSON = _page(JSON_LINE)
PAGE_OF_CSV = _page(CSV_LINE)
JSON_BY_ID = _by_id(JSON_LINE)
CSV_BY_ID = _by_id(CSV_LINE)


@dataclass(frozen=True, slots=True)
class Format:
    """How events are written.

    `page` and `by_id` are statements; `archived` makes the same line of an event in the archive.
    Lines have `between` between them and `end` after the last one.
    """

    content_type: str
    page: str
    by_id: str
    archived: Callable[[str], str]
    between: str
    end: str


FORMATS = {
    "json": Format("application/json", PAGE_OF_JSON, JSON_BY_ID, archived_json, ",\n", ""),
    "csv": Format(
        "text/csv; charset=utf-8; header=present",
        PAGE_OF_CSV,
        CSV_BY_ID,
        archived_csv,
        "\r\n",
        "\r\n",
    ),
    "ndjson": Format("application/x-ndjson", PAGE_OF_JSON, JSON_BY_ID, archived_json, "\n", "\n"),
}
CSV_HEADER = f"{','.join(COLUMNS)}\r\n"


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of a pixel's events: those older than `before`, not older than `start`.

    At most `most`, the newest first.
    """

    pixel_id: str
    start: str
    before: EventPosition
    most: int


def ask(pixel_id: str, span: Span, cursor: EventPosition | None, most: int) -> Asked:
    """The events of a span; of those older than a cursor, if there is one."""
    end = EventPosition(format_stored_time(span.end), AFTER_ALL_IDS)
    return Asked(pixel_id, format_stored_time(span.start), min(cursor or end, end), most)


@dataclass(frozen=True, slots=True)
class Part:
    """So many events in the database older than `before`, down to `last`.

    `is_whole` says that there is nothing else between `last` and what was asked for.
    """

    pixel_id: str
    before: EventPosition
    last: EventPosition
    is_whole: bool
    events: int


def read_part(asked: Asked, floor: EventPosition, end: Sequence[Row], size: Sequence[Row]) -> Part:
    """The part above `floor`, of what `END_OF_PART` and `SIZE_OF_PART` found."""
    is_whole = len(end) <= 1
    last = (
        EventPosition(floor.timestamp, floor.event_id + 1) if is_whole else event_position(end[0])
    )
    return Part(asked.pixel_id, asked.before, last, is_whole, size[0]["events"])


async def read_pages(
    database: Database, part: Part, written: Format
) -> AsyncGenerator[Sequence[str], None]:
    """The lines of a part, page by page; none of them is empty. One round trip each.

    Raises:
        UnavailableError: D1 failed, or events left it; what was given is a beginning only.
    """
    before, most, more, given = part.before, FEWEST_ROWS, True, 0
    while more:
        places = {"before": asdict(before), "last": asdict(part.last)}
        parameters = {"pixel_id": part.pixel_id, "rows": most, **places}
        [rows] = await database.batch_rows((written.page,), json.dumps(parameters))
        more = len(rows) == most
        if rows:
            before = event_position(rows[-1])
            lines = [row["line"] for row in rows]
            most = rows_of_next_page(lines)
            given += len(lines)
            yield lines
    if given < part.events:
        raise UnavailableError(LEFT_MEANWHILE)
