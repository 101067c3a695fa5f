"""Events that wait in R2 for the database: how many there are, and a portion of their replay."""

from __future__ import annotations

from dataclasses import asdict

from app import App
from handlers.json_api import answer_refusals
from services.core.errors import ConflictError
from services.core.logs import Log
from web import Request, Response, json_response


@answer_refusals
async def count_waiting(app: App, _request: Request, _log: Log) -> Response:
    """`GET /api/waiting`: how many events wait and are parked, and for how many there is room."""
    counts = await app.waiting_counts.read()
    return json_response({"success": True, "data": counts.as_json()})


@answer_refusals
async def replay(app: App, _request: Request, log: Log) -> Response:
    """`POST /api/waiting/replay`: stores one more portion; repeat while some are `waiting`."""
    loss = await app.loss_check.reason(log)
    if loss:
        raise ConflictError("The database is lost", f"{loss}. Restore it, or accept it as it is")
    portion = await app.replay.run_portion(log)
    return json_response({"success": True, "data": asdict(portion)})
