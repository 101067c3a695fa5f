"""What the archive of another deployment sends: checked, and kept in R2 once for each batch."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from services.archive.parts import RECEIVED, EventsPart, manifest_of, part_key, write_part
from services.archive.reading import ArchivedPart
from services.archive.rewriting import Replacement, erased_ids
from services.core.errors import ConflictError, InvalidFieldsError
from services.core.event_place import Cursor
from services.core.ndjson_parts import DamagedPartError, unpack
from services.core.ports import Bucket, UnavailableError
from services.core.text import read_long_json, read_object

MAX_EVENTS = 10_000

_NAME = re.compile(r"[A-Za-z0-9_-]{1,100}")
_DAY = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True, slots=True)
class Received:
    """A part that was sent, and the name that its sender gave it."""

    batch: str
    part: EventsPart


def read_received(text: str) -> Received:
    """The part that a body holds.

    Raises:
        InvalidFieldsError: something of it cannot be kept; says what.
    """
    try:
        sent = read_long_json(text)
    except ValueError as error:
        raise InvalidFieldsError([f"the body must be a JSON object: {error}"]) from None
    if not isinstance(sent, dict):
        raise InvalidFieldsError(["the body must be a JSON object"])
    pixel_id, day = sent.get("pixel_id"), sent.get("day")
    if problems := _problems_of_names(sent) or _problems_of_events(sent, pixel_id, day):
        raise InvalidFieldsError(problems)
    part = _part(sent)
    if problems := _problems_of_sums(sent, part):
        raise InvalidFieldsError(problems)
    return Received(sent["batch"], part)


async def keep(bucket: Bucket, received: Received) -> bool:
    """Writes a part, or finds that it is there already; True if it was written.

    Events that were erased since it came first are not written again.

    Raises:
        ConflictError: there is another part of this name.
        UnavailableError: R2 failed, or what it holds is not what was written.
    """
    part, batch = received.part, received.batch
    try:
        manifest = await _manifest(bucket, received)
        if manifest is None:
            await write_part(bucket, RECEIVED, part, batch)
            return True
        if await _is_kept(bucket, received, manifest):
            return False
        # An erasure may have written between the two objects.
        manifest = await _manifest(bucket, received) or manifest
        sent = ArchivedPart(_key(received), part.lines, manifest)
        left = _left(received, manifest)
        await Replacement(sent, left.lines if left else ()).write(bucket)
    except DamagedPartError as error:
        raise UnavailableError(str(error)) from error
    return True


async def _manifest(bucket: Bucket, received: Received) -> Mapping[str, object] | None:
    """The manifest of the part where it came before."""
    content = await bucket.get(manifest_of(_key(received)))
    if content is None:
        return None
    manifest = read_object(content.decode())
    if manifest.get("events_sha256") != received.part.sha256:
        advice = "give each batch a name of its own: the archive of this Worker does"
        raise ConflictError("The batch was received with other events", advice)
    return manifest


async def _is_kept(bucket: Bucket, received: Received, manifest: Mapping[str, object]) -> bool:
    left = _left(received, manifest)
    if left is None:
        return True
    key = _key(received)
    try:
        unpack(key, await bucket.get(key), len(left.lines), str(manifest.get("sha256")))
    except DamagedPartError:
        return False
    return True


def _left(received: Received, manifest: Mapping[str, object]) -> EventsPart | None:
    """What is to be kept of a part without the events that were erased."""
    return received.part.only(frozenset(received.part.ids).difference(erased_ids(manifest)))


def _key(received: Received) -> str:
    return part_key(RECEIVED, received.part.pixel_id, received.part.day, received.batch)


def _problems_of_names(sent: Mapping[str, object]) -> list[str]:
    problems = [
        f"{name}: must be 1 to 100 of A-Z, a-z, 0-9, '-' and '_'"
        for name in ("batch", "pixel_id")
        if not _is_text(sent.get(name), _NAME)
    ]
    if not _is_day(sent.get("day")):
        problems.append("day: must be a day in UTC: 2026-05-01")
    return problems


def _problems_of_events(sent: Mapping[str, object], pixel_id: object, day: object) -> list[str]:
    events = sent.get("events")
    if not isinstance(events, list) or not 1 <= len(events) <= MAX_EVENTS:
        return [f"events: must be a list of 1 to {MAX_EVENTS:,} events"]
    for number, event in enumerate(events):
        if problem := _problem_of_event(event, pixel_id, day):
            return [f"events: number {number + 1} {problem}"]
    if len({event["id"] for event in events}) < len(events):
        return ["events: two have the same id"]
    return []


def _problem_of_event(event: object, pixel_id: object, day: object) -> str | None:
    if not isinstance(event, dict):
        return "must be a JSON object"
    if not _is_id(event.get("id")):
        return "must have an id, a whole number above 0"
    if event.get("pixel_id") != pixel_id:
        return "must be of the pixel of the batch"
    if not str(event.get("timestamp")).startswith(str(day)):
        return "must have a timestamp of the day of the batch"
    return None


def _problems_of_sums(sent: Mapping[str, object], part: EventsPart) -> list[str]:
    sums = {
        "count": len(part.lines),
        "first_id": part.first.event_id,
        "last_id": part.last.event_id,
        "sha256": part.sha256,
    }
    return [f"{name}: is not that of the events" for name in sums if sent.get(name) != sums[name]]


def _part(sent: Mapping[str, Any]) -> EventsPart:
    events = sent["events"]
    places = [Cursor(event["timestamp"], event["id"]) for event in events]
    lines = [json.dumps(event, ensure_ascii=False, separators=(",", ":")) for event in events]
    try:
        "".join(lines).encode()
    except UnicodeEncodeError:
        raise InvalidFieldsError(["events: hold half a character, which UTF-8 cannot"]) from None
    return EventsPart(sent["pixel_id"], sent["day"], places, lines)


def _is_text(value: object, form: re.Pattern[str]) -> bool:
    return isinstance(value, str) and form.fullmatch(value) is not None


def _is_day(value: object) -> bool:
    if not _is_text(value, _DAY):
        return False
    try:
        date.fromisoformat(str(value))
    except ValueError:
        return False
    return True


def _is_id(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0
