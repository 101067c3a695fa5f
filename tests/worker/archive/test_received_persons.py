"""A person in what others sent here: found, exported, and erased for good."""

from __future__ import annotations

import json
from typing import Any

from services.archive.endpoint import endpoint_body
from services.archive.parts import EventsPart, part_manifest_key
from services.core.cursors import EventPosition
from services.core.ndjson_parts import unpack
from services.privacy.erasure_notes import LISTS
from services.privacy.request_table import RECEIPT_COUNTERS
from tests.harness.archive import logged
from tests.harness.keys import ADMIN_KEY
from tests.harness.worker import PIXEL, PROJECT, Row, Worker, some_event, some_visitor
from tests.worker.archive.test_received import DAY, send

NO_COUNTS = dict.fromkeys(RECEIPT_COUNTERS, 0)


def some_email() -> str:
    return f"jane.{some_visitor()}@example.com"


def event(number: int, pixel: str, **fields: object) -> Row:
    return {"id": number, "pixel_id": pixel, "timestamp": f"{DAY} 06:00:{number:02}", **fields}


def form(number: int, pixel: str, email: str, **fields: object) -> Row:
    """A form as a Worker of this repository stores it."""
    form_data = json.dumps({"email": email})
    return event(number, pixel, event_type="form_submit", form_data=form_data, **fields)


def batch_of(*events: Row) -> dict[str, Any]:
    """A batch as it is sent."""
    positions = [EventPosition(event["timestamp"], event["id"]) for event in events]
    lines = [json.dumps(event_row, separators=(",", ":")) for event_row in events]
    part = EventsPart(events[0]["pixel_id"], DAY, positions, lines)
    sent: dict[str, Any] = json.loads(endpoint_body(part))
    return {**sent, "batch": f"b-{some_visitor()}"}


def key_of(batch: Row) -> str:
    return f"received/{batch['pixel_id']}/{DAY}/{batch['batch']}.ndjson.gz"


def stored_ids(worker: Worker, batch: Row) -> list[int]:
    """The ids in a received part, which is what its manifest says."""
    key = key_of(batch)
    manifest = json.loads(worker.stored(part_manifest_key(key)) or b"")
    lines = unpack(key, worker.stored(key), manifest["count"], manifest["sha256"])
    return [json.loads(line)["id"] for line in lines]


def portions(worker: Worker, action: str, **body: object) -> list[Row]:
    """All answers of a request about a person."""
    answers: list[Row] = []
    while not answers or not answers[-1]["done"]:
        cursor = {"cursor": answers[-1]["cursor"]} if answers else {}
        answer = worker.fetch(
            f"/api/privacy/{action}",
            method="POST",
            headers={"x-api-key": ADMIN_KEY},
            body=json.dumps({**body, **cursor}),
        )
        assert answer.status == 200, answer.body
        answers.append(answer.json()["data"])
    return answers


def counts_of(worker: Worker, email: str) -> dict[str, int]:
    counts = portions(worker, "find", email=email)[-1]["found"]
    return {place: counts[place]["count"] for place in RECEIPT_COUNTERS}


def test_a_person_is_found_exported_and_erased_in_what_others_sent(archiving: Worker) -> None:
    email, visitor = some_email(), some_visitor()
    # A pixel that nobody knows here, and one that is known.
    sent = batch_of(
        event(1, "theirs-0001", visitor_id=visitor, event_type="pageview"),
        event(2, "theirs-0001", visitor_id="another", event_type="pageview"),
        form(3, "theirs-0001", email, visitor_id=visitor),
        form(4, "theirs-0001", some_email(), visitor_id="another"),
    )
    other = batch_of(event(9, PIXEL, visitor_id=visitor), event(10, PIXEL, visitor_id="another"))
    for batch in (sent, other):
        assert send(archiving, batch).status == 200

    counts = portions(archiving, "find", email=email)[-1]["found"]
    days = {f"{PIXEL}/{DAY}": 1, f"theirs-0001/{DAY}": 2}
    assert counts["received_events"] == {"count": 3, "days": days}
    assert counts["archived_events"] == {"count": 0, "days": {}}
    assert counts["projects"] == [PROJECT]

    pages = portions(archiving, "export", email=email)
    rows = [row for page in pages if page["place"] == "received_events" for row in page["rows"]]
    erased = [event_row for batch in (other, sent) for event_row in batch["events"]]
    erased = [event_row for event_row in erased if event_row["visitor_id"] == visitor]
    # What was not sent is null.
    assert [{**row, **event_row} for row, event_row in zip(rows, erased, strict=True)] == rows

    receipt = portions(archiving, "erase", email=email, confirm=True)[-1]["receipt"]
    assert receipt["counts"] == NO_COUNTS | {"received_events": 3}
    assert email not in json.dumps(receipt)
    assert (stored_ids(archiving, sent), stored_ids(archiving, other)) == ([2, 4], [10])
    assert counts_of(archiving, email) == NO_COUNTS


def test_a_batch_that_comes_again_is_acknowledged_and_brings_nobody_back(archiving: Worker) -> None:
    email = some_email()
    mixed = batch_of(form(1, "theirs-0002", email), form(2, "theirs-0002", some_email()))
    alone = batch_of(form(3, "theirs-0002", email))
    answers = [send(archiving, batch).body for batch in (mixed, alone)]
    portions(archiving, "erase", email=email, confirm=True)
    before = {key: archiving.stored(key) for key in archiving.stored_keys("received/theirs-0002/")}

    archiving.act("clear_logs")
    assert [send(archiving, batch).body for batch in (mixed, alone)] == answers
    assert [line["new"] for line in logged(archiving, "archive_received")] == [False, False]
    after = {key: archiving.stored(key) for key in archiving.stored_keys("received/theirs-0002/")}
    assert after == before
    assert stored_ids(archiving, mixed) == [2]
    assert key_of(alone) not in after
    assert counts_of(archiving, email) == NO_COUNTS
    # The name is still taken.
    changed = batch_of(form(1, "theirs-0002", email, country="AT")) | {"batch": mixed["batch"]}
    assert send(archiving, changed).status == 409


def test_ids_of_others_are_not_those_of_rows_here(archiving: Worker) -> None:
    email = some_email()
    lead = archiving.send(
        some_event(event_type="form_submit", form_data={"email": "own@example.com"})
    )
    event_id = lead.json()["event_id"]
    archiving.query(
        "INSERT INTO pipedrive_persons (destination, person_id, claimed_event_id) VALUES (?, ?, ?)",
        *("default", 95, event_id),
    )
    at = f"{DAY} 06:00:00"
    send(archiving, batch_of(form(1, "theirs-0003", email) | {"id": event_id, "timestamp": at}))
    receipt = portions(archiving, "erase", email=email, confirm=True)[-1]["receipt"]
    assert receipt["counts"] == NO_COUNTS | {"received_events": 1}
    assert archiving.event(event_id)
    assert archiving.query("DELETE FROM pipedrive_persons WHERE person_id = 95 RETURNING 1")
    # A restore would delete what is noted.
    noted = json.loads(archiving.stored(f"erasures/{receipt['id']}.json") or b"")
    assert [noted[name] for name in LISTS] == [[]] * 5


def test_whatever_others_send_is_read(archiving: Worker) -> None:
    email, visitor = some_email(), some_visitor()
    sent = batch_of(
        event(1, "theirs-0004", event_type="form_submit", form_data={"email": email}),
        event(2, "theirs-0004", event_type="form_submit", form_data=[email], visitor_id=7),
        form(3, "theirs-0004", email, visitor_id=visitor, page_url={"a": [1]}),
        event(4, "theirs-0004", event_data={"visitor_id": "x"}, visitor_id=visitor),
        event(5, "theirs-0004", event_type="form_submit", page_url=7, form_data=None),
    )
    send(archiving, sent)
    receipt = portions(archiving, "erase", email=email, confirm=True)[-1]["receipt"]
    assert receipt["counts"] == NO_COUNTS | {"received_events": 4}
    assert stored_ids(archiving, sent) == [5]


def test_a_damaged_part_of_others_is_named(archiving: Worker) -> None:
    email = some_email()
    sent = batch_of(form(1, "theirs-0005", email))
    send(archiving, sent)
    archiving.store(key_of(sent), b"?")
    counts = portions(archiving, "find", email=email)[-1]["found"]
    assert counts["damaged_parts"] == [key_of(sent)]
