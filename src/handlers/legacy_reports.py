"""`/api/analytics/…`: the reports under the addresses and in the shapes of the old Worker.

Scripts read them, so keys, types and order stay, and no value of a query is refused: numbers are
clamped, other parameters ignored. `analytics` holds the same for clients of today.
"""

from __future__ import annotations

from app import App
from handlers.analytics import date_range, metrics_response, require_active
from handlers.json_api import answer_refusals
from services.core.logs import Log
from services.reports.legacy_statistics import (
    MAX_HOURS,
    credited_recent_events,
    read_legacy_project_statistics,
    read_legacy_span,
    read_legacy_statistics,
)
from services.reports.legacy_utm_analysis import read_legacy_analysis
from services.reports.realtime import hourly_breakdown
from services.reports.spans import Span
from services.reports.utm_analysis import read_utm_analysis
from web import Request, Response, json_response, time_text


@answer_refusals
async def stats(app: App, request: Request, _log: Log) -> Response:
    """`GET /api/analytics/stats/:pixelId?days=30`."""
    pixel_id = request.segment(-1)
    now = app.clock()
    span = read_legacy_span(request.parameters(), now)
    await require_active(app, pixel_id, now)
    data = {
        "pixel_id": pixel_id,
        "date_range": legacy_date_range(span),
        **await read_legacy_statistics(app.database, pixel_id, span, app.local_time),
    }
    return json_response({"success": True, "data": data})


@answer_refusals
async def project_stats(app: App, request: Request, _log: Log) -> Response:
    """`GET /api/analytics/project/:projectId/stats?days=30`."""
    project_id = request.segment(-2)
    span = read_legacy_span(request.parameters(), app.clock())
    data = {
        "project_id": project_id,
        "date_range": legacy_date_range(span),
        **await read_legacy_project_statistics(app.database, project_id, span),
    }
    return json_response({"success": True, "data": data})


@answer_refusals
async def realtime(app: App, request: Request, _log: Log) -> Response:
    """`GET /api/analytics/realtime/:pixelId`."""
    pixel_id = request.segment(-1)
    now = app.clock()
    await require_active(app, pixel_id, now)
    hours = await hourly_breakdown(app.database, pixel_id, now)
    data = {
        "pixel_id": pixel_id,
        "updated_at": time_text(now),
        "hourly_breakdown": hours[:MAX_HOURS],
        "recent_events": await credited_recent_events(app.database, pixel_id, now),
    }
    return json_response({"success": True, "data": data})


async def metrics(app: App, request: Request, log: Log) -> Response:
    """`GET /api/analytics/metrics`: JSON, whatever `format` says, but for Prometheus."""
    is_prometheus = request.parameters().get("format") == "prometheus"
    return await metrics_response(app, "prometheus" if is_prometheus else "json", log)


async def utm_analysis(app: App, _request: Request, _log: Log) -> Response:
    """`GET /api/analytics/debug/utm-analysis`: `analysis` of the newest hundred events."""
    now = app.clock()
    content = {
        "timestamp": time_text(now),
        **await read_legacy_analysis(app.database, now),
        "data": await read_utm_analysis(app.database, now),
    }
    return json_response({"success": True, **content})


def legacy_date_range(span: Span) -> dict[str, object]:
    """The span with the names of the old Worker and those of today."""
    return {"start": time_text(span.start), "end": time_text(span.end), **date_range(span)}
