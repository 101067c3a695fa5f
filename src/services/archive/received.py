"""Checks batches that the archive of another deployment sends, and stores them in R2 once."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from services.archive.parts import RECEIVED, EventsPart, part_key, part_manifest_key, write_part
from services.archive.reading import ArchivedPart
from services.archive.rewriting import PartReplacement, erased_ids
from services.core.cursors import EventPosition
from services.core.errors import ConflictError, InvalidFieldsError
from services.core.ndjson_parts import DamagedPartError, unpack
from services.core.ports import Bucket, UnavailableError
from services.core.text import read_long_json, read_object

MAX_EVENTS = 10_000

_NAME = re.compile(r"[A-Za-z0-9_-]{1,100}")
_DAY = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True, slots=True)
class ReceivedBatch:
    """A part that another deployment sent, and the name that it gave the batch."""

    name: str
    part: EventsPart


def read_received_batch(text: str) -> ReceivedBatch:
    """Parses and checks the body of `POST /api/archive`.

    Raises:
        InvalidFieldsError: the body is no batch; says what is wrong.
    """
    try:
        body = read_long_json(text)
    except ValueError as error:
        raise InvalidFieldsError([f"the body must be a JSON object: {error}"]) from None
    if not isinstance(body, dict):
        raise InvalidFieldsError(["the body must be a JSON object"])
    pixel_id, day = body.get("pixel_id"), body.get("day")
    if problems := _name_problems(body) or _events_problems(body, pixel_id, day):
        raise InvalidFieldsError(problems)
    part = _events_part(body)
    if problems := _sum_problems(body, part):
        raise InvalidFieldsError(problems)
    return ReceivedBatch(body["batch"], part)


async def store_batch(bucket: Bucket, batch: ReceivedBatch) -> bool:
    """Writes a batch to R2, without events that were erased from it; False if it is there already.

    Raises:
        ConflictError: a different batch has this name.
        UnavailableError: R2 failed, or returned something else than was written.
    """
    try:
        manifest = await _stored_manifest(bucket, batch)
        if manifest is None:
            await write_part(bucket, RECEIVED, batch.part, batch.name)
            return True
        if await _is_stored(bucket, batch, manifest):
            return False
        # An erasure may have written between the reading of the two objects.
        manifest = await _stored_manifest(bucket, batch) or manifest
        sent = ArchivedPart(_key(batch), batch.part.lines, manifest)
        remaining = _without_erased(batch, manifest)
        await PartReplacement(sent, remaining.lines if remaining else ()).write(bucket)
    except DamagedPartError as error:
        raise UnavailableError(str(error)) from error
    return True


async def _stored_manifest(bucket: Bucket, batch: ReceivedBatch) -> Mapping[str, object] | None:
    """The manifest of the same batch, None if it has not been received yet."""
    content = await bucket.get(part_manifest_key(_key(batch)))
    if content is None:
        return None
    # One that cannot be read is not replaced: it holds the ids of those who were erased.
    manifest = read_object(content.decode(errors="replace"))
    if manifest.get("events_sha256") != batch.part.sha256:
        advice = "give each batch a name of its own: the archive of this Worker does"
        raise ConflictError("The batch was received with other events", advice)
    return manifest


async def _is_stored(bucket: Bucket, batch: ReceivedBatch, manifest: Mapping[str, object]) -> bool:
    remaining = _without_erased(batch, manifest)
    if remaining is None:
        return True
    key = _key(batch)
    try:
        unpack(key, await bucket.get(key), len(remaining.lines), str(manifest.get("sha256")))
    except DamagedPartError:
        return False
    return True


def _without_erased(batch: ReceivedBatch, manifest: Mapping[str, object]) -> EventsPart | None:
    return batch.part.subset(frozenset(batch.part.ids).difference(erased_ids(manifest)))


def _key(batch: ReceivedBatch) -> str:
    return part_key(RECEIVED, batch.part.pixel_id, batch.part.day, batch.name)


def _name_problems(body: Mapping[str, object]) -> list[str]:
    problems = [
        f"{name}: must be 1 to 100 of A-Z, a-z, 0-9, '-' and '_'"
        for name in ("batch", "pixel_id")
        if not _is_text(body.get(name), _NAME)
    ]
    if not _is_day(body.get("day")):
        problems.append("day: must be a day in UTC: 2026-05-01")
    return problems


def _events_problems(body: Mapping[str, object], pixel_id: object, day: object) -> list[str]:
    events = body.get("events")
    if not isinstance(events, list) or not 1 <= len(events) <= MAX_EVENTS:
        return [f"events: must be a list of 1 to {MAX_EVENTS:,} events"]
    for number, event in enumerate(events):
        if problem := _event_problem(event, pixel_id, day):
            return [f"events: number {number + 1} {problem}"]
    if len({event["id"] for event in events}) < len(events):
        return ["events: two have the same id"]
    return []


def _event_problem(event: object, pixel_id: object, day: object) -> str | None:
    if not isinstance(event, dict):
        return "must be a JSON object"
    if not _is_id(event.get("id")):
        return "must have an id, a whole number above 0"
    if event.get("pixel_id") != pixel_id:
        return "must be of the pixel of the batch"
    if not str(event.get("timestamp")).startswith(str(day)):
        return "must have a timestamp of the day of the batch"
    return None


def _sum_problems(body: Mapping[str, object], part: EventsPart) -> list[str]:
    sums = {
        "count": len(part.lines),
        "first_id": part.first.event_id,
        "last_id": part.last.event_id,
        "sha256": part.sha256,
    }
    return [f"{name}: is not that of the events" for name in sums if body.get(name) != sums[name]]


def _events_part(body: Mapping[str, Any]) -> EventsPart:
    events = body["events"]
    positions = [EventPosition(event["timestamp"], event["id"]) for event in events]
    lines = [json.dumps(event, ensure_ascii=False, separators=(",", ":")) for event in events]
    try:
        "".join(lines).encode()
    except UnicodeEncodeError:
        raise InvalidFieldsError(["events: hold half a character, which UTF-8 cannot"]) from None
    return EventsPart(body["pixel_id"], body["day"], positions, lines)


def _is_text(value: object, pattern: re.Pattern[str]) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


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
