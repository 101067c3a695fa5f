"""The archive job: moves events older than their project's `archive_days` from D1 to R2, in parts.

A part is written, read back and compared. Then one transaction records it in `archive_batches` and
deletes exactly its events, unless one of them has changed. At any moment an event is in the
database or in a recorded part. Only events that a full backup of the last day holds are moved. Each
statement reads one JSON text (`?1`).
"""

from __future__ import annotations

import json
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta

from services.archive.batches import DELETE_ARCHIVED, RECORD_BATCH
from services.archive.endpoint import ArchiveEndpoint, EndpointError
from services.archive.parts import ARCHIVE, EventsPart, Manifest, discard_part, write_part
from services.core.backed_up import NO_BACKUP, BackedUpRows, FindBackedUpRows
from services.core.cursors import EventPosition
from services.core.event_lines import JSON_LINE
from services.core.job_runs import JobRun
from services.core.json_lines import MIN_ROWS, rows_of_next_page
from services.core.logs import Log
from services.core.ndjson_parts import DamagedPartError
from services.core.pending_leads import IS_NOT_PENDING
from services.core.ports import Bucket, Clock, Database, Row, UnavailableError
from services.core.stored_time import format_stored_time
from services.projects.job_days import ARCHIVE_DAYS

JOB = "archive"
# A part takes about eight of an invocation's 10,000 subrequests and four of its 1,000 queries.
MAX_PARTS_OF_RUN = 50
# An endpoint takes bodies of at most 4 MiB.
MAX_PART_BYTES = 3 * 2**20
# The last part may take longer than the run's time.
LEASE_MARGIN_SECONDS = 120

# A pending lead stays in the database, however old, as does an event without a valid time. The plus
# keeps SQLite from reading all events of the pattern in place of those before a day.
_IS_ARCHIVABLE = f"""
  id <= ?1 ->> 'max_id' AND +timestamp GLOB '20[0-9][0-9]-[0-1][0-9]-[0-3][0-9]*'
  AND {IS_NOT_PENDING}
"""

# All pixels, which are few, with their project's limit and the oldest day before it.
FIND_DUE_PIXELS = f"""
WITH limits AS MATERIALIZED (
  SELECT
    pixels.id AS pixel_id, coalesce({ARCHIVE_DAYS}, ?1 ->> 'days') AS days
  FROM projects CROSS JOIN pixels ON pixels.project_id = projects.id
), ends AS MATERIALIZED (
  SELECT
    pixel_id, date(?1 ->> 'now', '-' || days || ' days') AS before
  FROM limits
), oldest AS MATERIALIZED (
  SELECT pixel_id, before, (
    SELECT substr(timestamp, 1, 10) FROM tracking_events
    WHERE tracking_events.pixel_id = ends.pixel_id AND timestamp < before AND {_IS_ARCHIVABLE}
    ORDER BY timestamp LIMIT 1
  ) AS day
  FROM ends
)
SELECT pixel_id, before, day FROM oldest
WHERE day IS NOT NULL ORDER BY day, pixel_id
"""

_IS_DUE_EVENT = f"""
  pixel_id = ?1 ->> 'pixel_id' AND timestamp < ?1 ->> 'before'
  AND timestamp >= ?1 ->> '$.after.timestamp'
  AND (timestamp > ?1 ->> '$.after.timestamp' OR id > ?1 ->> '$.after.event_id')
  AND {_IS_ARCHIVABLE}
"""

# A later change of a row has a higher number.
READ_LAST_CHANGE = "SELECT coalesce(max(seq), 0) AS changes FROM row_changes WHERE ?1 IS NOT NULL"

# The oldest events of one day. A tilde sorts after every character that follows a day.
READ_PART = f"""
WITH oldest AS MATERIALIZED (
  SELECT substr(timestamp, 1, 10) AS day FROM tracking_events
  WHERE {_IS_DUE_EVENT} ORDER BY timestamp LIMIT 1
)
SELECT day, timestamp, id, {JSON_LINE} AS line
FROM oldest CROSS JOIN tracking_events
WHERE {_IS_DUE_EVENT} AND timestamp < day || '~'
ORDER BY timestamp, id LIMIT ?1 ->> 'rows'
"""


@dataclass(frozen=True, slots=True)
class ArchiveSettings:
    """The age of archived events in days, and the limits of one run in events and seconds."""

    days: int
    rows: int
    seconds: int


@dataclass(frozen=True, slots=True)
class PixelPosition:
    """How far the run is with a pixel: its events after `after` and before the day `before`.

    The next part has at most `rows` events. `max_id` is the newest event that a backup holds.
    """

    pixel_id: str
    before: str
    after: EventPosition
    max_id: int
    rows: int = MIN_ROWS


@dataclass(slots=True)
class ArchiveRun:
    """One run of the job. Without an endpoint every event counts as acknowledged."""

    settings: ArchiveSettings
    database: Database
    bucket: Bucket
    endpoint: ArchiveEndpoint | None
    find_backed_up_rows: FindBackedUpRows
    clock: Clock
    log: Log
    _counts: Counter[str] = field(default_factory=Counter)

    async def run(self) -> str | None:
        """Archives the due events and records the outcome in the log and in `job_runs`.

        Returns the outcome where it waits or fails.

        Raises:
            UnavailableError: D1 failed; the remaining events are due in the next run.
        """
        started = self.clock()
        lease = self.settings.seconds + LEASE_MARGIN_SECONDS
        run = JobRun(self.database, JOB, f"{JOB}-{self.log.request_id}", lease)
        if not await run.begin(started):
            self.log.info("archive_busy")
            return None
        backed_up = await self.find_backed_up_rows(started)
        if backed_up is None:
            self.log.warning("archive_waits", reason="no full backup of the last day is verified")
            await run.end(self.clock(), NO_BACKUP, self._summary())
            return NO_BACKUP
        deadline = started + timedelta(seconds=self.settings.seconds)
        outcome = await self._archive_pixels(backed_up, deadline)
        await run.end(self.clock(), outcome, self._summary())
        self.log.info("archive_run", outcome=outcome, **self._summary())
        return None if outcome in {"drained", "budget_spent"} else outcome

    async def _archive_pixels(self, backed_up: BackedUpRows, deadline: datetime) -> str:
        """Archives one part of each pixel in turn, so that none starves; returns the outcome."""
        queue = deque(await self._due_pixels(backed_up.max_event_id))
        while queue:
            if self._is_spent(deadline):
                return self._outcome("budget_spent")
            position = queue.popleft()
            try:
                next_position = await self._archive_part(position)
            except EndpointError as error:
                self.log.error("archive_endpoint_failed", reason=str(error))
                return "endpoint_failed"
            except (DamagedPartError, UnavailableError) as error:
                self._counts["failed"] += 1
                self.log.error("archive_failed", pixel_id=position.pixel_id, reason=str(error))
                continue
            if next_position:
                queue.append(next_position)
        return self._outcome("drained")

    def _outcome(self, success: str) -> str:
        """The outcome that a failure gives the run, else `success`."""
        failures = (name for name in ("failed", "not_acknowledged") if self._counts[name])
        return next(failures, success)

    def _is_spent(self, deadline: datetime) -> bool:
        tried = self._counts["parts"] + self._counts["failed"]
        spent = self._counts["read"] >= self.settings.rows or tried >= MAX_PARTS_OF_RUN
        return spent or self.clock() >= deadline

    async def _due_pixels(self, max_id: int) -> Sequence[PixelPosition]:
        parameters = {
            "now": format_stored_time(self.clock()),
            "days": self.settings.days,
            "max_id": max_id,
        }
        [rows] = await self.database.batch_rows((FIND_DUE_PIXELS,), json.dumps(parameters))
        return [
            PixelPosition(row["pixel_id"], row["before"], EventPosition("", 0), max_id)
            for row in rows
        ]

    async def _archive_part(self, position: PixelPosition) -> PixelPosition | None:
        """Archives a pixel's next part; returns the position after it, None at the end."""
        rows = min(position.rows, self.settings.rows - self._counts["read"])
        part, last_change = await self._read_part(replace(position, rows=rows))
        if part is None:
            return None
        self._counts["read"] += len(part.lines)
        self._counts["parts"] += 1
        acknowledged = await self._send(part)
        if acknowledged:
            await self._move(acknowledged, last_change)
        return replace(position, after=part.last, rows=rows_of_next_page(part.lines))

    async def _read_part(self, position: PixelPosition) -> tuple[EventsPart | None, int]:
        """The next part of a pixel, and the number of the last change before it was read."""
        statements = (READ_LAST_CHANGE, READ_PART)
        parameters = json.dumps(asdict(position))
        [[last_change], rows] = await self.database.batch_rows(statements, parameters)
        rows = _rows_of_one_part(rows)
        if not rows:
            return None, 0
        positions = [EventPosition(row["timestamp"], row["id"]) for row in rows]
        lines = [row["line"] for row in rows]
        part = EventsPart(position.pixel_id, rows[0]["day"], positions, lines)
        return part, last_change["changes"]

    async def _send(self, part: EventsPart) -> EventsPart | None:
        """Sends a part to the endpoint; returns the events that it acknowledged, if any."""
        if self.endpoint is None:
            return part
        ids = await self.endpoint.send(part)
        missing = len(part.lines) - len(ids)
        if missing:
            self._counts["not_acknowledged"] += missing
            numbers = {"day": part.day, "sent": len(part.lines), "acknowledged": len(ids)}
            self.log.warning("archive_not_acknowledged", pixel_id=part.pixel_id, **numbers)
        return part.subset(ids)

    async def _move(self, part: EventsPart, last_change: int) -> None:
        """Writes a part to R2, then records it and deletes its rows, unless one has changed."""
        manifest = await write_part(self.bucket, ARCHIVE, part, part.name)
        parameters = json.dumps(_batch_parameters(part, manifest, last_change, self.clock()))
        statements = (RECORD_BATCH, DELETE_ARCHIVED)
        [recorded, _] = await self.database.batch_rows(statements, parameters)
        if recorded:
            self._counts["archived"] += manifest.count
            self._counts["bytes"] += manifest.bytes
            return
        # The next run reads the changed events again.
        self._counts["changed"] += manifest.count
        self.log.info("archive_changed", pixel_id=part.pixel_id, day=part.day)
        await discard_part(self.bucket, ARCHIVE, part, manifest.batch)

    def _summary(self) -> dict[str, object]:
        names = ("archived", "bytes", "parts", "changed", "not_acknowledged", "failed")
        return {name: self._counts[name] for name in names}


def _batch_parameters(
    part: EventsPart, manifest: Manifest, last_change: int, now: datetime
) -> dict[str, object]:
    """The parameters of `RECORD_BATCH` and `DELETE_ARCHIVED`."""
    return {
        "pixel_id": part.pixel_id,
        "day": part.day,
        "batch": manifest.batch,
        "events": manifest.count,
        "first": asdict(part.first),
        "last": asdict(part.last),
        "sha256": manifest.sha256,
        "bytes": manifest.bytes,
        "ids": part.ids,
        "changes": last_change,
        "now": format_stored_time(now),
    }


def _rows_of_one_part(rows: Sequence[Row]) -> Sequence[Row]:
    """The first rows that fit into a part, at least one."""
    size = 0
    for number, row in enumerate(rows):
        size += len(row["line"].encode())
        if number and size > MAX_PART_BYTES:
            return rows[:number]
    return rows
