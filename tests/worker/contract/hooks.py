"""What Schemathesis cannot know of the Worker when it makes up requests."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime, timedelta
from typing import Any

import schemathesis
from schemathesis import APIOperation, Case, GenerationMode, HookContext

DEMO = {"pixelId": "ppp-demo-pixel", "projectId": "ppp-demo-project"}
# Rows to change and to switch off, so that reports always have the demo's.
SPARE = {"pixelId": "spare-pixel", "projectId": "spare-project"}
OPEN_PROBLEM = "leads_waiting"
SPARE_VIEW = {"projectId": "spare-project", "viewId": "spare-view"}
MODELS_OF_LEADS = ("last_non_direct", "linear", "position", "time_decay")
MOST_DAYS = timedelta(days=365)
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
    if "problem" in case.path_parameters:
        case.path_parameters["problem"] = OPEN_PROBLEM
    if "viewId" in case.path_parameters:
        case.path_parameters = dict(SPARE_VIEW)
    if isinstance(case.body, dict) and "pixel_id" in case.body:
        case.body["pixel_id"] = DEMO["pixelId"]
        if case.path == "/api/archive":
            _make_a_batch(case.body)
    _make_a_span(case.query)
    if "/breakdown/" in case.path:
        case.query.pop("cursor", None)
        _shorten_the_span(case.query)
        if case.query.get("by") in {"country", "device", "browser", "landing_page"}:
            case.query.pop("attribution", None)
        if case.query.get("attribution") not in MODELS_OF_LEADS:
            case.query.pop("window", None)


def _make_a_span(query: dict[str, Any]) -> None:
    """Of days and times that there are, in their order."""
    for name in ("from", "to"):
        if name in query and not _is_time(query[name]):
            del query[name]
    if "from" in query:
        query.pop("days", None)
    if "from" not in query or query["from"][:10] >= query.get("to", "")[:10]:
        query.pop("to", None)
    if "tz" in query:
        query["tz"] = "Europe/Berlin"


def _shorten_the_span(query: dict[str, Any]) -> None:
    """To the days that one report may have."""
    if "from" not in query:
        return
    end = datetime.fromisoformat(query["to"][:10]) if "to" in query else datetime.now()  # noqa: DTZ005  # days only
    if end - datetime.fromisoformat(query["from"][:10]) > MOST_DAYS:
        del query["from"]
        query.pop("to", None)


def _make_a_batch(body: dict[str, Any]) -> None:
    """Events of the batch's day and pixel, each once, with their own sums."""
    if not _is_time(body["day"]):
        body["day"] = "2026-05-01"
    events = body["events"]
    for number, event in enumerate(events, 1):
        event |= {"id": number, "pixel_id": body["pixel_id"], "timestamp": f"{body['day']} 12:00"}
    lines = [json.dumps(each, ensure_ascii=False, separators=(",", ":")) for each in events]
    text = "".join(f"{line}\n" for line in lines)
    body |= {"count": len(events), "first_id": 1, "last_id": len(events)}
    body["sha256"] = hashlib.sha256(text.encode()).hexdigest()


def _is_time(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return text[:10] < datetime.now().astimezone().isoformat()[:10]
