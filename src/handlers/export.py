"""`GET /api/reports/export/:pixelId`: a pixel's events, for who takes them elsewhere."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from http import HTTPStatus

from app import App
from handlers.refusals import refusing
from services.core.cursors import EventPosition, parse_event_position
from services.core.errors import InvalidFieldsError, NotFoundError
from services.core.logs import Log
from services.reports.export_pages import CSV_HEADER, FORMATS, LARGEST_PART, MAX_ROWS, Format, ask
from services.reports.export_with_archive import Events, find_events, read_events
from services.reports.spans import DEFAULT_ZONE, Span
from web import Request, Response, time_text

DEFAULT_DAYS = 30
MAX_DAYS = 365
# JSON is read whole by who gets it; the old Worker gave so many.
DEFAULT_JSON_ROWS = 1_000


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a client wants of a pixel's events: which, at most how many, written how."""

    format_name: str
    span: Span
    cursor: EventPosition | None
    most: int

    @property
    def written(self) -> Format:
        """How they are written."""
        return FORMATS[self.format_name]


@refusing
async def export(app: App, request: Request, log: Log) -> Response:
    """A part of the pixel's events, the newest first, sent while it is read.

    A pixel that is switched off keeps its events, so they are exported all the same.
    """
    now = app.clock().replace(microsecond=0)
    wanted = read_wanted(request.parameters(), now)
    pixel_id = request.segment(-1)
    if await app.pixels.find(pixel_id, now.timestamp()) is None:
        raise NotFoundError("Pixel not found")
    asked = ask(pixel_id, wanted.span, wanted.cursor, wanted.most)
    events = await find_events(app.database, app.bucket, asked)
    next_cursor = {"X-Next-Cursor": events.next_cursor} if events.next_cursor else {}
    headers = {
        "Content-Type": wanted.written.content_type,
        "Content-Disposition": f'attachment; filename="{_file_name(pixel_id, wanted)}"',
        "Cache-Control": "no-store",
        **next_cursor,
    }
    return Response(HTTPStatus.OK, _body(app, events, wanted, now, log), headers)


async def _body(
    app: App, events: Events, wanted: Wanted, now: datetime, log: Log
) -> AsyncGenerator[str, None]:
    written = wanted.written
    yield _head(events, wanted, now)
    count = pages = 0
    async for lines in read_events(app.database, events, written):
        yield (written.between if count else "") + written.between.join(lines)
        count, pages = count + len(lines), pages + 1
    yield (written.end if count else "") + _tail(events, wanted, count)
    archived = sum(item.part is not None for item in events.older.items)
    counts = {"events": count, "archived": archived, "pages": pages}
    log.info("exported", **counts, memory_mib=app.memory_mib())


def _head(events: Events, wanted: Wanted, now: datetime) -> str:
    match wanted.format_name:
        case "csv":
            return CSV_HEADER
        case "json":
            said = {
                "pixel_id": events.recent.pixel_id,
                "export_date": time_text(now),
                "date_range": {
                    "start": time_text(wanted.span.start),
                    "end": time_text(wanted.span.end),
                },
            }
            return f'{{"success": true, "data": {json.dumps(said)[:-1]}, "events": [\n'
        case _:
            return ""


def _tail(events: Events, wanted: Wanted, count: int) -> str:
    if wanted.format_name != "json":
        return ""
    said = {"total_exported": count, "next_cursor": events.next_cursor}
    return f"\n], {json.dumps(said)[1:]}}}\n"


def _file_name(pixel_id: str, wanted: Wanted) -> str:
    name = re.sub(r"[^A-Za-z0-9_-]", "_", pixel_id)
    return f"pixel_{name}_export.{wanted.format_name}"


def read_wanted(parameters: Mapping[str, str], now: datetime) -> Wanted:
    """What the query asks for.

    Raises:
        InvalidFieldsError: something of it cannot be understood.
    """
    problems: list[str] = []
    format_name = parameters.get("format", "json")
    if format_name not in FORMATS:
        problems.append(f"format: must be one of {', '.join(FORMATS)}")
    most = DEFAULT_JSON_ROWS if format_name == "json" else LARGEST_PART
    if "limit" in parameters:
        most = _number("limit", parameters["limit"], MAX_ROWS, problems)
    cursor = parse_event_position(parameters.get("cursor", ""))
    if "cursor" in parameters and cursor is None:
        problems.append("cursor: must be the last event's timestamp and id: 2026-05-01 12:00:00,99")
    span = _span(parameters, now, problems)
    if problems:
        raise InvalidFieldsError(problems)
    return Wanted(format_name, span, cursor, most)


def _span(parameters: Mapping[str, str], now: datetime, problems: list[str]) -> Span:
    if {"from", "days"} <= parameters.keys():
        problems.append("days: says where the span begins, as from does; leave one of them out")
    days = DEFAULT_DAYS
    if "days" in parameters:
        days = _number("days", parameters["days"], MAX_DAYS, problems)
    end = _moment("to", parameters, time.max, now, problems)
    start = _moment("from", parameters, time.min, end - timedelta(days=days), problems)
    if start > end:
        problems.append("from: must not be after to")
    return Span(start, end, (end - start).days, DEFAULT_ZONE)


def _moment(
    name: str, parameters: Mapping[str, str], of_day: time, default: datetime, problems: list[str]
) -> datetime:
    """A time in UTC; a day alone is its beginning or its end."""
    if name not in parameters:
        return default
    text = parameters[name]
    try:
        if re.fullmatch(r"20[0-9]{2}-[0-9]{2}-[0-9]{2}", text):
            return datetime.combine(datetime.fromisoformat(text), of_day, UTC)
        if re.fullmatch(r"20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z", text):
            return datetime.fromisoformat(text)
    except ValueError:
        pass  # such as the 31st of February
    problems.append(f"{name}: must be a day or a time in UTC: 2026-05-01 or 2026-05-01T12:00:00Z")
    return default


def _number(name: str, text: str, most: int, problems: list[str]) -> int:
    number = int(text) if re.fullmatch("[0-9]{1,5}", text) else 0
    if 1 <= number <= most:
        return number
    problems.append(f"{name}: must be a whole number from 1 to {most:,}")
    return 1
