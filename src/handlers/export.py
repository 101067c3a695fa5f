"""`GET /api/reports/export/:pixelId`: a pixel's events as JSON, CSV or NDJSON.

`core/event_lines.py` makes the cells of a CSV line, `reports/export_pages.py` has its header, this
module makes the file, and `ops/reports/export_file.py` the operator's file.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

from app import App
from handlers.json_api import answer_refusals
from services.core.cursors import EventPosition, parse_event_position
from services.core.errors import InvalidFieldsError, NotFoundError
from services.core.logs import Log
from services.core.text import read_whole_number
from services.reports.export_pages import (
    CSV_HEADER,
    FORMATS,
    MAX_EXPORT_ROWS,
    MAX_PART_EVENTS,
    ExportFormat,
    export_query,
)
from services.reports.export_with_archive import ExportEvents, find_events, read_events
from services.reports.spans import Span, read_utc_span
from web import Request, Response, time_text

# A client reads JSON as a whole; this is the limit that the old Worker had.
DEFAULT_JSON_ROWS = 1_000


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """Which of a pixel's events an export has, at most how many, and in which format."""

    format_name: str
    span: Span
    before: EventPosition | None
    limit: int

    @property
    def format(self) -> ExportFormat:
        """How the events are written."""
        return FORMATS[self.format_name]


@answer_refusals
async def export(app: App, request: Request, log: Log) -> Response:
    """Streams a part of the pixel's events, newest first.

    A pixel that is switched off keeps its events, so they can be exported.
    """
    now = app.clock().replace(microsecond=0)
    options = read_export_options(request.parameters(), now)
    pixel_id = request.segment(-1)
    if await app.pixels.find(pixel_id, now.timestamp()) is None:
        raise NotFoundError("Pixel not found")
    query = export_query(pixel_id, options.span, options.before, options.limit)
    events = await find_events(app.database, app.bucket, query)
    next_cursor = {"X-Next-Cursor": events.next_cursor} if events.next_cursor else {}
    headers = {
        "Content-Type": options.format.content_type,
        "Content-Disposition": f'attachment; filename="{_file_name(pixel_id, options)}"',
        "Cache-Control": "no-store",
        **next_cursor,
    }
    body = _body(app, _head(pixel_id, options, now), events, options, log)
    return Response(HTTPStatus.OK, body, headers)


async def _body(
    app: App, head: str, events: ExportEvents, options: ExportOptions, log: Log
) -> AsyncGenerator[str, None]:
    separator, end = options.format.separator, options.format.end
    yield head
    count = pages = 0
    async for lines in read_events(app.database, events, options.format):
        yield (separator if count else "") + separator.join(lines)
        count, pages = count + len(lines), pages + 1
    yield (end if count else "") + _tail(events, options, count)
    counts = {"events": count, "archived": events.archived_count, "pages": pages}
    log.info("exported", **counts, memory_mib=app.memory_mib())


def _head(pixel_id: str, options: ExportOptions, now: datetime) -> str:
    match options.format_name:
        case "csv":
            return CSV_HEADER
        case "json":
            span = options.span
            description = {
                "pixel_id": pixel_id,
                "export_date": time_text(now),
                "date_range": {"start": time_text(span.start), "end": time_text(span.end)},
            }
            return f'{{"success": true, "data": {json.dumps(description)[:-1]}, "events": [\n'
        case _:
            return ""


def _tail(events: ExportEvents, options: ExportOptions, count: int) -> str:
    if options.format_name != "json":
        return ""
    totals = {"total_exported": count, "next_cursor": events.next_cursor}
    return f"\n], {json.dumps(totals)[1:]}}}\n"


def _file_name(pixel_id: str, options: ExportOptions) -> str:
    name = re.sub(r"[^A-Za-z0-9_-]", "_", pixel_id)
    return f"pixel_{name}_export.{options.format_name}"


def read_export_options(parameters: Mapping[str, str], now: datetime) -> ExportOptions:
    """Reads the query of an export.

    Raises:
        InvalidFieldsError: a parameter cannot be used; the details name all of them.
    """
    problems: list[str] = []
    format_name = parameters.get("format", "json")
    if format_name not in FORMATS:
        problems.append(f"format: must be one of {', '.join(FORMATS)}")
    limit = DEFAULT_JSON_ROWS if format_name == "json" else MAX_PART_EVENTS
    if "limit" in parameters:
        limit = read_whole_number("limit", parameters["limit"], MAX_EXPORT_ROWS, problems)
    before = parse_event_position(parameters.get("cursor", ""))
    if "cursor" in parameters and before is None:
        problems.append("cursor: must be the last event's timestamp and id: 2026-05-01 12:00:00,99")
    span = read_utc_span(parameters, now, problems)
    if problems:
        raise InvalidFieldsError(problems)
    return ExportOptions(format_name, span, before, limit)
