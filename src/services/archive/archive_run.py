"""The archive job: events older than their project keeps them move from D1 to R2, part by part.

A part is written, read back and compared; then one transaction counts it and deletes exactly the
events that it holds, unless one of them changed meanwhile. Whatever happens in between, an event is
in the database or in a part that counts. Each statement reads one JSON text (`?1`).
"""

from __future__ import annotations

import json
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta

from services.archive.batches import COUNT_BATCH, DELETE_ARCHIVED
from services.archive.endpoint import ArchiveEndpoint, EndpointError
from services.archive.parts import ARCHIVE, EventsPart, Manifest, forget_part, write_part
from services.core.event_lines import JSON_LINE
from services.core.event_place import Cursor
from services.core.job_runs import JobRun
from services.core.json_lines import FEWEST_ROWS, rows_of_next_page
from services.core.logs import Log
from services.core.ndjson_parts import DamagedPartError
from services.core.ports import Bucket, Clock, Database, Row, UnavailableError
from services.core.stored_time import NEVER, TIME_TEXT
from services.projects.configuration import MAX_ARCHIVE_DAYS

JOB = "archive"
# Each is about eight of an invocation's 10,000 requests, and four of its 1,000 queries.
MAX_PARTS = 50
# A part as it is sent to an endpoint, whose body has at most 4 MiB.
MAX_BYTES = 3 * 2**20
# What one part may take beyond the run's time.
LEASE_MARGIN_SECONDS = 120

# A lead that waits for the sync stays, however old, as does an event without a real time.
_ARCHIVABLE = f"""
  timestamp GLOB '20[0-9][0-9]-[0-1][0-9]-[0-3][0-9]*'
  AND NOT (
    event_type IS 'form_submit' AND pipedrive_sync_status IS NULL
    AND coalesce(pipedrive_due_at, '') < '{NEVER}'
  )
"""

# All pixels, which are few, each with its project's limit and the oldest day before it. A
# configuration may be anything.
FIND_DUE = f"""
WITH limits AS MATERIALIZED (
  SELECT
    pixels.id AS pixel_id,
    iif(
      json_valid(projects.configuration),
      iif(
        json_type(projects.configuration, '$.archive_days') = 'integer',
        projects.configuration ->> '$.archive_days', NULL
      ),
      NULL
    ) AS chosen
  FROM projects CROSS JOIN pixels ON pixels.project_id = projects.id
), ends AS MATERIALIZED (
  SELECT
    pixel_id,
    date(
      ?1 ->> 'now',
      '-' || iif(chosen BETWEEN 1 AND {MAX_ARCHIVE_DAYS}, chosen, ?1 ->> 'days') || ' days'
    ) AS before
  FROM limits
), oldest AS MATERIALIZED (
  SELECT pixel_id, before, (
    SELECT substr(timestamp, 1, 10) FROM tracking_events
    WHERE tracking_events.pixel_id = ends.pixel_id AND timestamp < before AND {_ARCHIVABLE}
    ORDER BY timestamp LIMIT 1
  ) AS day
  FROM ends
)
SELECT pixel_id, before, day FROM oldest
WHERE day IS NOT NULL ORDER BY day, pixel_id
"""

_OF_THE_PIXEL = f"""
  pixel_id = ?1 ->> 'pixel_id' AND timestamp < ?1 ->> 'before'
  AND timestamp >= ?1 ->> '$.after.timestamp'
  AND (timestamp > ?1 ->> '$.after.timestamp' OR id > ?1 ->> '$.after.event_id')
  AND {_ARCHIVABLE}
"""

# What changes from now on is known by this.
READ_CHANGES = "SELECT coalesce(max(seq), 0) AS changes FROM row_changes WHERE ?1 IS NOT NULL"

# The oldest events of one day. A tilde comes after all that may follow a day.
READ_PART = f"""
WITH oldest AS MATERIALIZED (
  SELECT substr(timestamp, 1, 10) AS day FROM tracking_events
  WHERE {_OF_THE_PIXEL} ORDER BY timestamp LIMIT 1
)
SELECT day, timestamp, id, {JSON_LINE} AS line
FROM oldest CROSS JOIN tracking_events
WHERE {_OF_THE_PIXEL} AND timestamp < day || '~'
ORDER BY timestamp, id LIMIT ?1 ->> 'rows'
"""


@dataclass(frozen=True, slots=True)
class ArchiveSettings:
    """After how many days events leave, and what one run may do, in events and seconds."""

    days: int
    rows: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Place:
    """Where the run stands with a pixel: events after `after` and before the day `before`.

    The next part has at most `rows` events.
    """

    pixel_id: str
    before: str
    after: Cursor
    rows: int = FEWEST_ROWS


@dataclass(slots=True)
class ArchiveRun:
    """One run. Without an endpoint every event is taken for acknowledged."""

    settings: ArchiveSettings
    database: Database
    bucket: Bucket
    endpoint: ArchiveEndpoint | None
    clock: Clock
    log: Log
    _counts: Counter[str] = field(default_factory=Counter)

    async def run(self) -> None:
        """Archives what is due; one log line and one row of the ledger tell what came of it.

        Raises:
            UnavailableError: D1 failed; what is not archived yet is due in the next run.
        """
        started = self.clock()
        lease = self.settings.seconds + LEASE_MARGIN_SECONDS
        run = JobRun(self.database, JOB, f"{JOB}-{self.log.request_id}", lease)
        if not await run.begin(started):
            self.log.info("archive_busy")
            return
        ended = await self._all_parts(started + timedelta(seconds=self.settings.seconds))
        await run.end(self.clock(), ended, self._summary())
        self.log.info("archive_run", outcome=ended, **self._summary())

    async def _all_parts(self, until: datetime) -> str:
        """Why it ended. One part of each pixel in turn, so that none waits for another one."""
        waiting = deque(await self._due())
        while waiting:
            if self._is_spent(until):
                return self._ended("budget_spent")
            place = waiting.popleft()
            try:
                place_after = await self._move_part(place)
            except EndpointError as error:
                self.log.error("archive_endpoint_failed", reason=str(error))
                return "endpoint_failed"
            except (DamagedPartError, UnavailableError) as error:
                self._counts["failed"] += 1
                self.log.error("archive_failed", pixel_id=place.pixel_id, reason=str(error))
                continue
            if place_after:
                waiting.append(place_after)
        return self._ended("drained")

    def _ended(self, well: str) -> str:
        """How it ended, if anything was left behind, else what is said where all is well."""
        ill = (name for name in ("failed", "not_acknowledged") if self._counts[name])
        return next(ill, well)

    def _is_spent(self, until: datetime) -> bool:
        tried = self._counts["parts"] + self._counts["failed"]
        spent = self._counts["read"] >= self.settings.rows or tried >= MAX_PARTS
        return spent or self.clock() >= until

    async def _due(self) -> Sequence[Place]:
        said = {"now": self.clock().strftime(TIME_TEXT), "days": self.settings.days}
        [rows] = await self.database.batch_rows((FIND_DUE,), json.dumps(said))
        return [Place(row["pixel_id"], row["before"], Cursor("", 0)) for row in rows]

    async def _move_part(self, place: Place) -> Place | None:
        """Where to go on with the pixel, or None where nothing more of it is due."""
        rows = min(place.rows, self.settings.rows - self._counts["read"])
        part, changes = await self._read(replace(place, rows=rows))
        if part is None:
            return None
        self._counts["read"] += len(part.lines)
        self._counts["parts"] += 1
        acknowledged = await self._acknowledged(part)
        if acknowledged:
            await self._keep(acknowledged, changes)
        return replace(place, after=part.last, rows=rows_of_next_page(part.lines))

    async def _read(self, place: Place) -> tuple[EventsPart | None, int]:
        """The next part of a pixel, and the last change before it was read."""
        statements = (READ_CHANGES, READ_PART)
        [[changes], rows] = await self.database.batch_rows(statements, json.dumps(asdict(place)))
        rows = _fitting(rows)
        if not rows:
            return None, 0
        places = [Cursor(row["timestamp"], row["id"]) for row in rows]
        part = EventsPart(place.pixel_id, rows[0]["day"], places, [row["line"] for row in rows])
        return part, changes["changes"]

    async def _acknowledged(self, part: EventsPart) -> EventsPart | None:
        if self.endpoint is None:
            return part
        ids = await self.endpoint.send(part)
        missing = len(part.lines) - len(ids)
        if missing:
            self._counts["not_acknowledged"] += missing
            said = {"day": part.day, "sent": len(part.lines), "acknowledged": len(ids)}
            self.log.warning("archive_not_acknowledged", pixel_id=part.pixel_id, **said)
        return part.only(ids)

    async def _keep(self, part: EventsPart, changes: int) -> None:
        manifest = await write_part(self.bucket, ARCHIVE, part, part.name)
        said = json.dumps(_counted(part, manifest, changes, self.clock()))
        [counted, _] = await self.database.batch_rows((COUNT_BATCH, DELETE_ARCHIVED), said)
        if counted:
            self._counts["archived"] += manifest.count
            self._counts["bytes"] += manifest.bytes
            return
        # It is read again, as it is then, by the next run.
        self._counts["changed"] += manifest.count
        self.log.info("archive_changed", pixel_id=part.pixel_id, day=part.day)
        await forget_part(self.bucket, ARCHIVE, part, manifest.batch)

    def _summary(self) -> dict[str, object]:
        names = ("archived", "bytes", "parts", "changed", "not_acknowledged", "failed")
        return {name: self._counts[name] for name in names}


def _counted(
    part: EventsPart, manifest: Manifest, changes: int, now: datetime
) -> dict[str, object]:
    """What `COUNT_BATCH` and `DELETE_ARCHIVED` read."""
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
        "changes": changes,
        "now": now.strftime(TIME_TEXT),
    }


def _fitting(rows: Sequence[Row]) -> Sequence[Row]:
    """The first rows that fit into a part; always one."""
    size = 0
    for number, row in enumerate(rows):
        size += len(row["line"].encode())
        if number and size > MAX_BYTES:
            return rows[:number]
    return rows
