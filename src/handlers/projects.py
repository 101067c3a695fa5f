"""Projects and their pixels, for who has an API key: read them, and with the role admin, change."""

from __future__ import annotations

import html
from collections.abc import Mapping
from http import HTTPStatus

from app import App
from handlers.refusals import refusing
from handlers.sent import read_sent
from services.core.errors import InvalidFieldsError
from services.core.logs import Log
from services.core.text import whole_number
from services.projects.entry_values import Entry
from services.projects.register import Page, Register, Wanted
from web import Request, Response, json_response

DEFAULT_ROWS = 100
MAX_ROWS = 500
YES_OR_NO = {"true": True, "false": False}


@refusing
async def list_projects(app: App, request: Request, _log: Log) -> Response:
    """`GET /api/projects`: a page of the projects by name."""
    return _listed(app.projects, request, await app.projects.page(_wanted(request)))


@refusing
async def create_project(app: App, request: Request, log: Log) -> Response:
    """`POST /api/projects`: 201 with the new project."""
    project = await app.projects.create(await read_sent(request))
    return _written(app.projects, request, project, log, HTTPStatus.CREATED)


@refusing
async def read_project(app: App, request: Request, _log: Log) -> Response:
    """`GET /api/projects/:id`, active or not."""
    project = await app.projects.find(request.segment(-1))
    return _answered(app.projects, request, project)


@refusing
async def change_project(app: App, request: Request, log: Log) -> Response:
    """`PUT /api/projects/:id`: what is sent changes, the rest stays."""
    project = await app.projects.change(request.segment(-1), await read_sent(request))
    return _written(app.projects, request, project, log)


@refusing
async def switch_off_project(app: App, request: Request, log: Log) -> Response:
    """`DELETE /api/projects/:id`: it and its pixels take no events any more; nothing is deleted."""
    project = await app.projects.switch_off(request.segment(-1))
    return _written(app.projects, request, project, log)


@refusing
async def list_pixels(app: App, request: Request, _log: Log) -> Response:
    """`GET /api/projects/:projectId/pixels`: a page of a project's pixels by name."""
    page = await app.project_pixels.page(_wanted(request), request.segment(2))
    return _listed(app.project_pixels, request, page)


@refusing
async def create_pixel(app: App, request: Request, log: Log) -> Response:
    """`POST /api/projects/:projectId/pixels`: 201 with the new pixel and how to embed it."""
    pixel = await app.project_pixels.create(await read_sent(request), request.segment(2))
    return _written(app.project_pixels, request, pixel, log, HTTPStatus.CREATED)


@refusing
async def read_pixel(app: App, request: Request, _log: Log) -> Response:
    """`GET /api/projects/pixels/:pixelId`, active or not."""
    pixel = await app.project_pixels.find(request.segment(-1))
    return _answered(app.project_pixels, request, pixel)


@refusing
async def change_pixel(app: App, request: Request, log: Log) -> Response:
    """`PUT /api/projects/pixels/:pixelId`: what is sent changes, the rest stays."""
    pixel = await app.project_pixels.change(request.segment(-1), await read_sent(request))
    return _written(app.project_pixels, request, pixel, log)


@refusing
async def switch_off_pixel(app: App, request: Request, log: Log) -> Response:
    """`DELETE /api/projects/pixels/:pixelId`: it takes no events any more; nothing is deleted."""
    pixel = await app.project_pixels.switch_off(request.segment(-1))
    return _written(app.project_pixels, request, pixel, log)


def embed_snippet(base_url: str, pixel_id: str) -> str:
    """The tag that a site owner puts into their pages."""
    script, pixel = html.escape(f"{base_url}/p.js"), html.escape(pixel_id)
    return f'<script src="{script}" data-pixel-id="{pixel}" async></script>'


def _listed(register: Register, request: Request, page: Page) -> Response:
    shown = [_shown(register, request, entry) for entry in page.entries]
    return json_response({"success": True, "data": shown, "next_cursor": page.next_cursor})


def _written(
    register: Register,
    request: Request,
    entry: Entry,
    log: Log,
    status: HTTPStatus = HTTPStatus.OK,
) -> Response:
    written = {"kind": register.kind.noun, "id": entry.id, "active": bool(entry.active)}
    log.info("management_written", method=request.method, **written)
    return _answered(register, request, entry, status)


def _answered(
    register: Register, request: Request, entry: Entry, status: HTTPStatus = HTTPStatus.OK
) -> Response:
    return json_response({"success": True, "data": _shown(register, request, entry)}, status)


def _shown(register: Register, request: Request, entry: Entry) -> Mapping[str, object]:
    shown = register.kind.as_json(entry)
    if entry.project_id is None:
        return shown
    return {**shown, "embed_snippet": embed_snippet(request.base_url, entry.id)}


def _wanted(request: Request) -> Wanted:
    parameters = request.parameters()
    limit = whole_number(parameters.get("limit", str(DEFAULT_ROWS)), MAX_ROWS)
    include_inactive = YES_OR_NO.get(parameters.get("include_inactive", "false"))
    problems = []
    if limit is None:
        problems.append(f"limit: must be a whole number from 1 to {MAX_ROWS}")
    if include_inactive is None:
        problems.append("include_inactive: must be true or false")
    if limit is None or include_inactive is None:
        raise InvalidFieldsError(problems)
    return Wanted(limit, parameters.get("cursor", ""), include_inactive)
