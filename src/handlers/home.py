"""`GET /`: what this is and where to go."""

from __future__ import annotations

from app import App
from config import VERSION
from services.core.logs import Log
from web import Request, Response, json_response

# Each with all that is below it. Names stay: scripts read them.
ENDPOINTS = {
    "script": "/p.js",
    "event": "/e",
    "image": "/api/track/pixel.gif",
    "health": "/health",
    "cron": "/health/cron",
    "reports": "/api/reports",
    "projects": "/api/projects",
    "privacy": "/api/privacy",
    "backups": "/api/backups",
    "archive": "/api/archive",
    "how_to_embed": "/static/integration-example.html",
    "api": "/api.html",
    "openapi": "/openapi.json",
}


async def home(app: App, _request: Request, _log: Log) -> Response:
    """Names the service, its version and its addresses."""
    return json_response(
        {
            "name": "PPP Pixel",
            "version": VERSION,
            "environment": app.config.environment,
            "endpoints": ENDPOINTS,
        }
    )
