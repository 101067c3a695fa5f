"""The cron looks at the whole and says what is wrong; a monitor sees whether the cron runs."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from pyodide_bundle import Bundle
from tests.harness.sync import wait_until
from tests.harness.worker import (
    Row,
    Worker,
    claim_full_backup,
    running_worker,
    some_event,
)

CRON = "*/5 * * * *"


@pytest.fixture(scope="module")
def watched(local_config: Bundle) -> Iterator[Worker]:
    """A Worker of its own with one event, whose cron has run once."""
    with running_worker() as running:
        running.send(some_event())
        run_cron(running)
        yield running


def run_cron(worker: Worker) -> list[Row]:
    """The alerts of one run."""
    worker.act("clear_logs")
    assert worker.act("scheduled", cron=CRON)["outcome"] == "ok"
    lines = worker.log_lines()
    assert not [line for line in lines if line["event"].endswith("_crashed")]
    return [line for line in lines if line["event"] == "alert"]


def test_nothing_is_wrong_with_a_new_worker(watched: Worker) -> None:
    assert run_cron(watched) == []
    [run] = watched.query(
        "SELECT outcome, summary FROM job_runs WHERE job = 'watch' ORDER BY id DESC LIMIT 1"
    )
    assert run == {"outcome": "done", "summary": '{"problems":[]}'}


def test_a_lead_that_waits_is_told_once_and_when_it_is_over(watched: Worker) -> None:
    event_id = watched.send(
        some_event(event_type="form_submit", form_data={"email": "jane@example.com"})
    ).json()["event_id"]
    watched.query(
        "UPDATE tracking_events SET timestamp = datetime('now', '-31 minutes') WHERE id = ?",
        event_id,
    )
    [alert] = run_cron(watched)
    assert (alert["problem"], alert["severity"], alert["state"]) == ("leads_waiting", "P2", "new")
    assert "1 wait, the oldest for 0 h 31 min" in alert["text"]
    assert "jane" not in str(watched.log_lines())
    assert run_cron(watched) == []
    watched.query("DELETE FROM tracking_events WHERE id = ?", event_id)
    [outcome] = run_cron(watched)
    assert (outcome["problem"], outcome["state"], outcome["level"]) == (
        "leads_waiting",
        "over",
        "info",
    )


def test_silence_is_told_where_every_day_had_events_at_this_time(watched: Worker) -> None:
    watched.query("UPDATE tracking_events SET timestamp = datetime('now', '-61 minutes')")
    assert run_cron(watched) == []
    watched.query(
        "INSERT INTO tracking_events (pixel_id, event_type, timestamp) "
        "SELECT 'ppp-demo-pixel', 'pageview', datetime('now', '-' || day.value || ' days', "
        "'-' || minute.value || ' minutes') "
        "FROM json_each('[7,6,5,4,3,2,1]') AS day, json_each('[50,40,30,20,10]') AS minute "
        "ORDER BY 1"
    )
    newest = some_event()
    event_id = watched.send(newest).json()["event_id"]
    watched.query(
        "UPDATE tracking_events SET timestamp = datetime('now', '-62 minutes') WHERE id = ?",
        event_id,
    )
    [alert] = run_cron(watched)
    assert (alert["problem"], alert["severity"]) == ("no_events", "P2")
    watched.send(some_event())
    [outcome] = run_cron(watched)
    assert (outcome["problem"], outcome["state"]) == ("no_events", "over")


def counted_failures(worker: Worker) -> int:
    [counted] = worker.query("SELECT coalesce(sum(number), 0) AS number FROM failed_requests")
    number: int = counted["number"]
    return number


def test_failed_requests_are_counted_and_told(watched: Worker) -> None:
    watched.query("ALTER TABLE visitors RENAME TO hidden")
    try:
        answers = [watched.send(some_event()).status_code for _ in range(3)]
    finally:
        watched.query("ALTER TABLE hidden RENAME TO visitors")
    assert answers == [503] * 3
    # They are written within five seconds, though no request comes after them.
    wait_until(lambda: counted_failures(watched) == 3, 20)
    watched.query("UPDATE failed_requests SET number = 1000")
    [alert] = run_cron(watched)
    assert (alert["problem"], alert["severity"]) == ("many_errors", "P2")
    watched.query("DELETE FROM failed_requests")
    run_cron(watched)


def test_an_empty_database_whose_backup_is_full_is_the_worst(watched: Worker) -> None:
    watched.query("DELETE FROM tracking_events")
    [alert] = run_cron(watched)
    assert (alert["problem"], alert["severity"]) == ("database_empty", "P1")
    assert "ppp restore" in alert["text"]
    watched.send(some_event())
    [outcome] = run_cron(watched)
    assert outcome["state"] == "over"


def test_an_archive_that_fails_for_hours_is_told_until_it_moves_events(watched: Worker) -> None:
    claim_full_backup(watched)
    watched.query(
        "INSERT INTO tracking_events (pixel_id, timestamp) "
        "VALUES ('ppp-demo-pixel', '2025-01-01 12:00:00')"
    )
    watched.send(some_event())
    watched.query(
        "CREATE TRIGGER killed BEFORE INSERT ON archive_batches BEGIN "
        "SELECT RAISE(ABORT, 'killed'); END"
    )
    try:
        assert run_cron(watched) == []
        watched.query(
            "UPDATE job_runs SET finished_at = datetime(finished_at, '-7 hours') "
            "WHERE job = 'archive'"
        )
        [alert] = run_cron(watched)
    finally:
        watched.query("DROP TRIGGER killed")
    assert (alert["problem"], alert["severity"], alert["state"]) == ("job_failing", "P3", "new")
    assert re.search(r"no run of archive ended well for 7 h \d+ min", alert["text"])
    assert ": failed. It means: nothing is lost" in alert["text"]
    [outcome] = run_cron(watched)
    assert (outcome["problem"], outcome["state"]) == ("job_failing", "over")
    watched.query("DELETE FROM archive_batches")


@pytest.mark.parametrize("path", ["/health/cron", "/api/health/cron"])
def test_a_monitor_sees_whether_the_cron_runs(watched: Worker, path: str) -> None:
    run_cron(watched)
    answer = watched.fetch(path)
    assert (answer.status, answer.json()["status"]) == (200, "healthy")
    assert answer.json()["age_seconds"] < 60
    watched.query(
        "UPDATE job_runs SET finished_at = datetime('now', '-16 minutes') WHERE job = 'watch'"
    )
    answer = watched.fetch(path)
    assert (answer.status, answer.json()["status"]) == (503, "unhealthy")
    assert 960 <= answer.json()["age_seconds"] < 1_020
    watched.query("DELETE FROM job_runs WHERE job = 'watch'")
    answer = watched.fetch(path)
    assert answer.status == 503
    assert answer.json() == {"status": "unhealthy", "last_run": None, "age_seconds": None}
