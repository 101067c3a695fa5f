"""`GET /`: what this is and where to go."""

from __future__ import annotations

from app import App
from config import VERSION
from services.logs import Log
from web import Request, Response, json_response


async def home(app: App, _request: Request, _log: Log) -> Response:
    """Names the service, its version and its addresses."""
    return json_response(
        {
            "name": "PPP Pixel",
            "version": VERSION,
            "environment": app.config.environment,
            "endpoints": {
                "script": "/p.js",
                "event": "/e",
                "image": "/api/track/pixel.gif",
                "health": "/health",
                "reports": "/api/reports",
                "projects": "/api/projects",
                "privacy": "/api/privacy",
                "how_to_embed": "/static/integration-example.html",
                "api": "/api.html",
                "openapi": "/openapi.json",
            },
        }
    )
