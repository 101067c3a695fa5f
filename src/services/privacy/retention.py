"""The retention job: deletes expired rows and archived days, a portion with each cron run.

Events and their archived days expire after their project's `retention_days`, if it has one.
Sessions without events, and visitors without events and sessions, expire after periods of their
own. A pending lead is never deleted, and nothing that a full backup of the last day does not hold.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.archive.batches import DELETE_BATCHES_BEFORE
from services.archive.rewriting import delete_parts_before_day
from services.core.backed_up import NO_BACKUP, BackedUpRows, FindBackedUpRows
from services.core.job_runs import JobRun
from services.core.logs import Log
from services.core.pending_leads import IS_NOT_PENDING
from services.core.ports import Bucket, Clock, Database, NewId, Row
from services.core.stored_time import format_stored_time
from services.privacy.request_table import DELETE_OLD_REQUESTS
from services.privacy.statements import DELETE_PERSONS
from services.projects.job_days import RETENTION_DAYS

JOB = "retention"
# Less than the time between two cron runs, so that a killed run does not delay the next one.
LEASE_SECONDS = 240
EVENT_BATCH_ROWS = 500
MAX_EVENT_BATCHES = 10
MAX_OBJECTS_OF_RUN = 500
# A walk passes all sessions and visitors in the order of their ids, so many rows with each run.
WALK_ROWS = 1_000
LOG_BATCH_ROWS = 500
# The counters of a run.
COUNTERS = ("events", "archived_parts", "sessions", "visitors", "old_log_rows")

# By name, which has an index; there are few projects. An invalid configuration keeps everything.
PIXELS_WITH_RETENTION = f"""
SELECT pixels.id, {RETENTION_DAYS} AS days
FROM projects JOIN pixels ON pixels.project_id = projects.id
WHERE projects.name >= '' AND ?1 IS NOT NULL AND {RETENTION_DAYS} IS NOT NULL
ORDER BY projects.name, pixels.name
"""

OLD_EVENTS = f"""
SELECT id FROM tracking_events
WHERE pixel_id = ?1 ->> 'pixel_id' AND timestamp < ?1 ->> 'before' AND id <= ?1 ->> 'max_id'
  AND {IS_NOT_PENDING}
ORDER BY timestamp LIMIT {EVENT_BATCH_ROWS}
"""

# An event that became pending since it was read stays.
DELETE_OLD_EVENTS = f"""
DELETE FROM tracking_events
WHERE id IN (SELECT value FROM json_each(?1, '$.ids')) AND {IS_NOT_PENDING}
"""

# The walks: the end of the next stretch of ids, and how many rows it has.
END_OF_SESSION_STRETCH = f"""
SELECT max(id) AS last, count(*) AS number FROM (
  SELECT id FROM sessions WHERE id > ?1 ->> 'session' ORDER BY id LIMIT {WALK_ROWS}
)
"""

# Reads the events of a visitor once for all of their old sessions.
DELETE_OLD_SESSIONS = """
WITH old AS (
  SELECT id, visitor_id FROM sessions
  WHERE id > ?1 ->> 'session' AND id <= ?1 ->> 'last' AND last_activity < ?1 ->> 'sessions_before'
)
DELETE FROM sessions
WHERE id IN (SELECT id FROM old) AND id NOT IN (
  SELECT session_id FROM tracking_events
  WHERE visitor_id IN (SELECT visitor_id FROM old) AND session_id IS NOT NULL
)
RETURNING id
"""

END_OF_VISITOR_STRETCH = f"""
SELECT max(id) AS last, count(*) AS number FROM (
  SELECT id FROM visitors WHERE id > ?1 ->> 'visitor' ORDER BY id LIMIT {WALK_ROWS}
)
"""

DELETE_OLD_VISITORS = """
DELETE FROM visitors
WHERE id > ?1 ->> 'visitor' AND id <= ?1 ->> 'last' AND last_seen < ?1 ->> 'visitors_before'
  AND NOT EXISTS (SELECT 1 FROM sessions WHERE sessions.visitor_id = visitors.id)
  AND NOT EXISTS (
    SELECT 1 FROM tracking_events WHERE tracking_events.visitor_id = visitors.id
  )
RETURNING id
"""

# The old Worker's log is sorted by id, and no rows are added to it.
DELETE_OLD_LOGS = f"""
DELETE FROM system_logs
WHERE id IN (SELECT id FROM system_logs WHERE id > 0 ORDER BY id LIMIT {LOG_BATCH_ROWS})
  AND timestamp < ?1 ->> 'sessions_before'
RETURNING id
"""

READ_WALK_POSITIONS = f"""
SELECT summary FROM job_runs
WHERE job = '{JOB}' AND finished_at IS NOT NULL AND ?1 IS NOT NULL
ORDER BY started_at DESC, id DESC LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class TableWalk:
    """A walk through a table by id: the statement of a stretch's end, and that of its deletion."""

    table: str
    end_of_stretch: str
    delete: str


SESSIONS = TableWalk("sessions", END_OF_SESSION_STRETCH, DELETE_OLD_SESSIONS)
VISITORS = TableWalk("visitors", END_OF_VISITOR_STRETCH, DELETE_OLD_VISITORS)


@dataclass(frozen=True, slots=True)
class Retention:
    """The job, with the number of days after which sessions and visitors expire."""

    database: Database
    bucket: Bucket
    new_id: NewId
    clock: Clock
    find_backed_up_rows: FindBackedUpRows
    session_days: int
    visitor_days: int

    async def run(self, log: Log) -> str | None:
        """Deletes one portion, and records it in the log and in `job_runs`.

        Returns the outcome where it waits.

        Raises:
            UnavailableError: D1 or R2 failed; the next run continues.
        """
        now = self.clock()
        job = JobRun(self.database, JOB, self.new_id(), LEASE_SECONDS)
        if not await job.begin(now):
            log.info("retention_busy")
            return None
        backed_up = await self.find_backed_up_rows(now)
        positions = await self._walk_positions()
        if backed_up is None:
            log.warning("retention_waits", reason="no full backup of the last day is verified")
            await job.end(self.clock(), NO_BACKUP, positions)
            return NO_BACKUP
        deleted: Counter[str] = Counter(dict.fromkeys(COUNTERS, 0))
        await self._delete_events(now, backed_up, deleted)
        positions = await self._delete_visits_and_logs(now, backed_up, positions, deleted)
        await job.end(self.clock(), "drained", {**deleted, **positions})
        if deleted.total():
            log.info("retention_run", **deleted)
        return None

    async def _delete_events(
        self, now: datetime, backed_up: BackedUpRows, deleted: Counter[str]
    ) -> None:
        """Deletes expired events, and the archived days before the first day to keep."""
        batches, objects = MAX_EVENT_BATCHES, MAX_OBJECTS_OF_RUN
        for pixel in await self._rows(PIXELS_WITH_RETENTION):
            before = now - timedelta(days=pixel["days"])
            has_more = True
            while has_more and batches:
                batches -= 1
                has_more = await self._delete_event_batch(pixel["id"], before, backed_up, deleted)
            first_day = before.strftime("%Y-%m-%d")
            await self._rows(DELETE_BATCHES_BEFORE, pixel_id=pixel["id"], first_kept=first_day)
            parts = await delete_parts_before_day(self.bucket, pixel["id"], first_day, objects)
            deleted["archived_parts"] += len(parts)
            objects = max(0, objects - len(parts))

    async def _delete_event_batch(
        self, pixel_id: str, before: datetime, backed_up: BackedUpRows, deleted: Counter[str]
    ) -> bool:
        """Deletes expired events of a pixel; returns whether there may be more."""
        rows = await self._rows(
            OLD_EVENTS,
            pixel_id=pixel_id,
            before=format_stored_time(before),
            max_id=backed_up.max_event_id,
        )
        ids = [row["id"] for row in rows]
        if ids:
            parameters = json.dumps({"ids": ids})
            await self.database.batch_rows((DELETE_OLD_EVENTS, DELETE_PERSONS), parameters)
            deleted["events"] += len(ids)
        return len(ids) == EVENT_BATCH_ROWS

    async def _walk_positions(self) -> dict[str, str]:
        """Reads how far the walks of the last run went."""
        runs = await self._rows(READ_WALK_POSITIONS)
        summary = json.loads(runs[0]["summary"] or "{}") if runs else {}
        return {name: summary.get(name, "") for name in ("session", "visitor")}

    async def _delete_visits_and_logs(
        self,
        now: datetime,
        backed_up: BackedUpRows,
        positions: dict[str, str],
        deleted: Counter[str],
    ) -> dict[str, str]:
        """Deletes sessions, visitors and old log rows; returns the positions of the walks."""
        sessions_before = min(now - timedelta(days=self.session_days), backed_up.before)
        visitors_before = min(now - timedelta(days=self.visitor_days), backed_up.before)
        parameters = {
            **positions,
            "sessions_before": format_stored_time(sessions_before),
            "visitors_before": format_stored_time(visitors_before),
            "day_ago": format_stored_time(now - timedelta(days=1)),
        }
        session = await self._walk(SESSIONS, parameters, deleted)
        visitor = await self._walk(VISITORS, parameters, deleted)
        deleted["old_log_rows"] += len(await self._rows(DELETE_OLD_LOGS, **parameters))
        await self._rows(DELETE_OLD_REQUESTS, **parameters)
        return {"session": session, "visitor": visitor}

    async def _walk(
        self, walk: TableWalk, parameters: dict[str, str], deleted: Counter[str]
    ) -> str:
        """Deletes old rows of one stretch; returns its last id, '' after the end of the table."""
        [stretch] = await self._rows(walk.end_of_stretch, **parameters)
        if stretch["last"] is None:
            return ""
        rows = await self._rows(walk.delete, **parameters, last=stretch["last"])
        deleted[walk.table] += len(rows)
        return str(stretch["last"]) if stretch["number"] == WALK_ROWS else ""

    async def _rows(self, statement: str, **parameters: object) -> Sequence[Row]:
        [rows] = await self.database.batch_rows((statement,), json.dumps(parameters))
        return rows
