"""The numbers, for scripts and people with an API key."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from http import HTTPStatus

from app import App
from config import VERSION
from services.exposition import CONTENT_TYPE, exposition
from services.logs import Log
from services.realtime import hourly_breakdown, recent_events
from services.statistics import Span, read_statistics
from web import Request, Response, error_response, json_response

METRICS_FORMATS = ("json", "prometheus")
DEFAULT_DAYS = 30
MOST_DAYS = 365


async def metrics(app: App, request: Request, _log: Log) -> Response:
    """`GET /api/reports/metrics?format=json`: how the whole is doing, the sync above all."""
    format_name = request.parameters().get("format", "json")
    if format_name not in METRICS_FORMATS:
        message = f"format must be one of {', '.join(METRICS_FORMATS)}"
        return error_response(HTTPStatus.BAD_REQUEST, message)
    now = app.clock()
    parts = await app.health.check()
    reading = await app.metrics.read(now)
    if format_name == "prometheus":
        headers = {"Content-Type": CONTENT_TYPE, "Cache-Control": "no-store"}
        return Response(HTTPStatus.OK, exposition(reading, parts, VERSION), headers)
    system = {
        "environment": app.config.environment,
        "cache_available": parts["kv"].healthy,
        "database_available": parts["database"].healthy,
    }
    content = {**reading.as_json(), "system": system}
    return json_response({"success": True, "timestamp": _text(now), "metrics": content})


async def realtime(app: App, request: Request, _log: Log) -> Response:
    """`GET /api/reports/realtime/:pixelId`: the last 24 hours by hour, and the newest events."""
    pixel_id = request.segment(-1)
    now = app.clock()
    if not await _is_active(app, pixel_id, now):
        return error_response(HTTPStatus.NOT_FOUND, "Pixel not found")
    return json_response(
        {
            "success": True,
            "data": {
                "pixel_id": pixel_id,
                "updated_at": _text(now),
                "hourly_breakdown": await hourly_breakdown(app.database, pixel_id, now),
                "recent_events": await recent_events(app.database, pixel_id, now),
            },
        }
    )


async def stats(app: App, request: Request, _log: Log) -> Response:
    """`GET /api/reports/stats/:pixelId?days=30`: what the pixel saw in the last days."""
    days = _days(request.parameters().get("days"))
    if days is None:
        message = f"days must be a whole number from 1 to {MOST_DAYS}"
        return error_response(HTTPStatus.BAD_REQUEST, message)
    pixel_id = request.segment(-1)
    now = app.clock().replace(microsecond=0)
    if not await _is_active(app, pixel_id, now):
        return error_response(HTTPStatus.NOT_FOUND, "Pixel not found")
    span = Span(now - timedelta(days=days), now)
    data = {
        "pixel_id": pixel_id,
        "date_range": {"from": _text(span.start), "to": _text(span.end), "days": days},
        **await read_statistics(app.database, pixel_id, span),
    }
    return json_response({"success": True, "data": data})


def _days(text: str | None) -> int | None:
    if text is None:
        return DEFAULT_DAYS
    days = int(text) if re.fullmatch("[0-9]{1,3}", text) else 0
    return days if 1 <= days <= MOST_DAYS else None


async def _is_active(app: App, pixel_id: str, now: datetime) -> bool:
    pixel = await app.pixels.find(pixel_id, now.timestamp())
    return pixel is not None and pixel.active


def _text(time: datetime) -> str:
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")
