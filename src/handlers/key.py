"""What a key may do: by it a page knows what to show."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus

from app import App
from services.access.api_keys import PERMISSIONS, ApiKey
from services.core.logs import Log
from services.core.ports import Row
from services.core.stored_time import format_iso, parse_stored_time
from web import Request, Response, json_response

# A key is limited to some projects, a link to one.
READ_PROJECTS = """
SELECT projects.id, projects.name, projects.active, pixels.id AS pixel_id,
  pixels.name AS pixel_name, pixels.active AS pixel_active
FROM json_each(?1, '$.projects') AS allowed
JOIN projects ON projects.id = allowed.value
LEFT JOIN pixels ON pixels.project_id = projects.id AND (
  ?1 ->> 'pixels' IS NULL OR pixels.id IN (SELECT value FROM json_each(?1, '$.pixels'))
)
ORDER BY projects.name, pixels.name
"""


async def describe(app: App, request: Request, _log: Log) -> Response:
    """`GET /api/key`: name, role, permissions, and the projects that the key is limited to."""
    key = request.key
    if key is None:
        return Response(HTTPStatus.UNAUTHORIZED)
    content = {
        "name": key.name,
        "role": key.role,
        "permissions": [permission for permission in PERMISSIONS if key.has(permission)],
        "projects": None if key.projects is None else await _projects(app, key, key.projects),
        "ends_at": key.ends_at and format_iso(parse_stored_time(key.ends_at)),
    }
    return json_response({"success": True, "data": content})


async def _projects(
    app: App, key: ApiKey, project_ids: frozenset[str]
) -> Sequence[Mapping[str, object]]:
    """The projects of a limited key by name, each with the pixels of the key; unknown ids: none."""
    pixels = None if key.pixels is None else sorted(key.pixels)
    parameters = json.dumps({"projects": sorted(project_ids), "pixels": pixels})
    [rows] = await app.database.batch_rows((READ_PROJECTS,), parameters)
    projects: dict[str, list[Row]] = {}
    for row in rows:
        projects.setdefault(row["id"], []).append(row)
    return [_project(rows_of_project) for rows_of_project in projects.values()]


def _project(rows: Sequence[Row]) -> Mapping[str, object]:
    pixels = [
        {"id": row["pixel_id"], "name": row["pixel_name"], "active": int(bool(row["pixel_active"]))}
        for row in rows
        if row["pixel_id"] is not None
    ]
    first = rows[0]
    return {
        **{name: first[name] for name in ("id", "name")},
        "active": int(bool(first["active"])),
        "pixels": pixels,
    }
