"""Looks at the whole every five minutes: what is wrong now."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.alerting import problems
from services.alerting.problems import Finding
from services.archive import archive_run
from services.backup.backup_run import newest_verified
from services.backup.records import Backup
from services.core.ports import Database, Row
from services.core.stored_time import format_stored_time, parse_stored_time
from services.monitoring.health import NO_ANSWER, Part
from services.monitoring.metrics import Reading
from services.privacy import retention

JOB = "watch"
OLDEST_LEAD = timedelta(minutes=30)
OLDEST_BACKUP = timedelta(hours=26)
LATEST_CRON = timedelta(minutes=15)
# Jobs whose failing shows nowhere else. They work on whole days: hours do no harm.
JOBS = (archive_run.JOB, retention.JOB)
LONGEST_FAILING = timedelta(hours=6)
SILENCE = timedelta(hours=1)
# In this hour of each of the last days there were at least so many events.
USUAL_DAYS = 7
USUAL_EVENTS = 5
FULL_PERCENT = 80
BUDGET_PERCENT = 80
# Of failed requests, so that one in a quiet hour wakes nobody.
FEWEST_FAILED = 5
MANY_PERCENT, SOME_PERCENT = 5, 1
MEGABYTE = 1_000_000

# https://pipedrive.readme.io/docs/core-api-concepts-rate-limiting
TOKENS = {"fields": 10, "search": 20, "person": 1, "update": 5}

# By the index of each pixel, and never more of a day than are needed to know that it was usual.
USUAL = f"""
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
class Seen:
    """What was read to judge by.

    `last_backed_up` are the events of the newest entry in R2, looked up where there are none now;
    `usual_days` are counted where no event came lately.
    """

    reading: Reading
    backups: Sequence[Backup]
    last_backed_up: int
    usual_days: int


@dataclass(frozen=True, slots=True)
class WatchSettings:
    """Where the limits are: tokens of Pipedrive a day, and the size of the database."""

    daily_tokens: int
    database_megabytes: int


async def usual_days(database: Database, now: datetime) -> int:
    """On how many of the last seven days there were events in the hour that ends now.

    Raises:
        UnavailableError: D1 failed.
    """
    ends = [now - timedelta(days=day) for day in range(1, USUAL_DAYS + 1)]
    days = [
        {"from": format_stored_time(end - SILENCE), "to": format_stored_time(end)} for end in ends
    ]
    [[row]] = await database.batch_rows((USUAL,), json.dumps({"days": days}))
    days_with_events: int = row["days"]
    return days_with_events


def is_silent(reading: Reading) -> bool:
    """Whether no event came for an hour; of a new database nobody says so."""
    return reading.last_event_at is not None and reading.at - reading.last_event_at >= SILENCE


def of_health(parts: Mapping[str, Part]) -> Sequence[Finding]:
    """What the parts say of themselves."""
    findings = []
    for name, part in parts.items():
        if part.healthy:
            continue
        seen = f"{name}: {part.error}"
        if name != "database":
            findings.append(Finding(problems.PART_FAILING, seen))
        elif part.error != NO_ANSWER:
            findings.append(Finding(problems.SCHEMA_UNEXPECTED, seen))
        else:
            findings.append(Finding(problems.DATABASE_FAILING, seen))
    return findings


def of_what_was_seen(seen: Seen, settings: WatchSettings, now: datetime) -> Sequence[Finding]:
    """What the numbers say."""
    checks = (
        *(_database(seen, settings), _events(seen), _errors(seen.reading)),
        *(_leads(seen.reading), _breaker(seen.reading), _budget(seen.reading, settings)),
        *(_backup(seen.backups, now), _failed_backup(seen.backups)),
        *(_failing_jobs(seen.reading, now), _cron(seen.reading, now)),
    )
    return [finding for finding in checks if finding]


def _database(seen: Seen, settings: WatchSettings) -> Finding | None:
    if seen.reading.last_event_at is None and seen.last_backed_up:
        text = f"no events; the last backup has {seen.last_backed_up:,}"
        return Finding(problems.DATABASE_EMPTY, text)
    percent = 100 * seen.reading.database_bytes // (settings.database_megabytes * MEGABYTE)
    if percent >= FULL_PERCENT:
        return Finding(problems.DATABASE_LARGE, f"{percent} % of its limit")
    return None


def _events(seen: Seen) -> Finding | None:
    last = seen.reading.last_event_at
    if last is None or not is_silent(seen.reading) or seen.usual_days < USUAL_DAYS:
        return None
    text = f"none since {last:%Y-%m-%d %H:%M} UTC; there are some at this time of every day"
    return Finding(problems.NO_EVENTS, text)


def _errors(reading: Reading) -> Finding | None:
    failed = reading.errors["failed_requests"]
    percent = 100 * failed / max(1, failed + reading.recent["events_last_hour"])
    if failed < FEWEST_FAILED or percent <= SOME_PERCENT:
        return None
    text = f"{failed:,} in the last hour, {percent:.1f} %"
    many = percent > MANY_PERCENT
    return Finding(problems.MANY_ERRORS if many else problems.SOME_ERRORS, text)


def _leads(reading: Reading) -> Finding | None:
    age = timedelta(seconds=reading.oldest_pending_seconds or 0)
    if age <= OLDEST_LEAD:
        return None
    text = f"{reading.pending:,} wait, the oldest for {_duration(age)}"
    return Finding(problems.LEADS_WAITING, text)


def _breaker(reading: Reading) -> Finding | None:
    names = [row["name"] for row in reading.accounts if row["state"] == "open"]
    return Finding(problems.BREAKER_OPEN, f"account {', '.join(names)}") if names else None


def _budget(reading: Reading, settings: WatchSettings) -> Finding | None:
    tokens = sum(TOKENS[operation] * number for operation, number in reading.calls_today.items())
    percent = 100 * tokens // settings.daily_tokens
    if percent < BUDGET_PERCENT:
        return None
    text = f"about {tokens:,} tokens today, {percent} % of {settings.daily_tokens:,}"
    return Finding(problems.BUDGET_LOW, text)


def _backup(backups: Sequence[Backup], now: datetime) -> Finding | None:
    newest = newest_verified(backups)
    at = newest and newest.finished_at
    if at and now - at <= OLDEST_BACKUP:
        return None
    # The first one of a large database takes its time.
    if at is None and any(now - each.started_at <= OLDEST_BACKUP for each in backups):
        return None
    text = f"the last verified one is of {at:%Y-%m-%d %H:%M} UTC" if at else "there is none"
    return Finding(problems.BACKUP_OLD, text)


def _failed_backup(backups: Sequence[Backup]) -> Finding | None:
    ended = [backup for backup in backups if backup.state != "running"]
    if not ended or ended[0].state == "verified":
        return None
    return Finding(problems.BACKUP_FAILED, f"{ended[0].id}: {ended[0].error}")


def _failing_jobs(reading: Reading, now: datetime) -> Finding | None:
    # The others run before this one: where it never ran, nobody can say that they did not.
    if JOB not in reading.jobs:
        return None
    failing = [said for job in JOBS if (said := _failing(job, reading.jobs.get(job), now))]
    return Finding(problems.JOB_FAILING, "; ".join(failing)) if failing else None


def _failing(job: str, last: Row | None, now: datetime) -> str | None:
    if last is None:
        return f"{job} has never run"
    well = last["succeeded_at"]
    time = now - parse_stored_time(well) if well else None
    if time is not None and time <= LONGEST_FAILING:
        return None
    how_long = f"for {_duration(time)}" if time else "as far as is known"
    ended = last["outcome"] or "did not end"
    return f"no run of {job} ended well {how_long}, the last one of {last['started_at']}: {ended}"


def _cron(reading: Reading, now: datetime) -> Finding | None:
    last = reading.jobs.get(JOB)
    gap = now - parse_stored_time(last["started_at"]) if last else timedelta()
    return (
        Finding(problems.CRON_LATE, f"no run for {_duration(gap)}") if gap > LATEST_CRON else None
    )


def _duration(time: timedelta) -> str:
    minutes = int(time.total_seconds()) // 60
    return f"{minutes // 60} h {minutes % 60} min"
