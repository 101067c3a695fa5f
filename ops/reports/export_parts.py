"""The parts of an export as the Worker sends them, and how they are put together."""

from __future__ import annotations

import csv
import io
import json
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from ops.terminal.output import note
from ops.worker_api.client import Api, Parameters, UnreachableError, segment
from ops.worker_api.retry_after import PAUSES

Format = Literal["csv", "ndjson", "json"]

NEXT = "x-next-cursor"


@dataclass(frozen=True, slots=True)
class Part:
    """Some whole events, the newest first. `lines` begins with the header in CSV."""

    lines: bytes
    events: int
    next_cursor: str | None


def parts(
    api: Api, pixel_id: str, format_name: Format, parameters: Parameters, cursor: str | None
) -> Iterator[Part]:
    """All parts behind a cursor; one that breaks off on the way is asked for again.

    Raises:
        OpsError: the Worker refused, or a part broke off again and again.
    """
    path = f"/api/reports/export/{segment(pixel_id)}"
    written = "csv" if format_name == "csv" else "ndjson"
    pauses: tuple[int, ...] = ()
    while True:
        behind = {} if cursor is None else {"cursor": cursor}
        part = _patiently(api, path, {**parameters, "format": written, **behind}, pauses)
        yield part
        if part.next_cursor is None:
            return
        cursor, pauses = part.next_cursor, PAUSES


def _patiently(api: Api, path: str, parameters: Parameters, pauses: tuple[int, ...]) -> Part:
    for pause in pauses:
        try:
            return _part(api, path, parameters)
        except UnreachableError as error:
            note(f"{error}; again in {pause} s")
            time.sleep(pause)
    return _part(api, path, parameters)


def _part(api: Api, path: str, parameters: Parameters) -> Part:
    response = api.request("GET", path, parameters)
    next_cursor = response.headers.get(NEXT)
    read = _read_csv if parameters["format"] == "csv" else _read_ndjson
    events, last = read(response.content)
    if next_cursor is not None and next_cursor != last:
        raise UnreachableError("a part of the export does not end where it should: try again")
    return Part(response.content, events, next_cursor)


def _read_csv(content: bytes) -> tuple[int, str | None]:
    """How many events there are, and the last one's cursor."""
    rows = csv.reader(io.StringIO(content.decode("utf-8"), newline=""), strict=True)
    header = next(rows)
    # No list of them: the rows of a large part would take far more memory than its text.
    ended = deque(enumerate(rows, 1), maxlen=1)
    if not ended:
        return 0, None
    [(events, last)] = ended
    return events, f"{last[header.index('timestamp')]},{last[header.index('id')]}"


def _read_ndjson(content: bytes) -> tuple[int, str | None]:
    *lines, _ = content.split(b"\n")
    if not lines:
        return 0, None
    last = json.loads(lines[-1])
    return len(lines), f"{last['timestamp']},{last['id']}"


def joined(format_name: Format, part: Part, events_before: int) -> bytes:
    """The part as it follows what is written already."""
    match format_name:
        case "csv" if events_before:
            return part.lines.partition(b"\r\n")[2]
        case "json":
            between = b",\n" if events_before and part.events else b""
            return between + b",\n".join(part.lines.split(b"\n")[:-1])
    return part.lines


def begin(format_name: Format) -> bytes:
    """What stands before all events."""
    return b"[\n" if format_name == "json" else b""


def end(format_name: Format) -> bytes:
    """What stands behind all events."""
    return b"\n]\n" if format_name == "json" else b""
