"""The metrics of the database, for monitoring and for scripts of ops.

Counts of whole tables are cached in the ledger of jobs, with the time of counting. Everything else
reads as much with a million events as with none. All statements read one JSON text (`?1`: `now`,
and times before it) and are one round trip.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.core.job_runs import HAS_SUCCEEDED
from services.core.pending_leads import IS_PENDING
from services.core.ports import Database, Row
from services.core.stored_time import format_iso, format_stored_time, parse_stored_time
from services.core.text import read_object
from services.sync.outbox import JOB

TABLE_COUNTS_TTL = timedelta(hours=1)
SUBMISSION_COUNTS_TTL = timedelta(minutes=5)
# The runs in the ledger that hold the last counts.
TABLES_RUN = "count_tables"
SUBMISSIONS_RUN = "count_submissions"


def _count_into(run: str, counted_since: str, summary: str) -> str:
    """The statement that replaces the counts in the run of this name once they are too old."""
    return f"""
INSERT INTO job_runs (job, run, started_at, lease_until, finished_at, outcome, summary)
SELECT
  '{run}', '{run}', ?1 ->> 'now', ?1 ->> 'now', ?1 ->> 'now', 'counted', {summary}
WHERE NOT EXISTS (
  SELECT 1 FROM job_runs WHERE run = '{run}' AND started_at > ?1 ->> '{counted_since}'
)
ON CONFLICT (run) DO UPDATE SET
  started_at = excluded.started_at, lease_until = excluded.lease_until,
  finished_at = excluded.finished_at, summary = excluded.summary
"""


COUNT_TABLES = _count_into(
    TABLES_RUN,
    "tables_counted_since",
    """json_object(
    'total_events', (SELECT count(*) FROM tracking_events),
    'unique_visitors', (SELECT count(*) FROM visitors),
    'unique_sessions', (SELECT count(*) FROM sessions),
    'active_pixels', (SELECT count(*) FROM pixels WHERE active)
  )""",
)

COUNT_SUBMISSIONS = _count_into(
    SUBMISSIONS_RUN,
    "submissions_counted_since",
    """(
    SELECT json_group_object(status, submissions) FROM (
      SELECT pipedrive_sync_status AS status, count(*) AS submissions
      FROM tracking_events
      WHERE event_type = 'form_submit' AND pipedrive_sync_status IS NOT NULL
      GROUP BY pipedrive_sync_status
    )
  )""",
)

# CROSS JOIN: pixel by pixel, by the index; else the planner reads all events.
RECENT_ACTIVITY = """
SELECT
  count(*) AS events_last_hour,
  coalesce(sum(tracking_events.event_type = 'form_submit'), 0) AS form_submissions_last_hour
FROM pixels CROSS JOIN tracking_events
WHERE tracking_events.pixel_id = pixels.id AND tracking_events.timestamp >= ?1 ->> 'hour_ago'
"""

# Waiting for its time, due, or being sent.
PENDING = f"""
SELECT
  count(*) AS pending,
  coalesce(sum(coalesce(pipedrive_due_at, '') <= ?1 ->> 'now'), 0) AS due,
  min(datetime(timestamp)) AS oldest
FROM tracking_events
WHERE {IS_PENDING}
"""

ACCOUNTS = """
SELECT name, state, failures, open_until, paused_until FROM pipedrive_accounts
WHERE ?1 IS NOT NULL
"""

# From job to job by the index, because the runs of each are many. Of a job that fails, those since
# it ended well are read.
LAST_RUNS = f"""
WITH RECURSIVE jobs (job) AS (
  SELECT min(job) FROM job_runs WHERE ?1 IS NOT NULL
  UNION ALL
  SELECT (SELECT min(job) FROM job_runs WHERE job > jobs.job) FROM jobs WHERE job IS NOT NULL
)
SELECT
  last.job, last.run, last.started_at, last.finished_at, last.outcome, last.summary,
  (
    SELECT finished_at FROM job_runs WHERE job = jobs.job AND {HAS_SUCCEEDED}
    ORDER BY started_at DESC LIMIT 1
  ) AS succeeded_at
FROM jobs CROSS JOIN job_runs AS last
WHERE last.id = (
  SELECT id FROM job_runs WHERE job = jobs.job ORDER BY started_at DESC, id DESC LIMIT 1
)
"""

# A run that did not end while it held the lease was killed.
SYNC_ERRORS = f"""
SELECT
  coalesce(sum(summary ->> 'error'), 0) AS leads_failed,
  coalesce(sum(summary ->> 'put_back'), 0) AS leads_put_back,
  coalesce(sum(finished_at IS NULL AND lease_until <= ?1 ->> 'now'), 0) AS runs_killed
FROM job_runs
WHERE job = '{JOB}' AND started_at >= ?1 ->> 'hour_ago'
"""

# By hand or from an import, a row may have a time that is none; the event is there all the same.
LAST_EVENT = """
SELECT coalesce(datetime(timestamp), datetime(created_at)) AS last_event_at FROM tracking_events
WHERE id = (SELECT max(id) FROM tracking_events) AND ?1 IS NOT NULL
"""

# Our calls to Pipedrive, which spend an account's daily budget.
CALLS_TODAY = f"""
SELECT
  coalesce(sum(summary ->> '$.calls.search'), 0) AS search,
  coalesce(sum(summary ->> '$.calls.person'), 0) AS person,
  coalesce(sum(summary ->> '$.calls.update'), 0) AS "update",
  coalesce(sum(summary ->> '$.calls.fields'), 0) AS fields
FROM job_runs
WHERE job = '{JOB}' AND started_at >= ?1 ->> 'midnight'
"""

FAILED_REQUESTS = """
SELECT
  coalesce(sum(number), 0) AS failed_requests,
  coalesce(sum(refused_senders), 0) AS refused_senders
FROM failed_requests
WHERE minute >= ?1 ->> 'hour_ago'
"""

# What was refused without an error, since a week ago.
REFUSED_BY_DAY = """
SELECT day, kind, number FROM refused_requests WHERE day >= ?1 ->> 'week_ago' ORDER BY day, kind
"""

STATEMENTS = (
    *(COUNT_TABLES, COUNT_SUBMISSIONS),
    *(RECENT_ACTIVITY, PENDING, ACCOUNTS, LAST_RUNS, SYNC_ERRORS),
    *(FAILED_REQUESTS, LAST_EVENT, CALLS_TODAY, REFUSED_BY_DAY),
)

# From the best to the worst; the worst of all accounts is reported.
BREAKER_STATES = ("closed", "half_open", "open")
# As the old Worker named them, for the scripts that read them.
OLD_BREAKER_STATES = {"closed": "CLOSED", "half_open": "HALF_OPEN", "open": "OPEN"}


@dataclass(frozen=True, slots=True)
class CachedCounts:
    """Counts by their names, and the time of counting in UTC."""

    at: datetime
    numbers: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Metrics:
    """The metrics at one moment. `errors` are those of the last hour.

    `oldest_pending_seconds` is None where nothing is pending, `last_event_at` (in UTC) where no
    event was ever stored. `calls_today` are calls to Pipedrive since midnight in UTC. `jobs` holds
    the last run of each job, and when a run last succeeded. `refused_by_day` is of seven days and
    today, by kind.
    """

    at: datetime
    tables: CachedCounts
    submissions: CachedCounts
    recent: Mapping[str, int]
    pending: int
    due: int
    oldest_pending_seconds: int | None
    accounts: Sequence[Row]
    jobs: Mapping[str, Row]
    errors: Mapping[str, int]
    database_bytes: int
    last_event_at: datetime | None
    calls_today: Mapping[str, int]
    refused_by_day: Mapping[str, Mapping[str, int]]

    def as_json(self) -> Mapping[str, object]:
        """The metrics in the shape of the old Worker, extended."""
        return {
            "database": {
                **self.tables.numbers,
                "counted_at": format_iso(self.tables.at),
                "size_bytes": self.database_bytes,
            },
            "last_event_at": self.last_event_at and format_iso(self.last_event_at),
            "recent_activity": self.recent,
            "errors_last_hour": self.errors,
            "refused_by_day": self.refused_by_day,
            "jobs": self.jobs,
            "pipedrive": self._pipedrive(),
        }

    def _pipedrive(self) -> Mapping[str, object]:
        worst = max(
            self.accounts, key=lambda row: BREAKER_STATES.index(row["state"]), default=_NO_ACCOUNT
        )
        return {
            "circuit_breaker_state": OLD_BREAKER_STATES[worst["state"]],
            "circuit_breaker_failures": worst["failures"],
            "circuit_breaker_next_attempt": _next_attempt(worst, self.at),
            "delayed_sync_pending": self.due,
            "delayed_sync_total": self.pending,
            "oldest_pending_seconds": self.oldest_pending_seconds,
            "by_status": self.submissions.numbers,
            "by_status_counted_at": format_iso(self.submissions.at),
            "accounts": self.accounts,
            "last_run": self.jobs.get(JOB),
            "calls_today": self.calls_today,
        }


@dataclass(frozen=True, slots=True)
class MetricsReader:
    """Reads the metrics from D1; `database_bytes` returns its size."""

    database: Database
    database_bytes: Callable[[], Awaitable[int]]

    async def read(self, now: datetime) -> Metrics:
        """The metrics now, in two round trips.

        Raises:
            UnavailableError: D1 failed.
        """
        parameters = {
            "now": format_stored_time(now),
            "hour_ago": format_stored_time(now - timedelta(hours=1)),
            "week_ago": f"{now - timedelta(days=7):%Y-%m-%d}",
            "midnight": now.strftime("%Y-%m-%d 00:00:00"),
            "tables_counted_since": format_stored_time(now - TABLE_COUNTS_TTL),
            "submissions_counted_since": format_stored_time(now - SUBMISSION_COUNTS_TTL),
        }
        answers = await self.database.batch_rows(STATEMENTS, json.dumps(parameters))
        [recent], [pending], accounts, runs, [errors], [failed], last_events, [calls], refused = (
            answers[2:]
        )
        jobs = {row["job"]: row for row in runs}
        return Metrics(
            at=now,
            tables=_cached_counts(jobs.pop(TABLES_RUN)),
            submissions=_cached_counts(jobs.pop(SUBMISSIONS_RUN)),
            recent=recent,
            pending=pending["pending"],
            due=pending["due"],
            oldest_pending_seconds=_age(pending["oldest"], now),
            accounts=accounts,
            jobs={job: _run_summary(row) for job, row in jobs.items()},
            errors={**failed, **errors},
            database_bytes=await self.database_bytes(),
            last_event_at=(_time(last_events[0]["last_event_at"]) or now) if last_events else None,
            calls_today=calls,
            refused_by_day=_by_day(refused),
        )


_NO_ACCOUNT: Row = {"state": "closed", "failures": 0, "open_until": None, "paused_until": None}


def _cached_counts(run: Row) -> CachedCounts:
    return CachedCounts(parse_stored_time(run["finished_at"]), json.loads(run["summary"]))


def _next_attempt(account: Row, now: datetime) -> str | None:
    """When the account is called again, or None where it can be called now."""
    times = (account[name] for name in ("open_until", "paused_until") if account[name])
    latest = max(times, default="")
    is_ahead = bool(latest) and datetime.fromisoformat(latest) > now
    return latest.replace("+00:00", "Z") if is_ahead else None


def _age(oldest: str | None, now: datetime) -> int | None:
    moment = _time(oldest)
    return None if moment is None else int((now - moment).total_seconds())


def _by_day(rows: Sequence[Row]) -> Mapping[str, Mapping[str, int]]:
    days: dict[str, dict[str, int]] = {}
    for row in rows:
        days.setdefault(row["day"], {})[row["kind"]] = row["number"]
    return days


def _time(text: str | None) -> datetime | None:
    """A time that SQLite could read, which also knows years before the first one of Python."""
    try:
        return parse_stored_time(text or "")
    except ValueError:
        return None


def _run_summary(row: Row) -> Row:
    names = ("run", "started_at", "finished_at", "outcome", "succeeded_at")
    return {**{name: row[name] for name in names}, "summary": read_object(row["summary"])}
