"""Read the Worker's log lines from the output of `wrangler tail` or `make dev`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from services.core.logs import LEVELS, Level

Fields = Mapping[str, Any]

HEAD_FIELDS = ("time", "level", "event", "request_id")


@dataclass(frozen=True, slots=True)
class LogLine:
    """One log line; `time` is HH:MM:SS in UTC, or empty if it is unknown."""

    time: str
    level: Level
    event: str
    request_id: str
    fields: Fields

    def as_json(self) -> str:
        """Return the line as one JSON object."""
        time = {"time": self.time} if self.time else {}
        head = {"level": self.level, "event": self.event, "request_id": self.request_id}
        return json.dumps({**time, **head, **self.fields}, ensure_ascii=False)


def read_lines(lines: Iterable[str]) -> Iterator[LogLine]:
    """Yield the log lines of the Worker, alone or within the invocations of `wrangler tail`."""
    for record in _json_objects(lines):
        if "logs" in record and "outcome" in record:
            yield from _invocation_lines(record)
        else:
            yield from _worker_line(record, "")


def _json_objects(lines: Iterable[str]) -> Iterator[Fields]:
    """Yield the JSON objects, on one line or indented from a line `{` to a line `}`."""
    open_lines: list[str] = []
    for line in lines:
        text = line.rstrip("\r\n")
        if open_lines or text == "{":
            open_lines.append(text)
            text = "\n".join(open_lines) if text == "}" else ""
        if not text.startswith("{"):
            continue
        open_lines = []
        try:
            record = json.loads(text)
        except (ValueError, RecursionError):
            continue
        if isinstance(record, dict):
            yield record


def _invocation_lines(invocation: Fields) -> Iterator[LogLine]:
    """Yield what an invocation logged, then how it failed, if it did."""
    for entry in invocation["logs"]:
        time = _utc_time(entry.get("timestamp"))
        for message in entry.get("message", ()):
            yield from _message_line(message, entry.get("level"), time)
    time = _utc_time(invocation.get("eventTimestamp"))
    trigger = _trigger_fields(invocation.get("event"))
    for error in invocation.get("exceptions") or ():
        fields = {"name": error.get("name"), "message": error.get("message")}
        yield LogLine(time, "error", "exception", "", {**trigger, **fields})
    if invocation["outcome"] not in {"ok", "exception"}:
        yield LogLine(time, "error", "ended", "", {**trigger, "outcome": invocation["outcome"]})


def _message_line(message: object, level: object, time: str) -> Iterator[LogLine]:
    """Yield a message as a line of the Worker's log, or as printed text."""
    try:
        record = json.loads(message) if isinstance(message, str) else message
    except (ValueError, RecursionError):
        record = None
    if isinstance(record, dict) and "event" in record:
        yield from _worker_line(record, time)
    else:
        printed_level: Level = "error" if level == "error" else "info"
        yield LogLine(time, printed_level, "printed", "", {"text": str(message)})


def _worker_line(record: Fields, time: str) -> Iterator[LogLine]:
    """Yield the line of a record, unless it is not one of the Worker's log."""
    if record.get("level") not in LEVELS or not isinstance(record.get("event"), str):
        return
    fields = {name: value for name, value in record.items() if name not in HEAD_FIELDS}
    request_id = str(record.get("request_id") or "")
    at = time or _time_of_day(record.get("time"))
    yield LogLine(at, record["level"], record["event"], request_id, fields)


def _trigger_fields(event: object) -> Fields:
    """Return the request or cron of an invocation, without query, headers and client address."""
    match event:
        case {"request": {"method": str(method), "url": str(url)}}:
            return {"method": method, "path": urlsplit(url).path}
        case {"cron": str(cron)}:
            return {"cron": cron}
    return {}


def _time_of_day(text: object) -> str:
    """Return the time that `make dev` adds to each line, as UTC time of day."""
    try:
        return datetime.fromisoformat(str(text)).astimezone(UTC).strftime("%H:%M:%S")
    except ValueError:
        return ""


def _utc_time(milliseconds: object) -> str:
    if not isinstance(milliseconds, int):
        return ""
    return datetime.fromtimestamp(milliseconds / 1_000, UTC).strftime("%H:%M:%S")
