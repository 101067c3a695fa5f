"""What privacy and retention take out of the archive is out of its exports, and the rest is in."""

from __future__ import annotations

import json

from ops.restore.erase_again import RECEIPT_IDS, Erasure, current_counts, deletions, recounts
from services.archive.parts import PART_SUFFIX, part_manifest_key
from services.core.ndjson_parts import unpack
from tests.harness.archive import OLD, OLDER, run, some_pixel, store
from tests.harness.keys import ADMIN_KEY
from tests.harness.worker import Answer, Row, Worker, some_visitor
from tests.worker.archive.test_archived_export import ask, ids


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
    body = {"visitor_cookie": cookie, "confirm": True}
    while True:
        answer = worker.fetch(
            "/api/privacy/erase",
            method="POST",
            headers={"x-api-key": ADMIN_KEY},
            body=json.dumps(body),
        )
        assert answer.status == 200, answer.body
        data: Row = answer.json()["data"]
        if data["done"]:
            return data
        body["cursor"] = data["cursor"]


def manifests(worker: Worker, pixel: str) -> list[Row]:
    keys = worker.stored_keys(f"archive/{pixel}/")
    return [json.loads(worker.stored(key) or b"") for key in keys if key.endswith(".json")]


def test_an_erased_person_is_out_of_the_archive_and_its_exports_go_on(archiving: Worker) -> None:
    pixel = some_pixel(archiving)
    events = store(archiving, pixel, OLD, 30) + store(archiving, pixel, OLDER, 5)
    erased = [*events[3:9], *events[30:]]
    cookie = visitor_with(archiving, erased)
    assert run(archiving)["outcome"] == "drained"
    assert sorted(ids(ask(archiving, pixel, "format=ndjson&from=2020-01-01"))) == sorted(events)

    erase(archiving, cookie)

    remaining = sorted(set(events) - set(erased))
    assert sorted(ids(ask(archiving, pixel, "format=ndjson&from=2020-01-01"))) == remaining
    # The day of which nothing is left is gone; the other one is what its manifest says.
    [manifest] = manifests(archiving, pixel)
    key = f"archive/{pixel}/{OLD}/{manifest['batch']}{PART_SUFFIX}"
    lines = unpack(key, archiving.stored(key), manifest["count"], manifest["sha256"])
    assert [json.loads(line)["id"] for line in lines] == remaining
    [counted] = archiving.query("SELECT * FROM archive_batches WHERE pixel_id = ?", pixel)
    assert (counted["events"], counted["sha256"]) == (len(remaining), manifest["sha256"])


def test_a_database_that_went_back_erases_again_and_exports_what_is_left(
    archiving: Worker,
) -> None:
    pixel = some_pixel(archiving)
    events = store(archiving, pixel, OLD, 10) + store(archiving, pixel, OLDER, 5)
    erased = [*events[3:5], *events[10:]]
    cookie = visitor_with(archiving, erased)
    assert run(archiving)["outcome"] == "drained"
    before = archiving.query("SELECT * FROM archive_batches")
    receipt = erase(archiving, cookie)["receipt"]

    # What an older backup holds, or D1 had at an earlier minute.
    archiving.query("DELETE FROM archive_batches")
    for row in before:
        marks = ", ".join("?" * len(row))
        archiving.query(f"INSERT INTO archive_batches VALUES ({marks})", *row.values())
    archiving.query("INSERT INTO visitors (id, visitor_cookie) VALUES (?1, ?1)", cookie)
    remembered = "INSERT INTO pipedrive_persons (destination, person_id, claimed_event_id) VALUES "
    archiving.query(f"{remembered} ('default', 91, {erased[0]}), ('default', 92, {events[0]})")
    assert export(archiving, pixel).status == 503

    erase_again(archiving, receipt["id"])

    assert sorted(ids(export(archiving, pixel))) == sorted(set(events) - set(erased))
    persons = archiving.query("SELECT person_id FROM pipedrive_persons WHERE person_id > 90")
    assert [row["person_id"] for row in persons] == [92]
    assert archiving.query("SELECT id FROM visitors WHERE id = ?", cookie) == []
    archiving.query("DELETE FROM pipedrive_persons WHERE person_id > 90")


def test_a_damaged_part_is_refused_though_an_erasure_names_it(archiving: Worker) -> None:
    pixel = some_pixel(archiving)
    events = store(archiving, pixel, OLD, 10)
    cookie = visitor_with(archiving, events[:2])
    run(archiving)
    receipt = erase(archiving, cookie)["receipt"]
    [key] = [key for key in archiving.stored_keys(f"archive/{pixel}/") if key.endswith(".gz")]
    archiving.store(key, (archiving.stored(key) or b"")[:-1])
    erase_again(archiving, receipt["id"])
    assert export(archiving, pixel).status == 503
    # Not even a part that is gone, as long as its manifest says what should be there.
    archiving.forget(key)
    erase_again(archiving, receipt["id"])
    assert export(archiving, pixel).status == 503


def export(worker: Worker, pixel: str) -> Answer:
    path = f"/api/reports/export/{pixel}?format=ndjson&from=2020-01-01"
    return worker.fetch(path, headers={"x-api-key": ADMIN_KEY})


def erase_again(worker: Worker, receipt: str) -> None:
    """What a restore does with the note of an erasure, on the database of a Worker."""
    noted = json.loads(worker.stored(f"erasures/{receipt}.json") or b"")
    parts = [
        current_counts(key, worker.stored(key), worker.stored(part_manifest_key(key)))
        for key in noted["archive_parts"]
    ]
    assert parts
    rows = {name: noted[name] for name in RECEIPT_IDS.values()}
    erasure = Erasure(receipt, rows, [part for part in parts if part])
    for statement in (*deletions([erasure]), *recounts([erasure])):
        worker.query(statement.text)


def test_days_that_are_over_are_out_of_the_archive_and_its_exports_go_on(archiving: Worker) -> None:
    pixel = some_pixel(archiving)
    store(archiving, pixel, "2022-05-01", 5)
    young = store(archiving, pixel, OLD, 5)
    assert run(archiving)["outcome"] == "drained"
    archiving.query(
        'UPDATE projects SET configuration = \'{"jobs": {"retention_days": 400}}\' WHERE id ='
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
