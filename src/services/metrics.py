"""How the whole is doing, in numbers: for scripts of ops and for whoever watches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.outbox import JOB
from services.ports import Database, Row
from services.text import read_json
from services.visits import NEVER, TIME_TEXT

DATABASE = """
SELECT
  (SELECT count(*) FROM tracking_events) AS total_events,
  (SELECT count(*) FROM visitors) AS unique_visitors,
  (SELECT count(*) FROM sessions) AS unique_sessions,
  (SELECT count(*) FROM pixels WHERE active) AS active_pixels
"""

# CROSS: pixel by pixel, by the index; the planner would read all events.
RECENT_ACTIVITY = """
SELECT
  count(*) AS events_last_hour,
  coalesce(sum(tracking_events.event_type = 'form_submit'), 0) AS form_submissions_last_hour
FROM pixels CROSS JOIN tracking_events
WHERE tracking_events.pixel_id = pixels.id AND tracking_events.timestamp >= ?1
"""

# Waiting for its time, due, or being sent.
PENDING = f"""
SELECT
  count(*) AS pending,
  coalesce(sum(coalesce(pipedrive_due_at, '') <= ?1), 0) AS due,
  min(timestamp) AS oldest
FROM tracking_events
WHERE event_type = 'form_submit' AND pipedrive_sync_status IS NULL
  AND coalesce(pipedrive_due_at, '') < '{NEVER}'
"""  # noqa: S608  # a constant

BY_STATUS = """
SELECT pipedrive_sync_status AS status, count(*) AS submissions
FROM tracking_events
WHERE event_type = 'form_submit' AND pipedrive_sync_status IS NOT NULL
GROUP BY pipedrive_sync_status
"""

ACCOUNTS = "SELECT name, state, failures, open_until, paused_until FROM pipedrive_accounts"

LAST_RUN = """
SELECT run, started_at, finished_at, outcome, summary FROM job_runs
WHERE job = ?1 ORDER BY started_at DESC, id DESC LIMIT 1
"""

# The worst state of all accounts is the one to know.
STATES = ("closed", "half_open", "open")
# As the old Worker wrote them, for the scripts that read them.
OLD_STATES = {"closed": "CLOSED", "half_open": "HALF_OPEN", "open": "OPEN"}


@dataclass(frozen=True, slots=True)
class Metrics:
    """Reads the metrics from D1."""

    database: Database

    async def read(self, now: datetime) -> Mapping[str, object]:
        """The metrics in the shape of the old Worker, with more of the sync in them.

        Raises:
            UnavailableError: D1 failed.
        """
        hour_ago = (now - timedelta(hours=1)).strftime(TIME_TEXT)
        [database] = await self.database.rows(DATABASE)
        [recent] = await self.database.rows(RECENT_ACTIVITY, hour_ago)
        return {
            "database": database,
            "recent_activity": recent,
            "pipedrive": await self._pipedrive(now),
        }

    async def _pipedrive(self, now: datetime) -> Mapping[str, object]:
        accounts = await self.database.rows(ACCOUNTS)
        [pending] = await self.database.rows(PENDING, now.strftime(TIME_TEXT))
        by_status = await self.database.rows(BY_STATUS)
        runs = await self.database.rows(LAST_RUN, JOB)
        worst = max(accounts, key=lambda row: STATES.index(row["state"]), default=_CLOSED)
        return {
            "circuit_breaker_state": OLD_STATES[worst["state"]],
            "circuit_breaker_failures": worst["failures"],
            "circuit_breaker_next_attempt": _next_attempt(worst, now),
            "delayed_sync_pending": pending["due"],
            "delayed_sync_total": pending["pending"],
            "oldest_pending_seconds": _age(pending["oldest"], now),
            "by_status": {row["status"]: row["submissions"] for row in by_status},
            "accounts": accounts,
            "last_run": _run(runs),
        }


_CLOSED: Row = {"state": "closed", "failures": 0, "open_until": None, "paused_until": None}


def _next_attempt(account: Row, now: datetime) -> str | None:
    """When the account is called again, if it is left alone now."""
    times = (account[name] for name in ("open_until", "paused_until") if account[name])
    latest = max(times, default="")
    is_ahead = bool(latest) and datetime.fromisoformat(latest) > now
    return latest.replace("+00:00", "Z") if is_ahead else None


def _age(oldest: str | None, now: datetime) -> int | None:
    if oldest is None:
        return None
    return int((now - datetime.fromisoformat(f"{oldest[:19]}+00:00")).total_seconds())


def _run(runs: Sequence[Row]) -> Mapping[str, object] | None:
    if not runs:
        return None
    run = dict(runs[0])
    return {**run, "summary": read_json(run["summary"] or "{}")}
