"""One person found, exported and erased, in real workerd, on a real D1, KV and R2."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pyodide_bundle import Bundle
from services.ndjson_parts import pack, unpack
from services.privacy_requests import COUNTED, digest_of
from tests.harness.worker import (
    PIXEL,
    PROJECT,
    Answer,
    Row,
    Worker,
    running_worker,
    some_event,
    some_visitor,
)
from tests.worker.test_realtime import ADMIN_KEY, READ_KEY, keys

# So few that nearly every request of these tests takes more than one portion.
STEPS = 2
NOTHING = dict.fromkeys(COUNTED, 0)
OLD_EVENT = """
INSERT INTO tracking_events (project_id, pixel_id, visitor_id, event_type, page_url, form_data)
VALUES (?, ?, ?, ?, ?, ?) RETURNING id
"""


@pytest.fixture(scope="module")
def keyed(local_config: Bundle) -> Iterator[Worker]:
    """A Worker with two API keys that does little in one portion, and a lead of somebody else."""
    settings = {"API_KEYS": keys(), "PRIVACY_STEPS": str(STEPS), "LOG_LEVEL": "debug"}
    with running_worker(env_vars=settings) as running:
        running.send(some_lead("somebody.else@example.com"))
        yield running


def some_email() -> str:
    return f"jane.{some_visitor()}@example.com"


def some_lead(email: str, visitor: str | None = None, **fields: object) -> dict[str, object]:
    return some_event(
        visitor_cookie=visitor or some_visitor(),
        event_type="form_submit",
        form_data={"email": email, "first_name": "Jane"},
        **fields,
    )


def ask(worker: Worker, action: str, body: object, key: str = ADMIN_KEY) -> Answer:
    return worker.fetch(
        f"/api/privacy/{action}",
        method="POST",
        headers={"x-api-key": key, "content-type": "application/json"},
        body=json.dumps(body),
    )


def data(answer: Answer) -> Row:
    assert answer.status == 200, answer.body
    row: Row = answer.json()["data"]
    return row


def portions(worker: Worker, action: str, **body: object) -> list[Row]:
    """All answers of a request, each gone on with by its cursor."""
    answers = [data(ask(worker, action, body))]
    while not answers[-1]["done"]:
        assert len(answers) < 100
        answers.append(data(ask(worker, action, {**body, "cursor": answers[-1]["cursor"]})))
    return answers


def found(worker: Worker, **whom: object) -> Row:
    row: Row = portions(worker, "find", **whom)[-1]["found"]
    return row


def erased(worker: Worker, **whom: object) -> Row:
    receipt: Row = portions(worker, "erase", confirm=True, **whom)[-1]["receipt"]
    return receipt


def counts_of(summary: Row) -> dict[str, int]:
    return {table: summary[table]["count"] for table in COUNTED}


def ids(worker: Worker, sql: str, *values: object) -> list[Any]:
    return [row["id"] for row in worker.query(sql, *values)]


def test_everything_about_a_person_is_found_and_erased_with_a_receipt(keyed: Worker) -> None:
    email, cookie = some_email(), some_visitor()
    for page in range(3):
        keyed.send(some_event(visitor_cookie=cookie, page_url=f"https://shop.example/{page}"))
    lead = keyed.send(some_lead(email, cookie)).json()
    theirs = ids(keyed, "SELECT id FROM tracking_events WHERE visitor_id = ?", lead["visitor_id"])
    others = keyed.query("SELECT count(*) AS number FROM tracking_events")[0]["number"] - 4
    keyed.query(
        "INSERT INTO pipedrive_persons (destination, person_id, claimed_event_id) VALUES (?, ?, ?)",
        *("default", 77, lead["event_id"]),
    )

    summary = found(keyed, email=f"  {email.upper()} ")
    assert counts_of(summary) == NOTHING | {
        **{"tracking_events": 4, "sessions": 1, "visitors": 1},
        **{"pipedrive_persons": 1, "kv_keys": 2},
    }
    assert summary["tracking_events"]["ids"] == theirs
    assert summary["sessions"]["ids"] == [lead["session_id"]]
    assert summary["visitors"]["ids"] == [lead["visitor_id"]]
    assert summary["pipedrive_persons"]["ids"] == [{"destination": "default", "person_id": 77}]
    assert summary["projects"] == [PROJECT]

    receipt = erased(keyed, email=email)
    assert receipt["counts"] == counts_of(summary)
    assert receipt["sha256"] == digest_of(receipt)
    assert counts_of(found(keyed, email=email)) == NOTHING
    assert keyed.query("SELECT count(*) AS number FROM tracking_events")[0]["number"] == others
    noted = json.loads(keyed.stored(f"erasures/{receipt['id']}.json") or b"")
    assert noted["event_ids"] == theirs
    assert noted["session_ids"] == [lead["session_id"]]
    assert noted["visitor_ids"] == [lead["visitor_id"]]
    index = json.loads(keyed.stored("erasures/index.json") or b"")
    assert index["receipts"][0] == receipt["id"]
