"""The most that the database ever held, in R2 beside the backups, where no loss of D1 reaches it.

The cron raises the mark. It is lowered only by somebody who accepts the database as it is now
(`./ppp accept-database`), and remembers that, with the mark before.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any

from services.core.stored_time import format_iso, format_stored_time, parse_iso
from services.core.text import read_object
from services.loss.contents import DatabaseContents
from services.loss.row_counts import RowCounts, counts_of_totals

KEY = "backups/high-water.json"
# More would make the mark too large to be read in the end.
MAX_ACCEPTANCES = 50
FORMAT_VERSION = 1
_TABLES = ("tracking_events", "projects", "pixels")
_NUMBERS = ("highest_event", "events", "projects", "pixels")


class UnreadableMarkError(ValueError):
    """The object in R2 is no mark of this format."""


@dataclass(frozen=True, slots=True)
class HighWaterMark:
    """The most that the database of an id held. `events` were there with the highest event.

    `last_run` is the latest run of the cron in its ledger; empty where none was seen. One that is
    rebuilt out of backups knows no run. `counts` are those of the last count (`row_counts.py`), at
    `counted_at`, a stored time; `missing` says what was gone then, until somebody restores or
    accepts. `generation` tells copies of the database apart; empty where none is known, as in the
    mark of an older Worker or out of backups: the next run of the cron writes that of the database.
    So it does with `environment`, whose bucket it is.
    """

    database_id: str
    highest_event: int
    events: int
    projects: int
    pixels: int
    seen_at: str
    accepted: tuple[Mapping[str, object], ...] = ()
    last_run: str = ""
    counts: Mapping[str, object] = field(default_factory=dict)
    counted_at: str = ""
    missing: str = ""
    generation: str = ""
    environment: str = ""

    def is_of(self, environment: str) -> bool:
        """Whether it may be the mark of an environment; of one that is not named it always is."""
        return environment in {self.environment, ""} or not self.environment

    @property
    def is_rebuilt(self) -> bool:
        """Whether it may be one that was made out of backups, and is not in R2 yet."""
        return not self.last_run and not self.accepted

    @property
    def accepted_at(self) -> str:
        """When somebody last accepted a database, in ISO 8601; empty if nobody did."""
        return str(self.accepted[-1].get("at", "")) if self.accepted else ""

    def as_bytes(self) -> bytes:
        """The object for R2."""
        return json.dumps({"format": FORMAT_VERSION, **asdict(self)}, indent=1).encode()


def parse_mark(content: bytes | str | None) -> HighWaterMark | None:
    """The mark in an object of R2, or None where there is no object.

    Raises:
        UnreadableMarkError: it does not parse, or is of another format.
    """
    if content is None:
        return None
    try:
        text = content if isinstance(content, str) else content.decode()
    except UnicodeDecodeError:
        raise UnreadableMarkError("it is no text") from None
    fields = read_object(text)
    if fields.get("format") != FORMAT_VERSION:
        raise UnreadableMarkError(f"it is not of format {FORMAT_VERSION}")
    numbers = {name: fields.get(name) for name in _NUMBERS}
    texts = {name: fields.get(name) for name in ("database_id", "seen_at")}
    accepted = fields.get("accepted", [])
    # An older Worker writes none of these.
    counts = fields.get("counts", {})
    later_texts = {
        name: fields.get(name, "")
        for name in ("last_run", "counted_at", "missing", "generation", "environment")
    }
    if (
        not all(type(number) is int for number in numbers.values())
        or not all(isinstance(text, str) for text in texts.values())
        or not isinstance(accepted, list)
        or not all(isinstance(text, str) for text in later_texts.values())
        or not isinstance(counts, dict)
        or not all(isinstance(acceptance, dict) for acceptance in accepted)
    ):
        raise UnreadableMarkError("a field is missing or wrong")
    later: dict[str, Any] = {"accepted": tuple(accepted), "counts": counts, **later_texts}
    return HighWaterMark(**numbers, **texts, **later)  # type: ignore[arg-type]  # checked above


def mark_of_manifests(manifests: Iterable[object]) -> HighWaterMark | None:
    """The mark that manifests of backups, the newest first, give in place of one that is damaged.

    None where none can be read, or names its database, as those of earlier versions do not.
    """
    marks = [mark for manifest in manifests if (mark := _mark_of_manifest(manifest))]
    return max(marks, key=lambda mark: mark.highest_event, default=None)


def _mark_of_manifest(manifest: object) -> HighWaterMark | None:
    try:
        fields: Any = manifest
        totals = {name: counts["total"] for name, counts in fields["tables"].items()}
        numbers = (fields["marker"]["event"], *(totals[name] for name in _TABLES))
        texts = (fields["database_id"], fields["finished_at"])
        counted_at = format_stored_time(parse_iso(fields["finished_at"]))
    except (LookupError, TypeError, ValueError, AttributeError):
        return None
    if not all(type(number) is int for number in numbers):
        return None
    if not all(isinstance(text, str) and text for text in texts):
        return None
    highest_event, events, projects, pixels = numbers
    return HighWaterMark(
        *(texts[0], highest_event, events, projects, pixels, texts[1]),
        counts=counts_of_totals(totals),
        counted_at=counted_at,
    )


def raised_mark(
    mark: HighWaterMark | None, contents: DatabaseContents, events: int | None, now: datetime
) -> HighWaterMark:
    """The mark of the database that is meant, which may hold more now. No number goes back.

    `events` is None where they were not counted: then as many came as ids were given.
    """
    if mark is None:
        return _mark_of(contents, events or 0, now)
    new_ids = contents.highest_event - mark.highest_event
    if new_ids > 0:
        mark = replace(
            mark,
            highest_event=contents.highest_event,
            events=mark.events + new_ids if events is None else events,
        )
    return replace(
        mark,
        projects=max(mark.projects, contents.projects),
        pixels=max(mark.pixels, contents.pixels),
        seen_at=format_iso(now),
        last_run=max(mark.last_run, contents.last_run or ""),
        generation=mark.generation or contents.generation or "",
    )


def counted_mark(mark: HighWaterMark, rows: RowCounts, counted_at: datetime) -> HighWaterMark:
    """The mark with what a backup counted."""
    return replace(mark, counts=rows.as_fields(), counted_at=format_stored_time(counted_at))


def accepted_mark(
    mark: HighWaterMark | None,
    contents: DatabaseContents,
    events: int,
    reason: str,
    now: datetime,
) -> HighWaterMark:
    """The mark of a database that somebody accepts as it is, whatever was there before."""
    before = asdict(mark) if mark else None
    if before:
        for name in ("accepted", "counts", "counted_at", "missing"):
            del before[name]
    acceptance = {
        "at": format_iso(now),
        "reason": reason,
        "database_id": contents.database_id,
        "before": before,
    }
    accepted = (*(mark.accepted if mark else ()), acceptance)[-MAX_ACCEPTANCES:]
    return replace(_mark_of(contents, events, now), accepted=accepted)


def _mark_of(contents: DatabaseContents, events: int, now: datetime) -> HighWaterMark:
    return HighWaterMark(
        database_id=contents.database_id or "",
        highest_event=contents.highest_event,
        events=events,
        projects=contents.projects,
        pixels=contents.pixels,
        seen_at=format_iso(now),
        last_run=contents.last_run or "",
        generation=contents.generation or "",
    )
