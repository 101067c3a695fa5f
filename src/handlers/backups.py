"""Backups, for who has an API key: what there is, and with the role admin, one on demand."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from app import App
from handlers.refusals import refusing
from handlers.sent import read_sent
from services.core.errors import InvalidFieldsError, unknown_fields
from services.core.logs import Log
from services.core.text import clean
from web import Request, Response, json_response

MAX_LABEL_CHARACTERS = 100


@refusing
async def list_backups(app: App, _request: Request, _log: Log) -> Response:
    """`GET /api/backups`: the newest hundred, the newest first."""
    backups = await app.backups.records.newest()
    return json_response({"success": True, "data": [backup.as_json() for backup in backups]})


@refusing
async def start_backup(app: App, request: Request, log: Log) -> Response:
    """`POST /api/backups`: 201 with a new backup, of which nothing is written yet."""
    label = _label(await read_sent(request))
    backup = await app.backups.start(label, log)
    return json_response({"success": True, "data": backup.as_json()}, HTTPStatus.CREATED)


@refusing
async def read_backup(app: App, request: Request, _log: Log) -> Response:
    """`GET /api/backups/:id`."""
    backup = await app.backups.find(request.segment(-1))
    return json_response({"success": True, "data": backup.as_json()})


@refusing
async def continue_backup(app: App, request: Request, log: Log) -> Response:
    """`POST /api/backups/:id/continue`: one more portion of it; ask again while it is running."""
    backup = await app.backups.proceed(request.segment(2), log)
    return json_response({"success": True, "data": backup.as_json()})


def _label(sent: Mapping[str, object]) -> str | None:
    label = sent.get("label")
    problems = unknown_fields(sent, ["label"])
    if label is not None and not isinstance(label, str):
        problems.append("label: must be a text or null")
    if problems:
        raise InvalidFieldsError(problems)
    return clean(label, MAX_LABEL_CHARACTERS) if isinstance(label, str) else None
