"""Backups: a key with the role read lists them, one with the role admin makes one on demand."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from app import App
from handlers.json_api import answer_refusals, read_json_object
from services.core.errors import InvalidFieldsError, unknown_fields
from services.core.logs import Log
from services.core.ports import UnavailableError
from services.core.text import clean
from web import Request, Response, json_response

MAX_LABEL_CHARACTERS = 100


@answer_refusals
async def list_backups(app: App, _request: Request, log: Log) -> Response:
    """`GET /api/backups`: the newest hundred, newest first; and of those in R2 the largest one.

    D1 knows no backup from before somebody accepted another database.
    """
    backups = await app.backups.newest()
    content = [backup.as_json() for backup in backups]
    return json_response(
        {"success": True, "data": content, "in_bucket": await _sizes_in_bucket(app, log)}
    )


async def _sizes_in_bucket(app: App, log: Log) -> Mapping[str, object] | None:
    """The newest and the largest backup by the index in R2; None without any, or an answer."""
    try:
        entries = await app.backups.store.entries()
    except UnavailableError as error:
        log.warning("backup_index_not_read", reason=str(error))
        return None
    if not entries:
        return None
    largest = max(entries, key=lambda entry: int(str(entry["events"])))
    return {
        name: {"id": entry["id"], "events": entry["events"]}
        for name, entry in (("newest", entries[0]), ("largest", largest))
    }


@answer_refusals
async def start_backup(app: App, request: Request, log: Log) -> Response:
    """`POST /api/backups`: 201 with a new backup, of which nothing is written yet."""
    label = _label(await read_json_object(request))
    backup = await app.backups.start(label, log)
    return json_response({"success": True, "data": backup.as_json()}, HTTPStatus.CREATED)


@answer_refusals
async def read_backup(app: App, request: Request, _log: Log) -> Response:
    """`GET /api/backups/:id`: one backup."""
    backup = await app.backups.find(request.segment(-1))
    return json_response({"success": True, "data": backup.as_json()})


@answer_refusals
async def continue_backup(app: App, request: Request, log: Log) -> Response:
    """`POST /api/backups/:id/continue`: writes one more portion; repeat while it is running."""
    backup = await app.backups.proceed(request.segment(2), log)
    return json_response({"success": True, "data": backup.as_json()})


def _label(body: Mapping[str, object]) -> str | None:
    label = body.get("label")
    problems = unknown_fields(body, ["label"])
    if label is not None and not isinstance(label, str):
        problems.append("label: must be a text or null")
    if problems:
        raise InvalidFieldsError(problems)
    return clean(label, MAX_LABEL_CHARACTERS) if isinstance(label, str) else None
