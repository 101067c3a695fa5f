"""The table `archive_batches`: the recorded parts of the archive, and which events they hold.

Each statement reads one JSON text (`?1`).
"""

from __future__ import annotations

from dataclasses import dataclass

from services.core.cursors import EventPosition
from services.core.ports import Row

# More parts than one export reads, even if some of them overlap.
MAX_BATCHES = 1_000

# The batches of a pixel with events between `from` and `before`, the newest first.
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
ORDER BY day DESC, last_timestamp DESC, last_id DESC LIMIT {MAX_BATCHES}
"""

_SUM_EVENTS = "SELECT coalesce(sum(events), 0) AS events, max(day) AS until"
_IS_DAY_OF_SPAN = "day >= substr(?1 ->> 'from', 1, 10) AND day <= substr(?1 ->> 'to', 1, 10)"

# Events of all days that a span touches. Reads one row for each of their parts.
COUNT_ARCHIVED_OF_PIXEL = f"""
{_SUM_EVENTS}
FROM archive_batches WHERE pixel_id = ?1 ->> 'pixel_id' AND {_IS_DAY_OF_SPAN}
"""

# CROSS, here and below: pixel by pixel, by the primary key.
COUNT_ARCHIVED_OF_PROJECT = f"""
{_SUM_EVENTS}
FROM pixels CROSS JOIN archive_batches ON archive_batches.pixel_id = pixels.id AND {_IS_DAY_OF_SPAN}
WHERE pixels.project_id = ?1 ->> 'project_id'
"""

COUNT_ARCHIVED_SINCE = f"""
{_SUM_EVENTS}
FROM pixels CROSS JOIN archive_batches
  ON archive_batches.pixel_id = pixels.id AND day >= substr(?1 ->> 'since', 1, 10)
"""

# No event of the part was deleted or changed since it was read.
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

# A day that was put back into the database by hand is archived again under the same name.
RECORD_BATCH = f"""
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

# Exactly the events of the part, and only if `RECORD_BATCH` has just recorded it.
DELETE_ARCHIVED = """
DELETE FROM tracking_events
WHERE id IN (SELECT value FROM json_each(?1, '$.ids')) AND EXISTS (
  SELECT 1 FROM archive_batches
  WHERE pixel_id = ?1 ->> 'pixel_id' AND day = ?1 ->> 'day' AND batch = ?1 ->> 'batch'
    AND archived_at = ?1 ->> 'now'
)
"""


# Whether the archive may be the reason for an empty table of events.
ANY_ARCHIVED = "SELECT 1 FROM archive_batches WHERE ?1 IS NOT NULL LIMIT 1"

# Runs before a part is replaced: until the new part is written, an export of it is answered 503.
RECOUNT_BATCH = """
UPDATE archive_batches SET
  events = ?1 ->> 'events', sha256 = ?1 ->> 'sha256', bytes = ?1 ->> 'bytes'
WHERE pixel_id = ?1 ->> 'pixel_id' AND day = ?1 ->> 'day' AND batch = ?1 ->> 'batch'
"""
DELETE_EMPTY_BATCH = """
DELETE FROM archive_batches
WHERE pixel_id = ?1 ->> 'pixel_id' AND day = ?1 ->> 'day' AND batch = ?1 ->> 'batch' AND events = 0
"""

# The batches of expired days.
DELETE_BATCHES_BEFORE = """
DELETE FROM archive_batches WHERE pixel_id = ?1 ->> 'pixel_id' AND day < ?1 ->> 'first_kept'
"""


@dataclass(frozen=True, slots=True)
class ArchiveBatch:
    """A recorded part: where it is, what it holds, and its first and last event."""

    day: str
    name: str
    events: int
    first: EventPosition
    last: EventPosition
    sha256: str
    bytes: int
    archived_at: str


def read_batch(row: Row) -> ArchiveBatch:
    """Converts a row of `FIND_BATCHES`."""
    return ArchiveBatch(
        day=row["day"],
        name=row["batch"],
        events=row["events"],
        first=EventPosition(row["first_timestamp"], row["first_id"]),
        last=EventPosition(row["last_timestamp"], row["last_id"]),
        sha256=row["sha256"],
        bytes=row["bytes"],
        archived_at=row["archived_at"],
    )
