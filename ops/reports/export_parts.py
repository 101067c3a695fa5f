"""The parts of an export as the Worker sends them, and how they are joined to one file."""

from __future__ import annotations

import csv
import io
import json
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from typing import Literal

from ops.worker_api.client import Api, Parameters, path_segment
from ops.worker_api.paging import follow_cursor
from ops.worker_api.retries import UnreachableError, outage_retries

Format = Literal["csv", "ndjson", "json"]

NEXT_CURSOR_HEADER = "x-next-cursor"


@dataclass(frozen=True, slots=True)
class ExportPart:
    """Some complete events, the newest first. `lines` begins with the header in CSV."""

    lines: bytes
    events: int
    next_cursor: str | None


def export_parts(
    api: Api, pixel_id: str, format_name: Format, parameters: Parameters, cursor: str | None
) -> Iterator[ExportPart]:
    """Yield the parts of an export after *cursor*; all but the first are retried on an outage.

    Raises:
        OpsError: the Worker refused, or a part was incomplete several times in a row.
    """
    path = f"/api/reports/export/{path_segment(pixel_id)}"
    query = {**parameters, "format": "csv" if format_name == "csv" else "ndjson"}

    def read_part(cursor: str | None) -> ExportPart:
        position = {} if cursor is None else {"cursor": cursor}
        return _read_part(api, path, {**query, **position})

    first = read_part(cursor)
    yield first
    if first.next_cursor is not None:
        retrying = partial(outage_retries(), read_part)
        yield from follow_cursor(retrying, attrgetter("next_cursor"), first.next_cursor)


def _read_part(api: Api, path: str, parameters: Parameters) -> ExportPart:
    response = api.request("GET", path, parameters)
    next_cursor = response.headers.get(NEXT_CURSOR_HEADER)
    last_event = _last_of_csv if parameters["format"] == "csv" else _last_of_ndjson
    events, last_cursor = last_event(response.content)
    if next_cursor is not None and next_cursor != last_cursor:
        raise UnreachableError("a part of the export does not end where it should: try again")
    return ExportPart(response.content, events, next_cursor)


def _last_of_csv(content: bytes) -> tuple[int, str | None]:
    """Count the events and build the cursor of the last one."""
    rows = csv.reader(io.StringIO(content.decode("utf-8"), newline=""), strict=True)
    header = next(rows)
    # Not a list: the rows of a large part would take far more memory than its text.
    last_row = deque(enumerate(rows, 1), maxlen=1)
    if not last_row:
        return 0, None
    [(events, last)] = last_row
    return events, f"{last[header.index('timestamp')]},{last[header.index('id')]}"


def _last_of_ndjson(content: bytes) -> tuple[int, str | None]:
    *lines, _ = content.split(b"\n")
    if not lines:
        return 0, None
    last = json.loads(lines[-1])
    return len(lines), f"{last['timestamp']},{last['id']}"


def following_lines(format_name: Format, part: ExportPart, events_before: int) -> bytes:
    """Return the bytes of a part as they follow `events_before` events in a file."""
    match format_name:
        case "csv" if events_before:
            return part.lines.partition(b"\r\n")[2]
        case "json":
            separator = b",\n" if events_before and part.events else b""
            return separator + b",\n".join(part.lines.split(b"\n")[:-1])
    return part.lines


def opening(format_name: Format) -> bytes:
    """Return the bytes in front of all events."""
    return b"[\n" if format_name == "json" else b""


def closing(format_name: Format) -> bytes:
    """Return the bytes behind all events."""
    return b"\n]\n" if format_name == "json" else b""
