"""Find, export and erase the data of one person, for keys with the role admin.

A key for some projects does so in these only; receipts are for a key without.
The body names the person, so that no address and no log line does.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app import App
from handlers.json_api import answer_refusals, read_json_object, read_limit
from services.core.cursors import NEWEST_RECEIPT, ReceiptPosition, parse_receipt_position
from services.core.errors import ConflictError, InvalidFieldsError
from services.core.logs import Log
from services.core.ports import Row, UnavailableError
from services.core.stored_time import format_iso, parse_stored_time
from services.privacy.data_subject import DataSubject, read_subject
from services.privacy.person_requests import PrivacyCursor, parse_privacy_cursor
from web import Request, Response, json_response

CONFIRM = 'must be true, because this cannot be undone; "dry_run": true shows what would go'
SWITCHES = ("confirm", "dry_run")
# A restore takes minutes, and the decision for it longer.
LOST_RETRY_SECONDS = 3_600
CURSOR_ONLY = frozenset(("cursor",))
ERASE_FIELDS = frozenset(("cursor", *SWITCHES))


@dataclass(frozen=True, slots=True)
class PersonQuery:
    """The body of a request about a person: all of it, the person, and the cursor if any."""

    body: Mapping[str, object]
    subject: DataSubject
    cursor: PrivacyCursor | None


@answer_refusals
async def find(app: App, request: Request, log: Log) -> Response:
    """`POST /api/privacy/find`: how much is stored about the person, where, under which ids."""
    query = await _read_query(request, CURSOR_ONLY)
    unread = await _store_waiting(app, log)
    progress = await app.privacy.find(query.subject, query.cursor, unread)
    return _answer("find", query.subject, progress, log)


@answer_refusals
async def export(app: App, request: Request, log: Log) -> Response:
    """`POST /api/privacy/export`: everything about the person, page by page."""
    query = await _read_query(request, CURSOR_ONLY)
    unread = await _store_waiting(app, log)
    progress = await app.privacy.export(query.subject, query.cursor, unread)
    return _answer("export", query.subject, progress, log)


@answer_refusals
async def erase(app: App, request: Request, log: Log) -> Response:
    """`POST /api/privacy/erase`: deletes everything about the person; a dry run only finds it."""
    query = await _read_query(request, ERASE_FIELDS)
    unread = await _store_waiting(app, log)
    _require_boolean_switches(query.body)
    if query.body.get("dry_run") is True:
        progress = await app.privacy.find(query.subject, query.cursor, unread)
        return _answer("find", query.subject, {**progress, "dry_run": True}, log)
    if query.body.get("confirm") is not True:
        raise InvalidFieldsError([f"confirm: {CONFIRM}"])
    progress = await app.privacy.erase(query.subject, query.cursor, unread)
    return _answer("erase", query.subject, progress, log)


@answer_refusals
async def receipts(app: App, request: Request, _log: Log) -> Response:
    """`GET /api/privacy/receipts`: a page of the erasures, newest first."""
    parameters = request.parameters()
    problems: list[str] = []
    limit = read_limit(parameters, problems)
    cursor = parameters.get("cursor")
    before = NEWEST_RECEIPT if cursor is None else parse_receipt_position(cursor)
    if before is None:
        problems.append("cursor: must be the next_cursor of another page")
    if problems or before is None:
        raise InvalidFieldsError(problems)
    rows = await app.privacy.receipts(before, limit + 1)
    last = rows[limit - 1] if len(rows) > limit else None
    next_cursor = str(ReceiptPosition(last["started_at"], last["id"])) if last else None
    data = [_receipt_json(row) for row in rows[:limit]]
    return json_response({"success": True, "data": data, "next_cursor": next_cursor})


@answer_refusals
async def receipt(app: App, request: Request, _log: Log) -> Response:
    """`GET /api/privacy/receipts/:id`: one erasure."""
    row = await app.privacy.receipt(request.segment(-1))
    return json_response({"success": True, "data": _receipt_json(row)})


async def _store_waiting(app: App, log: Log) -> Sequence[str]:
    """Stores what waits in R2, so that nothing about a person is overlooked.

    What the database does not take is searched in R2 (`parked_search.py`) and keeps nobody waiting.
    Returns the keys that cannot be read: an answer names them as damaged.

    Raises:
        ConflictError: the database is lost; no receipt may say of it that somebody is erased.
        UnavailableError: more events wait than one request can store.
    """
    loss = await app.loss_check.judge(log)
    if loss.reason:
        waiting = len(await app.waiting_room.keys())
        advice = (
            f"{loss.reason}. {waiting:,} events wait in R2, which nobody can search before the"
            " restore. Nothing was searched or erased: ask again after it"
        )
        raise ConflictError("The database is lost", advice, LOST_RETRY_SECONDS)
    rest = await app.replay.run(log)
    if rest.events > rest.failed:
        raise UnavailableError("events wait to be stored before anybody is searched for")
    return rest.unreadable


async def _read_query(request: Request, other_fields: frozenset[str]) -> PersonQuery:
    body = await read_json_object(request)
    subject = read_subject(body, other_fields, request.key.projects if request.key else None)
    text = body.get("cursor")
    cursor = parse_privacy_cursor(text) if isinstance(text, str) else None
    if text is not None and cursor is None:
        raise InvalidFieldsError(["cursor: must be the cursor of the answer before, or left out"])
    return PersonQuery(body, subject, cursor)


def _require_boolean_switches(body: Mapping[str, object]) -> None:
    """Refuses a `dry_run` that is not a boolean: it must not erase."""
    invalid = [name for name in SWITCHES if not isinstance(body.get(name, False), bool)]
    if invalid:
        raise InvalidFieldsError([f"{name}: must be true or false" for name in invalid])


def _answer(kind: str, subject: DataSubject, progress: Mapping[str, Any], log: Log) -> Response:
    fields = {name: progress.get(name) for name in ("request", "done", "stage")}
    log.info("privacy_request", kind=kind, asked_by=subject.asked_by, **fields)
    return json_response({"success": True, "data": progress})


def _receipt_json(row: Row) -> Mapping[str, object]:
    if row["receipt"]:
        content: Mapping[str, object] = json.loads(row["receipt"])
        return {**content, "state": "done"}
    started_at = format_iso(parse_stored_time(row["started_at"]))
    return {"id": row["id"], "by": row["asked_by"], "started_at": started_at, "state": "unfinished"}
