"""`GET /health`: for monitors and for ops."""

from __future__ import annotations

from http import HTTPStatus

from app import App
from config import VERSION
from services.logs import Log
from web import Request, Response, json_response


async def health(app: App, _request: Request, log: Log) -> Response:
    """200 when every part answers and the schema is the expected one, else 503."""
    parts = await app.health.check()
    healthy = all(part.healthy for part in parts.values())
    if not healthy:
        log.error("unhealthy", parts=[name for name, part in parts.items() if not part.healthy])
    return json_response(
        {
            "status": "healthy" if healthy else "unhealthy",
            "version": VERSION,
            "worker_version": app.worker_version,
            "environment": app.config.environment,
            "timestamp": app.clock().isoformat(timespec="seconds").replace("+00:00", "Z"),
            "checks": {name: part.as_json() for name, part in parts.items()},
        },
        HTTPStatus.OK if healthy else HTTPStatus.SERVICE_UNAVAILABLE,
    )
