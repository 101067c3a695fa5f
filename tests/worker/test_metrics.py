"""What the metrics cost, and how Prometheus reads them; test_metrics.py in sync/ says the rest."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from pyodide_bundle import Bundle
from services.monitoring.metrics import STATEMENTS
from tests.harness.keys import READ_KEY, keys
from tests.harness.worker import PIXEL, Answer, Row, Worker, running_worker, some_event

# Events of long ago, a quarter of them forms that were synced, each of a visitor of its own.
EVENTS = """
INSERT INTO tracking_events (pixel_id, visitor_id, event_type, timestamp, pipedrive_sync_status)
WITH RECURSIVE numbers (number) AS (
  SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE number < 20000
)
SELECT
  ?, 'visitor-' || number, iif(number % 4, 'pageview', 'form_submit'), '2026-01-01 00:00:00',
  iif(number % 4, NULL, 'synced')
FROM numbers
"""
VISITORS = """
INSERT INTO visitors (id, visitor_cookie)
SELECT visitor_id, visitor_id FROM tracking_events WHERE timestamp = '2026-01-01 00:00:00'
"""
# https://prometheus.io/docs/instrumenting/exposition_formats/#text-format-details
SAMPLE = re.compile(r'(ppp_[a-z_]+)(\{[a-z_]+="[^"\n]*"(?:,[a-z_]+="[^"\n]*")*\})? (-?[0-9.]+)')


@pytest.fixture(scope="module")
def keyed(local_config: Bundle) -> Iterator[Worker]:
    """A Worker with two API keys and one page view."""
    with running_worker(env_vars={"API_KEYS": keys()}) as running:
        running.send(some_event())
        yield running


def ask(worker: Worker, query: str = "") -> Answer:
    return worker.fetch(f"/api/reports/metrics{query}", headers={"x-api-key": READ_KEY})


def metrics(worker: Worker) -> Row:
    samples_by_name: Row = ask(worker).json()["metrics"]
    return samples_by_name


def samples(text: str) -> dict[str, float]:
    """The value of each sample by its name and labels; every line must be understood."""
    samples_by_name: dict[str, float] = {}
    described: set[str] = set()
    assert text.endswith("\n")
    for line in text.splitlines():
        if comment := re.fullmatch(r"# (?:HELP (ppp_[a-z_]+) .+|TYPE (ppp_[a-z_]+) gauge)", line):
            described.add(comment[1] or comment[2])
            continue
        sample = SAMPLE.fullmatch(line)
        assert sample, line
        assert sample[1] in described
        samples_by_name[f"{sample[1]}{sample[2] or ''}"] = float(sample[3])
    return samples_by_name


def test_tables_are_counted_once_an_hour_and_the_answer_says_when(keyed: Worker) -> None:
    first = metrics(keyed)["database"]
    keyed.send(some_event())
    assert metrics(keyed)["database"] == first
    counted_at = datetime.fromisoformat(first["counted_at"])
    assert 0 <= (datetime.now(UTC) - counted_at).total_seconds() < 60
    keyed.query(
        "UPDATE job_runs SET started_at = datetime('now', '-61 minutes') WHERE job = 'count_tables'"
    )
    assert metrics(keyed)["database"]["total_events"] == first["total_events"] + 1


@pytest.mark.parametrize("time", [None, "", "1764410400", "soon", "2026-13-45 00:00:00", "7"])
def test_a_row_whose_time_is_none_hides_no_other(keyed: Worker, time: str | None) -> None:
    keyed.send(some_event())
    keyed.query(
        "INSERT INTO tracking_events (pixel_id, event_type, form_data, timestamp) "
        "VALUES ('ppp-demo-pixel', 'form_submit', '{}', ?)",
        time,
    )
    try:
        last = datetime.fromisoformat(metrics(keyed)["last_event_at"])
        assert (datetime.now(UTC) - last).total_seconds() < 60
    finally:
        keyed.query("DELETE FROM tracking_events WHERE form_data = '{}'")


def test_what_is_remembered_takes_one_row_of_the_ledger_each(keyed: Worker) -> None:
    metrics(keyed)
    keyed.query("UPDATE job_runs SET started_at = '2026-01-01 00:00:00'")
    metrics(keyed)
    rows = keyed.query("SELECT job FROM job_runs ORDER BY job")
    assert [row["job"] for row in rows] == ["count_submissions", "count_tables"]


def test_they_read_as_much_of_large_tables_as_of_small_ones(keyed: Worker) -> None:
    metrics(keyed)

    def rows_read() -> list[int]:
        now = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}"
        since = dict.fromkeys(("tables_counted_since", "submissions_counted_since"), "2026")
        report = json.dumps({"now": now, "hour_ago": "2026-11-01 00:00:00", **since})
        return [keyed.act("query", sql=sql, values=[report])["rows_read"] for sql in STATEMENTS]

    small = rows_read()
    keyed.query(EVENTS, PIXEL)
    keyed.query(VISITORS)
    assert rows_read() == small
    assert sum(small) < 50


def test_the_size_of_the_database_grows_with_it(keyed: Worker) -> None:
    before = metrics(keyed)["database"]["size_bytes"]
    keyed.query("CREATE TABLE ballast AS SELECT zeroblob(1000000) AS zeros")
    assert metrics(keyed)["database"]["size_bytes"] - before >= 1_000_000
    keyed.query("DROP TABLE ballast")


def test_prometheus_reads_the_same_numbers(keyed: Worker) -> None:
    answer = ask(keyed, "?format=prometheus")
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    samples_by_name = samples(answer.body.decode())
    report = metrics(keyed)
    database, recent = report["database"], report["recent_activity"]
    assert samples_by_name["ppp_events"] == database["total_events"]
    assert samples_by_name["ppp_visitors"] == database["unique_visitors"]
    assert samples_by_name["ppp_sessions"] == database["unique_sessions"]
    assert samples_by_name["ppp_active_pixels"] == database["active_pixels"]
    assert samples_by_name["ppp_database_size_bytes"] == database["size_bytes"]
    counted_at = datetime.fromisoformat(database["counted_at"]).timestamp()
    assert samples_by_name["ppp_tables_counted_timestamp_seconds"] == counted_at
    assert samples_by_name["ppp_events_last_hour"] == recent["events_last_hour"]
    for part in ("database", "kv", "rate_limiter"):
        assert samples_by_name[f'ppp_part_healthy{{part="{part}"}}'] == 1
    for kind, number in report["errors_last_hour"].items():
        assert samples_by_name[f'ppp_sync_errors_last_hour{{kind="{kind}"}}'] == number
    assert samples_by_name["ppp_oldest_pending_age_seconds"] == 0


@pytest.mark.parametrize("name", ["xml", "", "Prometheus"])
def test_another_format_is_400(keyed: Worker, name: str) -> None:
    answer = ask(keyed, f"?format={name}")
    assert (answer.status, answer.json()["error"]) == (
        400,
        "format must be one of json, prometheus",
    )
