"""A pixel's events as they are stored, for who takes them elsewhere: page by page, newest first.

A page is found by the index `tracking_events_by_pixel`, from where the last one ended on, and each
event becomes its line in SQL: Python only hands it on. Events that are stored meanwhile are newer
than where an export begins, so that they move nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncGenerator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from services.json_lines import AFTER_ALL_IDS, FEWEST_ROWS, joined, json_line, rows_of_next_page
from services.ports import Database, Row
from services.spans import Span
from services.visits import TIME_TEXT

MOST_ROWS = 10_000
# In pages of the fewest rows. D1 answers 1,000 queries of an invocation.
# https://developers.cloudflare.com/d1/platform/limits/
LARGEST_PART = 90_000

# All that is stored of an event: first what the old Worker exported, in its order. A test compares
# them with the table.
COLUMNS = (
    *("id", "event_type", "page_url", "referrer_url", "page_title"),
    *("utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term"),
    *("country", "timestamp", "created_at"),
    *(
        "project_id",
        "pixel_id",
        "visitor_id",
        "session_id",
        "custom_utm",
        "user_agent",
        "ip_address",
    ),
    *("region", "city", "browser_data", "device_data", "viewport_data"),
    *("zapier_sent", "zapier_sent_at", "archived", "form_data"),
    *("campaign_region", "ad_group", "ad_id", "search_query"),
    *("gclid", "fbclid", "msclkid", "ttclid", "twclid", "li_fat_id", "sc_click_id"),
    *("pipedrive_sync_status", "pipedrive_sync_at", "pipedrive_person_id"),
    *("pipedrive_retry_count", "pipedrive_last_retry_at", "event_key", "touch_origin"),
    *("pipedrive_due_at", "pipedrive_lease", "pipedrive_sync_reason"),
    *("visitor_sequence", "form_outcome", "event_name", "event_data"),
)

# What a spreadsheet takes for a formula, in the full width of East Asia too, gets an apostrophe.
# https://owasp.org/www-community/attacks/CSV_Injection
_FORMULA = "'=+-@＝＋－＠' || char(9, 10, 13)"  # noqa: RUF001  # they are meant


def _csv_cell(column: str) -> str:
    return f"""CASE
  WHEN {column} IS NULL THEN ''
  WHEN typeof({column}) <> 'text' THEN {column}
  ELSE '"' || iif({column} <> '' AND instr({_FORMULA}, substr({column}, 1, 1)), '''', '')
    || replace({column}, '"', '""') || '"'
END"""


JSON_LINE = json_line(COLUMNS)
CSV_LINE = joined([_csv_cell(column) for column in COLUMNS])

_BEFORE = """
  pixel_id = ?1 ->> 'pixel_id'
  AND timestamp <= ?1 ->> '$.before.timestamp'
  AND (timestamp < ?1 ->> '$.before.timestamp' OR id < ?1 ->> '$.before.event_id')
"""

# The last event of a part, and the first one after it. The index alone is read.
END_OF_PART = f"""
SELECT timestamp, id FROM tracking_events
WHERE {_BEFORE} AND timestamp >= ?1 ->> 'from'
ORDER BY timestamp DESC, id DESC LIMIT 2 OFFSET ?1 ->> 'most' - 1
"""  # noqa: S608  # constants only


def _page(line: str) -> str:
    return f"""
SELECT timestamp, id, {line} AS line FROM tracking_events
WHERE {_BEFORE}
  AND timestamp >= ?1 ->> '$.last.timestamp'
  AND (timestamp > ?1 ->> '$.last.timestamp' OR id >= ?1 ->> '$.last.event_id')
ORDER BY timestamp DESC, id DESC LIMIT ?1 ->> 'rows'
"""  # noqa: S608  # constants only


PAGE_OF_JSON = _page(JSON_LINE)
PAGE_OF_CSV = _page(CSV_LINE)

_CURSOR = re.compile(r"([0-9][0-9T:.Z -]{9,31}),([0-9]{1,18})")


@dataclass(frozen=True, slots=True)
class Cursor:
    """An event's place in an export: its time as it is stored, and its id."""

    timestamp: str
    event_id: int

    def __str__(self) -> str:
        """The cursor as clients read and send it."""
        return f"{self.timestamp},{self.event_id}"


def read_cursor(text: str) -> Cursor | None:
    """The cursor that a client sent, or None where it is none."""
    found = _CURSOR.fullmatch(text)
    return Cursor(found[1], int(found[2])) if found else None


@dataclass(frozen=True, slots=True)
class Format:
    """How events are written.

    `page` is the statement; its lines have `between` between them and `end` after the last one.
    """

    content_type: str
    page: str
    between: str
    end: str


FORMATS = {
    "json": Format("application/json", PAGE_OF_JSON, ",\n", ""),
    "csv": Format("text/csv; charset=utf-8; header=present", PAGE_OF_CSV, "\r\n", "\r\n"),
    "ndjson": Format("application/x-ndjson", PAGE_OF_JSON, "\n", "\n"),
}
CSV_HEADER = f"{','.join(COLUMNS)}\r\n"


@dataclass(frozen=True, slots=True)
class Part:
    """The events of a pixel older than `before`, down to `last`.

    `is_whole` says that the span holds nothing older than `last`.
    """

    pixel_id: str
    before: Cursor
    last: Cursor
    is_whole: bool

    @property
    def next_cursor(self) -> str | None:
        """Where to go on, or None at the end."""
        return None if self.is_whole else str(self.last)


async def find_part(
    database: Database, pixel_id: str, span: Span, cursor: Cursor | None, most: int
) -> Part:
    """The newest events of a span, at most so many; of those older than a cursor, if there is one.

    Raises:
        UnavailableError: D1 failed.
    """
    start, end = span.start.strftime(TIME_TEXT), Cursor(_text(span.end), AFTER_ALL_IDS)
    before = min(cursor or end, end, key=lambda place: (place.timestamp, place.event_id))
    parameters = {"pixel_id": pixel_id, "before": asdict(before), "from": start, "most": most}
    [rows] = await database.batch_rows((END_OF_PART,), json.dumps(parameters))
    is_whole = len(rows) <= 1
    last = Cursor(start, 0) if is_whole else _cursor(rows[0])
    return Part(pixel_id, before, last, is_whole)


async def read_pages(
    database: Database, part: Part, written: Format
) -> AsyncGenerator[Sequence[str], None]:
    """The lines of a part, page by page; none of them is empty. One round trip each.

    Raises:
        UnavailableError: D1 failed; what was given is a beginning only.
    """
    before, most, more = part.before, FEWEST_ROWS, True
    while more:
        places = {"before": asdict(before), "last": asdict(part.last)}
        parameters = {"pixel_id": part.pixel_id, "rows": most, **places}
        [rows] = await database.batch_rows((written.page,), json.dumps(parameters))
        more = len(rows) == most
        if rows:
            before = _cursor(rows[-1])
            lines = [row["line"] for row in rows]
            most = rows_of_next_page(lines)
            yield lines


def _cursor(row: Row) -> Cursor:
    return Cursor(row["timestamp"], row["id"])


def _text(time: datetime) -> str:
    return time.strftime(TIME_TEXT)
