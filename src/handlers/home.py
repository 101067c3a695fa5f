"""`GET /`: the name of the service and its addresses."""

from __future__ import annotations

from app import App
from config import VERSION
from services.core.logs import Log
from web import Request, Response, json_response, time_text

# Addresses by name, each with everything below it. Scripts rely on the names.
ENDPOINTS = {
    "script": "/p.js",
    "event": "/e",
    "image": "/api/track/pixel.gif",
    "health": "/health",
    "cron": "/health/cron",
    "reports": "/api/reports",
    "management": "/api/manage",
    "privacy": "/api/privacy",
    "backups": "/api/backups",
    "alerts": "/api/alerts",
    "waiting": "/api/waiting",
    "archive": "/api/archive",
    "key": "/api/key",
    "how_to_embed": "/static/integration-example.html",
    "api": "/api.html",
    "openapi": "/openapi.json",
    # Of the old Worker, which go on.
    "tracking": "/api/track/*",
    "analytics": "/api/analytics/* (requires authentication)",
    "projects": "/api/projects/* (requires authentication)",
    "pixel_script": "/static/pixel.js",
    "integration_guide": "/static/integration-example.html",
}
AUTHENTICATION = {
    "type": "API Key",
    "header": "Authorization: Bearer <api-key> or X-API-Key: <api-key>",
    "format": "the text that `./ppp keys new` prints",
    "required_for": [
        "analytics",
        "projects",
        "reports",
        "management",
        "privacy",
        "backups",
        "alerts",
        "waiting",
        "key",
    ],
    "documentation": "/api.html",
}
FEATURES = [
    "API Key Authentication",
    "Real-time Analytics",
    "Pipedrive Integration",
    "Security Headers",
    "Rate Limiting",
    "Archive",
    "Backups",
]


async def home(app: App, _request: Request, _log: Log) -> Response:
    """`GET /`: name, version, environment and addresses."""
    return json_response(
        {
            "name": "PPP Tracking Pixel API",
            "version": VERSION,
            "description": "First-party marketing attribution on Cloudflare Workers",
            "environment": app.config.environment,
            "timestamp": time_text(app.clock()),
            "endpoints": ENDPOINTS,
            "authentication": AUTHENTICATION,
            "features": FEATURES,
        }
    )
