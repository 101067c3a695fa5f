"""How many rows a backup counted, less what the ledgers say was deleted on purpose.

Retention, the archive and erasures delete rows and record how many. What is missing beyond that,
somebody deleted by hand, however many rows came since. A backup counts the large tables anyway:
here only ledgers and small tables are read.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.core.ports import Database
from services.core.stored_time import format_stored_time
from services.loss.recorded_deletions import (
    DELETED_EVENTS,
    DELETED_PARTS,
    IS_RETENTION_RUN,
)

_SINCE = "?1 ->> 'since'"
_EVENTS, _PARTS, _IS_RETENTION_RUN = (
    template.replace("{since}", _SINCE)
    for template in (DELETED_EVENTS, DELETED_PARTS, IS_RETENTION_RUN)
)
READ_LEDGERS = f"""
SELECT
  (SELECT count(*) FROM privacy_requests WHERE kind = 'erase') AS erasures,
  {_EVENTS} AS deleted_events, {_PARTS} AS deleted_parts,
  (SELECT count(*) FROM job_runs WHERE {_IS_RETENTION_RUN} AND finished_at IS NULL) AS open_runs,
  (SELECT group_concat(id) FROM (
    SELECT id FROM projects WHERE created_at < ?1 ->> 'since'
    UNION ALL SELECT id FROM pixels WHERE created_at < ?1 ->> 'since' ORDER BY id
  )) AS ids_then,
  (SELECT group_concat(id) FROM (
    SELECT id FROM projects WHERE created_at < ?1 ->> 'now'
    UNION ALL SELECT id FROM pixels WHERE created_at < ?1 ->> 'now' ORDER BY id
  )) AS ids_now
"""
# Rows that somebody deletes by hand, such as events of a test, are no loss.
TOLERATED_ROWS, TOLERATED_PERCENT = 10, 1
# What a run of retention deletes that was killed before it recorded it.
EVENTS_OF_OPEN_RUN = 5_000
COUNTED_TABLES = {
    "events": "tracking_events",
    "archive_batches": "archive_batches",
    "persons": "pipedrive_persons",
}
NOUNS = {
    "archive_batches": "parts of the archive",
    "erasures": "receipts of erasures",
    "persons": "persons that leads were sent to",
}


@dataclass(frozen=True, slots=True)
class RowCounts:
    """The counts now, and what was deleted on purpose since the last count.

    `ids_then` are the projects and pixels that were there at the last count, if none was added
    with an older date; `ids_now` are those that are there now.
    """

    events: int
    archive_batches: int
    erasures: int
    persons: int
    deleted_events: int
    deleted_parts: int
    open_runs: int
    ids_then: str | None
    ids_now: str | None

    def as_fields(self) -> Mapping[str, object]:
        """The counts as the mark remembers them."""
        return {
            **{name: getattr(self, name) for name in ("events", *NOUNS)},
            "entries": _number(self.ids_now),
            "entries_digest": _digest(self.ids_now),
        }


async def read_row_counts(
    database: Database, totals: Mapping[str, int], since: str, counted_at: datetime
) -> RowCounts:
    """What a backup counted, with what the ledgers say of it, in one round trip.

    `totals` are the rows of each table at `counted_at`, `since` is the stored time of the count
    before, empty if there was none.

    Raises:
        UnavailableError: D1 failed.
    """
    moment = format_stored_time(counted_at)
    parameters = json.dumps({"since": since or moment, "now": moment})
    [[ledgers]] = await database.batch_rows((READ_LEDGERS,), parameters)
    fields: dict[str, Any] = {**counts_of_totals(totals), **ledgers}
    return RowCounts(**fields)


def counts_of_totals(totals: Mapping[str, int]) -> Mapping[str, int]:
    """The counts by their names in the mark, out of the rows of each table in a backup."""
    return {name: totals.get(table, 0) for name, table in COUNTED_TABLES.items()}


def judge_rows(before: Mapping[str, object], rows: RowCounts) -> str | None:
    """What is missing of the counts before, as the end of a sentence; None if nothing is."""
    events = _count(before.get("events"))
    missing = events - rows.deleted_events - rows.events
    if missing > _tolerated(events) + EVENTS_OF_OPEN_RUN * rows.open_runs:
        return (
            f"{missing:,} of {events:,} events are gone, and neither retention nor the archive nor"
            " an erasure deleted them"
        )
    for name, noun in NOUNS.items():
        count = _count(before.get(name))
        is_explained = name == "archive_batches" and (rows.deleted_parts or rows.open_runs)
        # Retention and erasures delete persons with their events.
        is_explained = is_explained or (
            name == "persons" and (rows.deleted_events or rows.open_runs)
        )
        now = getattr(rows, name)
        if not is_explained and (count - now > _tolerated(count) or (count and not now)):
            return f"{count - now:,} of {count:,} {noun} are gone"
    return _judge_entries(before, rows)


def _judge_entries(before: Mapping[str, object], rows: RowCounts) -> str | None:
    """Whether projects or pixels were replaced by as many others."""
    entries = _count(before.get("entries"))
    # More of them: some came with an older date, and which were there before is not known.
    if not entries or _number(rows.ids_then) > entries:
        return None
    if before.get("entries_digest") == _digest(rows.ids_then):
        return None
    return f"the {entries:,} projects and pixels are not the ones that were there"


def _tolerated(count: int) -> int:
    return max(TOLERATED_ROWS, count * TOLERATED_PERCENT // 100)


def _number(ids: str | None) -> int:
    return len(ids.split(",")) if ids else 0


def _digest(ids: str | None) -> str:
    return hashlib.sha256((ids or "").encode()).hexdigest()[:32]


def _count(value: object) -> int:
    """A count of the mark; 0 where another version wrote no whole number."""
    return value if type(value) is int else 0
