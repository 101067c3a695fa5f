"""Every lead reaches its end, whatever happens to KV, to the cron, to the process."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Thread

import httpx
import pytest

from paths import LOCAL_CONFIG, ROOT
from simulator.faults import Fault
from simulator.server import simulator
from tests.harness.direct import count, running_directly
from tests.harness.prepared import database_file
from tests.harness.sync import CRON, Lab, settings_for, some_email
from tests.harness.worker import BROWSER, Worker, running_worker, some_address, some_event


def test_leads_are_sent_though_kv_lost_every_timer(lab: Lab) -> None:
    emails = [some_email() for _ in range(3)]
    persons = [lab.person(email) for email in emails]
    events = [lab.submit(email) for email in emails]
    lab.worker.act("kv_clear")

    assert lab.sync()["synced"] == 3
    assert [lab.status(event) for event in events] == [
        ("synced", str(person)) for person in persons
    ]


def test_leads_are_sent_after_two_days_without_a_cron(lab: Lab) -> None:
    email = some_email()
    person = lab.person(email)
    event_id = lab.submit(email)
    lab.worker.query(
        "UPDATE tracking_events SET timestamp = datetime('now', '-2 days'), "
        "created_at = datetime('now', '-2 days'), "
        "pipedrive_due_at = datetime('now', '-2 days', '+7 minutes') WHERE id = ?",
        event_id,
    )
    lab.worker.act("kv_clear")

    assert lab.run()["synced"] == 1
    assert lab.status(event_id) == ("synced", str(person))


def test_a_run_looks_at_its_timers_first_and_forgets_those_that_went_off(lab: Lab) -> None:
    events = [lab.submit(some_email()) for _ in range(3)]
    waiting = lab.submit(some_email())
    lab.worker.query(
        "UPDATE tracking_events SET pipedrive_due_at = '2026-01-01' WHERE id IN (?, ?, ?)", *events
    )
    lab.worker.act("kv_clear")
    due = [[f"sync:20260101T000000Z:{event}", str(event)] for event in events]
    later = ["sync:20990101T000000Z:7", str(waiting)]
    lab.worker.act("kv_put", entries=[*due, later, ["sync:nonsense", "x"]])

    line = lab.run()

    assert (line["not_found"], line["timer_lists"]) == (3, 1)
    timer_keys = [name for name, _ in lab.worker.act("kv_entries") if name.startswith("sync:")]
    assert timer_keys == ["sync:20990101T000000Z:7", "sync:nonsense"]


def test_two_runs_at_once_send_every_lead_once(lab: Lab) -> None:
    emails = [some_email() for _ in range(20)]
    for email in emails:
        lab.person(email)
        lab.submit(email)
    lab.pipedrive.faults.add(Fault("slow", "search", times=5, seconds=0.3))
    lab.time_passes()
    lab.worker.act("clear_logs")

    with ThreadPoolExecutor(3) as runs:
        list(runs.map(lambda _: lab.worker.act("scheduled", cron=CRON), range(3)))

    assert lab.pipedrive.calls("search") == lab.pipedrive.calls("update") == 20
    events_logged = [line["event"] for line in lab.worker.log_lines()]
    assert (events_logged.count("sync_run"), events_logged.count("sync_busy")) == (1, 2)


def test_a_run_that_lost_its_lease_writes_no_status(lab: Lab) -> None:
    email = some_email()
    lab.person(email)
    event_id = lab.submit(email)
    fault = lab.pipedrive.faults.add(Fault("slow", "update", seconds=1))
    lab.time_passes()
    run = Thread(target=lab.worker.act, args=("scheduled",), kwargs={"cron": CRON})
    run.start()
    assert fault.reached.wait(10)
    lab.worker.query(
        "UPDATE tracking_events SET pipedrive_lease = 'of another run' WHERE id = ?", event_id
    )
    run.join()

    row = lab.worker.event(event_id)
    assert row["pipedrive_sync_status"] is None
    assert row["pipedrive_lease"] == "of another run"


def test_a_run_that_died_holds_nobody_up_longer_than_its_lease(lab: Lab) -> None:
    event_id = lab.submit(some_email())
    lab.worker.query(
        "INSERT INTO job_runs (job, run, started_at, lease_until) VALUES "
        "('pipedrive_sync', 'died', datetime('now', '-9 minutes'), datetime('now', '+2 minutes'))"
    )
    assert lab.sync()["event"] == "sync_busy"
    lab.worker.query("UPDATE job_runs SET lease_until = datetime('now', '-1 second')")

    lab.sync()

    assert lab.status(event_id) == ("not_found", None)
    runs = lab.worker.query("SELECT outcome FROM job_runs WHERE job = 'pipedrive_sync' ORDER BY id")
    assert [run["outcome"] for run in runs] == [None, "drained"]


def test_every_run_is_one_line_of_the_log_and_one_row_of_the_ledger(lab: Lab) -> None:
    email = some_email()
    lab.person(email)
    lab.submit(email)
    lab.submit(some_email())
    line = lab.sync()

    [row] = lab.worker.query("SELECT * FROM job_runs WHERE job = 'pipedrive_sync'")
    assert (row["job"], row["outcome"]) == ("pipedrive_sync", "drained")
    assert row["run"] == line["request_id"]
    summary = json.loads(row["summary"])
    assert (
        (summary["synced"], summary["not_found"]) == (1, 1) == (line["synced"], line["not_found"])
    )


def test_a_budget_that_is_spent_ends_the_run_in_order(local_config: object) -> None:
    with simulator() as pipedrive:
        pipedrive.limits.requests_per_window = pipedrive.limits.searches_per_window = None
        settings = {**settings_for(pipedrive), "SYNC_RUN_REQUESTS": "13", "SYNC_PORTION": "4"}
        with running_worker(env_vars=settings) as worker:
            lab = Lab(worker, pipedrive)
            events = [lab.submit(some_email()) for _ in range(10)]
            line = lab.sync()
            # One request for the fields and one search for each lead; six are kept for a lead.
            assert line["outcome"] == "budget_spent"
            assert len(pipedrive.requests) <= 13
            not_found = line["not_found"]
            assert 0 < not_found < 10
            retries = {worker.event(event)["pipedrive_retry_count"] for event in events}
            assert retries == {0}

            runs = 1
            while lab.run()["outcome"] != "drained":
                runs += 1
            assert {lab.status(event) for event in events} == {("not_found", None)}
            assert runs < 5


@pytest.fixture(scope="module")
def without_kv(local_config: object) -> Iterator[Lab]:
    """A Worker that has no KV at all."""
    config = json.loads(LOCAL_CONFIG.read_text(encoding="utf-8"))
    del config["kv_namespaces"]
    path = ROOT / "wrangler.without-kv.json"
    path.write_text(json.dumps(config), encoding="utf-8")
    try:
        with simulator() as pipedrive, running_worker(path.name, settings_for(pipedrive)) as worker:
            yield Lab(worker, pipedrive)
    finally:
        path.unlink()


def test_without_kv_leads_are_stored_repeated_and_sent_all_the_same(without_kv: Lab) -> None:
    email = some_email()
    person = without_kv.person(email)
    event = some_event(event_type="form_submit", event_key="key-1234", form_data={"email": email})
    without_kv.worker.act("clear_logs")
    first = without_kv.worker.send(event)
    repeated = without_kv.worker.send(event)
    assert first.status_code == repeated.status_code == 200
    assert first.json()["event_id"] == repeated.json()["event_id"]
    assert [x for x in without_kv.worker.log_lines() if x["event"] == "timer_not_set"]

    without_kv.sync()

    assert without_kv.status(first.json()["event_id"]) == ("synced", str(person))
    assert [x for x in without_kv.worker.log_lines() if x["event"] == "timers_unavailable"]


@pytest.fixture(scope="module")
def unconfigured(local_config: object) -> Iterator[Worker]:
    """A Worker that was never told of Pipedrive."""
    with running_worker() as worker:
        yield worker


def test_without_an_api_key_leads_wait_and_the_log_says_what_is_missing(
    unconfigured: Worker,
) -> None:
    event = some_event(event_type="form_submit", form_data={"email": some_email()})
    event_id = unconfigured.send(event).json()["event_id"]
    unconfigured.query("UPDATE tracking_events SET pipedrive_due_at = '2026-01-01'")
    unconfigured.act("clear_logs")
    unconfigured.act("scheduled", cron=CRON)

    [line] = [x for x in unconfigured.log_lines() if x["event"] == "sync_not_configured"]
    assert "PIPEDRIVE_API_KEY" in line["reason"]
    assert unconfigured.event(event_id)["pipedrive_sync_status"] is None


def test_without_a_field_map_leads_wait_and_say_why(local_config: object) -> None:
    with simulator() as pipedrive:
        settings = settings_for(pipedrive)
        del settings["PIPEDRIVE_FIELDS"]
        with running_worker(env_vars=settings) as worker:
            lab = Lab(worker, pipedrive)
            event_id = lab.submit(some_email())
            lab.sync()
            assert lab.status(event_id) == (None, None)
            assert lab.reason(event_id) == "PIPEDRIVE_FIELDS is not set"
            assert pipedrive.requests == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PIPEDRIVE_FIELDS", '{"utm_source": "short"}'),
        ("PIPEDRIVE_ACCOUNTS", "not json"),
        ("SYNC_TIME_ZONE", "Mars/Olympus"),
    ],
)
def test_a_wrong_setting_of_the_sync_holds_leads_up_but_loses_none(
    local_config: object, name: str, value: str
) -> None:
    with simulator() as pipedrive:
        settings = {**settings_for(pipedrive), name: value}
        with running_worker(env_vars=settings) as worker:
            lab = Lab(worker, pipedrive)
            event_id = lab.submit(some_email())
            line = lab.sync()
            assert line["event"] == "sync_misconfigured"
            assert name in line["reason"]
            assert lab.status(event_id) == (None, None)


def test_a_database_that_fails_during_a_run_loses_nothing(lab: Lab) -> None:
    email = some_email()
    person = lab.person(email)
    event_id = lab.submit(email)
    lab.time_passes()
    lab.worker.query("ALTER TABLE visitors RENAME TO away")
    assert lab.run()["event"] == "sync_failed"
    lab.worker.query("ALTER TABLE away RENAME TO visitors")
    assert lab.run()["event"] == "sync_busy"

    lab.worker.query("UPDATE job_runs SET lease_until = datetime('now', '-1 second')")
    lab.sync()
    assert lab.status(event_id) == ("synced", str(person))


# ---- the process is killed ----------------------------------------------------------------------


def test_a_kill_between_the_patch_and_the_status_loses_nothing(
    bundle: Path, migrated_storage: Path, tmp_path: Path
) -> None:
    storage = shutil.copytree(migrated_storage, tmp_path / "storage")
    config = json.loads(LOCAL_CONFIG.read_text(encoding="utf-8"))
    email = some_email()
    with simulator() as pipedrive:
        person = pipedrive.account.add_person("Jane Doe", [email])
        settings = {
            **settings_for(pipedrive),
            "SYNC_DELAY_SECONDS": "1",
            "SYNC_LEAD_SECONDS": "2",
            "SYNC_LEASE_SECONDS": "5",
        }
        fault = Fault("hang_after", "update", seconds=30)
        pipedrive.faults.add(fault)

        def run_cron(url: str) -> None:
            try:
                httpx.get(f"{url}/cdn-cgi/handler/scheduled", params={"cron": CRON}, timeout=300)
            except httpx.HTTPError:
                return

        with running_directly(bundle, "entry.py", config, storage, settings) as worker:
            event = some_event(event_type="form_submit", form_data={"email": email})
            headers = {"cf-connecting-ip": some_address(), "user-agent": BROWSER}
            answer = httpx.post(f"{worker.url}/e", content=json.dumps(event), headers=headers)
            event_id = answer.json()["event_id"]
            with sqlite3.connect(database_file(storage)) as database:
                database.execute("UPDATE tracking_events SET pipedrive_due_at = '2026-01-01'")
            database.close()
            cron = Thread(target=run_cron, args=(worker.url,))
            cron.start()
            assert fault.reached.wait(20)
            worker.kill()
            cron.join()

        pending = "SELECT count(*) FROM tracking_events WHERE pipedrive_sync_status IS NULL"
        assert count(storage, pending) == 1
        assert pipedrive.account.person(person).writes

        with sqlite3.connect(database_file(storage)) as database:
            database.execute("UPDATE tracking_events SET pipedrive_due_at = '2026-01-01'")
            database.execute("UPDATE job_runs SET lease_until = '2026-01-01'")
        database.close()
        with running_directly(bundle, "entry.py", config, storage, settings) as worker:
            run_cron(worker.url)

        count_synced = (
            "SELECT count(*) FROM tracking_events WHERE pipedrive_sync_status = 'synced'"
            f" AND id = {event_id} AND pipedrive_person_id = '{person}'"
        )
        assert count(storage, count_synced) == 1
        # Written twice, with the same values.
        first, second = (
            custom_fields for _, custom_fields in pipedrive.account.person(person).writes
        )
        assert first == second
