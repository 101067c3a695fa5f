"""Which rows the jobs of the next day would delete or move to R2, project by project.

The counts are limits from above: a pending lead stays, and so does a session with events.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from config import read_archive_config, read_config
from ops.cloudflare.database import Database
from ops.cloudflare.target import Target
from ops.deploy.check_result import CheckResult, failed, passed
from ops.terminal.output import counted
from services.projects.job_days import ARCHIVE_DAYS, RETENTION_DAYS

# All that it reads is in the database of the old Worker too.
TABLES = ("projects", "pixels", "visitors", "sessions", "tracking_events", "system_logs")
HOLD_BACK = (
    'ARCHIVE_DAYS = "999999999", SESSION_RETENTION_DAYS = "36500" and '
    'VISITOR_RETENTION_DAYS = "36500" below [env.production.vars] in wrangler.toml, as long as '
    "you may want to go back (docs/upgrade.md, step 3)"
)
NO_ROWS_TAKEN = "within a day nothing is deleted or moved"

_LIMITS = f"""
WITH limits AS (
  SELECT
    pixels.id AS pixel_id, projects.name AS project, {RETENTION_DAYS} AS retention_days,
    coalesce({ARCHIVE_DAYS}, {{archive_days}}) AS archive_days
  FROM pixels JOIN projects ON projects.id = pixels.project_id
)
"""
# A run deletes expired events before it archives others.
COUNT_EVENTS = """
{limits}, days AS (
  SELECT
    project, retention_days, archive_days, timestamp,
    coalesce(timestamp < datetime('now', '+1 day', '-' || retention_days || ' days'), 0) AS expired
  FROM limits JOIN tracking_events ON tracking_events.pixel_id = limits.pixel_id
)
SELECT
  project, expired, count(*) AS number, substr(min(timestamp), 1, 10) AS oldest,
  iif(expired, retention_days, archive_days) AS days
FROM days
WHERE expired OR timestamp < date('now', '+1 day', '-' || archive_days || ' days')
GROUP BY project, expired, 5
"""
COUNT_SESSIONS = """
{limits}
SELECT
  project, count(*) AS number, substr(min(last_activity), 1, 10) AS oldest, {session_days} AS days
FROM limits JOIN sessions ON sessions.pixel_id = limits.pixel_id
WHERE last_activity < datetime('now', '+1 day', '-{session_days} days')
GROUP BY project
"""
COUNT_VISITORS = """
SELECT count(*) AS number, substr(min(last_seen), 1, 10) AS oldest, {visitor_days} AS days
FROM visitors WHERE last_seen < datetime('now', '+1 day', '-{visitor_days} days')
"""
COUNT_LOGS = """
SELECT count(*) AS number, substr(min(timestamp), 1, 10) AS oldest, {session_days} AS days
FROM system_logs WHERE timestamp < datetime('now', '+1 day', '-{session_days} days')
"""


@dataclass(frozen=True, slots=True)
class JobForecast:
    """Rows of one project, or of all, that a job takes within a day: older than so many days."""

    project: str | None
    rows: str
    number: int
    oldest: str
    days: int
    is_moved: bool = False

    def __str__(self) -> str:
        fate = "move to R2" if self.is_moved else "are deleted"
        owner = f"{self.project}: " if self.project else ""
        return (
            f"{owner}{counted(self.number, self.rows)} older than {counted(self.days, 'day')}, "
            f"the oldest of {self.oldest}, {fate}"
        )


def forecast_jobs(target: Target) -> Sequence[JobForecast]:
    """Count what the jobs would take, by the vars of wrangler.toml and the projects' settings."""
    variables = {name: str(value) for name, value in target.settings.get("vars", {}).items()}
    config, archive = read_config(variables.get), read_archive_config(variables.get)
    limits = _LIMITS.format(archive_days=int(archive.run.days))
    days = {
        "session_days": int(config.session_retention_days),
        "visitor_days": int(config.visitor_retention_days),
        "limits": limits,
    }
    statements = (COUNT_EVENTS, COUNT_SESSIONS, COUNT_VISITORS, COUNT_LOGS)
    events, sessions, visitors, logs = Database(target).ask(
        *(statement.format(**days) for statement in statements)
    )
    return [
        *(_forecast(row, "event", is_moved=not row["expired"]) for row in events),
        *(_forecast(row, "session") for row in sessions),
        *(_forecast(row, "visitor") for row in visitors if row["number"]),
        *(_forecast(row, "old log row") for row in logs if row["number"]),
    ]


def _forecast(row: Mapping[str, Any], rows: str, *, is_moved: bool = False) -> JobForecast:
    return JobForecast(
        row.get("project"), rows, row["number"], row["oldest"], row["days"], is_moved=is_moved
    )


def check_jobs(forecasts: Sequence[JobForecast], *, is_first: bool) -> CheckResult:
    """Say what they take; before a first deployment they may take nothing."""
    described = describe_forecasts(forecasts)
    if is_first and forecasts:
        return failed(described, HOLD_BACK)
    return passed(described)


def describe_forecasts(forecasts: Sequence[JobForecast]) -> str:
    """Describe them for the checks and the question before a deployment."""
    if not forecasts:
        return NO_ROWS_TAKEN
    return "within a day, once a full backup holds them: " + "; ".join(map(str, forecasts))
