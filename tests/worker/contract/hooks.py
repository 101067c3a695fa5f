"""What Schemathesis cannot know of the Worker when it makes up requests."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import schemathesis
from schemathesis import APIOperation, Case, GenerationMode, HookContext

DEMO = {"pixelId": "ppp-demo-pixel", "projectId": "ppp-demo-project"}
# Rows to change and to switch off, so that reports always have the demo's.
SPARE = {"pixelId": "spare-pixel", "projectId": "spare-project"}
CHANGES = ("PUT", "DELETE")
AnyCase = Case[APIOperation[Any, Any, Any, Any]]


@schemathesis.hook
def before_call(_context: HookContext, case: AnyCase, _kwargs: dict[str, Any]) -> None:
    """Keeps the demo as it is, and makes positive data mean something."""
    if case.method in CHANGES:
        for name, value in case.path_parameters.items():
            if value == DEMO.get(name):
                case.path_parameters[name] = SPARE[name]
    if case.meta and case.meta.generation.mode is GenerationMode.POSITIVE:
        _make_sense(case)


def _make_sense(case: AnyCase) -> None:
    """Mends what the Worker refuses although each value by itself is one of those described."""
    if case.path.startswith("/api/reports/"):
        case.path_parameters = {name: DEMO[name] for name in case.path_parameters}
    if isinstance(case.body, dict) and "pixel_id" in case.body:
        case.body["pixel_id"] = DEMO["pixelId"]
    query = case.query
    for name in ("from", "to"):
        if name in query and not _is_time(query[name]):
            del query[name]
    if "from" in query:
        query.pop("days", None)
    if "from" not in query or query["from"][:10] >= query.get("to", "")[:10]:
        query.pop("to", None)
    if "tz" in query:
        query["tz"] = "Europe/Berlin"
    if "/breakdown/" in case.path:
        query.pop("cursor", None)
        if query.get("by") in {"country", "device", "browser", "landing_page"}:
            query.pop("attribution", None)


def _is_time(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return text[:10] < datetime.now().astimezone().isoformat()[:10]
