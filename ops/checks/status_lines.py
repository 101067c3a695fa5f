"""What the morning's look says, line by line, and what of it needs somebody to look."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ops.terminal.output import plain, spoken
from ops.worker_api.client import Row
from services.alerting import problems
from services.alerting.problems import Problem
from services.monitoring.checks import JOB as WATCH
from services.monitoring.checks import (
    MAX_BACKUP_AGE,
    MAX_CRON_GAP,
    MAX_PENDING_LEAD_AGE,
    TOKENS_OF_CALLS,
)
from services.sync.outbox import JOB as SYNC

DAY = timedelta(days=1)
PROBLEMS = {each.name: each for each in vars(problems).values() if isinstance(each, Problem)}


@dataclass(frozen=True, slots=True)
class Line:
    """One thing and how it is."""

    name: str
    text: str
    is_problem: bool = False


@dataclass(frozen=True, slots=True)
class Look:
    """What was read; `metrics` and `backups` are None where they could not be."""

    url: str
    health: Row
    metrics: Row | None
    backups: Sequence[Row] | None
    not_read: Sequence[str]

    @property
    def now(self) -> datetime:
        """The Worker's own time."""
        return _moment(self.health["timestamp"])

    @property
    def newest_backup(self) -> Row | None:
        """The newest backup that was verified."""
        verified = [each for each in self.backups or () if each.get("verified_at")]
        return max(verified, key=lambda each: str(each["verified_at"]), default=None)


def lines_of(look: Look) -> Sequence[Line]:
    """All lines, in the order in which they are read."""
    lines = [*_of_the_worker(look.health)]
    if look.metrics:
        metrics = look.metrics["metrics"]
        lines += [
            *_of_the_data(metrics, look.now),
            *_of_the_leads(metrics),
            *_of_pipedrive(metrics),
        ]
        lines += _of_the_jobs(metrics["jobs"], look.now)
        lines += _of_the_watch(metrics["jobs"].get(WATCH))
    lines += [_of_the_backup(look)]
    return [*lines, *(Line("not read", plain(reason)) for reason in look.not_read)]


def _of_the_worker(health: Row) -> Iterator[Line]:
    text = f"{health['status']}, version {health['version']}, {health['environment']}"
    yield Line("worker", text, health["status"] != "healthy")
    for name, part in health["checks"].items():
        said = f": {plain(part['error'])}" if part.get("error") else ""
        text = f"{part['status']}, {part['latency_ms']} ms{said}"
        yield Line(f"  {name}", text, part["status"] != "healthy")


def _of_the_data(metrics: Row, now: datetime) -> Iterator[Line]:
    database, recent = metrics["database"], metrics["recent_activity"]
    counted = _ago(database["counted_at"], now)
    yield Line(
        "database",
        f"{database['size_bytes'] / 2**20:,.1f} MiB: {database['total_events']:,} events, "
        f"{database['unique_visitors']:,} visitors, {database['unique_sessions']:,} sessions, "
        f"{database['active_pixels']:,} active pixels (counted {counted})",
    )
    # An older Worker does not say it.
    last = metrics.get("last_event_at") or ""
    yield Line(
        "events",
        f"{recent['events_last_hour']:,} in the last hour, "
        f"{recent['form_submissions_last_hour']:,} of them forms; "
        f"the newest {_ago(last, now) if last else 'is not known'}",
        bool(last) and _age(last, now) > DAY,
    )


def _of_the_leads(metrics: Row) -> Iterator[Line]:
    pipedrive, failures = metrics["pipedrive"], metrics["errors_last_hour"]
    oldest = pipedrive["oldest_pending_seconds"]
    age = f", the oldest for {spoken(oldest)}" if oldest is not None else ""
    yield Line(
        "leads",
        f"{pipedrive['delayed_sync_total']:,} pending, "
        f"{pipedrive['delayed_sync_pending']:,} of them due{age}",
        timedelta(seconds=oldest or 0) > MAX_PENDING_LEAD_AGE,
    )
    ended = [f"{number:,} {plain(state)}" for state, number in pipedrive["by_status"].items()]
    yield Line("  ended", ", ".join(ended) or "none yet")
    # An older Worker does not count requests.
    requests = failures.get("failed_requests", 0)
    yield Line(
        "  last hour",
        f"{failures['leads_failed']:,} failed, {failures['leads_put_back']:,} tried in vain, "
        f"{failures['runs_killed']:,} runs broke off; {requests:,} requests answered 5xx",
        bool(failures["leads_failed"] or failures["runs_killed"] or requests),
    )


def _of_pipedrive(metrics: Row) -> Iterator[Line]:
    pipedrive = metrics["pipedrive"]
    state, until = pipedrive["circuit_breaker_state"], pipedrive["circuit_breaker_next_attempt"]
    again = f", left alone until {until}" if until else ""
    yield Line("pipedrive", f"breaker {state}{again}", state != "CLOSED" or bool(until))
    calls: Mapping[str, int] = pipedrive.get("calls_today", {})
    tokens = sum(TOKENS_OF_CALLS.get(operation, 0) * number for operation, number in calls.items())
    said = f"{sum(calls.values()):,} calls since midnight UTC, {tokens:,} tokens"
    yield Line("  budget", f"{said} of 30,000 x plan x seats, which all integrations share")


def _of_the_jobs(jobs: Mapping[str, Row], now: datetime) -> Iterator[Line]:
    if SYNC not in jobs:
        yield Line("jobs", f"{SYNC} has never run: is Pipedrive set up?", is_problem=True)
    for name, run in jobs.items():
        age = _age(run["started_at"], now)
        counts = [
            f"{number} {kind}" for kind, number in run["summary"].items() if _is_count(number)
        ]
        said = ": ".join(filter(None, (run["outcome"] or "has not ended", ", ".join(counts))))
        is_late = age > MAX_CRON_GAP
        yield Line(f"job {name}", f"{_ago(run['started_at'], now)}, {plain(said)}", is_late)


def _of_the_watch(run: Row | None) -> Iterator[Line]:
    """What the Worker itself found wrong, and told the people who run it."""
    if run is None:
        yield Line("alerts", "none known: the job that looks for problems has not run")
        return
    names = run["summary"].get("problems", [])
    if not names:
        yield Line("alerts", "none")
    for name in names:
        problem = PROBLEMS.get(name)
        text = f"{problem.severity}, {problem.means}: `{problem.command}`" if problem else ""
        yield Line("alert", plain(f"{name} {text}"), is_problem=True)


def _of_the_backup(look: Look) -> Line:
    newest = look.newest_backup
    if newest is None:
        return Line("backup", "no backup known", is_problem=True)
    rows = f", {newest['rows']:,} rows" if newest.get("rows") else ""
    text = f"{plain(newest['id'])}, {_ago(newest['verified_at'], look.now)}{rows}"
    return Line("backup", text, _age(newest["verified_at"], look.now) > MAX_BACKUP_AGE)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and value > 0


def _moment(text: str) -> datetime:
    """A time as the Worker says or stores it, in UTC."""
    return datetime.fromisoformat(text[:19]).replace(tzinfo=UTC)


def _age(text: str, now: datetime) -> timedelta:
    return max(timedelta(), now - _moment(text))


def _ago(text: str, now: datetime) -> str:
    return f"{spoken(_age(text, now).total_seconds())} ago"
