"""What privacy and retention take out of the archive is out of its exports, and the rest is in."""

from __future__ import annotations

import json

from services.archived_events import PART_SUFFIX
from services.ndjson_parts import unpack
from tests.harness.archive import OLD, OLDER, run, some_pixel, store
from tests.harness.worker import Row, Worker, some_visitor
from tests.worker.archive.test_archived_export import ask, ids
from tests.worker.test_realtime import ADMIN_KEY


def visitor_with(worker: Worker, events: list[int]) -> str:
    """Makes these events those of a visitor; returns its cookie."""
    cookie = some_visitor()
    worker.query("INSERT INTO visitors (id, visitor_cookie) VALUES (?1, ?1)", cookie)
    worker.query(
        "UPDATE tracking_events SET visitor_id = ? WHERE id IN (SELECT value FROM json_each(?))",
        cookie,
        json.dumps(events),
    )
    return cookie


def erase(worker: Worker, cookie: str) -> Row:
    said = {"visitor_cookie": cookie, "confirm": True}
    while True:
        answer = worker.fetch(
            "/api/privacy/erase",
            method="POST",
            headers={"x-api-key": ADMIN_KEY},
            body=json.dumps(said),
        )
        assert answer.status == 200, answer.body
        data: Row = answer.json()["data"]
        if data["done"]:
            return data
        said["cursor"] = data["cursor"]


def manifests(worker: Worker, pixel: str) -> list[Row]:
    keys = worker.stored_keys(f"archive/{pixel}/")
    return [json.loads(worker.stored(key) or b"") for key in keys if key.endswith(".json")]


def test_an_erased_person_is_out_of_the_archive_and_its_exports_go_on(archiving: Worker) -> None:
    pixel = some_pixel(archiving)
    events = store(archiving, pixel, OLD, 30) + store(archiving, pixel, OLDER, 5)
    theirs = [*events[3:9], *events[30:]]
    cookie = visitor_with(archiving, theirs)
    assert run(archiving)["outcome"] == "drained"
    assert sorted(ids(ask(archiving, pixel, "format=ndjson&from=2020-01-01"))) == sorted(events)

    erase(archiving, cookie)

    left = sorted(set(events) - set(theirs))
    assert sorted(ids(ask(archiving, pixel, "format=ndjson&from=2020-01-01"))) == left
    # The day of which nothing is left is gone; the other one is what its manifest says.
    [manifest] = manifests(archiving, pixel)
    key = f"archive/{pixel}/{OLD}/{manifest['batch']}{PART_SUFFIX}"
    lines = unpack(key, archiving.stored(key), manifest["count"], manifest["sha256"])
    assert [json.loads(line)["id"] for line in lines] == left
    [counted] = archiving.query("SELECT * FROM archive_batches WHERE pixel_id = ?", pixel)
    assert (counted["events"], counted["sha256"]) == (len(left), manifest["sha256"])


def test_days_that_are_over_are_out_of_the_archive_and_its_exports_go_on(archiving: Worker) -> None:
    pixel = some_pixel(archiving)
    store(archiving, pixel, "2022-05-01", 5)
    young = store(archiving, pixel, OLD, 5)
    assert run(archiving)["outcome"] == "drained"
    archiving.query(
        "UPDATE projects SET configuration = json_object('retention_days', 400) WHERE id ="
        " (SELECT project_id FROM pixels WHERE id = ?)",
        pixel,
    )
    try:
        run(archiving)
    finally:
        archiving.query("UPDATE projects SET configuration = '{}'")
    assert sorted(ids(ask(archiving, pixel, "format=ndjson&from=2020-01-01"))) == young
    assert [manifest["day"] for manifest in manifests(archiving, pixel)] == [OLD]


def test_a_database_whose_events_are_all_archived_is_backed_up(archiving: Worker) -> None:
    store(archiving, some_pixel(archiving), OLD, 5)
    archiving.query("DELETE FROM backups")
    run(archiving)
    assert archiving.query("SELECT 1 FROM tracking_events") == []
    archiving.query("DELETE FROM backups")
    archiving.act("clear_logs")
    run(archiving)
    events = [line["event"] for line in archiving.log_lines()]
    assert "backup_refused" not in events
    assert archiving.query("SELECT 1 FROM backups WHERE kind = 'full'")
