"""The findings of each check, up to its limit and beyond."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from services.backup.records import Backup, BackupProgress, BackupState, ChangeMarker
from services.monitoring.checks import (
    CheckThresholds,
    Observations,
    check_health,
    check_observations,
    check_waiting,
)
from services.monitoring.health import NO_ANSWER, ComponentHealth
from services.monitoring.metrics import CachedCounts, Metrics
from services.tracking.parked_events import ParkedSummary
from services.tracking.waiting_counts import WaitingCounts

NOW = datetime(2026, 5, 10, 12, tzinfo=UTC)
SETTINGS = CheckThresholds(daily_tokens=1_000, database_megabytes=100)


def backup(hours: float, state: BackupState = "verified") -> Backup:
    at = NOW - timedelta(hours=hours)
    progress = BackupProgress("verify", ChangeMarker(), ChangeMarker(), "0022_add_backups.sql")
    ended = at if state == "verified" else None
    return Backup("b", "full", None, at, progress, state=state, finished_at=ended, error="broken")


JOBS = {
    "watch": {"started_at": "2026-05-10 11:45:00"},
    "archive": {
        "started_at": "2026-05-10 11:55:00",
        "outcome": "endpoint_failed",
        "succeeded_at": "2026-05-10 06:00:00",
    },
    "retention": {
        "started_at": "2026-05-10 11:55:00",
        "outcome": "drained",
        "succeeded_at": "2026-05-10 11:55:00",
    },
}
METRICS = Metrics(
    at=NOW,
    tables=CachedCounts(NOW, {}),
    submissions=CachedCounts(NOW, {}),
    recent={"events_last_hour": 1_000},
    pending=2,
    due=0,
    oldest_pending_seconds=30 * 60,
    accounts=[{"name": "default", "state": "closed"}, {"name": "acme", "state": "half_open"}],
    jobs=JOBS,
    errors={"failed_requests": 10},
    database_bytes=79_999_999,
    last_event_at=NOW - timedelta(minutes=59),
    calls_today={"search": 30, "person": 49, "update": 28, "fields": 1},
    refused_by_day={},
)
NEVER_SUCCEEDED = {"started_at": "2026-05-10 11:55:00", "outcome": None, "succeeded_at": None}
HEALTHY = Observations(METRICS, [backup(26)], 100, 7)


def findings(observations: Observations) -> list[tuple[str, str, str]]:
    return [
        (finding.problem.severity, finding.problem.name, finding.details)
        for finding in check_observations(observations, SETTINGS, NOW)
    ]


def metrics(**changed: object) -> Observations:
    return replace(HEALTHY, metrics=replace(METRICS, **changed))  # type: ignore[arg-type]  # by name


def jobs(**changed: Mapping[str, object] | None) -> Observations:
    """Observations with changed last runs, and without those that are None."""
    runs = {job: {**run, **(changed.get(job) or {})} for job, run in JOBS.items()}
    return metrics(jobs={job: run for job, run in runs.items() if changed.get(job, run)})


def test_nothing_is_found_up_to_each_limit() -> None:
    assert findings(HEALTHY) == []


@pytest.mark.parametrize(
    ("observations", "problem"),
    [
        (
            metrics(last_event_at=None),
            ("P1", "database_empty", "no events; the last backup has 100"),
        ),
        (
            metrics(last_event_at=NOW - timedelta(hours=1)),
            (
                *("P2", "no_events"),
                "none since 2026-05-10 11:00 UTC; there are some at this time of every day",
            ),
        ),
        (
            metrics(errors={"failed_requests": 53}),
            ("P2", "many_errors", "53 in the last hour, 5.0 %"),
        ),
        (
            metrics(errors={"failed_requests": 11}),
            ("P3", "some_errors", "11 in the last hour, 1.1 %"),
        ),
        (
            metrics(oldest_pending_seconds=95 * 60),
            ("P2", "leads_waiting", "2 wait, the oldest for 1 h 35 min"),
        ),
        (
            metrics(submissions=CachedCounts(NOW, {"held": 2, "synced": 9})),
            ("P3", "leads_held", "2 wait for a person"),
        ),
        (
            metrics(accounts=[{"name": "acme", "state": "open"}]),
            ("P2", "pipedrive_breaker_open", "account acme"),
        ),
        (
            metrics(calls_today={"search": 40}),
            ("P3", "pipedrive_budget_low", "about 800 tokens today, 80 % of 1,000"),
        ),
        (
            replace(HEALTHY, backups=[backup(26.1)]),
            ("P2", "backup_old", "the last verified one is of 2026-05-09 09:54 UTC"),
        ),
        (replace(HEALTHY, backups=[]), ("P2", "backup_old", "there is none")),
        (
            replace(HEALTHY, backups=[backup(27, "running")]),
            ("P2", "backup_old", "there is none"),
        ),
        (
            replace(HEALTHY, backups=[backup(1, "failed"), backup(2)]),
            ("P3", "backup_failed", "b: broken"),
        ),
        (
            replace(HEALTHY, backups=[replace(backup(0.1, "running"), label="objects are gone")]),
            ("P2", "backup_chain_broken", "objects are gone; b is running"),
        ),
        (
            replace(
                HEALTHY,
                backups=[
                    *(replace(backup(0.1, "running"), kind="manual", label="by hand"),),
                    replace(backup(0.5), label="objects are gone"),
                ],
            ),
            ("P2", "backup_chain_broken", "objects are gone; b is verified"),
        ),
        (metrics(database_bytes=80_000_000), ("P3", "database_large", "80 % of its limit")),
        (
            jobs(watch={"started_at": "2026-05-10 11:44:00"}),
            ("P3", "cron_late", "no run for 0 h 16 min"),
        ),
        (
            jobs(archive={"succeeded_at": "2026-05-10 05:59:00"}),
            (
                *("P3", "job_failing"),
                (
                    "no run of archive ended well for 6 h 1 min,"
                    " the last one of 2026-05-10 11:55:00: endpoint_failed"
                ),
            ),
        ),
        (
            jobs(archive=None, retention=NEVER_SUCCEEDED),
            (
                *("P3", "job_failing"),
                (
                    "archive has never run; no run of retention ended well as far as is known,"
                    " the last one of 2026-05-10 11:55:00: did not end"
                ),
            ),
        ),
    ],
)
def test_a_value_beyond_its_limit_is_a_finding(
    observations: Observations, problem: tuple[str, str, str]
) -> None:
    assert findings(observations) == [problem]


@pytest.mark.parametrize(
    "observations",
    [
        replace(metrics(last_event_at=None), last_backed_up=0),
        replace(metrics(last_event_at=NOW - timedelta(days=1)), usual_days=6),
        replace(HEALTHY, backups=[backup(1, "running")]),
        replace(HEALTHY, backups=[backup(1, "running"), backup(2), backup(3, "failed")]),
        metrics(errors={"failed_requests": 4}, recent={"events_last_hour": 0}),
        metrics(oldest_pending_seconds=None),
        metrics(jobs={}),
        jobs(archive={"outcome": None}, retention={"outcome": "failed"}),
        jobs(archive=NEVER_SUCCEEDED | {"outcome": "no_backup"}),
    ],
    ids=[
        *("a new database", "a quiet hour", "the first backup", "it failed before"),
        *("few requests", "no leads", "the first run", "jobs that failed just now"),
        "a job that waits for the first backup",
    ],
)
def test_a_similar_state_is_no_finding(observations: Observations) -> None:
    assert findings(observations) == []


@pytest.mark.parametrize(
    ("name", "error", "problem"),
    [
        ("database", NO_ANSWER, ("P1", "database_failing", "database: does not answer")),
        (
            "database",
            "last migration is x",
            ("P1", "schema_unexpected", "database: last migration is x"),
        ),
        ("kv", NO_ANSWER, ("P2", "part_failing", "kv: does not answer")),
    ],
)
def test_an_unhealthy_part_is_a_finding(
    name: str, error: str, problem: tuple[str, str, str]
) -> None:
    parts = {
        "rate_limiter": ComponentHealth(healthy=True, latency_ms=1, error=None),
        name: ComponentHealth(healthy=False, latency_ms=1, error=error),
    }
    [finding] = check_health(parts)
    assert (finding.problem.severity, finding.problem.name, finding.details) == problem


def waiting(events: int, minutes: float | None) -> WaitingCounts:
    """Events in R2 of which the oldest came so many minutes ago."""
    age = None if minutes is None else timedelta(minutes=minutes)
    return WaitingCounts(events, 51_200, age, NOW - age if age else None, ParkedSummary({}, None))


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        (waiting(0, None), []),
        (waiting(25_599, 60), []),
        (waiting(25_600, 60), [("waiting_full", "25,600 wait, of 51,200 for which is room")]),
        (
            waiting(3, 60.1),
            [("events_waiting", "3 wait in R2, the oldest for 1 h 0 min")],
        ),
    ],
)
def test_many_waiting_events_or_old_ones_are_a_finding(
    counts: WaitingCounts, expected: list[tuple[str, str]]
) -> None:
    described = [(finding.problem.name, finding.details) for finding in check_waiting(counts)]
    assert described == expected
