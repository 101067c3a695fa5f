"""The numbers, for scripts and people with an API key."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus

from app import App
from services.logs import Log
from services.realtime import hourly_breakdown, recent_events
from web import Request, Response, error_response, json_response


async def metrics(app: App, _request: Request, _log: Log) -> Response:
    """`GET /api/reports/metrics`: how the whole is doing, the sync above all."""
    now = app.clock()
    parts = await app.health.check()
    system = {
        "environment": app.config.environment,
        "cache_available": parts["kv"].healthy,
        "database_available": parts["database"].healthy,
    }
    content = {**await app.metrics.read(now), "system": system}
    return json_response({"success": True, "timestamp": _text(now), "metrics": content})


async def realtime(app: App, request: Request, _log: Log) -> Response:
    """`GET /api/reports/realtime/:pixelId`: the last 24 hours by hour, and the newest events."""
    pixel_id = request.path.rstrip("/").rpartition("/")[2]
    now = app.clock()
    pixel = await app.pixels.find(pixel_id, now.timestamp())
    if pixel is None or not pixel.active:
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


def _text(time: datetime) -> str:
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")
