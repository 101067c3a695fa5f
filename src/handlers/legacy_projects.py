"""`/api/projects/…`: projects and pixels under the addresses and in the shapes of the old Worker.

A row has all its columns, the configuration as JSON text; what is switched off is 404; `PUT`
replaces the configuration. `projects` holds the same for clients of today.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from app import App
from handlers.json_api import answer_refusals
from handlers.projects import embed_snippet
from services.core.errors import InvalidInputError
from services.core.logs import Log
from services.core.page_limit import MAX_PAGE_ROWS
from services.core.ports import Row
from services.core.text import read_json
from services.projects.legacy_register import LegacyRegister
from services.reports.legacy_query import clamped_number
from web import MAX_BODY_BYTES, Request, Response, json_response

# Where a path has the id of a project: /api/projects/:id/pixels.
PROJECT_SEGMENT = 2
NO_NUMBER = 0
# What is not in it is taken away, the account in Pipedrive too.
REPLACES_ACCOUNT = (
    "A key that is limited to projects changes a configuration at /api/manage/projects/:id, setting"
    " by setting"
)


@answer_refusals
async def list_projects(app: App, request: Request, _log: Log) -> Response:
    """`GET /api/projects`: all of them, the newest first; with `limit` a page."""
    parameters = request.parameters()
    limit = clamped_number(parameters.get("limit"), NO_NUMBER, MAX_PAGE_ROWS) or None
    ids = request.key.projects if request.key else None
    page = await _register(app).projects(limit, parameters.get("cursor"), ids)
    content = {"data": page.projects, "next_cursor": page.next_cursor}
    return json_response({"success": True, **content})


@answer_refusals
async def create_project(app: App, request: Request, log: Log) -> Response:
    """`POST /api/projects`: 201 with the new project."""
    project = await _register(app).create_project(await _read_payload(request))
    _log_change(request, log, "project", project["id"])
    return _changed("Project created successfully", project, HTTPStatus.CREATED)


@answer_refusals
async def read_project(app: App, request: Request, _log: Log) -> Response:
    """`GET /api/projects/:id`: a project with its pixels."""
    project = await _register(app).project(request.segment(PROJECT_SEGMENT))
    pixels = [_pixel_json(request, pixel) for pixel in project["pixels"]]
    return json_response({"success": True, "data": {**project, "pixels": pixels}})


@answer_refusals
async def change_project(app: App, request: Request, log: Log) -> Response:
    """`PUT /api/projects/:id`: another name, another configuration in place of the stored one."""
    fields = await _read_payload(request)
    if fields.get("configuration") is not None and request.key and request.key.projects is not None:
        raise InvalidInputError(REPLACES_ACCOUNT)
    project = await _register(app).change_project(request.segment(PROJECT_SEGMENT), fields)
    _log_change(request, log, "project", project["id"])
    return _changed("Project updated successfully", project)


@answer_refusals
async def switch_off_project(app: App, request: Request, log: Log) -> Response:
    """`DELETE /api/projects/:id`: the project and its pixels take no more events."""
    project_id = request.segment(PROJECT_SEGMENT)
    await _register(app).switch_off_project(project_id)
    _log_change(request, log, "project", project_id)
    return json_response({"success": True, "message": "Project deleted successfully"})


@answer_refusals
async def list_pixels(app: App, request: Request, _log: Log) -> Response:
    """`GET /api/projects/:id/pixels`: all of them, the newest first."""
    pixels = await _register(app).pixels(request.segment(PROJECT_SEGMENT))
    return json_response(
        {"success": True, "data": [_pixel_json(request, pixel) for pixel in pixels]}
    )


@answer_refusals
async def create_pixel(app: App, request: Request, log: Log) -> Response:
    """`POST /api/projects/:id/pixels`: 201 with the new pixel."""
    fields = await _read_payload(request)
    pixel = await _register(app).create_pixel(request.segment(PROJECT_SEGMENT), fields)
    _log_change(request, log, "pixel", pixel["id"])
    content = _pixel_json(request, pixel)
    return _changed("Pixel created successfully", content, HTTPStatus.CREATED)


@answer_refusals
async def read_pixel(app: App, request: Request, _log: Log) -> Response:
    """`GET /api/projects/pixels/:id`: a pixel with the name of its project."""
    pixel = await _register(app).pixel(request.segment(-1))
    return json_response({"success": True, "data": _pixel_json(request, pixel)})


@answer_refusals
async def change_pixel(app: App, request: Request, log: Log) -> Response:
    """`PUT /api/projects/pixels/:id`: as of a project, and another website."""
    fields = await _read_payload(request)
    pixel = await _register(app).change_pixel(request.segment(-1), fields)
    _log_change(request, log, "pixel", pixel["id"])
    return _changed("Pixel updated successfully", _pixel_json(request, pixel))


@answer_refusals
async def switch_off_pixel(app: App, request: Request, log: Log) -> Response:
    """`DELETE /api/projects/pixels/:id`: the pixel takes no more events."""
    pixel_id = request.segment(-1)
    await _register(app).switch_off_pixel(pixel_id)
    _log_change(request, log, "pixel", pixel_id)
    return json_response({"success": True, "message": "Pixel deleted successfully"})


def _register(app: App) -> LegacyRegister:
    return LegacyRegister(app.database, app.new_id)


async def _read_payload(request: Request) -> Mapping[str, object]:
    try:
        payload = read_json(await request.text(MAX_BODY_BYTES))
    except ValueError:
        payload = None
    if not isinstance(payload, dict):
        raise InvalidInputError("Invalid JSON payload")
    return payload


def _pixel_json(request: Request, pixel: Row) -> Row:
    return {**pixel, "embed_snippet": embed_snippet(request.base_url, pixel["id"])}


def _changed(message: str, entry: Row, status: HTTPStatus = HTTPStatus.OK) -> Response:
    return json_response({"success": True, "message": message, "data": entry}, status)


def _log_change(request: Request, log: Log, kind: str, entry_id: str) -> None:
    log.info("management_written", method=request.method, kind=kind, id=entry_id)
