"""Health, and what still works when a part does not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import pytest

from paths import LOCAL_CONFIG, ROOT
from pyodide_bundle import Bundle
from tests.harness.worker import PIXEL, Worker, running_worker, some_event


@contextmanager
def worker_without(*settings: str) -> Iterator[Worker]:
    """A Worker whose configuration lacks some bindings."""
    config = json.loads(LOCAL_CONFIG.read_text(encoding="utf-8"))
    for setting in settings:
        del config[setting]
    path = ROOT / "wrangler.broken.json"
    path.write_text(json.dumps(config), encoding="utf-8")
    try:
        with running_worker(path.name) as worker:
            yield worker
    finally:
        path.unlink()


def test_health_is_200_with_the_state_and_latency_of_each_part(worker: Worker) -> None:
    for path in ("/health", "/api/health"):
        answer = worker.http.get(worker.url + path)
        content = answer.json()

        assert answer.status_code == 200
        assert content["status"] == "healthy"
        assert UUID(content["worker_version"])
        assert set(content["checks"]) == {"database", "kv", "rate_limiter"}
        for part in content["checks"].values():
            assert part["status"] == "healthy"
            assert part["latency_ms"] >= 0


@pytest.fixture(scope="module")
def crippled(local_config: Bundle) -> Iterator[Worker]:
    """A Worker without KV and without a rate limiter."""
    with worker_without("kv_namespaces", "durable_objects", "version_metadata") as running:
        yield running


def test_health_is_503_and_names_the_part_that_is_missing(crippled: Worker) -> None:
    answer = crippled.http.get(f"{crippled.url}/health")
    checks = answer.json()["checks"]

    assert answer.status_code == 503
    assert answer.json()["status"] == "unhealthy"
    assert answer.json()["worker_version"] is None
    assert checks["database"]["status"] == "healthy"
    assert checks["kv"]["error"] == "does not answer"
    assert checks["rate_limiter"]["error"] == "does not answer"


def test_tracking_goes_on_without_a_rate_limiter_and_says_so_in_the_log(crippled: Worker) -> None:
    crippled.act("clear_logs")
    statuses = [crippled.send(some_event(), address="192.0.2.1").status_code for _ in range(8)]
    failures = [line for line in crippled.log_lines() if line["event"] == "rate_limiter_failed"]

    assert statuses == [200] * 8
    assert failures
    assert failures[0]["level"] == "warn"


def test_protected_routes_are_closed_without_a_rate_limiter(crippled: Worker) -> None:
    answer = crippled.http.get(f"{crippled.url}/api/reports/realtime/{PIXEL}")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "30"


def test_the_cron_reports_what_is_unhealthy(crippled: Worker) -> None:
    crippled.act("clear_logs")
    crippled.act("scheduled", cron="*/5 * * * *")
    [line] = [line for line in crippled.log_lines() if line["event"] == "unhealthy"]
    assert (line["level"], line["parts"]) == ("error", ["kv", "rate_limiter"])


@pytest.fixture(scope="module")
def broken_database(local_config: Bundle) -> Iterator[Worker]:
    """A Worker whose database lost its events and is not migrated as far as the code needs."""
    with running_worker() as running:
        running.query("ALTER TABLE tracking_events RENAME TO lost")
        running.query("DELETE FROM d1_migrations WHERE name > '0012'")
        yield running


def test_an_event_that_cannot_be_stored_is_answered_503_and_may_come_again(
    broken_database: Worker,
) -> None:
    answer = broken_database.send(some_event())
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "30"
    assert answer.headers["access-control-allow-origin"] == "*"
    # Nothing of an event that failed is left behind: it is one transaction.
    assert broken_database.query("SELECT count(*) AS visitors FROM visitors") == [{"visitors": 0}]


def test_the_image_is_answered_without_a_database(broken_database: Worker) -> None:
    answer = broken_database.http.get(
        f"{broken_database.url}/api/track/pixel.gif?pixel_id={PIXEL}&page_url=https://a.example/"
    )
    assert answer.status_code == 200
    assert answer.content.startswith(b"GIF89a")


def test_the_image_counts_a_failing_rate_limiter_too(crippled: Worker) -> None:
    crippled.act("clear_logs")
    for _ in range(8):
        crippled.http.get(
            f"{crippled.url}/api/track/pixel.gif?pixel_id={PIXEL}&page_url=https://a.example/",
            headers={"cf-connecting-ip": "192.0.2.2"},
        )
    assert [line for line in crippled.log_lines() if line["event"] == "rate_limiter_failed"]


def test_health_says_which_migration_is_missing_and_what_to_do(broken_database: Worker) -> None:
    answer = broken_database.http.get(f"{broken_database.url}/health")
    assert answer.status_code == 503
    error = answer.json()["checks"]["database"]["error"]
    assert "0011_add_retry_tracking.sql" in error
    assert "run the migrations" in error
    assert "SQLITE" not in answer.text


@pytest.fixture(scope="module")
def misconfigured(local_config: Bundle) -> Iterator[Worker]:
    """A Worker with a var that cannot be used."""
    with running_worker(env_vars={"TRACKING_PER_MINUTE": "many"}) as running:
        yield running


def test_a_wrong_setting_is_named_in_the_log_and_answers_500(misconfigured: Worker) -> None:
    answer = misconfigured.send(some_event())
    assert answer.status_code == 500
    assert answer.json()["success"] is False
    assert "TRACKING" not in answer.text
    [line] = [line for line in misconfigured.log_lines() if line["event"] == "misconfigured"]
    assert "TRACKING_PER_MINUTE" in line["error"]


def test_the_image_is_answered_whatever_is_misconfigured(misconfigured: Worker) -> None:
    answer = misconfigured.http.get(f"{misconfigured.url}/api/track/pixel.gif")
    assert answer.status_code == 200
    assert answer.content.startswith(b"GIF89a")


def test_a_page_of_another_site_may_read_the_refusal(misconfigured: Worker) -> None:
    answer = misconfigured.send(some_event())
    assert answer.headers["access-control-allow-origin"] == "*"
