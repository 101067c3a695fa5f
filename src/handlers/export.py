"""A pixel's events as JSON, CSV or NDJSON, under the address of today and that of the old Worker.

A key without the permission `leads` sees no persons. `core/event_lines.py` makes the cells of a CSV
line, `reports/export_pages.py` has its header, this module makes the file, and
`ops/reports/export_file.py` the operator's file.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from http import HTTPStatus

from app import App
from handlers.analytics import require_active
from handlers.json_api import answer_refusals, read_report_query
from services.core.cursors import EventPosition, parse_event_position
from services.core.errors import InvalidFieldsError, NotFoundError
from services.core.logs import Log
from services.core.text import read_whole_number
from services.reports.export_pages import (
    CSV_HEADER,
    FORMATS,
    FORMATS_WITHOUT_PERSONS,
    LEGACY_FORMATS,
    LEGACY_FORMATS_WITHOUT_PERSONS,
    MAX_EXPORT_ROWS,
    MAX_PART_EVENTS,
    ExportFormat,
    export_query,
)
from services.reports.export_with_archive import ExportEvents, find_events, read_events
from services.reports.legacy_query import clamped_number
from services.reports.legacy_statistics import read_legacy_span
from services.reports.spans import Span, read_utc_span
from web import Request, Response, compact_json, time_text

# A client reads JSON as a whole; this is the limit that the old Worker had.
DEFAULT_JSON_ROWS = 1_000
EXPORT_PARAMETERS = ("format", "days", "from", "to", "limit", "cursor")


# Where a pixel has no events, the old Worker answered 404 to who asked for CSV.
LEGACY_NO_EVENTS = Response(
    HTTPStatus.NOT_FOUND,
    CSV_HEADER.replace("\r\n", "\n") + "No data available",
    {"Content-Type": "text/plain; charset=UTF-8", "Cache-Control": "no-store"},
)


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """Which of a pixel's events an export has, at most how many, and in which format.

    `has_persons`: with what says who the visitors are. `is_legacy`: as the old Worker wrote them.
    """

    format_name: str
    span: Span
    before: EventPosition | None
    limit: int
    has_persons: bool = True
    is_legacy: bool = False

    @property
    def format(self) -> ExportFormat:
        """How the events are written."""
        complete = LEGACY_FORMATS if self.is_legacy else FORMATS
        anonymous = LEGACY_FORMATS_WITHOUT_PERSONS if self.is_legacy else FORMATS_WITHOUT_PERSONS
        return (complete if self.has_persons else anonymous)[self.format_name]


@answer_refusals
async def export(app: App, request: Request, log: Log) -> Response:
    """`GET /api/reports/export/:pixelId`: streams a part of the events, newest first.

    A pixel that is switched off keeps its events, so they can be exported.
    """
    now = app.clock().replace(microsecond=0)
    options = read_export_options(read_report_query(request, EXPORT_PARAMETERS), now)
    if await app.pixels.find(request.segment(-1), now.timestamp()) is None:
        raise NotFoundError("Pixel not found")
    return await _exported(app, request, options, now, log)


@answer_refusals
async def legacy_export(app: App, request: Request, log: Log) -> Response:
    """`GET /api/analytics/export/:pixelId`: the same as the old Worker answered it.

    No value is refused, any format but `csv` is JSON, and the pixel must be active.
    """
    now = app.clock().replace(microsecond=0)
    await require_active(app, request.segment(-1), now)
    options = read_legacy_options(request.parameters(), now)
    return await _exported(app, request, options, now, log)


async def _exported(
    app: App, request: Request, options: ExportOptions, now: datetime, log: Log
) -> Response:
    if request.key is None or not request.key.has("leads"):
        options = replace(options, has_persons=False)
    pixel_id = request.segment(-1)
    query = export_query(pixel_id, options.span, options.before, options.limit)
    events = await find_events(app.database, app.bucket, query)
    if options.is_legacy and options.format_name == "csv" and not events.count:
        return LEGACY_NO_EVENTS
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
            return CSV_HEADER.replace("\r\n", options.format.end)
        case "json":
            span = options.span
            description = {
                "pixel_id": pixel_id,
                "export_date": time_text(now),
                "date_range": {"start": time_text(span.start), "end": time_text(span.end)},
            }
            return f'{{"success":true,"data":{compact_json(description)[:-1]},"events":['
        case _:
            return ""


def _tail(events: ExportEvents, options: ExportOptions, count: int) -> str:
    if options.format_name != "json":
        return ""
    totals = {"total_exported": count, "next_cursor": events.next_cursor}
    return f"],{compact_json(totals)[1:]}}}"


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


def read_legacy_options(parameters: Mapping[str, str], now: datetime) -> ExportOptions:
    """Reads the query of an export as the old Worker read it: nothing is refused."""
    return ExportOptions(
        format_name="csv" if parameters.get("format") == "csv" else "json",
        span=read_legacy_span(parameters, now),
        before=parse_event_position(parameters.get("cursor", "")),
        limit=clamped_number(parameters.get("limit"), DEFAULT_JSON_ROWS, MAX_EXPORT_ROWS),
        is_legacy=True,
    )
