"""Gives stored events the click IDs of their own page's address that are in no column of theirs.

Migration 0041 read the plain addresses of the newest million events, once. This job reads all as
the code does now, in the order of their ids, a stretch with each cron run: older events, damaged
links, names that were added since, and what another Worker wrote. It follows the new events for a
day, because another Worker may still serve, and is over at their end then; where its own runs had a
gap, it goes on. What an event has stays, and a second reading changes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from services.core.click_ids import CLICK_ID_COLUMNS, NETWORK_OF_CLICK_ID
from services.core.job_runs import JobRun
from services.core.logs import Log
from services.core.ports import Clock, Database, NewId, Row
from services.core.stored_time import format_stored_time
from services.core.text import read_object
from services.tracking.attribution import read_touch, stored_touch
from services.tracking.link_parameters import FIELDS

JOB = "missed_clicks"
# Less than the time between two cron runs, so that a killed run does not delay the next one.
LEASE_SECONDS = 240
STRETCH_IDS = 1_000
FOLLOWING_TIME = timedelta(days=1)
# Between two runs; after a longer one another Worker may have had the cron.
MAX_GAP = timedelta(hours=1)
COLUMNS = (*FIELDS, "click_ids", "touch_origin")
_LISTED_COLUMNS = ", ".join(COLUMNS)
_NEW_VALUES = ", ".join(f"{name} = coalesce(new.fields ->> '{name}', {name})" for name in COLUMNS)

# How far the last run came. A run that died has not ended, and its stretch is read again.
READ_LAST_RUN = f"""
SELECT finished_at, summary FROM job_runs
WHERE job = '{JOB}' AND finished_at IS NOT NULL AND ?1 IS NOT NULL
ORDER BY started_at DESC, id DESC LIMIT 1
"""

# By ids, so that no more rows are read than are looked at; a gap is skipped.
END_OF_STRETCH = f"""
SELECT min(first_id + {STRETCH_IDS - 1}, (SELECT max(id) FROM tracking_events)) AS last
FROM (SELECT min(id) AS first_id FROM tracking_events WHERE id > CAST(?1 ->> 'position' AS INTEGER))
"""

# An event that is credited to its session or its visitor keeps their touch whole.
READ_STRETCH = f"""
SELECT id, page_url, {_LISTED_COLUMNS} FROM tracking_events
WHERE id > CAST(?1 ->> 'position' AS INTEGER) AND id <= ?1 ->> 'last'
  AND (touch_origin IS NULL OR touch_origin = 'page_url')
  AND (instr(page_url, '=') OR instr(page_url, '%3'))
ORDER BY id
"""

ADD_CLICKS = f"""
UPDATE tracking_events
SET {_NEW_VALUES}
FROM (
  SELECT value ->> 'id' AS event_id, value -> 'fields' AS fields FROM json_each(?1, '$.events')
) AS new
WHERE tracking_events.id = new.event_id
"""


@dataclass(frozen=True, slots=True)
class _Progress:
    """The id of the last event that was looked at, and until when new ones are; None: over."""

    position: str
    until: str | None

    def summary(self, events: int) -> Mapping[str, object]:
        """What the ledger keeps, with the number of events that got something."""
        return {"events": events, "position": self.position, "until": self.until}


@dataclass(frozen=True, slots=True)
class MissedClicks:
    """The job."""

    database: Database
    new_id: NewId
    clock: Clock

    async def run(self, log: Log) -> None:
        """Looks at the next stretch of events, and records in `job_runs` how far it came.

        Raises:
            UnavailableError: D1 failed; the next run looks at the stretch again.
        """
        now = self.clock()
        job = JobRun(self.database, JOB, self.new_id(), LEASE_SECONDS)
        if not await job.begin(now):
            log.info("missed_clicks_busy")
            return
        [runs] = await self.database.batch_rows((READ_LAST_RUN,), "{}")
        progress, events = _progress(runs[0] if runs else None, now), 0
        if progress.until is not None:
            progress, events = await self._mend_stretch(progress, now)
        await job.end(self.clock(), "drained", progress.summary(events))
        if events:
            log.info("missed_clicks_found", events=events)

    async def _mend_stretch(self, progress: _Progress, now: datetime) -> tuple[_Progress, int]:
        """Returns how far it is then, and how many events got something."""
        stretch = {"position": progress.position}
        [[end]] = await self.database.batch_rows((END_OF_STRETCH,), json.dumps(stretch))
        if end["last"] is None:
            is_over = format_stored_time(now) > (progress.until or "")
            return replace(progress, until=None if is_over else progress.until), 0
        span = json.dumps({**stretch, "last": end["last"]})
        [rows] = await self.database.batch_rows((READ_STRETCH,), span)
        events = [
            {"id": row["id"], "fields": fields} for row in rows if (fields := missed_clicks(row))
        ]
        if events:
            await self.database.batch_rows((ADD_CLICKS,), json.dumps({"events": events}))
        return replace(progress, position=str(end["last"])), len(events)


def _progress(last_run: Row | None, now: datetime) -> _Progress:
    """How far the job is by its last run, if it has one."""
    summary = read_object(last_run["summary"]) if last_run else {}
    position = str(summary.get("position") or 0)
    if last_run is None or last_run["finished_at"] < format_stored_time(now - MAX_GAP):
        return _Progress(position, format_stored_time(now + FOLLOWING_TIME))
    until = summary.get("until")
    return _Progress(position, until if isinstance(until, str) else None)


def missed_clicks(row: Mapping[str, object]) -> dict[str, str]:
    """The columns that an event's own address gives it, with their values; {} if it has all.

    A direct event whose address is that of a click gets the whole touch, any other one only click
    IDs and details that it lacks.
    """
    page_url = row["page_url"]
    touch = read_touch(page_url, "page_url") if isinstance(page_url, str) else None
    if touch is None:
        return {}
    columns = {name: str(getattr(touch, name)) for name in FIELDS if getattr(touch, name)}
    members = touch.click_ids or {}
    stored = stored_touch(row)
    if stored:
        columns = {
            name: value
            for name, value in columns.items()
            if name in CLICK_ID_COLUMNS and name not in stored
        }
        members = {name: value for name, value in members.items() if name not in stored}
    elif NETWORK_OF_CLICK_ID.keys().isdisjoint({*columns, *members}):
        return {}
    else:
        columns["touch_origin"] = "page_url"
    if members:
        columns["click_ids"] = json.dumps(
            {**_members(row), **members}, ensure_ascii=False, separators=(",", ":")
        )
    return columns


def _members(row: Mapping[str, object]) -> Mapping[str, object]:
    """What the column `click_ids` holds already, also of a younger version."""
    stored = row["click_ids"]
    return read_object(stored) if isinstance(stored, str) else {}
