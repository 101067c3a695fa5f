"""The Worker's log lines in what `wrangler tail` and `make dev` print."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from services.core.logs import LEVELS, Level

Fields = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line; `time` is its time of the day in UTC, empty where nobody knows it."""

    time: str
    level: Level
    event: str
    request_id: str
    fields: Fields

    def as_json(self) -> str:
        """The line for a script."""
        time = {"time": self.time} if self.time else {}
        named = {"level": self.level, "event": self.event, "request_id": self.request_id}
        return json.dumps({**time, **named, **self.fields}, ensure_ascii=False)


def read_lines(lines: Iterable[str]) -> Iterator[LogLine]:
    """Our lines in a log: each by itself, or within what the tail says of an invocation."""
    for found in _objects(lines):
        if "logs" in found and "outcome" in found:
            yield from _of_invocation(found)
        else:
            yield from _ours(found, "")


def _objects(lines: Iterable[str]) -> Iterator[Fields]:
    """The JSON objects: on one line, or indented from a line `{` to a line `}`."""
    open_lines: list[str] = []
    for line in lines:
        bare = line.rstrip("\r\n")
        if open_lines or bare == "{":
            open_lines.append(bare)
            bare = "\n".join(open_lines) if bare == "}" else ""
        if not bare.startswith("{"):
            continue
        open_lines = []
        try:
            found = json.loads(bare)
        except (ValueError, RecursionError):
            continue
        if isinstance(found, dict):
            yield found


def _of_invocation(tail: Fields) -> Iterator[LogLine]:
    for entry in tail["logs"]:
        time = _time(entry.get("timestamp"))
        for message in entry.get("message", ()):
            yield from _of_message(message, entry.get("level"), time)
    time = _time(tail.get("eventTimestamp"))
    where = _where(tail.get("event"))
    for error in tail.get("exceptions") or ():
        said = {"name": error.get("name"), "message": error.get("message")}
        yield LogLine(time, "error", "exception", "", {**where, **said})
    if tail["outcome"] not in {"ok", "exception"}:
        yield LogLine(time, "error", "ended", "", {**where, "outcome": tail["outcome"]})


def _of_message(message: object, level: object, time: str) -> Iterator[LogLine]:
    """A line of ours, or whatever else was printed."""
    try:
        found = json.loads(message) if isinstance(message, str) else message
    except (ValueError, RecursionError):
        found = None
    if isinstance(found, dict) and "event" in found:
        yield from _ours(found, time)
    else:
        known: Level = "error" if level == "error" else "info"
        yield LogLine(time, known, "printed", "", {"text": str(message)})


def _ours(found: Fields, time: str) -> Iterator[LogLine]:
    if found.get("level") not in LEVELS or not isinstance(found.get("event"), str):
        return
    ours = ("level", "event", "request_id")
    fields = {name: value for name, value in found.items() if name not in ours}
    request_id = str(found.get("request_id") or "")
    yield LogLine(time, found["level"], found["event"], request_id, fields)


def _where(event: object) -> Fields:
    """What was asked, without query, headers and address."""
    match event:
        case {"request": {"method": str(method), "url": str(url)}}:
            return {"method": method, "path": urlsplit(url).path}
        case {"cron": str(cron)}:
            return {"cron": cron}
    return {}


def _time(milliseconds: object) -> str:
    if not isinstance(milliseconds, int):
        return ""
    return datetime.fromtimestamp(milliseconds / 1_000, UTC).strftime("%H:%M:%S")
