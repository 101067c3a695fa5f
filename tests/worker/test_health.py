"""Health, and what still works when a part does not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import pytest

from paths import LOCAL_CONFIG, ROOT
from pyodide_bundle import Bundle
from tests.harness.keys import ADMIN_KEY, keys
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


# Every setting, each with a value that nobody means.
WRONG_SETTINGS = {
    name: value
    for names, value in (
        (("ENVIRONMENT", "LOG_LEVEL"), "loud"),
        (("TRACKING_PER_MINUTE", "PIXEL_CACHE_SECONDS"), "many"),
        (("SESSION_MINUTES", "REPEAT_WINDOW_SECONDS", "SYNC_DELAY_SECONDS"), "999999999"),
        (("SESSION_RETENTION_DAYS", "VISITOR_RETENTION_DAYS"), "-1"),
        (("SYNC_TIME_ZONE",), "Moon/Crater"),
        (("API_KEYS", "PIPEDRIVE_ACCOUNTS", "PIPEDRIVE_FIELDS", "ON_CALL"), '[{"'),
        (("PIPEDRIVE_URL", "ARCHIVE_ENDPOINT", "ALERT_WEBHOOK_URL"), "ftp://x"),
        (("PIPEDRIVE_API_KEY",), "x"),
        (("ARCHIVE_DAYS",), ""),
    )
    for name in names
}


@pytest.fixture(scope="module")
def misconfigured(local_config: Bundle) -> Iterator[Worker]:
    """A Worker whose settings are all wrong."""
    with running_worker(env_vars=WRONG_SETTINGS) as running:
        yield running


def test_wrong_settings_do_not_stop_tracking(misconfigured: Worker) -> None:
    answer = misconfigured.send(some_event())
    assert answer.status_code == 200, answer.text
    assert misconfigured.event(answer.json()["event_id"])["page_url"] == "https://shop.example/"
    assert answer.headers["access-control-allow-origin"] == "*"


def test_a_lead_is_stored_whatever_is_misconfigured(misconfigured: Worker) -> None:
    lead = some_event(event_type="form_submit", form_data={"email": "jane@shop.example"})
    answer = misconfigured.send(lead)
    assert answer.status_code == 200, answer.text
    assert misconfigured.event(answer.json()["event_id"])["pipedrive_due_at"]


def test_wrong_settings_are_named_by_health_and_the_log_without_their_values(
    misconfigured: Worker,
) -> None:
    misconfigured.act("clear_logs")
    misconfigured.act("scheduled", cron="*/5 * * * *")
    answer = misconfigured.http.get(f"{misconfigured.url}/health")
    assert answer.status_code == 200
    named = answer.json()["misconfigured"]
    # The token alone is not wrong: Pipedrive says whether it is.
    expected = {*WRONG_SETTINGS} - {"PIPEDRIVE_API_KEY"}
    assert set(named) == expected
    lines = [line for line in misconfigured.log_lines() if line["event"] == "misconfigured"]
    assert lines
    problems = lines[-1]["problems"]
    assert {problem.split()[0] for problem in problems} == expected
    assert not [problem for problem in problems if "loud" in problem or "ftp:" in problem]
    assert [line for line in misconfigured.log_lines() if line["event"] == "cron_run"]


def test_keys_that_nobody_can_read_open_nothing(misconfigured: Worker) -> None:
    answer = misconfigured.http.get(
        f"{misconfigured.url}/api/projects", headers={"x-api-key": '[{"'}
    )
    assert answer.status_code == 401


def test_the_image_is_answered_whatever_is_misconfigured(misconfigured: Worker) -> None:
    answer = misconfigured.http.get(f"{misconfigured.url}/api/track/pixel.gif")
    assert answer.status_code == 200
    assert answer.content.startswith(b"GIF89a")


@pytest.fixture(scope="module")
def with_old_keys(local_config: Bundle) -> Iterator[Worker]:
    """A Worker with the secret API_KEYS as the old Worker had it, as in production."""
    with running_worker(
        env_vars={"API_KEYS": "first-plain-key, second-plain-key", "LOG_LEVEL": "warn"}
    ) as w:
        yield w


@pytest.mark.parametrize("key", ["first-plain-key", "second-plain-key"])
def test_keys_of_the_old_format_open_everything_and_are_no_setting_that_cannot_be_used(
    with_old_keys: Worker, key: str
) -> None:
    answer = with_old_keys.http.get(f"{with_old_keys.url}/api/projects", headers={"x-api-key": key})
    assert answer.status_code == 200
    assert with_old_keys.http.get(f"{with_old_keys.url}/health").json()["misconfigured"] == []


@pytest.mark.parametrize("key", ["first-plain-key,second-plain-key", "first", "x" * 40])
def test_nothing_else_opens_them(with_old_keys: Worker, key: str) -> None:
    answer = with_old_keys.http.get(f"{with_old_keys.url}/api/projects", headers={"x-api-key": key})
    assert answer.status_code == 401


def test_at_the_level_of_production_an_event_writes_no_line(with_old_keys: Worker) -> None:
    with_old_keys.send(some_event())
    with_old_keys.act("clear_logs")
    lead = {"event_type": "form_submit", "form_data": {"email": "jane@shop.example"}}
    for event in (some_event(), some_event(**lead), some_event()):
        assert with_old_keys.send(event).status_code == 200
    assert with_old_keys.log_lines() == []
    with_old_keys.act("scheduled", cron="*/5 * * * *")
    warnings = [line for line in with_old_keys.log_lines() if "old format" in str(line)]
    assert [(line["level"], line["event"]) for line in warnings] == [("warn", "old_keys")]
    lines = [line for line in with_old_keys.log_lines() if line["level"] == "info"]
    assert [line["event"] for line in lines] == ["cron_run"]
    assert lines[0]["jobs"]["sync"] == "done"


@pytest.fixture(scope="module")
def with_a_wrong_key(local_config: Bundle) -> Iterator[Worker]:
    """A Worker of whose keys one has a digest that was cut."""
    entries = json.loads(keys())
    wrong = {"name": "hunter2", "role": "admin", "sha256": "ab" * 31}
    with running_worker(env_vars={"API_KEYS": json.dumps([wrong, *entries])}) as running:
        yield running


def test_a_wrong_entry_disables_no_other_key_and_is_named(with_a_wrong_key: Worker) -> None:
    url = with_a_wrong_key.url
    answer = with_a_wrong_key.http.get(f"{url}/api/projects", headers={"x-api-key": ADMIN_KEY})
    assert answer.status_code == 200, answer.text
    assert with_a_wrong_key.send(some_event()).status_code == 200
    assert with_a_wrong_key.http.get(f"{url}/health").json()["misconfigured"] == ["API_KEYS"]
    with_a_wrong_key.act("scheduled", cron="*/5 * * * *")
    lines = [line for line in with_a_wrong_key.log_lines() if line["event"] == "misconfigured"]
    [problem] = lines[-1]["problems"]
    assert "left out is entry 1; the other keys work" in problem
    assert "hunter2" not in problem
