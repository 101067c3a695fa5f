"""How long things are kept: a job of the cron deletes what is over, a portion with each run.

Events and their archived days go after their project's `retention_days`, if it says so; sessions
without events and visitors without either after periods of their own. A lead that waits for the
sync is never deleted.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.archive.batches import DELETE_BATCHES_BEFORE
from services.archive.rewriting import delete_parts_before_day
from services.core.job_runs import JobRun
from services.core.logs import Log
from services.core.pending_leads import IS_NOT_PENDING
from services.core.ports import Bucket, Clock, Database, NewId, Row
from services.core.stored_time import format_stored_time
from services.privacy.request_table import FORGET_REQUESTS
from services.privacy.statements import DELETE_PERSONS
from services.projects.configuration import MAX_RETENTION_DAYS

JOB = "retention"
# Less than the time between two runs of the cron: one that was killed holds up none.
LEASE_SECONDS = 240
EVENTS_OF_A_PORTION = 500
PORTIONS = 10
PARTS_OF_A_RUN = 500
# A walk goes round all sessions and visitors, as many with each run.
ROWS_OF_A_WALK = 1_000
LOGS_OF_A_RUN = 500
# What a run counts.
DELETED = ("events", "archived_parts", "sessions", "visitors", "old_log_rows")

# By names, which have an index; there are few projects. A text that is no JSON keeps everything.
PIXELS_WITH_RETENTION = f"""
SELECT pixels.id, projects.configuration ->> 'retention_days' AS days
FROM projects JOIN pixels ON pixels.project_id = projects.id
WHERE projects.name >= '' AND ?1 IS NOT NULL AND iif(
  json_valid(projects.configuration),
  json_type(projects.configuration, '$.retention_days') = 'integer'
    AND projects.configuration ->> 'retention_days' BETWEEN 1 AND {MAX_RETENTION_DAYS},
  0
)
ORDER BY projects.name, pixels.name
"""

OLD_EVENTS = f"""
SELECT id FROM tracking_events
WHERE pixel_id = ?1 ->> 'pixel_id' AND timestamp < ?1 ->> 'before' AND {IS_NOT_PENDING}
ORDER BY timestamp LIMIT {EVENTS_OF_A_PORTION}
"""

# What was set pending since it was found stays.
DELETE_OLD_EVENTS = f"""
DELETE FROM tracking_events
WHERE id IN (SELECT value FROM json_each(?1, '$.ids')) AND {IS_NOT_PENDING}
"""

# The walks: rows behind the last one by their ids, and where the next walk begins.
LAST_SESSION = f"""
SELECT max(id) AS last, count(*) AS number FROM (
  SELECT id FROM sessions WHERE id > ?1 ->> 'session' ORDER BY id LIMIT {ROWS_OF_A_WALK}
)
"""

# The events of a visitor are read once for all of their old sessions.
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

LAST_VISITOR = f"""
SELECT max(id) AS last, count(*) AS number FROM (
  SELECT id FROM visitors WHERE id > ?1 ->> 'visitor' ORDER BY id LIMIT {ROWS_OF_A_WALK}
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

# The old Worker's log is in the order of its ids; nothing is added to it any more.
DELETE_OLD_LOGS = f"""
DELETE FROM system_logs
WHERE id IN (SELECT id FROM system_logs WHERE id > 0 ORDER BY id LIMIT {LOGS_OF_A_RUN})
  AND timestamp < ?1 ->> 'sessions_before'
RETURNING id
"""

LAST_WALK = f"""
SELECT summary FROM job_runs
WHERE job = '{JOB}' AND finished_at IS NOT NULL AND ?1 IS NOT NULL
ORDER BY started_at DESC, id DESC LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class Walk:
    """A way round a table by its ids: the last row of a stretch, and what of it is deleted."""

    table: str
    last: str
    delete: str


SESSIONS = Walk("sessions", LAST_SESSION, DELETE_OLD_SESSIONS)
VISITORS = Walk("visitors", LAST_VISITOR, DELETE_OLD_VISITORS)


@dataclass(frozen=True, slots=True)
class Retention:
    """The job. Sessions without events are kept for so many days, visitors without either too."""

    database: Database
    bucket: Bucket
    new_id: NewId
    clock: Clock
    session_days: int
    visitor_days: int

    async def run(self, log: Log) -> None:
        """One run; a log line and a row of the ledger tell what it deleted.

        Raises:
            UnavailableError: D1 or R2 failed; the next run goes on.
        """
        now = self.clock()
        job = JobRun(self.database, JOB, self.new_id(), LEASE_SECONDS)
        if not await job.begin(now):
            log.info("retention_busy")
            return
        deleted: Counter[str] = Counter(dict.fromkeys(DELETED, 0))
        await self._delete_events(now, deleted)
        places = await self._delete_the_rest(now, deleted)
        await job.end(self.clock(), "drained", {**deleted, **places})
        if deleted.total():
            log.info("retention_run", **deleted)

    async def _delete_events(self, now: datetime, deleted: Counter[str]) -> None:
        left = PORTIONS
        parts = PARTS_OF_A_RUN
        for pixel in await self._ask(PIXELS_WITH_RETENTION):
            before = now - timedelta(days=pixel["days"])
            more = True
            while more and left:
                left -= 1
                more = await self._delete_portion(pixel["id"], before, deleted)
            first_kept = before.strftime("%Y-%m-%d")
            await self._ask(DELETE_BATCHES_BEFORE, pixel_id=pixel["id"], first_kept=first_kept)
            gone = await delete_parts_before_day(self.bucket, pixel["id"], first_kept, parts)
            deleted["archived_parts"] += len(gone)
            parts = max(0, parts - len(gone))

    async def _delete_portion(self, pixel_id: str, before: datetime, deleted: Counter[str]) -> bool:
        """Deletes old events of a pixel; says whether there may be more."""
        rows = await self._ask(OLD_EVENTS, pixel_id=pixel_id, before=format_stored_time(before))
        ids = [row["id"] for row in rows]
        if ids:
            said = json.dumps({"ids": ids})
            await self.database.batch_rows((DELETE_OLD_EVENTS, DELETE_PERSONS), said)
            deleted["events"] += len(ids)
        return len(ids) == EVENTS_OF_A_PORTION

    async def _delete_the_rest(self, now: datetime, deleted: Counter[str]) -> dict[str, str]:
        """Sessions, visitors, the old log; returns where the next walk goes on."""
        walks = await self._ask(LAST_WALK)
        places: dict[str, str] = json.loads(walks[0]["summary"] or "{}") if walks else {}
        parameters = {
            "session": places.get("session", ""),
            "visitor": places.get("visitor", ""),
            "sessions_before": format_stored_time(now - timedelta(days=self.session_days)),
            "visitors_before": format_stored_time(now - timedelta(days=self.visitor_days)),
            "day_ago": format_stored_time(now - timedelta(days=1)),
        }
        session = await self._walk(SESSIONS, parameters, deleted)
        visitor = await self._walk(VISITORS, parameters, deleted)
        deleted["old_log_rows"] += len(await self._ask(DELETE_OLD_LOGS, **parameters))
        await self._ask(FORGET_REQUESTS, **parameters)
        return {"session": session, "visitor": visitor}

    async def _walk(self, walk: Walk, parameters: dict[str, str], deleted: Counter[str]) -> str:
        """One stretch of a walk; returns its end, '' when it has come round."""
        [stretch] = await self._ask(walk.last, **parameters)
        if stretch["last"] is None:
            return ""
        gone = await self._ask(walk.delete, **parameters, last=stretch["last"])
        deleted[walk.table] += len(gone)
        return str(stretch["last"]) if stretch["number"] == ROWS_OF_A_WALK else ""

    async def _ask(self, statement: str, **parameters: object) -> Sequence[Row]:
        [rows] = await self.database.batch_rows((statement,), json.dumps(parameters))
        return rows
