"""The identical batch in Python with nothing around it: what all rungs of the ladder do."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from js import Array, Response

from services.tracking.record_statements import RECORD_EVENT_BATCH

TIME = "%Y-%m-%d %H:%M:%S"
_prepared: list[Any] = []
_database_ids: list[str] = []


def array_of(statements: Iterable[Any]) -> Any:
    """Statements as JavaScript takes them."""
    return Array.of(*statements)


async def store(request: Any, env: Any, array: Callable[[Iterable[Any]], Any] = array_of) -> Any:
    """The JavaScript response to an event that was stored."""
    event = json.loads(await request.text())
    if not _prepared:
        row = await env.DB.prepare("SELECT id FROM database_identity").first("id")
        _database_ids.append(str(row))
        _prepared.extend(env.DB.prepare(sql) for sql in RECORD_EVENT_BATCH)
    now = datetime.now(UTC)
    parameters = json.dumps(
        event
        | {
            "database_id": _database_ids[0],
            "now": now.strftime(TIME),
            "open_since": (now - timedelta(minutes=30)).strftime(TIME),
            "visitor_id": str(uuid4()),
            "session_id": str(uuid4()),
            "project_id": "ppp-demo-project",
            "user_agent": request.headers.get("user-agent"),
            "ip_address": request.headers.get("cf-connecting-ip"),
            "browser": {"browser": "Chrome"},
            "device": {"type": "desktop"},
        }
    )
    results = await env.DB.batch(array(statement.bind(parameters) for statement in _prepared))
    answer = json.loads(results[len(RECORD_EVENT_BATCH) - 1].results[0].answer)
    return Response.new(json.dumps({"success": True, **answer}))
