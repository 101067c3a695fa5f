"""`ppp status`: the look in the morning."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ops.checks.status_lines import StatusSnapshot, status_lines
from ops.cloudflare.bucket import Bucket
from ops.commands import status as ops_status
from ops.worker_api import client as ops_client
from ops.worker_api import worker as ops_worker
from paths import LOCAL_CONFIG
from pyodide_bundle import Bundle
from services.loss.high_water_mark import KEY, HighWaterMark
from tests.harness.direct import running_directly
from tests.harness.prepared import database_file
from tests.harness.worker import Row, running_worker, some_event
from tests.ops.asking import ADMIN_KEY, KEYS, READ_KEY, Service
from tests.ops.deployed import EVENTS, local, write_backup
from tests.ops.running import fails, here

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
RUN = """
INSERT INTO job_runs (job, run, started_at, lease_until, finished_at, outcome, summary)
VALUES ('pipedrive_sync', 'r', datetime('now'), datetime('now'), datetime('now'), 'drained', ?)
"""
HEALTH = {
    "status": "healthy",
    "version": "3.1.0",
    "environment": "production",
    "timestamp": "2026-05-01T12:00:00Z",
    "checks": {"database": {"status": "healthy", "latency_ms": 3}},
}


def ago(**time: float) -> str:
    return (NOW - timedelta(**time)).strftime("%Y-%m-%d %H:%M:%S")


def metrics(**changes: Row) -> Row:
    """The metrics of a good morning, with something changed in one of their parts."""
    parts: dict[str, Row] = {
        "database": {
            "total_events": 12_345,
            "unique_visitors": 99,
            "unique_sessions": 120,
            "active_pixels": 7,
            "counted_at": ago(minutes=5),
            "size_bytes": 3 * 2**20,
        },
        "recent_activity": {"events_last_hour": 12, "form_submissions_last_hour": 1},
        "errors_last_hour": {"leads_failed": 0, "leads_put_back": 1, "runs_killed": 0},
        "jobs": {
            "pipedrive_sync": {
                "started_at": ago(minutes=3),
                "outcome": "drained",
                "summary": {"synced": 2, "error": 0, "calls": {"search": 2}},
            },
            "watch": {
                "started_at": ago(minutes=2),
                "outcome": "done",
                "summary": {"problems": []},
            },
        },
        "pipedrive": {
            "circuit_breaker_state": "CLOSED",
            "circuit_breaker_next_attempt": None,
            "delayed_sync_total": 4,
            "delayed_sync_pending": 0,
            "oldest_pending_seconds": 90,
            "by_status": {"synced": 5},
            "calls_today": {"search": 2, "update": 2},
        },
    }
    for name, change in changes.items():
        parts[name] |= change
    return {"metrics": {**parts, "last_event_at": ago(seconds=12)}}


BACKUP: Row = {"id": "20260501T030000Z-full", "verified_at": ago(hours=9), "rows": 14_000}
GOOD = StatusSnapshot("https://pixel.example", HEALTH, metrics(), [BACKUP], ())


def problems(snapshot: StatusSnapshot) -> list[str]:
    return [line.name.strip() for line in status_lines(snapshot) if line.is_problem]


def texts(snapshot: StatusSnapshot) -> dict[str, str]:
    return {line.name.strip(): line.text for line in status_lines(snapshot)}


def changed(**changes: object) -> StatusSnapshot:
    values = {name: getattr(GOOD, name) for name in StatusSnapshot.__slots__}
    return StatusSnapshot(**(values | changes))


def test_a_good_morning_is_told_in_one_screen() -> None:
    assert problems(GOOD) == []
    output = texts(GOOD)
    assert output["worker"] == "healthy, version 3.1.0, production"
    assert (
        output["database"].startswith("healthy, 3 ms")
        or "3.0 MiB: 12,345 events" in output["database"]
    )
    assert output["database"].startswith("3.0 MiB: 12,345 events, 99 visitors")
    assert output["events"] == "12 in the last hour, 1 of them forms; the newest 12 s ago"
    assert output["leads"] == "4 pending, 0 of them due, the oldest for 1 min"
    assert output["budget"].startswith("4 calls since midnight UTC, 50 tokens")
    assert output["job pipedrive_sync"] == "3 min ago, drained: 2 synced"
    assert output["alerts"] == "none"
    assert output["backup"] == "20260501T030000Z-full, 9 h 0 min ago, 14,000 rows"
    assert len(status_lines(GOOD)) <= 24


@pytest.mark.parametrize(
    ("snapshot", "name"),
    [
        (changed(health={**HEALTH, "status": "unhealthy"}), "worker"),
        (
            changed(health={**HEALTH, "checks": {"kv": {"status": "unhealthy", "latency_ms": 9}}}),
            "kv",
        ),
        (changed(metrics=metrics(pipedrive={"oldest_pending_seconds": 1_801})), "leads"),
        (changed(metrics=metrics(errors_last_hour={"leads_failed": 1})), "last hour"),
        (changed(metrics=metrics(errors_last_hour={"runs_killed": 1})), "last hour"),
        (changed(metrics=metrics(errors_last_hour={"failed_requests": 1})), "last hour"),
        (changed(metrics=metrics(errors_last_hour={"refused_senders": 1})), "last hour"),
        (changed(metrics=metrics(pipedrive={"by_status": {"held": 1}})), "held"),
        (changed(metrics=metrics(pipedrive={"circuit_breaker_state": "OPEN"})), "pipedrive"),
        (
            changed(metrics=metrics(pipedrive={"circuit_breaker_next_attempt": "later"})),
            "pipedrive",
        ),
        (
            changed(
                metrics=metrics(
                    jobs={
                        "pipedrive_sync": {
                            "started_at": ago(minutes=16),
                            "outcome": None,
                            "summary": {},
                        }
                    }
                )
            ),
            "job pipedrive_sync",
        ),
        (
            changed(
                metrics=metrics(
                    jobs={
                        "archive": {
                            "started_at": ago(minutes=16),
                            "outcome": "drained",
                            "summary": {},
                        }
                    }
                )
            ),
            "job archive",
        ),
        (changed(backups=[]), "backup"),
        (changed(backups=None), "backup"),
        (changed(backups=[{**BACKUP, "verified_at": ago(hours=27)}]), "backup"),
        (changed(backups=[{**BACKUP, "verified_at": None}]), "backup"),
    ],
)
def test_what_needs_somebody_to_look_is_marked(snapshot: StatusSnapshot, name: str) -> None:
    assert problems(snapshot) == [name]


def test_leads_that_wait_for_a_person_and_refused_senders_are_named() -> None:
    counts = metrics(
        pipedrive={"by_status": {"synced": 5, "held": 1_200}},
        errors_last_hour={"refused_senders": 3},
    )
    output = texts(changed(metrics=counts))
    assert output["ended"] == "5 synced, 1,200 held"
    assert output["held"].startswith("1,200 may be forged and wait for a person: `ppp leads")
    assert output["last hour"].endswith("answered 5xx; 3 events refused that other sites sent")


def test_a_setting_that_cannot_be_used_is_marked_below_what_is_more_urgent() -> None:
    health = {**HEALTH, "misconfigured": ["RUNBOOK_URL"]}
    assert problems(changed(health=health)) == ["do first", "settings"]
    urgent = changed(health=health, metrics=noticed("no_events"))
    assert problems(urgent) == ["alert", "settings"]


def test_a_day_without_events_is_marked() -> None:
    silent = metrics()
    silent["metrics"]["last_event_at"] = ago(hours=25)
    assert problems(changed(metrics=silent)) == ["events"]


def test_what_the_worker_found_is_told_with_what_to_do() -> None:
    run = {"started_at": ago(minutes=2), "outcome": "done"}
    jobs = {"watch": {**run, "summary": {"problems": ["leads_waiting", "something_new"]}}}
    snapshot = changed(metrics=metrics(jobs=jobs))
    alerts = [line for line in status_lines(snapshot) if line.name == "alert"]
    assert [line.is_problem for line in alerts] == [True, True]
    assert alerts[0].text.startswith("leads_waiting P2, leads reach Pipedrive late")
    assert "ppp leads" in alerts[0].text
    assert alerts[1].text == "something_new"


def test_the_newest_verified_backup_counts() -> None:
    older = {**BACKUP, "id": "older", "verified_at": ago(hours=30)}
    broken = {**BACKUP, "id": "broken", "verified_at": None}
    assert texts(changed(backups=[broken, older, BACKUP]))["backup"].startswith(BACKUP["id"])
    assert texts(changed(backups=[]))["backup"] == "no backup known"


def test_a_larger_backup_than_the_newest_is_always_named() -> None:
    sizes = {"newest": {"id": "small", "events": 3}, "largest": {"id": "full", "events": 2_258}}
    snapshot = replace(changed(), sizes=sizes)
    assert texts(snapshot)["larger"].startswith(
        "an older backup has 2,258 events (full), the newest 3"
    )
    assert problems(snapshot) == problems(changed())
    assert "larger" not in texts(replace(changed(), sizes={**sizes, "largest": sizes["newest"]}))


NO_ANSWER = {
    **HEALTH,
    "status": "unhealthy",
    "checks": {"database": {"status": "unhealthy", "latency_ms": 9, "error": "does not answer"}},
}
ENDED = {"started_at": ago(minutes=2), "outcome": "done"}


def noticed(*names: str) -> Row:
    """The metrics of a Worker that noticed these problems."""
    return metrics(jobs={"watch": {**ENDED, "summary": {"problems": [*names]}}})


def test_in_a_p1_the_first_step_is_on_top_and_the_rest_follows_from_it() -> None:
    loss = "the database has no tables"
    snapshot = changed(health=NO_ANSWER, metrics=None, loss=loss, backups=[BACKUP])
    first, *rest = status_lines(snapshot)
    assert first.name == "do first"
    assert first.text.startswith(f"{loss}: deploy nothing, ./ppp restore --env production")
    assert all("follows from what comes first" in line.text for line in rest if line.is_problem)
    assert texts(snapshot)["backup"].startswith(BACKUP["id"])


def test_no_advice_contradicts_a_lost_database() -> None:
    snapshot = changed(metrics=noticed("leads_waiting", "backup_old", "database_empty"))
    first, *alerts = [line.text for line in status_lines(snapshot)][:4]
    assert "./ppp restore" in first
    assert sorted(alerts) == [
        "backup_old (follows from what comes first)",
        "database_empty (follows from what comes first)",
        "leads_waiting (follows from what comes first)",
    ]


def test_what_waits_and_what_is_parked_in_r2_is_said() -> None:
    counts = {
        "waiting": 12,
        "room": 51_200,
        "oldest_at": "2026-05-01T11:30:00Z",
        "parked": 3,
        "parked_by_pixel": {"pixel-one": 2, "pixel-two": 1},
        "parked_until": "2026-05-08T00:00:00Z",
    }
    lines = {line.name: line for line in status_lines(changed(metrics=with_waiting(counts)))}
    assert lines["waiting"].text == "12 events in R2 for the database, the oldest came 30 min ago"
    assert not lines["waiting"].is_problem
    assert lines["parked"].is_problem
    assert "pixel-one (2), pixel-two (1)" in lines["parked"].text
    assert "the first is deleted on 2026-05-08T00:00:00Z" in lines["parked"].text

    old = {**counts, "oldest_at": "2026-05-01T10:59:59Z", "parked": 0}
    lines = {line.name: line for line in status_lines(changed(metrics=with_waiting(old)))}
    assert lines["waiting"].is_problem
    assert "parked" not in lines
    for nothing in (None, {**counts, "waiting": 0, "oldest_at": None, "parked": 0}):
        names = [line.name for line in status_lines(changed(metrics=with_waiting(nothing)))]
        assert "waiting" not in names


def with_waiting(counts: Row | None) -> Row:
    answer = metrics()
    return {**answer, "metrics": {**answer["metrics"], "waiting_events": counts}}


def test_the_worst_comes_first() -> None:
    snapshot = changed(metrics=noticed("backup_failed", "leads_waiting"), backups=[])
    assert [line.text.split(" ")[0] for line in status_lines(snapshot)][:3] == [
        *("leads_waiting", "backup_failed", "no"),
    ]


def test_a_job_that_was_refused_is_a_problem_and_says_why() -> None:
    refused = {**ENDED, "outcome": "refused", "summary": {"reason": "it is lost"}}
    snapshot = changed(metrics=metrics(jobs={"backup": refused}))
    assert problems(snapshot) == ["job backup"]
    assert texts(snapshot)["job backup"] == "2 min ago, refused: it is lost"


def test_a_cached_count_does_not_hide_the_events_of_the_last_hour() -> None:
    counts = metrics(database={"total_events": 0}, recent_activity={"events_last_hour": 2_570})
    text = [line.text for line in status_lines(changed(metrics=counts)) if "MiB" in line.text]
    assert text[0].startswith("3.0 MiB: at least 2,570 events (counted 5 min ago: 0 events, 99 vi")


# ---- on a real Worker --------------------------------------------------------------------------


@pytest.fixture
def running(service: Service) -> Iterator[Service]:
    """A Worker that saw an event and ran its cron."""
    service.worker.send(some_event())
    service.worker.query(RUN, '{"synced": 3}')
    yield service
    service.worker.query("DELETE FROM job_runs")


def test_everything_that_is_known_of_a_worker_is_read(running: Service) -> None:
    output = running.ppp("status")
    lines = {line[2:].split("  ")[0]: line for line in output.out.splitlines()}
    for name in ("worker", "database", "events", "leads", "pipedrive", "job pipedrive_sync"):
        assert lines[name].startswith(f"  {name}"), output.out
    assert "3 synced" in output.out
    assert len(output.out.splitlines()) <= 24


def test_a_script_gets_what_was_read_and_what_is_wrong(running: Service) -> None:
    output = running.ppp("status", "--json").json
    assert output["environment"] == "local"
    assert output["health"]["status"] == "healthy"
    assert output["metrics"]["database"]["total_events"] >= 0
    assert [problem for problem in output["problems"] if not problem.startswith("backup")] == []


def test_a_key_that_only_reads_is_enough_for_the_numbers(running: Service) -> None:
    output = running.ppp("status", "--json", key=READ_KEY).json
    assert output["metrics"]["last_event_at"]


def test_without_a_key_it_says_what_anybody_may_know(
    running: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ops_worker, "DEV_KEY", tmp_path / "none")
    monkeypatch.delenv("PPP_API_KEY", raising=False)
    output = here("status", "--url", running.worker.url)
    assert "healthy, version" in output.out
    assert "/api/reports/metrics: no key is set" in output.out


@pytest.fixture(scope="module")
def misconfigured(local_config: Bundle) -> Iterator[Service]:
    """A Worker with settings that mean nothing."""
    settings = {"ARCHIVE_ENDPOINT": "nonsense", "SESSION_MINUTES": "many"}
    with running_worker(env_vars={"API_KEYS": KEYS, **settings}) as running:
        running.send(some_event())
        running.act("scheduled", cron="*/5 * * * *")
        yield Service(running)


def test_settings_that_do_not_work_are_the_first_that_is_said(misconfigured: Service) -> None:
    output = misconfigured.ppp("status")
    assert output.code == 1
    first, *rest = output.out.splitlines()
    assert first.startswith("! do first             correct what is misconfigured: ARC")
    assert "--event misconfigured" in first
    [line] = [line for line in rest if line.startswith("! settings")]
    assert line.endswith("SESSION_MINUTES (follows from what comes first)")
    assert "all is well" not in output.out
    answer = misconfigured.ppp("status", "--json").json
    assert answer["health"]["misconfigured"] == ["ARCHIVE_ENDPOINT", "SESSION_MINUTES"]
    assert "ARCHIVE_ENDPOINT" in answer["first"]


def test_a_job_that_waits_is_not_done(misconfigured: Service) -> None:
    output = misconfigured.ppp("status").out
    [line] = [line for line in output.splitlines() if "job retention" in line]
    assert "waits for a full backup" in line
    assert "done" not in line


@pytest.fixture
def with_backup(
    bundle: Path, local_config: Bundle, storage: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """A Worker on a storage with a backup in its bucket, which --local means."""
    write_backup(storage)
    config = json.loads(LOCAL_CONFIG.read_text(encoding="utf-8"))
    with running_directly(bundle, "entry.py", config, storage, {"API_KEYS": KEYS}) as running:
        worker = ops_worker.Worker("local", running.url)
        monkeypatch.setattr(ops_client, "choose_worker", lambda *_, **__: worker)
        monkeypatch.setattr(ops_status, "choose_target", lambda *_, **__: local(storage))
        monkeypatch.setenv("PPP_API_KEY", ADMIN_KEY)
        yield storage


def test_a_database_without_tables_hides_no_backup_and_comes_first(with_backup: Path) -> None:
    with closing(sqlite3.connect(database_file(with_backup), isolation_level=None)) as database:
        database.execute("PRAGMA writable_schema = ON")
        database.execute("DELETE FROM sqlite_master")
    output = here("status", "--local")
    assert output.code == 1, output
    first, *rest = output.out.splitlines()
    assert first.startswith("! do first")
    assert "./ppp restore --local --dry-run" in first
    [backup] = [line for line in rest if line[2:].startswith("backup")]
    assert "-full, " in backup
    assert "backups: read from R2" in output.err
    assert all("follows from what comes first" in line for line in rest if line.startswith("!"))


def test_an_empty_list_of_another_database_hides_no_backup(with_backup: Path) -> None:
    """The Worker answers: its database is a new one, whose own list of backups is empty."""
    mark = HighWaterMark("a" * 32, EVENTS, EVENTS, 1, 1, "2026-05-01T12:00:00Z")
    Bucket(local(with_backup)).write(KEY, mark.as_bytes())
    with closing(sqlite3.connect(database_file(with_backup))) as database:
        assert database.execute("SELECT count(*) FROM backups").fetchone() == (0,)
    output = here("status", "--local")
    [backup] = [line for line in output.out.splitlines() if line[2:].startswith("backup")]
    assert "-full, " in backup
    assert output.out.startswith("! do first             this is another database (")


def test_where_nothing_answers_it_is_one_line() -> None:
    assert "nothing answers" in fails(here("status", "--url", "http://127.0.0.1:9"), 3)
