"""`GET /`: the name of the service and its addresses."""

from __future__ import annotations

from app import App
from config import VERSION
from services.core.logs import Log
from web import Request, Response, json_response

# Addresses by name, each with everything below it. Scripts rely on the names.
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
    """`GET /`: name, version, environment and addresses."""
    return json_response(
        {
            "name": "PPP Pixel",
            "version": VERSION,
            "environment": app.config.environment,
            "endpoints": ENDPOINTS,
        }
    )
