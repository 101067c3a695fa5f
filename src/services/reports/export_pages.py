"""Exports a pixel's events from the database, page by page, newest first.

The index `tracking_events_by_pixel` finds a page by the end of the last one. SQL makes the line of
each event; Python only passes it on. Events that are stored during an export are newer than its
start, so that they do not shift its pages.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from operator import itemgetter

from services.core.cursors import EventPosition, event_position
from services.core.event_lines import (
    ADDRESS_COLUMNS,
    CHECKED_COLUMNS,
    COLUMNS,
    CSV_LINE,
    JSON_LINE,
    MASKED_COLUMNS,
    PERSONAL_COLUMNS,
    Change,
    archived_csv,
    archived_json,
)
from services.core.json_lines import ABOVE_MAX_ROWID, MIN_ROWS, rows_of_next_page
from services.core.ports import Database, Row, UnavailableError
from services.core.stored_time import format_stored_time
from services.reports.anonymity import MASK, is_suspicious, shown_line, without_persons
from services.reports.credit_sql import CAMPAIGN, MEDIUM, SOURCE
from services.reports.spans import Span
from services.tracking.attribution import credit

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


# An event's columns as somebody may see them: what stands in place of a column.
_STORED: Mapping[str, str] = {}
_WITHOUT_PERSONS = {
    **dict.fromkeys(PERSONAL_COLUMNS, "NULL"),
    **{
        name: f"substr({name}, 1, instr(replace({name}, '#', '?') || '?', '?') - 1)"
        for name in ADDRESS_COLUMNS
    },
    **{name: f"iif({name} <> '', '{MASK}', {name})" for name in MASKED_COLUMNS},
}
# What such a line may still show of a person.
_CHECKED = " || char(10) || ".join(f"coalesce({name}, '')" for name in CHECKED_COLUMNS)
# The old Worker stored these words where nothing was seen.
_CREDITED = {"utm_source": SOURCE, "utm_medium": MEDIUM, "utm_campaign": CAMPAIGN}


def _events(replaced: Mapping[str, str]) -> str:
    """The events as rows of a query, with what stands in place of their columns."""
    if not replaced:
        return "tracking_events"
    columns = ", ".join(f"{replaced.get(name, name)} AS {name}" for name in COLUMNS)
    return f"(SELECT {columns} FROM tracking_events)"


def _line_of(line: str, replaced: Mapping[str, str]) -> str:
    """The columns `line` and, where persons are hidden, `checked`."""
    hides_persons = PERSONAL_COLUMNS[0] in replaced
    return f"{line} AS line" + (f", {_CHECKED} AS checked" if hides_persons else "")


def _by_id(line: str, replaced: Mapping[str, str] = _STORED) -> str:
    return f"""
SELECT id, {_line_of(line, replaced)} FROM {_events(replaced)}
WHERE id IN (SELECT value FROM json_each(?1, '$.ids'))
"""


def _page(line: str, replaced: Mapping[str, str] = _STORED) -> str:
    return f"""
SELECT timestamp, id, {_line_of(line, replaced)} FROM {_events(replaced)}
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

    `page` and `by_id` are statements that make the lines of stored events, which `line` takes from
    their rows; `archived` makes the same line of an archived event. Lines have `separator` between
    them and `end` after the last.
    """

    content_type: str
    page: str
    by_id: str
    archived: Callable[[str], str]
    separator: str
    end: str
    line: Callable[[Row], str] = itemgetter("line")


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


def _credited(event: dict[str, object]) -> Mapping[str, object]:
    credited = credit(event if event.get("touch_origin") else _only_utm(event))
    return {
        "utm_source": credited.source,
        "utm_medium": credited.medium,
        "utm_campaign": credited.campaign,
    }


def _only_utm(event: Mapping[str, object]) -> Mapping[str, object]:
    """Of an event of the old Worker click IDs are no touch, as in `credit_sql`."""
    return {name: event.get(name) for name in _CREDITED}


def _credited_without_persons(event: dict[str, object]) -> Mapping[str, object]:
    credited = _credited(event)
    return {**credited, **without_persons({**event, **credited})}


def _anonymous_line(row: Row, *, is_csv: bool) -> str:
    line: str = row["line"]
    return shown_line(line, is_csv=is_csv) if is_suspicious(row["checked"]) else line


def _anonymous(formats: Mapping[str, ExportFormat]) -> Mapping[str, ExportFormat]:
    """The same formats, with the lines checked whose columns hide persons."""
    return {
        name: replace(export_format, line=partial(_anonymous_line, is_csv=name == "csv"))
        for name, export_format in formats.items()
    }


def _replacing(
    formats: Mapping[str, ExportFormat], replaced: Mapping[str, str], change: Change
) -> Mapping[str, ExportFormat]:
    """The same formats of events whose columns are shown otherwise than stored."""
    written = {
        "csv": (_page(CSV_LINE, replaced), _by_id(CSV_LINE, replaced), archived_csv),
        "json": (_page(JSON_LINE, replaced), _by_id(JSON_LINE, replaced), archived_json),
    }
    return {
        name: replace(
            export_format, page=page, by_id=by_id, archived=partial(archived, change=change)
        )
        for name, export_format in formats.items()
        for page, by_id, archived in [written.get(name, written["json"])]
    }


FORMATS_WITHOUT_PERSONS = _anonymous(_replacing(FORMATS, _WITHOUT_PERSONS, without_persons))

# As the old Worker wrote them: without a line break between events, and lines that end with LF.
_LEGACY_FORMATS = {
    "json": replace(FORMATS["json"], separator=","),
    "csv": replace(FORMATS["csv"], content_type="text/csv", separator="\n", end="\n"),
}
LEGACY_FORMATS = _replacing(_LEGACY_FORMATS, _CREDITED, _credited)
LEGACY_FORMATS_WITHOUT_PERSONS = _anonymous(
    _replacing(_LEGACY_FORMATS, {**_CREDITED, **_WITHOUT_PERSONS}, _credited_without_persons)
)


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
    end = EventPosition(format_stored_time(span.end), ABOVE_MAX_ROWID)
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
            lines = list(map(export_format.line, rows))
            rows_of_page = rows_of_next_page(lines)
            count += len(lines)
            yield lines
    if count < recent.count:
        raise UnavailableError(EVENTS_DISAPPEARED)
