"""Shared views of a project: an admin makes, lists and closes them."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from app import App
from handlers.json_api import answer_refusals, read_json_object
from services.access.shared_views import read_new_view
from services.core.logs import Log
from services.core.ports import Row
from services.core.stored_time import format_iso, parse_stored_time
from web import Request, Response, json_response

TIMES = ("created_at", "ends_at", "revoked_at")


@answer_refusals
async def list_views(app: App, request: Request, _log: Log) -> Response:
    """`GET /api/manage/projects/:projectId/views`: those that are open, newest first."""
    views = await app.shared_views.open_views(request.segment(-2), app.clock())
    return json_response({"success": True, "data": [_view_json(view) for view in views]})


@answer_refusals
async def create(app: App, request: Request, log: Log) -> Response:
    """`POST` to the same path: 201 with the view, and with its link, which is shown this once.

    The secret is in the fragment, which no browser sends and no log has.
    """
    now = app.clock()
    view = read_new_view(await read_json_object(request), now)
    row, secret = await app.shared_views.create(request.segment(-2), view, now)
    _log_change(request, log, row)
    link = f"{request.base_url}/dashboard#view={secret}"
    content = {**_view_json(row), "secret": secret, "link": link}
    return json_response({"success": True, "data": content}, HTTPStatus.CREATED)


@answer_refusals
async def revoke(app: App, request: Request, log: Log) -> Response:
    """`DELETE /api/manage/projects/:projectId/views/:viewId`: the link opens nothing any more."""
    row = await app.shared_views.revoke(request.segment(-3), request.segment(-1), app.clock())
    _log_change(request, log, row)
    return json_response({"success": True, "data": _view_json(row)})


def _view_json(row: Row) -> Mapping[str, object]:
    times = {name: row[name] and format_iso(parse_stored_time(row[name])) for name in TIMES}
    return {**row, **times}


def _log_change(request: Request, log: Log, row: Row) -> None:
    log.info("management_written", method=request.method, kind="shared view", id=row["id"])
