"""What the metrics tell of the sync."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import datetime

import pytest

from services.monitoring.metrics import LAST_RUNS
from simulator.faults import Fault
from tests.harness.sync import Lab, running_lab, some_email
from tests.harness.worker import Row, some_event

KEY = "opens the numbers"


@pytest.fixture(scope="module")
def keyed_lab(local_config: object) -> Iterator[Lab]:
    """A lab whose numbers can be read."""
    sha256 = hashlib.sha256(KEY.encode()).hexdigest()
    keys = json.dumps([{"name": "reader", "role": "read", "sha256": sha256}])
    with running_lab(API_KEYS=keys) as lab:
        yield lab


def metrics(lab: Lab, name: str = "analytics") -> Row:
    answer = lab.worker.fetch(f"/api/{name}/metrics", headers={"x-api-key": KEY})
    assert answer.status == 200, answer.body
    content: Row = answer.json()
    assert content["success"] is True
    values: Row = content["metrics"]
    return values


def test_metrics_have_the_shape_that_scripts_of_ops_read(keyed_lab: Lab) -> None:
    keyed_lab.clean()
    keyed_lab.worker.send(some_event())
    keyed_lab.submit(some_email())
    for name in ("analytics", "reports"):
        content = metrics(keyed_lab, name)
        assert content["database"].keys() == {
            *("total_events", "unique_visitors", "unique_sessions", "active_pixels"),
            *("counted_at", "size_bytes"),
        }
        assert content["recent_activity"] == {
            "events_last_hour": content["database"]["total_events"],
            "form_submissions_last_hour": 1,
        }
        last_event = keyed_lab.worker.query("SELECT timestamp FROM tracking_events ORDER BY id")[-1]
        assert content["last_event_at"] == f"{last_event['timestamp']}Z".replace(" ", "T")
        assert content["system"] == {
            "environment": "development",
            "cache_available": True,
            "database_available": True,
        }
        assert content["pipedrive"].keys() >= {
            *("circuit_breaker_state", "circuit_breaker_failures", "circuit_breaker_next_attempt"),
            *("delayed_sync_pending", "delayed_sync_total"),
        }


def test_metrics_count_pending_leads_and_outcomes(keyed_lab: Lab) -> None:
    keyed_lab.clean()
    before = metrics(keyed_lab)["pipedrive"]
    known_email = some_email()
    keyed_lab.person(known_email)
    keyed_lab.submit(known_email)
    keyed_lab.submit(some_email())
    keyed_lab.sync()
    keyed_lab.worker.query("DELETE FROM job_runs WHERE job LIKE 'count_%'")
    waiting = keyed_lab.submit(some_email())
    keyed_lab.worker.query(
        "UPDATE tracking_events SET timestamp = datetime('now', '-10 minutes') WHERE id = ?",
        waiting,
    )

    content = metrics(keyed_lab)["pipedrive"]

    assert (content["delayed_sync_total"], content["delayed_sync_pending"]) == (1, 0)
    assert 600 <= content["oldest_pending_seconds"] < 660
    for status in ("synced", "not_found"):
        assert content["by_status"][status] == before["by_status"].get(status, 0) + 1
    assert content["last_run"]["outcome"] == "drained"
    assert content["last_run"]["summary"]["synced"] == 1
    calls = keyed_lab.pipedrive.calls
    for operation in ("search", "update"):
        assert content["calls_today"][operation] == calls(operation) > 0
    keyed_lab.time_passes()
    assert metrics(keyed_lab)["pipedrive"]["delayed_sync_pending"] == 1


def test_metrics_show_an_open_breaker(keyed_lab: Lab) -> None:
    keyed_lab.clean()
    assert metrics(keyed_lab)["pipedrive"]["circuit_breaker_state"] == "CLOSED"
    keyed_lab.submit(some_email())
    keyed_lab.pipedrive.faults.add(Fault("unauthorized", times=None))
    keyed_lab.sync()

    content = metrics(keyed_lab)["pipedrive"]

    assert content["circuit_breaker_state"] == "OPEN"
    assert content["circuit_breaker_next_attempt"]
    [account] = content["accounts"]
    assert (account["name"], account["state"]) == ("default", "open")


def test_metrics_count_the_failures_of_the_last_hour(keyed_lab: Lab) -> None:
    keyed_lab.clean()
    none = {
        "failed_requests": 0,
        "refused_senders": 0,
        "leads_failed": 0,
        "leads_put_back": 0,
        "runs_killed": 0,
    }
    assert metrics(keyed_lab)["errors_last_hour"] == none
    email = some_email()
    keyed_lab.person(email)
    keyed_lab.submit(email)
    keyed_lab.pipedrive.faults.add(Fault("unauthorized", times=None))
    keyed_lab.sync()
    keyed_lab.worker.query(
        "INSERT INTO job_runs (job, run, started_at, lease_until) VALUES "
        "('pipedrive_sync', 'killed', datetime('now', '-9 minutes'), datetime('now', '-5 minutes'))"
    )
    assert metrics(keyed_lab)["errors_last_hour"] == {
        **none,
        "leads_put_back": 1,
        "runs_killed": 1,
    }
    keyed_lab.worker.query("UPDATE job_runs SET started_at = datetime('now', '-61 minutes')")
    assert metrics(keyed_lab)["errors_last_hour"] == none


def test_metrics_have_the_last_run_of_each_job(keyed_lab: Lab) -> None:
    keyed_lab.clean()
    assert metrics(keyed_lab)["jobs"] == {}
    for minutes, job in ((9, "abacus"), (5, "abacus"), (7, "zeal")):
        keyed_lab.worker.query(
            "INSERT INTO job_runs (job, run, started_at, lease_until, outcome) "
            "VALUES (?1, ?1 || ?2, datetime('now', '-' || ?2 || ' minutes'), '2026', 'done')",
            job,
            str(minutes),
        )
    keyed_lab.run()
    content = metrics(keyed_lab)
    assert [content["jobs"][job]["run"] for job in ("abacus", "zeal")] == ["abacus5", "zeal7"]
    assert content["jobs"]["pipedrive_sync"] == content["pipedrive"]["last_run"]


def test_metrics_have_the_last_success_of_a_job_and_read_only_runs_since(keyed_lab: Lab) -> None:
    keyed_lab.clean()
    keyed_lab.worker.query(
        "INSERT INTO job_runs (job, run, started_at, lease_until, finished_at, outcome) "
        "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 200), "
        "runs AS (SELECT n, datetime('now', '-' || n || ' minutes') AS at FROM n) "
        "SELECT 'archive', n, at, at, at, iif(n > 100, 'drained', 'failed') FROM runs"
    )
    run = metrics(keyed_lab)["jobs"]["archive"]
    assert (run["run"], run["outcome"]) == ("1", "failed")
    age = datetime.fromisoformat(run["started_at"]) - datetime.fromisoformat(run["succeeded_at"])
    assert age.total_seconds() == 100 * 60
    ill = keyed_lab.worker.act("query", sql=LAST_RUNS, values=["{}"])["rows_read"]
    keyed_lab.worker.query("DELETE FROM job_runs WHERE outcome = 'failed'")
    rows_read = keyed_lab.worker.act("query", sql=LAST_RUNS, values=["{}"])["rows_read"]
    # One row for each of the hundred.
    assert (ill - rows_read, rows_read < 25) == (100, True)


def test_nothing_personal_and_no_token_is_in_them(keyed_lab: Lab) -> None:
    keyed_lab.clean()
    email = some_email()
    keyed_lab.submit(email)
    keyed_lab.sync()
    text = json.dumps(metrics(keyed_lab))
    assert email not in text
    assert keyed_lab.pipedrive.token not in text


def test_metrics_need_a_key(keyed_lab: Lab) -> None:
    assert keyed_lab.worker.fetch("/api/reports/metrics").status == 401
