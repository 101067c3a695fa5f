"""What is over is deleted by the cron, on a real D1 and R2; what is not stays."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.harness.worker import (
    CLAIMED_MANIFEST,
    Row,
    Worker,
    claim_full_backup,
    some_event,
    some_visitor,
)

CRON = "*/5 * * * *"
RETENTION_DAYS = 30
# Unless a setting says otherwise, of both.
PERIOD = 395
STRICT = "strict-pixel"
LENIENT = "lenient-pixel"
# As rows of production may hold them.
UNREADABLE = (
    "no JSON",
    '{"jobs": {"retention_days": "30"}}',
    '{"jobs": {"retention_days": 999999999999}}',
    '{"jobs": 30}',
    # The old Worker wrote it and never read it.
    '{"retention_days": 30}',
    '{"legacy": {"retention_days": 30}}',
)


@pytest.fixture(scope="module")
def retaining(worker: Worker) -> Worker:
    """The Worker with one project whose events are kept for 30 days, and one that keeps all."""
    strict = json.dumps({"jobs": {"retention_days": RETENTION_DAYS}})
    unreadable = [(f"other-pixel-{index}", text) for index, text in enumerate(UNREADABLE)]
    for pixel, configuration in ((STRICT, strict), (LENIENT, None), *unreadable):
        worker.query(
            "INSERT INTO projects (id, name, configuration) VALUES (?1, ?1, ?2)",
            *(pixel, configuration),
        )
        worker.query("INSERT INTO pixels (id, project_id, name) VALUES (?1, ?1, ?1)", pixel)
    claim_full_backup(worker)
    return worker


def run(worker: Worker) -> Row:
    """Runs the cron once; returns what the ledger says of the job."""
    assert worker.act("scheduled", cron=CRON)["outcome"] == "ok"
    [row] = worker.query(
        "SELECT outcome, summary FROM job_runs WHERE job = 'retention' ORDER BY id DESC LIMIT 1"
    )
    assert row["outcome"] == "drained"
    summary: Row = json.loads(row["summary"])
    return summary


def aged(worker: Worker, days: int, pixel: str = STRICT, **fields: object) -> Row:
    """An event of a visitor of its own, with session and visitor, all so many days old."""
    event: Row = worker.send(some_event(pixel_id=pixel, **fields)).json()
    ago = f"-{days} days"
    worker.query(
        "UPDATE tracking_events SET timestamp = datetime('now', ?) WHERE id = ?",
        *(ago, event["event_id"]),
    )
    worker.query(
        "UPDATE sessions SET started_at = datetime('now', ?1), last_activity = datetime('now', ?1) "
        "WHERE id = ?2",
        *(ago, event["session_id"]),
    )
    worker.query(
        "UPDATE visitors SET first_seen = datetime('now', ?1), last_seen = datetime('now', ?1) "
        "WHERE id = ?2",
        *(ago, event["visitor_id"]),
    )
    return event


def is_there(worker: Worker, table: str, row_id: object) -> bool:
    return bool(worker.query(f"SELECT id FROM {table} WHERE id = ?", row_id))


def test_events_go_after_the_days_of_their_project(retaining: Worker) -> None:
    old, young = aged(retaining, RETENTION_DAYS + 1), aged(retaining, RETENTION_DAYS - 1)
    unlimited = aged(retaining, 4_000, LENIENT)
    assert run(retaining)["events"] == 1
    assert not is_there(retaining, "tracking_events", old["event_id"])
    assert is_there(retaining, "tracking_events", young["event_id"])
    assert is_there(retaining, "tracking_events", unlimited["event_id"])
    assert is_there(retaining, "sessions", old["session_id"])


@pytest.mark.parametrize("number", range(len(UNREADABLE)))
def test_what_no_retention_can_be_read_of_is_kept(retaining: Worker, number: int) -> None:
    event = aged(retaining, 4_000, f"other-pixel-{number}")
    assert run(retaining)["events"] == 0
    assert is_there(retaining, "tracking_events", event["event_id"])


def test_a_lead_that_waits_is_kept_until_it_was_sent(retaining: Worker) -> None:
    form: dict[str, Any] = {"event_type": "form_submit", "form_data": {"email": "jane@example.com"}}
    lead = aged(retaining, RETENTION_DAYS + 1, **form)
    assert run(retaining)["events"] == 0
    assert is_there(retaining, "tracking_events", lead["event_id"])
    retaining.query(
        "UPDATE tracking_events SET pipedrive_sync_status = 'synced', pipedrive_due_at = NULL "
        "WHERE id = ?",
        lead["event_id"],
    )
    retaining.query(
        "INSERT INTO pipedrive_persons (destination, person_id, claimed_event_id) VALUES (?, ?, ?)",
        *("default", 5, lead["event_id"]),
    )
    assert run(retaining)["events"] == 1
    assert retaining.query("SELECT * FROM pipedrive_persons") == []


def test_a_form_without_an_address_waits_for_nobody(retaining: Worker) -> None:
    form: dict[str, Any] = {"event_type": "form_submit", "form_data": {"first_name": "Jane"}}
    lead = aged(retaining, RETENTION_DAYS + 1, **form)
    assert run(retaining)["events"] == 1
    assert not is_there(retaining, "tracking_events", lead["event_id"])


def test_one_run_deletes_a_portion_and_the_next_one_goes_on(retaining: Worker) -> None:
    retaining.query(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5200) "
        "INSERT INTO tracking_events (project_id, pixel_id, page_url, timestamp) "
        "SELECT ?1, ?1, 'https://shop.example/', datetime('now', '-2 years') FROM n",
        STRICT,
    )
    assert [run(retaining)["events"] for _ in range(3)] == [5_000, 200, 0]


def test_sessions_and_visitors_without_events_go_after_their_own_periods(retaining: Worker) -> None:
    young, old = aged(retaining, PERIOD - 1), aged(retaining, PERIOD + 1)
    returned = aged(retaining, PERIOD + 1)
    retaining.query(
        "UPDATE visitors SET last_seen = datetime('now') WHERE id = ?", returned["visitor_id"]
    )
    with_event = aged(retaining, PERIOD + 1, LENIENT)
    run(retaining)
    events = (young, returned, old)
    exists = [is_there(retaining, "sessions", event["session_id"]) for event in events]
    assert exists == [True, False, False]
    exists = [is_there(retaining, "visitors", event["visitor_id"]) for event in events]
    assert exists == [True, True, False]
    assert is_there(retaining, "sessions", with_event["session_id"])
    assert is_there(retaining, "visitors", with_event["visitor_id"])


def test_the_walk_goes_round_all_sessions_in_stretches(retaining: Worker) -> None:
    visitor = retaining.send(some_event()).json()["visitor_id"]
    retaining.query(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2500) "
        "INSERT INTO sessions (id, visitor_id, pixel_id, session_cookie, last_activity) "
        "SELECT 'walk-' || i, ?, ?, 'walk-' || i, datetime('now', '-2 years') FROM n",
        *(visitor, STRICT),
    )
    deleted_ids: list[int] = []
    while sum(deleted_ids) < 2_500:
        assert len(deleted_ids) < 6
        deleted_ids.append(run(retaining)["sessions"])
    assert max(deleted_ids) <= 1_000
    assert is_there(retaining, "visitors", visitor)


def test_archived_days_go_with_the_events_of_their_age(retaining: Worker) -> None:
    today = datetime.now(UTC)
    days = [(today - timedelta(days=days)).strftime("%Y-%m-%d") for days in (29, 31, 400)]
    for pixel in (STRICT, LENIENT):
        for day in days:
            retaining.store(f"archive/{pixel}/{day}/1-2.ndjson.gz", b"x")
            retaining.store(f"archive/{pixel}/{day}/1-2.json", b"{}")
    assert run(retaining)["archived_parts"] == 2
    assert retaining.stored_keys(f"archive/{STRICT}/") == [
        f"archive/{STRICT}/{days[0]}/1-2.json",
        f"archive/{STRICT}/{days[0]}/1-2.ndjson.gz",
    ]
    assert len(retaining.stored_keys(f"archive/{LENIENT}/")) == 6


def test_the_old_log_and_requests_that_nobody_goes_on_with_go_too(retaining: Worker) -> None:
    log = "INSERT INTO system_logs (timestamp, category, action, message) VALUES (?, 'a', 'b', 'c')"
    retaining.query(log, "2020-01-01 00:00:00")
    retaining.query(log, datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S"))
    request = (
        "INSERT INTO privacy_requests (id, kind, asked_by, started_at) VALUES (?, ?, 'email', ?)"
    )
    yesterday = (datetime.now(UTC) - timedelta(hours=25)).strftime("%Y-%m-%d %H:%M:%S")
    old_visitor, receipt = some_visitor(), some_visitor()
    retaining.query(request, old_visitor, "find", yesterday)
    retaining.query(request, receipt, "erase", yesterday)
    assert run(retaining)["old_log_rows"] == 1
    assert retaining.query("SELECT count(*) AS number FROM system_logs")[0]["number"] == 1
    assert not is_there(retaining, "privacy_requests", old_visitor)
    assert is_there(retaining, "privacy_requests", receipt)


def test_what_it_deleted_stands_in_one_line_of_the_log(retaining: Worker) -> None:
    aged(retaining, RETENTION_DAYS + 1)
    retaining.act("clear_logs")
    run(retaining)
    run(retaining)
    [line] = [line for line in retaining.log_lines() if line["event"] == "retention_run"]
    assert line["events"] == 1


@pytest.fixture
def without_backup(retaining: Worker) -> Iterator[Worker]:
    retaining.query("DELETE FROM backups")
    # The Worker's own would be there with the next run.
    retaining.query(
        "CREATE TRIGGER no_backup BEFORE INSERT ON backups BEGIN SELECT RAISE(IGNORE); END"
    )
    yield retaining
    retaining.query("DROP TRIGGER no_backup")
    claim_full_backup(retaining)


def test_nothing_is_deleted_before_a_full_backup_is_verified(without_backup: Worker) -> None:
    worker = without_backup
    old = aged(worker, PERIOD + 1)
    worker.act("clear_logs")
    assert worker.act("scheduled", cron=CRON)["outcome"] == "ok"
    assert is_there(worker, "tracking_events", old["event_id"])
    assert is_there(worker, "sessions", old["session_id"])
    assert [line for line in worker.log_lines() if line["event"] == "retention_waits"]
    [row] = worker.query(
        "SELECT outcome FROM job_runs WHERE job = 'retention' ORDER BY id DESC LIMIT 1"
    )
    assert row["outcome"] == "no_backup"


@pytest.mark.parametrize(
    ("hours", "state", "kind"),
    [
        (25, "verified", "full"),
        (1, "running", "full"),
        (1, "failed", "full"),
        (1, "verified", "hourly"),
    ],
)
def test_no_other_backup_counts(without_backup: Worker, hours: int, state: str, kind: str) -> None:
    worker = without_backup
    worker.query("DROP TRIGGER no_backup")
    claim_full_backup(worker, hours)
    worker.query("UPDATE backups SET state = ?, kind = ?", state, kind)
    worker.query(
        "CREATE TRIGGER no_backup BEFORE INSERT ON backups BEGIN SELECT RAISE(IGNORE); END"
    )
    old = aged(worker, RETENTION_DAYS + 1)
    worker.act("scheduled", cron=CRON)
    assert is_there(worker, "tracking_events", old["event_id"])


def test_an_event_that_came_after_the_backup_waits_for_the_next_one(
    without_backup: Worker,
) -> None:
    worker = without_backup
    backed_up, younger = aged(worker, RETENTION_DAYS + 1), aged(worker, RETENTION_DAYS + 1)
    worker.query("DROP TRIGGER no_backup")
    claim_full_backup(worker, newest_event=backed_up["event_id"])
    worker.query(
        "CREATE TRIGGER no_backup BEFORE INSERT ON backups BEGIN SELECT RAISE(IGNORE); END"
    )
    run(worker)
    assert not is_there(worker, "tracking_events", backed_up["event_id"])
    assert is_there(worker, "tracking_events", younger["event_id"])


def test_a_backup_that_is_not_whole_in_r2_or_is_of_another_database_does_not_count(
    without_backup: Worker,
) -> None:
    worker = without_backup
    worker.query("DROP TRIGGER no_backup")
    claim_full_backup(worker)
    worker.query(
        "CREATE TRIGGER no_backup BEFORE INSERT ON backups BEGIN SELECT RAISE(IGNORE); END"
    )
    part = CLAIMED_MANIFEST.replace("manifest.json", "00001-visitors.ndjson.gz")
    [identity] = worker.query("SELECT id FROM database_identity")
    whole = {"format": 1, "parts": [{"key": part}], "database_id": identity["id"]}
    worker.store(part, b"")
    old = aged(worker, RETENTION_DAYS + 1)
    others: list[object] = [None, {**whole, "database_id": "another"}, {**whole, "format": 2}, []]
    for manifest in others:
        worker.forget(CLAIMED_MANIFEST)
        if manifest is not None:
            worker.store(CLAIMED_MANIFEST, json.dumps(manifest).encode())
        assert worker.act("scheduled", cron=CRON)["outcome"] == "ok"
        assert is_there(worker, "tracking_events", old["event_id"]), manifest
    worker.store(CLAIMED_MANIFEST, json.dumps(whole).encode())
    worker.forget(part)
    worker.act("scheduled", cron=CRON)
    assert is_there(worker, "tracking_events", old["event_id"])
    worker.store(part, b"")
    run(worker)
    assert not is_there(worker, "tracking_events", old["event_id"])


def test_each_project_loses_only_what_its_own_days_say_and_the_backup_holds(
    retaining: Worker,
) -> None:
    worker = retaining
    longer = json.dumps({"jobs": {"retention_days": 100}})
    worker.query("INSERT INTO projects (id, name, configuration) VALUES ('l', 'l', ?)", longer)
    worker.query("INSERT INTO pixels (id, project_id, name) VALUES ('longer-pixel', 'l', 'l')")
    held = [aged(worker, 101, "longer-pixel"), aged(worker, 99, "longer-pixel"), aged(worker, 99)]
    claim_full_backup(worker, newest_event=held[-1]["event_id"])
    younger = [aged(worker, 101, "longer-pixel"), aged(worker, 99)]
    try:
        run(worker)
    finally:
        claim_full_backup(worker)
    present = [
        is_there(worker, "tracking_events", event["event_id"]) for event in (*held, *younger)
    ]
    assert present == [False, True, False, True, True]
