"""Backups: everything is in R2, of one moment, and read back before anybody relies on it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from threading import Event
from time import sleep
from typing import Any

import pytest

from pyodide_bundle import Bundle
from tests.harness.keys import ADMIN_KEY, READ_KEY, keys
from tests.harness.worker import Answer, Worker, running_worker, some_event, some_visitor
from tests.worker.backup_chain import chain_to, index_of, live, manifest_of, restored

CRON = "*/5 * * * *"


@pytest.fixture(scope="module")
def keyed(local_config: Bundle) -> Iterator[Worker]:
    """A Worker of its own, whose runs do a few steps only."""
    with running_worker(env_vars={"API_KEYS": keys(), "BACKUP_RUN_STEPS": "6"}) as running:
        yield running


@pytest.fixture
def worker(keyed: Worker) -> Worker:
    """Without any backup and any visit."""
    for key in keyed.stored_keys():
        keyed.forget(key)
    for table in ("backups", "job_runs", "tracking_events", "sessions", "visitors"):
        keyed.query(f"DELETE FROM {table}")
    return keyed


def run_cron(worker: Worker) -> None:
    assert worker.act("scheduled", cron=CRON)["outcome"] == "ok"


def run_until_done(worker: Worker, most: int = 30) -> None:
    for _ in range(most):
        run_cron(worker)
        if not worker.query("SELECT 1 FROM backups WHERE state = 'running'"):
            return
    raise AssertionError(worker.query("SELECT id, state, progress FROM backups"))


def make_due(worker: Worker, kind: str = "hourly") -> None:
    """Lets an hour pass for the backups of this Worker, or a day."""
    sleep(1)  # an id names the second
    # An hour after the start of a full one it may be before two o'clock, and that one due, too.
    worker.query(
        "UPDATE backups SET finished_at = datetime(finished_at, ?), started_at ="
        " datetime(started_at, ?)",
        *(["-1 hour", "-0 hour"] if kind == "hourly" else ["-1 day"] * 2),
    )


def backups(worker: Worker) -> list[dict[str, Any]]:
    return worker.query("SELECT * FROM backups ORDER BY id")


def newest(worker: Worker) -> str:
    return str(index_of(worker)[0]["id"])


def send(worker: Worker, **fields: object) -> int:
    answer = worker.send(some_event(**fields))
    assert answer.status_code == 200, answer.text
    event_id: int = answer.json()["event_id"]
    return event_id


def test_the_first_run_makes_a_full_backup_of_every_table(worker: Worker) -> None:
    for number in range(250):
        send(worker, page_url=f"https://shop.example/{number}", page_title="Grüße \u2028 'x'")
    run_until_done(worker)
    [entry] = index_of(worker)
    [record] = backups(worker)
    assert (record["kind"], record["state"], record["error"]) == ("full", "verified", None)
    assert entry["id"] == record["id"]
    manifest = manifest_of(worker, entry["id"])
    tables = {
        row["name"] for row in worker.query("SELECT name FROM sqlite_master WHERE type = 'table'")
    }
    own = {name for name in tables if not name.startswith("_cf_")} - {"backups", "row_changes"}
    assert manifest["tables"].keys() == own
    assert manifest["tables"]["tracking_events"]["total"] >= 250
    assert restored(worker, entry["id"]) == live(worker)


def test_a_backup_of_the_hour_holds_what_is_new_changed_and_gone(worker: Worker) -> None:
    kept, changed, gone = (send(worker) for _ in range(3))
    run_until_done(worker)
    full = newest(worker)
    new = send(worker)
    visitor = worker.event(kept)["visitor_id"]
    worker.query("UPDATE tracking_events SET page_title = 'Changed' WHERE id = ?", changed)
    worker.query("DELETE FROM tracking_events WHERE id = ?", gone)
    make_due(worker)
    run_until_done(worker)
    hourly = newest(worker)
    manifest = manifest_of(worker, hourly)
    assert (manifest["kind"], manifest["previous"], manifest["base"]) == ("hourly", full, full)
    assert manifest["tables"]["tracking_events"]["rows"] == 2
    assert manifest["tables"]["visitors"]["rows"] == 2  # also what is left of the event that went
    brief = send(worker)
    worker.query("DELETE FROM tracking_events WHERE id = ?", brief)
    make_due(worker)
    run_until_done(worker)
    # Its session and its visitor stay, though no event leads to them any more.
    assert restored(worker, newest(worker)) == live(worker)
    assert {new, changed} <= {key[0] for key in restored(worker, hourly)["tracking_events"]}
    assert visitor in {key[0] for key in restored(worker, hourly)["visitors"]}


def test_it_is_of_one_moment_while_fifty_events_a_second_arrive(worker: Worker) -> None:
    for _ in range(400):
        send(worker)
    visitor = some_visitor()
    with arriving(worker, visitor) as arrived:
        run_until_done(worker)
        while len(arrived) < 60:
            make_due(worker)
            run_until_done(worker)
    for entry in index_of(worker):
        tables = restored(worker, entry["id"])
        marker = chain_to(worker, entry["id"])[-1]["marker"]
        events = tables["tracking_events"]
        now = live(worker)["tracking_events"]
        assert events == {key: row for key, row in now.items() if row["id"] <= marker["event"]}
        assert {row["session_id"] for row in events.values()} <= {
            key[0] for key in tables["sessions"]
        }
        assert {row["visitor_id"] for row in events.values()} <= {
            key[0] for key in tables["visitors"]
        }
        # One session grows with every event: its row is of the same moment as they are.
        views = Counter(row["session_id"] for row in events.values())
        assert {key[0]: row["page_views"] for key, row in tables["sessions"].items()} == views
        totals = {
            name: table["total"]
            for name, table in chain_to(worker, entry["id"])[-1]["tables"].items()
        }
        assert {name: len(rows) for name, rows in tables.items()} == {
            name: totals[name] for name in tables
        }


def test_a_step_that_was_done_but_not_noted_is_done_again(worker: Worker) -> None:
    for _ in range(120):
        send(worker)
    run_cron(worker)
    [before] = backups(worker)
    assert before["state"] == "running"
    run_cron(worker)
    worker.query(
        "UPDATE backups SET progress = ?, rows = ?, bytes = ?",
        *(before[column] for column in ("progress", "rows", "bytes")),
    )
    run_until_done(worker)
    assert restored(worker, newest(worker)) == live(worker)


def test_two_runs_at_once_make_one_backup(worker: Worker) -> None:
    send(worker)
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda _: run_cron(worker), range(3)))
    run_until_done(worker)
    assert [record["state"] for record in backups(worker)] == ["verified"]
    assert restored(worker, newest(worker)) == live(worker)


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        (lambda worker, key: worker.store(key, worker.stored(key)[:-5]), "has another checksum"),
        (lambda worker, key: worker.forget(key), "is missing"),
    ],
    ids=["truncated", "missing"],
)
def test_what_cannot_be_read_back_has_failed_and_another_one_is_made(
    worker: Worker, damage: Callable[[Worker, str], None], problem: str
) -> None:
    send(worker)
    while not worker.query("SELECT 1 FROM backups WHERE progress ->> 'phase' = 'verify'"):
        run_cron(worker)
    part = [key for key in worker.stored_keys("backups/") if key.endswith(".ndjson.gz")][-1]
    damage(worker, part)
    worker.act("clear_logs")
    run_until_done(worker)
    [record] = backups(worker)
    assert (record["state"], record["error"]) == ("failed", f"{part} {problem}")
    assert index_of(worker) == []
    assert [line["reason"] for line in worker.log_lines() if line["event"] == "backup_failed"] == [
        record["error"]
    ]

    run_cron(worker)
    assert len(backups(worker)) == 1  # not again at once
    worker.query("UPDATE backups SET id = 'earlier', started_at = datetime('now', '-16 minutes')")
    run_until_done(worker)
    assert [record["state"] for record in backups(worker)] == ["verified", "failed"]


def test_an_empty_database_does_not_push_out_the_backup_of_a_full_one(worker: Worker) -> None:
    send(worker)
    run_until_done(worker)
    good = index_of(worker)
    worker.query("DELETE FROM tracking_events")
    worker.query("DELETE FROM backups")
    worker.act("clear_logs")
    run_cron(worker)
    [refused] = [line for line in worker.log_lines() if line["event"] == "backup_refused"]
    assert "no events" in refused["reason"]
    assert "ppp restore" in refused["reason"]
    assert (backups(worker), index_of(worker)) == ([], good)
    answer = ask(worker, "", ADMIN_KEY, "{}")
    assert (answer.status, answer.json()["details"]) == (409, [refused["reason"]])


def test_what_is_too_old_goes_with_its_parts(worker: Worker) -> None:
    send(worker)
    run_until_done(worker)
    [full] = index_of(worker)
    for days, kind in ((31, "full"), (40, "hourly"), (367, "manual")):
        old = {**full, "id": f"old-{days}", "kind": kind, "finished_at": days_ago(days)}
        # The first one of its month would stay.
        first = {**old, "id": f"first-{days}", "finished_at": days_ago(days)[:8] + "01T00:00:00Z"}
        index = [*index_of(worker), old, *([first] if kind == "full" else [])]
        worker.store("backups/index.json", json.dumps({"format": 1, "backups": index}).encode())
        worker.store(f"backups/old-{days}/00001-x.ndjson.gz", b"x")
    run_cron(worker)
    assert [entry["id"] for entry in index_of(worker)] == [full["id"], "first-31"]
    assert worker.stored_keys("backups/old") == []
    assert worker.stored(f"backups/{full['id']}/manifest.json")


def test_the_index_begins_with_the_latest_moment_not_with_what_was_checked_last(
    worker: Worker,
) -> None:
    send(worker)
    run_until_done(worker)
    [full] = index_of(worker)
    # Hourly, of later than the full one that is still being checked.
    later = {**full, "id": "later", "kind": "hourly", "finished_at": days_ago(-1)}
    worker.store("backups/index.json", json.dumps({"format": 1, "backups": [later]}).encode())
    worker.query("DELETE FROM backups")
    sleep(1)  # an id names the second
    run_until_done(worker)
    assert [entry["kind"] for entry in index_of(worker)] == ["hourly", "full"]


def test_one_on_demand_has_a_label_and_is_done_portion_by_portion(worker: Worker) -> None:
    for _ in range(120):
        send(worker)
    answer = ask(worker, "", ADMIN_KEY, json.dumps({"label": "before the deploy"}))
    assert answer.status == 201
    begun = answer.json()["data"]
    assert (begun["kind"], begun["label"], begun["state"], begun["rows"]) == (
        *("manual", "before the deploy", "running", 0),
    )
    again = ask(worker, "", ADMIN_KEY, "{}")
    assert (again.status, again.json()["error"]) == (409, f"Backup {begun['id']} is under way")
    states: list[dict[str, Any]] = []
    while not states or states[-1]["state"] == "running":
        states.append(ask(worker, f"/{begun['id']}/continue", ADMIN_KEY, "").json()["data"])
    assert len(states) > 2
    assert [state["rows"] for state in states] == sorted(state["rows"] for state in states)
    assert (states[-1]["state"], states[-1]["error"]) == ("verified", None)
    assert ask(worker, f"/{begun['id']}/continue", ADMIN_KEY, "").json()["data"] == states[-1]
    assert ask(worker, f"/{begun['id']}").json()["data"] == states[-1]
    assert ask(worker, "").json()["data"] == [states[-1]]
    assert restored(worker, begun["id"]) == live(worker)
    assert manifest_of(worker, begun["id"])["label"] == "before the deploy"


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ('{"label": 1}', "label: must be a text or null"),
        ('{"name": "x"}', "name: is unknown; there is label"),
        ("[]", "the body must be a JSON object"),
    ],
)
def test_a_label_that_is_none_is_refused(worker: Worker, body: str, problem: str) -> None:
    answer = ask(worker, "", ADMIN_KEY, body)
    assert (answer.status, answer.json()["details"]) == (400, [problem])
    assert backups(worker) == []


def test_backups_are_seen_with_a_key_and_made_with_the_role_admin(worker: Worker) -> None:
    assert ask(worker, "").json() == {"success": True, "data": [], "in_bucket": None}
    assert ask(worker, "", "guessed").status == 401
    assert ask(worker, "", READ_KEY, "{}").status == 403
    assert ask(worker, "/none/continue", READ_KEY, "").status == 403
    assert ask(worker, "/none").status == 404
    assert ask(worker, "/none/continue", ADMIN_KEY, "").status == 404


def ask(worker: Worker, path: str, key: str = READ_KEY, body: str | None = None) -> Answer:
    method = "GET" if body is None else "POST"
    return worker.fetch(f"/api/backups{path}", method=method, headers={"x-api-key": key}, body=body)


def days_ago(days: int) -> str:
    return (datetime.now(UTC) - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")


@contextmanager
def arriving(worker: Worker, visitor: str) -> Iterator[list[int]]:
    """Sends fifty events a second, every other one from one visitor, until it is left."""
    arrived: list[int] = []
    ended = Event()

    def send_on() -> None:
        while not ended.wait(0.02):
            cookie = visitor if len(arrived) % 2 else some_visitor()
            arrived.append(send(worker, visitor_cookie=cookie))

    with ThreadPoolExecutor(1) as pool:
        sending = pool.submit(send_on)
        try:
            yield arrived
        finally:
            ended.set()
            sending.result()
