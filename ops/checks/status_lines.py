"""The lines of `ppp status`, and which of them are problems."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from ops.checks.first_step import FirstStep, first_step
from ops.terminal.output import format_duration, plain
from ops.worker_api.client import Row
from services.alerting import problems
from services.alerting.problems import Problem
from services.backup.backup_run import REFUSED
from services.core.backed_up import NO_BACKUP
from services.core.pending_leads import WITHHELD
from services.monitoring.checks import JOB as WATCH
from services.monitoring.checks import (
    MAX_BACKUP_AGE,
    MAX_CRON_GAP,
    MAX_PENDING_LEAD_AGE,
    MAX_WAITING_AGE,
    TOKENS_OF_CALLS,
)
from services.sync.outbox import JOB as SYNC

DAY = timedelta(days=1)
FIRST, ALERT = "do first", "alert"
OUTCOME_TEXTS = {NO_BACKUP: "waits for a full backup"}
PROBLEMS = {
    problem.name: problem for problem in vars(problems).values() if isinstance(problem, Problem)
}


@dataclass(frozen=True, slots=True)
class StatusLine:
    """The state of one part."""

    name: str
    text: str
    is_problem: bool = False


@dataclass(frozen=True, slots=True)
class StatusSnapshot:
    """What the Worker answered. `metrics` and `backups` are None if they could not be read.

    `not_read` says why. `loss` is why the database counts as lost, where that was judged here;
    `sizes` are those of the newest backup and of the largest one; `options` name the Worker to a
    command.
    """

    url: str
    health: Row
    metrics: Row | None
    backups: Sequence[Row] | None
    not_read: Sequence[str]
    loss: str | None = None
    sizes: Row | None = None
    options: str = "--env production"

    @property
    def problem_names(self) -> Sequence[str]:
        """The problems that the Worker found in its last run."""
        run = self.metrics["metrics"]["jobs"].get(WATCH) if self.metrics else None
        names: Sequence[str] = run["summary"].get("problems", []) if run else []
        return names

    @property
    def first_step(self) -> FirstStep | None:
        """What comes first."""
        return first_step(self.health, self.problem_names, self.loss, self.options)

    @property
    def now(self) -> datetime:
        """The Worker's time of the answer."""
        return _parse_utc(self.health["timestamp"])

    @property
    def newest_backup(self) -> Row | None:
        """The newest verified backup."""
        verified = [backup for backup in self.backups or () if backup.get("verified_at")]
        return max(verified, key=lambda backup: str(backup["verified_at"]), default=None)


def status_lines(snapshot: StatusSnapshot) -> Sequence[StatusLine]:
    """Return all lines, the worst first."""
    lines = [*_worker_lines(snapshot.health)]
    if snapshot.metrics:
        metrics = snapshot.metrics["metrics"]
        lines += [
            *_data_lines(metrics, snapshot.now),
            *_waiting_lines(metrics, snapshot.now),
            *_lead_lines(metrics),
            *_pipedrive_lines(metrics),
        ]
        lines += _job_lines(metrics["jobs"], snapshot.now)
        lines += _alert_lines(metrics["jobs"].get(WATCH))
    lines += [_backup_line(snapshot), *_larger_backup_lines(snapshot.sizes)]
    lines += [
        StatusLine("not read", plain(reason), is_problem=True) for reason in snapshot.not_read
    ]
    step = snapshot.first_step
    if step:
        lines = [_explained(line, step) for line in lines]
        lines.append(StatusLine(FIRST, plain(step.text), is_problem=True))
    return sorted(lines, key=_rank)


def _explained(line: StatusLine, step: FirstStep) -> StatusLine:
    """Mark a line that follows from what comes first, in place of its own advice."""
    name = line.text.split(" ")[0] if line.name == ALERT else line.name
    if not line.is_problem or not step.explains(name):
        return line
    text = name if line.name == ALERT else line.text
    return replace(line, text=f"{text} (follows from what comes first)")


def _rank(line: StatusLine) -> tuple[int, str]:
    """The place of a line: what comes first, alerts by their severity, other problems, the rest."""
    if line.name == FIRST:
        return 0, ""
    if line.name == ALERT:
        problem = PROBLEMS.get(line.text.split(" ")[0])
        return 1, problem.severity if problem else "P9"
    return (2 if line.is_problem else 3), ""


def _worker_lines(health: Row) -> Iterator[StatusLine]:
    text = f"{health['status']}, version {health['version']}, {health['environment']}"
    yield StatusLine("worker", text, health["status"] != "healthy")
    for name, part in health["checks"].items():
        error = f": {plain(part['error'])}" if part.get("error") else ""
        text = f"{part['status']}, {part['latency_ms']} ms{error}"
        yield StatusLine(f"  {name}", text, part["status"] != "healthy")
    # A Worker of an older version does not name them.
    if settings := health.get("misconfigured"):
        names = ", ".join(map(plain, settings))
        yield StatusLine("settings", f"misconfigured: {names}", is_problem=True)


def _data_lines(metrics: Row, now: datetime) -> Iterator[StatusLine]:
    database, recent = metrics["database"], metrics["recent_activity"]
    count_age = _ago(database["counted_at"], now)
    live = recent["events_last_hour"]
    counts = (
        f"{database['total_events']:,} events, {database['unique_visitors']:,} visitors, "
        f"{database['unique_sessions']:,} sessions, {database['active_pixels']:,} active pixels"
    )
    # The counts are cached: those from before a restore are of another database.
    summary = (
        f"at least {live:,} events (counted {count_age}: {counts})"
        if live > database["total_events"]
        else f"{counts} (counted {count_age})"
    )
    yield StatusLine("database", f"{database['size_bytes'] / 2**20:,.1f} MiB: {summary}")
    # A Worker of an older version lacks it.
    last = metrics.get("last_event_at") or ""
    yield StatusLine(
        "events",
        f"{recent['events_last_hour']:,} in the last hour, "
        f"{recent['form_submissions_last_hour']:,} of them forms; "
        f"the newest {_ago(last, now) if last else 'is not known'}",
        bool(last) and _age(last, now) > DAY,
    )


def _waiting_lines(metrics: Row, now: datetime) -> Iterator[StatusLine]:
    # A Worker of an older version does not count them; null where R2 does not answer.
    counts = metrics.get("waiting_events") or {}
    waiting, oldest = counts.get("waiting", 0), counts.get("oldest_at")
    if waiting:
        text = f"{waiting:,} events in R2 for the database"
        if oldest:
            text = f"{text}, the oldest came {_ago(oldest, now)}"
        is_old = bool(oldest) and _age(str(oldest), now) > MAX_WAITING_AGE
        yield StatusLine("waiting", text, is_old)
    if parked := counts.get("parked", 0):
        pixels = ", ".join(
            f"{plain(name)} ({number:,})" for name, number in counts["parked_by_pixel"].items()
        )
        text = (
            f"{parked:,} events in R2 whose pixels do not take them: {pixels}; they are stored when"
            f" these do, and the first is deleted on {counts['parked_until']}"
        )
        yield StatusLine("parked", text, is_problem=True)


def _lead_lines(metrics: Row) -> Iterator[StatusLine]:
    pipedrive, failures = metrics["pipedrive"], metrics["errors_last_hour"]
    oldest = pipedrive["oldest_pending_seconds"]
    age = f", the oldest for {format_duration(oldest)}" if oldest is not None else ""
    yield StatusLine(
        "leads",
        f"{pipedrive['delayed_sync_total']:,} pending, "
        f"{pipedrive['delayed_sync_pending']:,} of them due{age}",
        timedelta(seconds=oldest or 0) > MAX_PENDING_LEAD_AGE,
    )
    ended = [f"{number:,} {plain(state)}" for state, number in pipedrive["by_status"].items()]
    yield StatusLine("  ended", ", ".join(ended) or "none yet")
    if withheld := pipedrive["by_status"].get(WITHHELD, 0):
        text = f"{withheld:,} may be forged and wait for a person: `ppp leads --state held`"
        yield StatusLine("  held", text, is_problem=True)
    # A Worker of an older version does not count requests.
    requests, refused = failures.get("failed_requests", 0), failures.get("refused_senders", 0)
    senders = f"; {refused:,} events refused that other sites sent" if refused else ""
    yield StatusLine(
        "  last hour",
        f"{failures['leads_failed']:,} failed, {failures['leads_put_back']:,} tried in vain, "
        f"{failures['runs_killed']:,} runs broke off; {requests:,} requests answered 5xx{senders}",
        bool(failures["leads_failed"] or failures["runs_killed"] or requests or refused),
    )


def _pipedrive_lines(metrics: Row) -> Iterator[StatusLine]:
    pipedrive = metrics["pipedrive"]
    state, until = pipedrive["circuit_breaker_state"], pipedrive["circuit_breaker_next_attempt"]
    pause = f", left alone until {until}" if until else ""
    yield StatusLine("pipedrive", f"breaker {state}{pause}", state != "CLOSED" or bool(until))
    calls: Mapping[str, int] = pipedrive.get("calls_today", {})
    tokens = sum(TOKENS_OF_CALLS.get(operation, 0) * number for operation, number in calls.items())
    usage = f"{sum(calls.values()):,} calls since midnight UTC, {tokens:,} tokens"
    yield StatusLine("  budget", f"{usage} of 30,000 x plan x seats, which all integrations share")


def _job_lines(jobs: Mapping[str, Row], now: datetime) -> Iterator[StatusLine]:
    if SYNC not in jobs:
        yield StatusLine("jobs", f"{SYNC} has never run: is Pipedrive set up?", is_problem=True)
    for name, run in jobs.items():
        age = _age(run["started_at"], now)
        counts = [
            f"{number} {kind}" for kind, number in run["summary"].items() if _is_count(number)
        ]
        if run["outcome"] == REFUSED:
            counts.append(str(run["summary"].get("reason") or "see the log"))
        outcome = run["outcome"] or "has not ended"
        outcome = OUTCOME_TEXTS.get(outcome, outcome)
        text = ": ".join(filter(None, (outcome, ", ".join(counts))))
        is_problem = age > MAX_CRON_GAP or run["outcome"] == REFUSED
        yield StatusLine(
            f"job {name}", f"{_ago(run['started_at'], now)}, {plain(text)}", is_problem
        )


def _alert_lines(run: Row | None) -> Iterator[StatusLine]:
    """Yield the problems for which the Worker sends alerts."""
    if run is None:
        yield StatusLine("alerts", "none known: the job that looks for problems has not run")
        return
    names = run["summary"].get("problems", [])
    if not names:
        yield StatusLine("alerts", "none")
    for name in names:
        problem = PROBLEMS.get(name)
        text = f"{problem.severity}, {problem.means}: `{problem.command}`" if problem else ""
        yield StatusLine(ALERT, plain(f"{name} {text}"), is_problem=True)


def _backup_line(snapshot: StatusSnapshot) -> StatusLine:
    newest = snapshot.newest_backup
    if newest is None and snapshot.backups is None:
        return StatusLine("backup", "not known: the list could not be read", is_problem=True)
    if newest is None:
        return StatusLine("backup", "no backup known", is_problem=True)
    rows = f", {newest['rows']:,} rows" if newest.get("rows") else ""
    text = f"{plain(newest['id'])}, {_ago(newest['verified_at'], snapshot.now)}{rows}"
    return StatusLine("backup", text, _age(newest["verified_at"], snapshot.now) > MAX_BACKUP_AGE)


def _larger_backup_lines(sizes: Row | None) -> Iterator[StatusLine]:
    """Yield a hint at a larger backup, as after an acceptance that was a mistake."""
    if not sizes or sizes["largest"]["events"] <= sizes["newest"]["events"]:
        return
    newest, largest = sizes["newest"], sizes["largest"]
    yield StatusLine(
        "  larger",
        f"an older backup has {largest['events']:,} events ({plain(largest['id'])}), the newest"
        f" {newest['events']:,}: archive, retention and erasures make them smaller",
    )


def _is_count(value: object) -> bool:
    return isinstance(value, int) and value > 0


def _parse_utc(text: str) -> datetime:
    """Parse a time of an answer or of the database, which is in UTC."""
    return datetime.fromisoformat(text[:19]).replace(tzinfo=UTC)


def _age(text: str, now: datetime) -> timedelta:
    return max(timedelta(), now - _parse_utc(text))


def _ago(text: str, now: datetime) -> str:
    return f"{format_duration(_age(text, now).total_seconds())} ago"
