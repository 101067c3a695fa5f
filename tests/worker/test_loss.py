"""A database that was deleted or set back is noticed, and no event is lost meanwhile."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from ops.backup.high_water import FORGET_BACKUPS
from pyodide_bundle import Bundle
from services.core.stored_time import format_stored_time
from services.loss.contents import (
    COUNT_EVENTS,
    MAX_EVENTS_MEANWHILE,
    READ_CONTENTS,
    DatabaseContents,
)
from services.loss.high_water_mark import accepted_mark, parse_mark
from services.loss.row_counts import READ_LEDGERS
from tests.harness.keys import ADMIN_KEY, keys
from tests.harness.sync import wait_until
from tests.harness.waiting import waiting_objects
from tests.harness.worker import (
    PIXEL,
    Row,
    Worker,
    running_worker,
    seed,
    some_event,
    some_visitor,
)
from tests.worker.backup_chain import index_of, live, restored

CRON = "*/5 * * * *"
MARK = "backups/high-water.json"
JANE = "0123456789abcdef"
ADMIN = {"authorization": f"Bearer {ADMIN_KEY}"}


@pytest.fixture(scope="module")
def keyed(local_config: Bundle) -> Iterator[Worker]:
    with running_worker(env_vars={"API_KEYS": keys()}) as running:
        yield running


def recreate(worker: Worker) -> None:
    """Deletes the database, creates it anew and applies the migrations."""
    worker.act("drop_tables")
    worker.act("make_schema")
    seed(worker)


@pytest.fixture
def worker(keyed: Worker) -> Worker:
    """A new database with a second pixel, twenty events and a full backup."""
    keyed.forget(*keyed.stored_keys())
    keyed.act("kv_clear")
    recreate(keyed)
    keyed.query(
        "INSERT INTO pixels (id, project_id, name)"
        " SELECT 'second-pixel', project_id, 'Second' FROM pixels WHERE id = ?",
        PIXEL,
    )
    for _ in range(20):
        assert keyed.send(some_event()).status_code == 200
    run_cron(keyed)
    assert index_of(keyed)[0]["events"] == 20
    return keyed


def run_cron(worker: Worker) -> list[Row]:
    """The alerts of one run."""
    worker.act("clear_logs")
    assert worker.act("scheduled", cron=CRON)["outcome"] == "ok"
    lines = worker.log_lines()
    assert not [line for line in lines if line["event"].endswith("_crashed")], lines
    return [line for line in lines if line["event"] == "alert"]


def wait_for_another_second(worker: Worker, table: str) -> None:
    """Until what begins has a later time than the newest row."""
    [newest] = worker.query(f"SELECT max(started_at) AS at FROM {table}")
    wait_until(lambda: newest["at"] < format_stored_time(datetime.now(UTC)), 3)


def back_up(worker: Worker) -> list[Row]:
    """The alerts of a run in which the next hourly backup is due, in another second."""
    wait_for_another_second(worker, "backups")
    worker.query("UPDATE backups SET finished_at = datetime(finished_at, '-50 minutes')")
    return run_cron(worker)


def mark_of(worker: Worker) -> dict[str, Any]:
    content = worker.stored(MARK)
    assert content is not None
    mark: dict[str, Any] = json.loads(content)
    return mark


def identity_of(worker: Worker) -> Row:
    return worker.query("SELECT id, generation FROM database_identity")[0]


def contents_of(worker: Worker) -> dict[str, list[Row]]:
    """Every row of the tables that events are in, as a backup would bring them back."""
    tables = ("database_identity", "projects", "pixels", "visitors", "sessions", "tracking_events")
    return {table: worker.query(f"SELECT * FROM {table}") for table in tables}


def restore(worker: Worker, contents: dict[str, list[Row]]) -> None:
    """Brings the rows back, with a new generation, which the mark gets by the acceptance."""
    for table in reversed(contents):
        worker.query(f"DELETE FROM {table}")
    for table, rows in contents.items():
        for row in rows:
            places = ", ".join("?" * len(row))
            worker.query(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({places})", *row.values())
    worker.query("UPDATE database_identity SET generation = 'restored'")
    worker.store(MARK, json.dumps(mark_of(worker) | {"generation": "restored"}).encode())


def lead(**fields: object) -> dict[str, object]:
    return some_event(event_type="form_submit", form_data={"email": "jane@example.com"}, **fields)


def assert_waits(answer: httpx.Response) -> None:
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0


def test_the_mark_says_what_the_database_holds_and_only_rises(worker: Worker) -> None:
    mark = mark_of(worker)
    assert {name: mark[name] for name in ("format", "events", "highest_event", "pixels")} == {
        "format": 1,
        "events": 20,
        "highest_event": 20,
        "pixels": worker.query("SELECT count(*) AS number FROM pixels")[0]["number"],
    }
    assert mark["database_id"] == identity_of(worker)["id"]
    # As somebody does with the events of a test.
    worker.query("DELETE FROM tracking_events WHERE id > 12")
    assert run_cron(worker) == []
    changing = {name: mark[name] for name in ("seen_at", "last_run")}
    assert {**mark_of(worker), **changing} == mark
    assert mark["counts"]["events"] == 20
    assert back_up(worker) == []
    assert mark_of(worker)["counts"]["events"] == 12
    worker.send(some_event())
    run_cron(worker)
    assert mark_of(worker)["highest_event"] == 21


def test_a_database_made_anew_stores_nothing_alarms_and_is_not_backed_up(worker: Worker) -> None:
    before = mark_of(worker)
    entries = index_of(worker)
    recreate(worker)

    # Before the next cron: one event of a seeded pixel, one of a pixel that only the lost one had.
    assert_waits(worker.send(some_event()))
    assert_waits(worker.send(some_event(pixel_id="second-pixel")))
    assert worker.query("SELECT count(*) AS number FROM tracking_events") == [{"number": 0}]
    assert len(worker.stored_keys("waiting/")) == 2

    [alert] = run_cron(worker)
    [summary] = [line for line in worker.log_lines() if line["event"] == "cron_run"]
    assert summary["healthy"] is False
    assert (alert["problem"], alert["severity"]) == ("database_lost", "P1")
    assert "20 events" in alert["text"]
    assert "ppp restore" in alert["text"]
    assert mark_of(worker) == before
    assert index_of(worker) == entries
    assert worker.query("SELECT id FROM backups") == []
    [run] = worker.query("SELECT outcome, summary FROM job_runs WHERE job = 'backup'")
    assert run["outcome"] == "refused"
    assert "another database" in run["summary"]
    idle = worker.query("SELECT job FROM job_runs WHERE job IN ('retention', 'archive')")
    assert idle == []
    refused = worker.http.post(f"{worker.url}/api/backups", headers=ADMIN, json={})
    assert refused.status_code == 409
    assert "another database" in refused.text
    health = worker.http.get(f"{worker.url}/health")
    assert health.status_code == 503
    assert before["database_id"] not in health.text


def test_what_waits_is_stored_once_when_the_database_is_back(worker: Worker) -> None:
    repeated = lead(event_key="submission-one")
    first = worker.send(repeated).json()
    run_cron(worker)
    contents = contents_of(worker)
    lost = lead(event_key="submission-two")
    assert worker.send(lost).status_code == 200
    run_cron(worker)

    recreate(worker)
    visitor = some_visitor()
    waiting = [
        some_event(visitor_cookie=visitor, event_key=f"page-view-{number}", sequence=number)
        for number in range(1, 4)
    ]
    for event in (*waiting, lost, repeated, waiting[0]):
        assert_waits(worker.send(event))
    assert len(worker.stored_keys("waiting/")) == 5
    assert "jane" not in str(worker.stored_keys("waiting/"))
    [alert] = run_cron(worker)
    assert alert["problem"] == "database_lost"
    assert len(worker.stored_keys("waiting/")) == 5

    restore(worker, contents)
    worker.query("UPDATE sqlite_sequence SET seq = 22 WHERE name = 'tracking_events'")
    # Isolates write what they answered 503 within seconds; what an earlier test was answered, too.
    wait_until(
        lambda: worker.query("SELECT total(number) AS n FROM failed_requests")[0]["n"] >= 6, 30
    )
    alerts = {alert["problem"]: alert["state"] for alert in run_cron(worker)}
    assert alerts == {"database_lost": "over", "many_errors": "new"}
    assert worker.stored_keys("waiting/") == []
    stored = worker.query(
        "SELECT tracking_events.* FROM tracking_events JOIN visitors ON visitors.id = visitor_id"
        " WHERE visitor_cookie = ? ORDER BY tracking_events.id",
        visitor,
    )
    assert [row["visitor_sequence"] for row in stored] == [1, 2, 3]
    assert len({row["session_id"] for row in stored}) == 1

    # A lead whose row came back has its own answer; one that was lost is stored again, once.
    for _ in range(2):
        again = worker.send(repeated).json()
        assert (again["event_id"], again["visitor_id"]) == (first["event_id"], first["visitor_id"])
        answer = worker.send(lost)
        assert answer.status_code == 200
        row = worker.event(answer.json()["event_id"])
        assert row["event_key"] == "submission-two"
    keyed = worker.query("SELECT event_key FROM tracking_events WHERE event_type = 'form_submit'")
    assert sorted(row["event_key"] for row in keyed) == ["submission-one", "submission-two"]
    assert run_cron(worker) == []


def test_without_tables_events_wait_and_the_alarm_says_so(worker: Worker) -> None:
    worker.act("drop_tables")
    assert_waits(worker.send(some_event()))
    assert len(worker.stored_keys("waiting/")) == 1
    [alert] = run_cron(worker)
    assert alert["problem"] == "database_lost"
    assert "has no tables" in alert["text"]


def test_a_database_that_was_set_back_is_lost_until_somebody_accepts_it(worker: Worker) -> None:
    worker.query("DELETE FROM tracking_events WHERE id > 10")
    worker.query("UPDATE sqlite_sequence SET seq = 10 WHERE name = 'tracking_events'")
    [alert] = run_cron(worker)
    assert alert["problem"] == "database_lost"
    assert "set back" in alert["text"]
    # It is the same database: its events are stored.
    assert worker.send(some_event()).status_code == 200


def test_an_answer_for_a_row_that_is_gone_is_not_given_again(worker: Worker) -> None:
    event = lead(event_key="submission-three")
    first = worker.send(event).json()
    worker.query("DELETE FROM tracking_events WHERE id = ?", first["event_id"])
    worker.query("UPDATE sqlite_sequence SET seq = 20 WHERE name = 'tracking_events'")
    stranger = worker.send(some_event()).json()
    assert stranger["event_id"] == first["event_id"]
    again = worker.send(event).json()
    assert again["event_id"] != first["event_id"]
    assert worker.event(again["event_id"])["event_key"] == "submission-three"


def test_an_unknown_pixel_is_refused_unless_there_were_more_pixels(worker: Worker) -> None:
    assert worker.send(some_event(pixel_id="pixel-nobody-had")).status_code == 400
    worker.query("DELETE FROM pixels WHERE id = 'second-pixel'")
    assert_waits(worker.send(some_event(pixel_id="second-pixel")))
    assert worker.send(some_event()).status_code == 200


@pytest.mark.parametrize("content", [b"{", b'{"format": 2}', b"\xff", None])
def test_a_mark_that_is_gone_or_damaged_is_said_once_and_made_anew(
    worker: Worker, content: bytes | None
) -> None:
    before = mark_of(worker)
    take_mark(worker, content)
    assert run_cron(worker) == []
    events = [line["event"] for line in worker.log_lines()]
    assert events.count("mark_missing" if content is None else "mark_unreadable") >= 1
    assert mark_of(worker)["highest_event"] == 20
    # A backup remembers what it counted, too.
    assert mark_of(worker)["counts"]["events"] == before["counts"]["events"]
    run_cron(worker)
    assert not {"mark_missing", "mark_unreadable"} & {line["event"] for line in worker.log_lines()}


def take_mark(worker: Worker, content: bytes | None) -> None:
    if content is None:
        worker.forget(MARK)
    else:
        worker.store(MARK, content)


def test_a_new_installation_without_a_mark_and_without_backups_is_healthy(worker: Worker) -> None:
    worker.forget(*worker.stored_keys())
    recreate(worker)
    assert worker.send(some_event()).status_code == 200
    assert run_cron(worker) == []
    assert mark_of(worker)["highest_event"] == 1
    assert httpx.get(f"{worker.url}/health").status_code == 200


def test_behind_a_mark_that_is_gone_rows_that_were_deleted_by_hand_are_a_loss(
    worker: Worker,
) -> None:
    worker.forget(MARK)
    worker.query("DELETE FROM tracking_events WHERE id BETWEEN 2 AND 19")
    [alert] = back_up(worker)
    assert "18 of 20 events are gone" in alert["text"]


def test_rows_that_were_deleted_by_hand_are_a_loss_however_many_come_since(worker: Worker) -> None:
    entries = index_of(worker)
    worker.query("DELETE FROM tracking_events WHERE id > 1")
    assert worker.send(some_event()).status_code == 200
    # Nothing is counted between two backups.
    assert run_cron(worker) == []
    [alert] = back_up(worker)
    assert alert["problem"] == "database_lost"
    assert "18 of 20 events are gone" in alert["text"]
    # The backup that counted them joins no chain.
    assert index_of(worker) == entries
    [backup] = worker.query("SELECT state, error FROM backups WHERE kind = 'hourly'")
    assert backup["state"] == "failed"
    assert "18 of 20 events are gone" in backup["error"]
    # An isolate looks once in five seconds.
    wait_until(lambda: httpx.get(f"{worker.url}/health").status_code == 503, 10)
    for _ in range(30):
        assert worker.send(some_event()).status_code == 200
    worker.act("clear_logs")
    assert back_up(worker) == []  # it was sent, and lasts
    assert index_of(worker) == entries
    [refused] = [line for line in worker.log_lines() if line["event"] == "backup_refused"]
    assert "18 of 20 events are gone" in refused["reason"]


def test_what_the_ledgers_explain_is_no_loss(worker: Worker) -> None:
    # An erasure of more than is tolerated.
    for number in range(15):
        worker.send(lead(event_key=f"erased-event-{number}", visitor_cookie=JANE))
    assert back_up(worker) == []
    assert mark_of(worker)["counts"]["events"] == 35
    assert erased(worker, "jane@example.com")["counts"]["tracking_events"] == 15
    assert back_up(worker) == []
    assert mark_of(worker)["counts"]["events"] == 20
    worker.query("DELETE FROM privacy_requests")
    [alert] = back_up(worker)
    assert "1 of 1 receipts of erasures are gone" in alert["text"]


# Two days old: neither in the last hour nor due to be archived.
MANY_EVENTS = """
INSERT INTO tracking_events (pixel_id, visitor_id, event_type, timestamp)
WITH RECURSIVE numbers (number) AS (
  SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE number < 20000
)
SELECT ?, 'visitor-' || number, 'pageview', datetime('now', '-2 days') FROM numbers
"""


def rows_read(worker: Worker) -> int:
    """Of the last run of the cron, as D1 counts them."""
    [summary] = [line for line in worker.log_lines() if line["event"] == "cron_run"]
    number: int = summary["rows_read"]
    return number


# A day after the first run no event is looked at for its click IDs any more.
CLICKS_ARE_FOUND = """
INSERT INTO job_runs (job, run, started_at, lease_until, finished_at, outcome, summary)
SELECT 'missed_clicks', 'over', at, at, at, 'drained', '{"until": null}'
FROM (SELECT datetime('now') AS at)
"""


def test_between_two_backups_a_run_reads_as_much_of_many_events_as_of_few(worker: Worker) -> None:
    worker.query("DELETE FROM job_runs WHERE job = 'missed_clicks'")
    worker.query(CLICKS_ARE_FOUND)
    look_at_few = worker.act("query", sql=READ_CONTENTS, values=[])["rows_read"]
    run_cron(worker)
    few = rows_read(worker)
    worker.query(MANY_EVENTS, PIXEL)
    worker.send(some_event())
    look_at_many = worker.act("query", sql=READ_CONTENTS, values=[])["rows_read"]
    # The runs of the last hour are read, and there is one more.
    run_cron(worker)
    assert (look_at_many, look_at_many < 20) == (look_at_few, True)
    assert rows_read(worker) <= few + 20
    assert few < 400
    # A backup reads them, counts them, and nobody counts them again.
    back_up(worker)
    assert mark_of(worker)["counts"]["events"] == 20_021
    span = json.dumps({"since": "2026-01-01 00:00:00", "now": "9"})
    assert worker.act("query", sql=READ_LEDGERS, values=[span])["rows_read"] < 100


@pytest.mark.parametrize("content", [b"{", None], ids=["damaged", "gone"])
@pytest.mark.parametrize("index", [True, False], ids=["with the index", "without the index"])
def test_behind_a_mark_that_cannot_be_read_a_lost_database_is_lost(
    worker: Worker, content: bytes | None, *, index: bool
) -> None:
    before = mark_of(worker)
    listed = index_of(worker)
    recreate(worker)
    take_mark(worker, content)
    if not index:
        worker.forget("backups/index.json")
    [alert] = run_cron(worker)
    assert alert["problem"] == "database_lost"
    assert "another database" in alert["text"]
    rebuilt = mark_of(worker)
    names = ("database_id", "highest_event", "events", "pixels", "projects")
    assert {name: rebuilt[name] for name in names} == {name: before[name] for name in names}
    # Isolates know it too.
    assert_waits(worker.send(some_event()))
    # And a restore finds what there is.
    assert [entry["id"] for entry in index_of(worker)] == [entry["id"] for entry in listed]


def test_a_lost_index_of_erasures_is_made_anew_out_of_the_notes(worker: Worker) -> None:
    assert worker.send(lead()).status_code == 200
    receipt = erased(worker, "jane@example.com")
    worker.forget("erasures/index.json")
    run_cron(worker)
    index = json.loads(worker.stored("erasures/index.json") or b"{}")
    assert index == {"format": 1, "receipts": [receipt["id"]]}


def test_what_cannot_be_read_of_what_waits_keeps_nothing_else(worker: Worker) -> None:
    for number, content in enumerate((b"{", b'{"format": 2}', b'{"format": 1, "event": 5}')):
        worker.store(f"waiting/00/20260501T12000{number}000000Z-0.json", content)
    worker.query("ALTER TABLE visitors RENAME TO hidden")
    assert_waits(worker.send(some_event(event_key="it-waits-1")))
    worker.query("ALTER TABLE hidden RENAME TO visitors")
    run_cron(worker)
    assert worker.query("SELECT 1 FROM tracking_events WHERE event_key = 'it-waits-1'")
    assert len(worker.stored_keys("waiting/")) == 3


def ask(worker: Worker, action: str, **body: object) -> httpx.Response:
    return worker.http.post(f"{worker.url}/api/privacy/{action}", headers=ADMIN, json=body)


def test_nobody_is_erased_from_a_lost_database(worker: Worker) -> None:
    worker.query("DELETE FROM tracking_events WHERE id > 10")
    worker.query("UPDATE sqlite_sequence SET seq = 10 WHERE name = 'tracking_events'")
    for action, switches in (("find", {}), ("export", {}), ("erase", {"confirm": True})):
        answer = ask(worker, action, email="jane@example.com", **switches)
        assert answer.status_code == 409
        assert "set back" in answer.text
    assert worker.stored_keys("erasures/") == []


def erased(worker: Worker, email: str) -> Row:
    """The receipt of an erasure, continued until it is done."""
    answer = ask(worker, "erase", email=email, confirm=True).json()["data"]
    while not answer["done"]:
        cursor = answer["cursor"]
        answer = ask(worker, "erase", email=email, confirm=True, cursor=cursor).json()["data"]
    receipt: Row = answer["receipt"]
    return receipt


def test_an_erasure_that_was_asked_for_during_the_loss_is_complete_afterwards(
    worker: Worker,
) -> None:
    assert worker.send(lead(visitor_cookie=JANE)).status_code == 200
    run_cron(worker)
    contents = contents_of(worker)
    recreate(worker)
    assert_waits(worker.send(lead(event_key="while-lost", visitor_cookie=JANE)))
    assert_waits(worker.send(some_event(visitor_cookie=JANE)))

    refused = ask(worker, "erase", email="jane@example.com", confirm=True)
    assert refused.status_code == 409
    assert int(refused.headers["retry-after"]) > 0
    [advice] = refused.json()["details"]
    assert "2 events wait in R2" in advice
    assert "ask again" in advice
    assert len(worker.stored_keys("waiting/")) == 2

    restore(worker, contents)
    receipt = erased(worker, "jane@example.com")
    assert receipt["counts"]["tracking_events"] == 3
    assert receipt["damaged_parts"] == []
    assert worker.stored_keys("waiting/") == []
    rows = worker.query("SELECT 1 FROM visitors WHERE visitor_cookie = ?", JANE)
    assert rows == []
    assert ask(worker, "find", email="jane@example.com").json()["data"]["nothing_found"]


def test_a_waiting_event_that_nobody_can_read_is_named_by_every_answer(worker: Worker) -> None:
    key = "waiting/00/20260501T120000000000Z-0011.json"
    worker.store(key, b'{"format": 99, "event": {"lead": {"email": "jane@example.com"}}}')
    assert worker.send(lead()).status_code == 200
    summary = ask(worker, "find", email="jane@example.com").json()["data"]["found"]
    assert summary["damaged_parts"] == [key]
    page = ask(worker, "export", email="jane@example.com").json()["data"]
    assert page["found"]["damaged_parts"] == [key]
    assert erased(worker, "jane@example.com")["damaged_parts"] == [key]
    assert worker.stored_keys("waiting/") == [key]


def test_an_erasure_reaches_what_waits(worker: Worker) -> None:
    worker.query("ALTER TABLE visitors RENAME TO hidden")
    assert_waits(worker.send(lead(event_key="it-waits-2")))
    worker.query("ALTER TABLE hidden RENAME TO visitors")
    assert len(worker.stored_keys("waiting/")) == 1
    assert erased(worker, "jane@example.com")["counts"]["tracking_events"] == 1
    assert worker.stored_keys("waiting/") == []
    assert worker.query("SELECT 1 FROM tracking_events WHERE event_key = 'it-waits-2'") == []


def everything_in(worker: Worker) -> dict[str, list[Row]]:
    """All rows of all tables, as Time Travel would bring them back."""
    names = worker.query(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND substr(name, 1, 4) <> '_cf_'"
        " AND name NOT IN ('d1_migrations', 'row_changes', 'sqlite_sequence')"
    )
    # Those first that others refer to, and last what triggers write into.
    first = ("projects", "pixels", "visitors", "sessions", "tracking_events")
    others = [row["name"] for row in names if row["name"] not in first]
    tables = [*first, *others, "row_changes", "sqlite_sequence"]
    return {table: worker.query(f"SELECT * FROM {table}") for table in tables}


def travel_back(worker: Worker, contents: dict[str, list[Row]]) -> None:
    for table in reversed(contents):
        worker.query(f"DELETE FROM {table}")
    for table, rows in contents.items():
        # The triggers wrote meanwhile.
        if table in ("row_changes", "sqlite_sequence"):
            worker.query(f"DELETE FROM {table}")
        for row in rows:
            values = ", ".join("?" * len(row))
            worker.query(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({values})", *row.values())


def accept(worker: Worker) -> None:
    """As `ppp accept-database` does."""
    [row] = worker.query(READ_CONTENTS)
    worker.query(FORGET_BACKUPS)
    [counted] = worker.query(COUNT_EVENTS)
    mark = parse_mark(worker.stored(MARK))
    now = datetime.now(UTC)
    accepted = accepted_mark(mark, DatabaseContents(**row), counted["events"], "travelled", now)
    worker.store(MARK, accepted.as_bytes())


def test_a_database_that_was_set_back_and_caught_up_stays_lost(worker: Worker) -> None:
    before = everything_in(worker)
    first_id = before["tracking_events"][-1]["id"] + 1
    forgotten = lead(event_key="forgotten-lead")
    assert worker.send(forgotten).json()["event_id"] == first_id
    for _ in range(4):
        worker.send(some_event())
    # By that run the database is known that was set back to before it.
    wait_for_another_second(worker, "job_runs")
    run_cron(worker)
    run_cron(worker)
    entries = index_of(worker)
    mark = mark_of(worker)
    travel_back(worker, before)

    # More come than were taken away, before anybody looks; the lost lead comes once more.
    answered = [worker.send(some_event()).json()["event_id"] for _ in range(9)]
    assert max(answered) > mark["highest_event"]
    again = worker.send(forgotten).json()
    assert worker.event(again["event_id"])["event_key"] == "forgotten-lead"
    for _ in range(2):
        alerts = run_cron(worker)
        assert mark_of(worker) == mark
        assert index_of(worker) == entries
    assert alerts == []  # it was sent, and lasts
    late = worker.send(some_event()).json()["event_id"]
    assert late > mark["highest_event"]

    accept(worker)
    [over] = run_cron(worker)
    assert (over["problem"], over["state"]) == ("database_lost", "over")
    [full] = [entry for entry in index_of(worker) if entry not in entries]
    assert full["previous"] is None
    assert restored(worker, full["id"])["tracking_events"] == live(worker)["tracking_events"]
    # What came since is a link of that chain.
    worker.send(some_event())
    worker.query("UPDATE tracking_events SET page_title = 'changed' WHERE id = ?", late)
    worker.query("UPDATE backups SET finished_at = datetime(finished_at, '-50 minutes')")
    run_cron(worker)
    [hourly] = [entry for entry in index_of(worker) if entry["kind"] == "hourly"]
    assert hourly["previous"] == full["id"]
    assert restored(worker, hourly["id"])["tracking_events"] == live(worker)["tracking_events"]


def test_the_next_event_after_the_alarm_gets_an_id_that_none_had(worker: Worker) -> None:
    before = everything_in(worker)
    for _ in range(30):
        worker.send(some_event())
    run_cron(worker)
    run_cron(worker)
    highest = mark_of(worker)["highest_event"]
    travel_back(worker, before)
    run_cron(worker)
    # Also none that came after the mark was written.
    answer = worker.send(some_event()).json()
    assert answer["event_id"] == highest + MAX_EVENTS_MEANWHILE + 1
    assert run_cron(worker) == []
    assert [entry["events"] for entry in index_of(worker)] == [20]


def test_what_no_pixel_takes_is_reached_by_an_erasure_and_stored_when_one_does(
    worker: Worker,
) -> None:
    for key, content in waiting_objects(4, "form_submit", "later").items():
        worker.store(key, content.replace(PIXEL.encode(), b"later-pixel"))
    assert run_cron(worker) == []
    assert worker.stored_keys("waiting/") == []
    assert len(worker.stored_keys("parked/later-pixel/")) == 4
    counts = httpx.get(f"{worker.url}/api/waiting", headers=ADMIN).json()["data"]
    assert (counts["waiting"], counts["parked_by_pixel"]) == (0, {"later-pixel": 4})

    # Of one browser: the forms of others in it are not the person's.
    person = "person0@example.com"
    answer = ask(worker, "find", email=person).json()["data"]
    assert (answer["nothing_found"], answer["found"]["parked_events"]["count"]) == (False, 1)
    [key] = answer["found"]["parked_events"]["ids"]
    page = ask(worker, "export", email=person).json()["data"]
    while page["place"] != "parked_events":
        page = ask(worker, "export", email=person, cursor=page["cursor"]).json()["data"]
    assert [(row["key"], row["event"]["lead"]["email"]) for row in page["rows"]] == [(key, person)]
    assert erased(worker, person)["counts"]["parked_events"] == 1
    assert len(worker.stored_keys("parked/")) == 3
    assert key not in worker.stored_keys("parked/")
    assert ask(worker, "find", email=person).json()["data"]["nothing_found"]

    worker.query(
        "INSERT INTO pixels (id, project_id, name)"
        " SELECT 'later-pixel', project_id, 'Later' FROM pixels WHERE id = ?",
        PIXEL,
    )
    run_cron(worker)
    assert worker.stored_keys("parked/") == []
    rows = worker.query(
        "SELECT event_key FROM tracking_events WHERE pixel_id = 'later-pixel' ORDER BY id"
    )
    assert [row["event_key"] for row in rows] == [f"later-event-{n:06}" for n in (1, 2, 3)]


def test_a_visitor_cookie_reaches_what_no_pixel_takes(worker: Worker) -> None:
    objects = waiting_objects(4, prefix="cookie")
    for key, content in objects.items():
        worker.store(key, content.replace(PIXEL.encode(), b"later-pixel"))
    run_cron(worker)
    cookie = json.loads(next(iter(objects.values())))["event"]["visitor_cookie"]
    answer = ask(worker, "find", visitor_cookie=cookie).json()["data"]
    assert answer["found"]["parked_events"]["count"] == 3
    key = f"parked/later-pixel/{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}-00.json"
    worker.store(key, b"{")
    answer = ask(worker, "find", visitor_cookie=cookie).json()["data"]
    assert answer["found"]["damaged_parts"] == [key]


def test_events_that_a_healthy_database_does_not_take_for_an_hour_are_an_alarm(
    worker: Worker,
) -> None:
    worker.query(
        "CREATE TRIGGER refuse BEFORE INSERT ON tracking_events"
        " BEGIN SELECT RAISE(ABORT, 'no'); END"
    )
    keys = []
    for key, content in waiting_objects(2, prefix="refused").items():
        shard, _, name = key.rpartition("/")
        at = datetime.now(UTC) - timedelta(minutes=61)
        keys.append(f"{shard}/{at:%Y%m%dT%H%M%S%fZ}-{name.rpartition('-')[2]}")
        worker.store(keys[-1], content)
    [alert] = run_cron(worker)
    assert (alert["problem"], alert["state"]) == ("events_waiting", "new")
    assert "2 wait in R2, the oldest for 1 h 1 min" in alert["text"]
    worker.query("DROP TRIGGER refuse")
    [alert] = run_cron(worker)
    assert (alert["problem"], alert["state"]) == ("events_waiting", "over")
    assert worker.stored_keys("waiting/") == []
