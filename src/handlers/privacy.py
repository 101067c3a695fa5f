"""What is stored about one person: found, exported, erased. For keys with the role admin.

Whom it is about stands in the body, so that it is in no address and no log.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from app import App
from handlers.refusals import refusing
from handlers.sent import read_sent
from services.core.cursors import NEWEST_RECEIPT, ReceiptPosition, parse_receipt_position
from services.core.errors import InvalidFieldsError
from services.core.logs import Log
from services.core.ports import Row
from services.core.stored_time import iso_8601
from services.core.text import whole_number
from services.privacy.data_subject import DataSubject, read_subject
from services.privacy.person_requests import PrivacyCursor, parse_privacy_cursor
from web import Request, Response, json_response

DEFAULT_ROWS = 100
MAX_ROWS = 500
CONFIRM = 'must be true, because this cannot be undone; "dry_run": true shows what would go'
SWITCHES = ("confirm", "dry_run")
ERASING = frozenset(("cursor", *SWITCHES))


@refusing
async def find(app: App, request: Request, log: Log) -> Response:
    """`POST /api/privacy/find`: how much there is, where, and under which ids."""
    _, subject, cursor = await _sent(request, frozenset(("cursor",)))
    return _answered("find", subject, await app.privacy.find(subject, cursor), log)


@refusing
async def export(app: App, request: Request, log: Log) -> Response:
    """`POST /api/privacy/export`: all of it, page by page."""
    _, subject, cursor = await _sent(request, frozenset(("cursor",)))
    return _answered("export", subject, await app.privacy.export(subject, cursor), log)


@refusing
async def erase(app: App, request: Request, log: Log) -> Response:
    """`POST /api/privacy/erase`: deletes all of it, or says what would go."""
    sent, subject, cursor = await _sent(request, ERASING)
    _require_switches(sent)
    if sent.get("dry_run") is True:
        found = await app.privacy.find(subject, cursor)
        return _answered("find", subject, {**found, "dry_run": True}, log)
    if sent.get("confirm") is not True:
        raise InvalidFieldsError([f"confirm: {CONFIRM}"])
    return _answered("erase", subject, await app.privacy.erase(subject, cursor), log)


@refusing
async def receipts(app: App, request: Request, _log: Log) -> Response:
    """`GET /api/privacy/receipts`: the erasures, the newest first."""
    parameters = request.parameters()
    limit = whole_number(parameters.get("limit", str(DEFAULT_ROWS)), MAX_ROWS)
    cursor = parameters.get("cursor")
    before = NEWEST_RECEIPT if cursor is None else parse_receipt_position(cursor)
    problems = []
    if limit is None:
        problems.append(f"limit: must be a whole number from 1 to {MAX_ROWS}")
    if before is None:
        problems.append("cursor: must be the next_cursor of another page")
    if limit is None or before is None:
        raise InvalidFieldsError(problems)
    rows = await app.privacy.requests.receipts(before, limit + 1)
    last = rows[limit - 1] if len(rows) > limit else None
    next_cursor = str(ReceiptPosition(last["started_at"], last["id"])) if last else None
    shown = [_shown(row) for row in rows[:limit]]
    return json_response({"success": True, "data": shown, "next_cursor": next_cursor})


@refusing
async def receipt(app: App, request: Request, _log: Log) -> Response:
    """`GET /api/privacy/receipts/:id`: one erasure."""
    row = await app.privacy.requests.receipt(request.segment(-1))
    return json_response({"success": True, "data": _shown(row)})


async def _sent(
    request: Request, others: frozenset[str]
) -> tuple[Mapping[str, object], DataSubject, PrivacyCursor | None]:
    sent = await read_sent(request)
    subject = read_subject(sent, others)
    text = sent.get("cursor")
    cursor = parse_privacy_cursor(text) if isinstance(text, str) else None
    if text is not None and cursor is None:
        raise InvalidFieldsError(["cursor: must be the cursor of the answer before, or left out"])
    return sent, subject, cursor


def _require_switches(sent: Mapping[str, object]) -> None:
    """A `dry_run` that is nearly true must not erase."""
    wrong = [name for name in SWITCHES if not isinstance(sent.get(name, False), bool)]
    if wrong:
        raise InvalidFieldsError([f"{name}: must be true or false" for name in wrong])


def _answered(kind: str, subject: DataSubject, answer: Mapping[str, Any], log: Log) -> Response:
    said = {name: answer.get(name) for name in ("request", "done", "stage")}
    log.info("privacy_request", kind=kind, asked_by=subject.asked_by, **said)
    return json_response({"success": True, "data": answer})


def _shown(row: Row) -> Mapping[str, object]:
    if row["receipt"]:
        shown: Mapping[str, object] = json.loads(row["receipt"])
        return {**shown, "state": "done"}
    started_at = iso_8601(row["started_at"])
    return {"id": row["id"], "by": row["asked_by"], "started_at": started_at, "state": "unfinished"}
