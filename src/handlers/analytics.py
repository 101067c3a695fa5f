"""The reports and the metrics, for clients with an API key."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from http import HTTPStatus

from app import App
from config import VERSION
from handlers.json_api import answer_refusals, read_report_query
from services.core.errors import NotFoundError
from services.core.logs import Log
from services.monitoring.prometheus import CONTENT_TYPE, exposition
from services.projects.pixel_cache import Pixel
from services.reports.breakdowns import read_breakdown, read_breakdown_query, read_limit
from services.reports.channel_rules import CLASSIFIER_VERSION
from services.reports.pixel_statistics import read_statistics
from services.reports.project_statistics import PixelPageQuery, read_project_statistics
from services.reports.realtime import hourly_breakdown, recent_events
from services.reports.spans import Span, read_span
from services.reports.utm_analysis import read_utm_analysis
from services.tracking.registrable_domains import hosts_of_website
from web import Request, Response, error_response, json_response, time_text

METRICS_FORMATS = ("json", "prometheus")
SPAN_PARAMETERS = ("days", "from", "to", "tz")
PAGE_PARAMETERS = ("limit", "cursor")
BREAKDOWN_PARAMETERS = ("by", "attribution", "window", *SPAN_PARAMETERS, *PAGE_PARAMETERS)


@answer_refusals
async def metrics(app: App, request: Request, log: Log) -> Response:
    """`GET /api/reports/metrics?format=json`: the state of the system and of the sync."""
    format_name = read_report_query(request, ("format",)).get("format", "json")
    if format_name not in METRICS_FORMATS:
        message = f"format must be one of {', '.join(METRICS_FORMATS)}"
        return error_response(HTTPStatus.BAD_REQUEST, message)
    return await metrics_response(app, format_name, log)


async def metrics_response(app: App, format_name: str, log: Log) -> Response:
    """The metrics in one of METRICS_FORMATS."""
    now = app.clock()
    parts = await app.health.check()
    reading = await app.metrics_reader.read(now)
    waiting = await app.waiting_counts.read_if_possible(log)
    if format_name == "prometheus":
        headers = {"Content-Type": CONTENT_TYPE, "Cache-Control": "no-store"}
        return Response(HTTPStatus.OK, exposition(reading, parts, waiting, VERSION), headers)
    system = {
        "environment": app.config.environment,
        "cache_available": parts["kv"].healthy,
        "database_available": parts["database"].healthy,
    }
    counts = waiting and waiting.as_json()
    content = {**reading.as_json(), "waiting_events": counts, "system": system}
    return json_response({"success": True, "timestamp": time_text(now), "metrics": content})


@answer_refusals
async def realtime(app: App, request: Request, _log: Log) -> Response:
    """`GET /api/reports/realtime/:pixelId`: the last 24 hours by hour, and the newest events."""
    read_report_query(request, ())
    pixel_id = request.segment(-1)
    now = app.clock()
    await require_active(app, pixel_id, now)
    return json_response(
        {
            "success": True,
            "data": {
                "pixel_id": pixel_id,
                "updated_at": time_text(now),
                "hourly_breakdown": await hourly_breakdown(app.database, pixel_id, now),
                "recent_events": await recent_events(app.database, pixel_id, now),
            },
        }
    )


@answer_refusals
async def stats(app: App, request: Request, _log: Log) -> Response:
    """`GET /api/reports/stats/:pixelId?days|from|to|tz`: statistics of a pixel in a span."""
    pixel_id = request.segment(-1)
    now = app.clock()
    span = read_span(read_report_query(request, SPAN_PARAMETERS), now, app.local_time)
    await require_active(app, pixel_id, now)
    data = {
        "pixel_id": pixel_id,
        "date_range": date_range(span),
        **await read_statistics(app.database, pixel_id, span, app.local_time),
    }
    return json_response({"success": True, "data": data})


@answer_refusals
async def project_stats(app: App, request: Request, _log: Log) -> Response:
    """`GET /api/reports/project/:projectId/stats?days|from|to|tz`: statistics of its pixels."""
    project_id = request.segment(-2)
    parameters = read_report_query(request, (*SPAN_PARAMETERS, *PAGE_PARAMETERS))
    span = read_span(parameters, app.clock(), app.local_time)
    page = PixelPageQuery(read_limit(parameters), parameters.get("cursor", ""))
    data = {
        "project_id": project_id,
        "date_range": date_range(span),
        **await read_project_statistics(app.database, project_id, span, page),
    }
    return json_response({"success": True, "data": data})


@answer_refusals
async def breakdown(app: App, request: Request, _log: Log) -> Response:
    """`GET /api/reports/breakdown/:pixelId?by=…`: a page of a pixel's events by a property."""
    pixel_id = request.segment(-1)
    now = app.clock()
    parameters = read_report_query(request, BREAKDOWN_PARAMETERS)
    query = read_breakdown_query(parameters, now, app.local_time)
    pixel = await require_active(app, pixel_id, now)
    page = await read_breakdown(app.database, pixel_id, query, _own_sites(pixel))
    data = {
        "pixel_id": pixel_id,
        "date_range": date_range(query.span),
        "by": query.by,
        "attribution": query.attribution,
        "classifier_version": CLASSIFIER_VERSION,
        "rows": page.rows,
        "next_cursor": page.next_cursor,
        "archived": page.archived,
    }
    return json_response({"success": True, "data": data})


@answer_refusals
async def utm_analysis(app: App, request: Request, _log: Log) -> Response:
    """`GET /api/reports/debug/utm-analysis`: which recent events have a source."""
    read_report_query(request, ())
    now = app.clock()
    analysis = await read_utm_analysis(app.database, now)
    return json_response({"success": True, "timestamp": time_text(now), "data": analysis})


async def require_active(app: App, pixel_id: str, now: datetime) -> Pixel:
    """The pixel with this id.

    Raises:
        NotFoundError: there is no such pixel, or it or its project is not active.
    """
    pixel = await app.pixels.find(pixel_id, now.timestamp())
    if pixel is None or not pixel.active:
        raise NotFoundError("Pixel not found")
    return pixel


def _own_sites(pixel: Pixel) -> Sequence[str]:
    return [*pixel.rules.allowed_domains, *hosts_of_website(pixel.website_url)]


def date_range(span: Span) -> dict[str, object]:
    """The span as answers name it."""
    ends = {"from": time_text(span.start), "to": time_text(span.end)}
    return {**ends, "days": span.days, "tz": span.zone}
