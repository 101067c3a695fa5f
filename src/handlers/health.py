"""`GET /health` and `GET /health/cron`, for uptime monitors and for `./ppp`."""

from __future__ import annotations

from http import HTTPStatus

from app import App
from config import VERSION, unusable
from services.core.logs import Log
from services.monitoring.checks import MAX_CRON_GAP
from web import Request, Response, json_response, time_text

# As the old Worker called itself, for the monitors that look for it.
OLD_NAME = "PPP_Pixel"


async def health(app: App, _request: Request, log: Log) -> Response:
    """`GET /health`: 200 if every binding answers and the database is the expected one, else 503.

    An isolate looks once in five seconds. `uptime` is its age in milliseconds.
    """
    now = app.clock()
    parts = await app.recent_health.read(log)
    healthy = all(part.healthy for part in parts.values())
    if not healthy:
        log.error("unhealthy", parts=[name for name, part in parts.items() if not part.healthy])
    return json_response(
        {
            "status": "healthy" if healthy else "unhealthy",
            "version": VERSION,
            "worker_version": app.worker_version,
            "environment": app.config.environment,
            "timestamp": time_text(now),
            "worker": OLD_NAME,
            "uptime": max(0, int((now - app.started_at).total_seconds() * 1_000)),
            "misconfigured": sorted(
                {problem.split()[0] for problem in unusable(app.setting_problems)}
            ),
            "checks": {name: part.as_json() for name, part in parts.items()},
        },
        HTTPStatus.OK if healthy else HTTPStatus.SERVICE_UNAVAILABLE,
    )


async def cron(app: App, _request: Request, log: Log) -> Response:
    """`GET /health/cron`: 200 if the last cron run is recent, else 503."""
    now = app.clock()
    last_run = await app.checks_run.last_run()
    late = last_run is None or now - last_run > MAX_CRON_GAP
    if late:
        log.error("cron_silent")
    return json_response(
        {
            "status": "unhealthy" if late else "healthy",
            "last_run": time_text(last_run) if last_run else None,
            "age_seconds": int((now - last_run).total_seconds()) if last_run else None,
        },
        HTTPStatus.SERVICE_UNAVAILABLE if late else HTTPStatus.OK,
    )
