"""The checks of every five minutes: from health and metrics to findings."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.alerting import problems
from services.alerting.problems import Finding
from services.archive import archive_run
from services.backup.records import Backup
from services.backup.schedule import newest_verified, without_future
from services.core.backed_up import NO_BACKUP
from services.core.pending_leads import WITHHELD
from services.core.ports import Database, Row
from services.core.stored_time import format_stored_time, parse_stored_time
from services.monitoring.health import NO_ANSWER, ComponentHealth
from services.monitoring.metrics import Metrics
from services.privacy import retention
from services.tracking.waiting_counts import WaitingCounts

JOB = "watch"
MAX_PENDING_LEAD_AGE = timedelta(minutes=30)
# The next run of the cron stores them, if the database takes them.
MAX_WAITING_AGE = timedelta(hours=1)
# Shards fill unevenly: the first event is refused before all of them are full.
MAX_WAITING_PERCENT = 50
MAX_BACKUP_AGE = timedelta(hours=26)
MAX_CRON_GAP = timedelta(minutes=15)
# Jobs whose failures no other check shows. They work on whole days: hours do no harm.
CHECKED_JOBS = (archive_run.JOB, retention.JOB)
MAX_FAILING_TIME = timedelta(hours=6)
MAX_SILENCE = timedelta(hours=1)
# An hour is usual where each of the last days had at least so many events in it.
USUAL_DAYS = 7
USUAL_EVENTS = 5
FULL_PERCENT = 80
BUDGET_PERCENT = 80
# A single failure in a quiet hour is no alert.
MIN_FAILED_REQUESTS = 5
MANY_ERRORS_PERCENT, SOME_ERRORS_PERCENT = 5, 1
MEGABYTE_BYTES = 1_000_000

# https://pipedrive.readme.io/docs/core-api-concepts-rate-limiting
TOKENS_OF_CALLS = {"fields": 10, "search": 20, "person": 1, "update": 5}

# Reads by the index of each pixel, and of a day only as many events as make it usual.
COUNT_USUAL_DAYS = f"""
SELECT count(*) AS days FROM json_each(?1, '$.days') AS day WHERE (
  SELECT count(*) FROM (
    SELECT 1 FROM pixels CROSS JOIN tracking_events
    WHERE tracking_events.pixel_id = pixels.id
      AND tracking_events.timestamp >= day.value ->> 'from'
      AND tracking_events.timestamp < day.value ->> 'to'
    LIMIT {USUAL_EVENTS}
  )
) >= {USUAL_EVENTS}
"""


@dataclass(frozen=True, slots=True)
class Observations:
    """The input of the checks of the data.

    `last_backed_up` is the number of events in the newest backup, read where there are none now;
    `usual_days` is counted where no event arrived in the last hour.
    """

    metrics: Metrics
    backups: Sequence[Backup]
    last_backed_up: int
    usual_days: int


@dataclass(frozen=True, slots=True)
class CheckThresholds:
    """Limits that are settings: Pipedrive's tokens a day, and the size of the database."""

    daily_tokens: int
    database_megabytes: int


async def usual_days(database: Database, now: datetime) -> int:
    """On how many of the last seven days the hour that ends now had its usual events.

    Raises:
        UnavailableError: D1 failed.
    """
    ends = [now - timedelta(days=day) for day in range(1, USUAL_DAYS + 1)]
    days = [
        {"from": format_stored_time(end - MAX_SILENCE), "to": format_stored_time(end)}
        for end in ends
    ]
    [[row]] = await database.batch_rows((COUNT_USUAL_DAYS,), json.dumps({"days": days}))
    days_with_events: int = row["days"]
    return days_with_events


def is_silent(metrics: Metrics) -> bool:
    """Whether no event arrived for an hour; a database without events is not silent."""
    return metrics.last_event_at is not None and metrics.at - metrics.last_event_at >= MAX_SILENCE


def check_health(parts: Mapping[str, ComponentHealth]) -> Sequence[Finding]:
    """The findings about parts of the Worker that do not work."""
    findings = []
    for name, part in parts.items():
        if part.healthy:
            continue
        details = f"{name}: {part.error}"
        if name != "database":
            findings.append(Finding(problems.PART_FAILING, details))
        elif part.error != NO_ANSWER:
            findings.append(Finding(problems.SCHEMA_UNEXPECTED, details))
        else:
            findings.append(Finding(problems.DATABASE_FAILING, details))
    return findings


def check_observations(
    observations: Observations, thresholds: CheckThresholds, now: datetime
) -> Sequence[Finding]:
    """The findings about events, leads, errors, backups and jobs."""
    metrics, backups = observations.metrics, observations.backups
    findings = (
        *(_check_database(observations, thresholds), _check_events(observations)),
        *(_check_errors(metrics), _check_leads(metrics), _check_breaker(metrics)),
        *(_check_budget(metrics, thresholds), _check_backup(backups, now)),
        *(_check_chain(backups), _check_failed_backup(backups)),
        *(_check_jobs(metrics, now), _check_cron(metrics, now)),
        _check_withheld(metrics),
    )
    return [finding for finding in findings if finding]


def check_waiting(counts: WaitingCounts) -> Sequence[Finding]:
    """The findings that many events wait in R2 for the database, or some for long."""
    findings = []
    if 100 * counts.waiting >= MAX_WAITING_PERCENT * counts.room:
        text = f"{counts.waiting:,} wait, of {counts.room:,} for which is room"
        findings.append(Finding(problems.WAITING_FULL, text))
    if counts.oldest is not None and counts.oldest > MAX_WAITING_AGE:
        text = f"{counts.waiting:,} wait in R2, the oldest for {_duration(counts.oldest)}"
        findings.append(Finding(problems.EVENTS_WAITING, text))
    return findings


def _check_database(observations: Observations, thresholds: CheckThresholds) -> Finding | None:
    if observations.metrics.last_event_at is None and observations.last_backed_up:
        text = f"no events; the last backup has {observations.last_backed_up:,}"
        return Finding(problems.DATABASE_EMPTY, text)
    limit_bytes = thresholds.database_megabytes * MEGABYTE_BYTES
    percent = 100 * observations.metrics.database_bytes // limit_bytes
    if percent >= FULL_PERCENT:
        return Finding(problems.DATABASE_LARGE, f"{percent} % of its limit")
    return None


def _check_events(observations: Observations) -> Finding | None:
    last = observations.metrics.last_event_at
    if last is None or not is_silent(observations.metrics) or observations.usual_days < USUAL_DAYS:
        return None
    text = f"none since {last:%Y-%m-%d %H:%M} UTC; there are some at this time of every day"
    return Finding(problems.NO_EVENTS, text)


def _check_errors(metrics: Metrics) -> Finding | None:
    failed = metrics.errors["failed_requests"]
    percent = 100 * failed / max(1, failed + metrics.recent["events_last_hour"])
    if failed < MIN_FAILED_REQUESTS or percent <= SOME_ERRORS_PERCENT:
        return None
    text = f"{failed:,} in the last hour, {percent:.1f} %"
    problem = problems.MANY_ERRORS if percent > MANY_ERRORS_PERCENT else problems.SOME_ERRORS
    return Finding(problem, text)


def _check_leads(metrics: Metrics) -> Finding | None:
    age = timedelta(seconds=metrics.oldest_pending_seconds or 0)
    if age <= MAX_PENDING_LEAD_AGE:
        return None
    text = f"{metrics.pending:,} wait, the oldest for {_duration(age)}"
    return Finding(problems.LEADS_WAITING, text)


def _check_withheld(metrics: Metrics) -> Finding | None:
    number = metrics.submissions.numbers.get(WITHHELD, 0)
    return Finding(problems.LEADS_HELD, f"{number:,} wait for a person") if number else None


def _check_breaker(metrics: Metrics) -> Finding | None:
    names = [row["name"] for row in metrics.accounts if row["state"] == "open"]
    return Finding(problems.BREAKER_OPEN, f"account {', '.join(names)}") if names else None


def _check_budget(metrics: Metrics, thresholds: CheckThresholds) -> Finding | None:
    tokens = sum(
        TOKENS_OF_CALLS[operation] * number for operation, number in metrics.calls_today.items()
    )
    percent = 100 * tokens // thresholds.daily_tokens
    if percent < BUDGET_PERCENT:
        return None
    text = f"about {tokens:,} tokens today, {percent} % of {thresholds.daily_tokens:,}"
    return Finding(problems.BUDGET_LOW, text)


def _check_backup(backups: Sequence[Backup], now: datetime) -> Finding | None:
    newest = newest_verified(without_future(backups, now))
    at = newest and newest.finished_at
    if at and now - at <= MAX_BACKUP_AGE:
        return None
    # The first backup of a large database takes several runs.
    if at is None and any(now - backup.started_at <= MAX_BACKUP_AGE for backup in backups):
        return None
    text = f"the last verified one is of {at:%Y-%m-%d %H:%M} UTC" if at else "there is none"
    return Finding(problems.BACKUP_OLD, text)


def _check_chain(backups: Sequence[Backup]) -> Finding | None:
    """A full backup in place of an hourly one has the reason as its label."""
    regular = [
        backup
        for backup in backups
        if backup.kind == "full" or (backup.kind == "hourly" and backup.state != "failed")
    ]
    if not regular or regular[0].kind == "hourly" or not regular[0].label:
        return None
    full = regular[0]
    return Finding(problems.BACKUP_CHAIN_BROKEN, f"{full.label}; {full.id} is {full.state}")


def _check_failed_backup(backups: Sequence[Backup]) -> Finding | None:
    ended = [backup for backup in backups if backup.state != "running"]
    if not ended or ended[0].state == "verified":
        return None
    return Finding(problems.BACKUP_FAILED, f"{ended[0].id}: {ended[0].error}")


def _check_jobs(metrics: Metrics, now: datetime) -> Finding | None:
    # The other jobs run before this one: in its first run they may not have run yet.
    if JOB not in metrics.jobs:
        return None
    texts = (_job_failure(job, metrics.jobs.get(job), now) for job in CHECKED_JOBS)
    failures = [text for text in texts if text]
    return Finding(problems.JOB_FAILING, "; ".join(failures)) if failures else None


def _job_failure(job: str, last_run: Row | None, now: datetime) -> str | None:
    if last_run is None:
        return f"{job} has never run"
    succeeded_at = last_run["succeeded_at"]
    if succeeded_at is None and last_run["outcome"] == NO_BACKUP:
        # As after the first deployment; if it lasts, the checks of the backups say so.
        return None
    time = now - parse_stored_time(succeeded_at) if succeeded_at else None
    if time is not None and time <= MAX_FAILING_TIME:
        return None
    period = f"for {_duration(time)}" if time else "as far as is known"
    outcome = last_run["outcome"] or "did not end"
    return (
        f"no run of {job} ended well {period}, the last one of {last_run['started_at']}: {outcome}"
    )


def _check_cron(metrics: Metrics, now: datetime) -> Finding | None:
    last_run = metrics.jobs.get(JOB)
    gap = now - parse_stored_time(last_run["started_at"]) if last_run else timedelta()
    return (
        Finding(problems.CRON_LATE, f"no run for {_duration(gap)}") if gap > MAX_CRON_GAP else None
    )


def _duration(time: timedelta) -> str:
    minutes = int(time.total_seconds()) // 60
    return f"{minutes // 60} h {minutes % 60} min"
