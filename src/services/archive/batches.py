"""The table `archive_batches`: which parts of the archive count, and where their events belong.

Each statement reads one JSON text (`?1`).
"""

from __future__ import annotations

from dataclasses import dataclass

from services.core.event_place import Cursor
from services.core.ports import Row

# More parts than one answer reads, also where some of them overlap.
MAX_FOUND = 1_000

# Those of a pixel with events between `from` and `before`, the newest first.
FIND_BATCHES = f"""
SELECT
  day, batch, events, first_timestamp, first_id, last_timestamp, last_id, sha256, bytes,
  archived_at
FROM archive_batches
WHERE pixel_id = ?1 ->> 'pixel_id'
  AND day >= substr(?1 ->> 'from', 1, 10) AND day <= substr(?1 ->> '$.before.timestamp', 1, 10)
  AND last_timestamp >= ?1 ->> 'from'
  AND (first_timestamp, first_id)
    < (?1 ->> '$.before.timestamp', ?1 ->> '$.before.event_id')
ORDER BY day DESC, last_timestamp DESC, last_id DESC LIMIT {MAX_FOUND}
"""

_ARCHIVED = "SELECT coalesce(sum(events), 0) AS events, max(day) AS until"
_IN_SPAN = "day >= substr(?1 ->> 'from', 1, 10) AND day <= substr(?1 ->> 'to', 1, 10)"

# Of the days that a span touches: a row is read for each part of them.
ARCHIVED_IN_SPAN = f"""
{_ARCHIVED}
FROM archive_batches WHERE pixel_id = ?1 ->> 'pixel_id' AND {_IN_SPAN}
"""

# CROSS, here and below: pixel by pixel, by the key.
ARCHIVED_OF_PROJECT = f"""
{_ARCHIVED}
FROM pixels CROSS JOIN archive_batches ON archive_batches.pixel_id = pixels.id AND {_IN_SPAN}
WHERE pixels.project_id = ?1 ->> 'project_id'
"""

ARCHIVED_SINCE = f"""
{_ARCHIVED}
FROM pixels CROSS JOIN archive_batches
  ON archive_batches.pixel_id = pixels.id AND day >= substr(?1 ->> 'since', 1, 10)
"""

# The events of a part are as they were read: none has gone, and none has changed since.
_UNCHANGED = """
  (
    SELECT count(*) FROM tracking_events
    WHERE id IN (SELECT value FROM json_each(?1, '$.ids'))
  ) = ?1 ->> 'events'
  AND NOT EXISTS (
    SELECT 1 FROM row_changes
    WHERE seq > ?1 ->> 'changes' AND table_name = 'tracking_events'
      AND key IN (SELECT CAST(value AS TEXT) FROM json_each(?1, '$.ids'))
  )
"""

# A day that somebody put back by hand is archived again under the same name.
COUNT_BATCH = f"""
INSERT INTO archive_batches (
  pixel_id, day, batch, events, first_timestamp, first_id, last_timestamp, last_id, sha256, bytes,
  archived_at
)
SELECT
  ?1 ->> 'pixel_id', ?1 ->> 'day', ?1 ->> 'batch', ?1 ->> 'events',
  ?1 ->> '$.first.timestamp', ?1 ->> '$.first.event_id',
  ?1 ->> '$.last.timestamp', ?1 ->> '$.last.event_id', ?1 ->> 'sha256', ?1 ->> 'bytes',
  ?1 ->> 'now'
WHERE {_UNCHANGED}
ON CONFLICT (pixel_id, day, batch) DO UPDATE SET
  events = excluded.events, sha256 = excluded.sha256, bytes = excluded.bytes,
  archived_at = excluded.archived_at
RETURNING batch
"""

# Exactly the events that the part holds, and only if it has just been counted.
DELETE_ARCHIVED = """
DELETE FROM tracking_events
WHERE id IN (SELECT value FROM json_each(?1, '$.ids')) AND EXISTS (
  SELECT 1 FROM archive_batches
  WHERE pixel_id = ?1 ->> 'pixel_id' AND day = ?1 ->> 'day' AND batch = ?1 ->> 'batch'
    AND archived_at = ?1 ->> 'now'
)
"""


# Whether an empty table of events may have been emptied by the archive.
ANY_ARCHIVED = "SELECT 1 FROM archive_batches WHERE ?1 IS NOT NULL LIMIT 1"

# A part that some events were taken out of, before it is written: an export that meets the old one
# meanwhile is answered 503, and the new one counts as soon as it is there.
RECOUNT_BATCH = """
UPDATE archive_batches SET
  events = ?1 ->> 'events', sha256 = ?1 ->> 'sha256', bytes = ?1 ->> 'bytes'
WHERE pixel_id = ?1 ->> 'pixel_id' AND day = ?1 ->> 'day' AND batch = ?1 ->> 'batch'
"""
FORGET_EMPTY_BATCH = """
DELETE FROM archive_batches
WHERE pixel_id = ?1 ->> 'pixel_id' AND day = ?1 ->> 'day' AND batch = ?1 ->> 'batch' AND events = 0
"""

# Of days that are not kept any longer.
FORGET_BATCHES_BEFORE = """
DELETE FROM archive_batches WHERE pixel_id = ?1 ->> 'pixel_id' AND day < ?1 ->> 'first_kept'
"""


@dataclass(frozen=True, slots=True)
class Batch:
    """A part that counts: where it is, what is in it, and between which places."""

    day: str
    name: str
    events: int
    first: Cursor
    last: Cursor
    sha256: str
    bytes: int
    archived_at: str


def read_batch(row: Row) -> Batch:
    """A row of `FIND_BATCHES`."""
    return Batch(
        day=row["day"],
        name=row["batch"],
        events=row["events"],
        first=Cursor(row["first_timestamp"], row["first_id"]),
        last=Cursor(row["last_timestamp"], row["last_id"]),
        sha256=row["sha256"],
        bytes=row["bytes"],
        archived_at=row["archived_at"],
    )
