"""Alerts: what problems there are, which messages were sent, and who works on which."""

from __future__ import annotations

from dataclasses import asdict
from typing import cast

from app import App
from handlers.json_api import answer_refusals, read_json_object
from services.core.errors import InvalidFieldsError, NotFoundError, unknown_fields
from services.core.logs import Log
from services.core.text import clean
from web import Request, Response, json_response

DEFAULT_HOURS, MAX_HOURS = 8, 72
MAX_NAME_CHARACTERS = 64


@answer_refusals
async def list_alerts(app: App, _request: Request, _log: Log) -> Response:
    """`GET /api/alerts`: the problems that were notified and are not over, and the messages."""
    states = await app.alerts.states() or {}
    problems = []
    for name, state in states.items():
        acknowledgement = await app.alerts.acknowledgement(name)
        is_covered = acknowledgement is not None and acknowledgement.covers(state, app.clock())
        acknowledged = asdict(acknowledgement) if acknowledgement and is_covered else None
        problems.append({"problem": name, **asdict(state), "acknowledged": acknowledged})
    data = {"problems": problems, "sent": await app.alerts.sent()}
    return json_response({"success": True, "data": data})


@answer_refusals
async def acknowledge(app: App, request: Request, log: Log) -> Response:
    """`POST /api/alerts/:problem/acknowledge`: the reminders of a problem wait for some hours."""
    name = request.segment(2)
    body = await read_json_object(request)
    hours, by = body.get("hours", DEFAULT_HOURS), body.get("by")
    problems = unknown_fields(body, ["hours", "by"])
    if type(hours) is not int or not 1 <= hours <= MAX_HOURS:
        problems.append(f"hours: must be a whole number from 1 to {MAX_HOURS}")
    if by is not None and not isinstance(by, str):
        problems.append("by: must be a text or null")
    if problems:
        raise InvalidFieldsError(problems)
    state = (await app.alerts.states() or {}).get(name)
    if state is None:
        raise NotFoundError("No such alert is open")
    person = clean(by, MAX_NAME_CHARACTERS) if isinstance(by, str) else None
    acknowledgement = await app.alerts.acknowledge(
        name, state, person, app.clock(), cast("int", hours)
    )
    log.info("alert_acknowledged", problem=name, until=acknowledgement.until)
    return json_response({"success": True, "data": asdict(acknowledgement)})
