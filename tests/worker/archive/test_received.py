"""`POST /api/archive`: what another deployment sends is kept, once for each batch."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from handlers.archive import MAX_BATCH_BYTES
from services.archive.endpoint import endpoint_body
from services.archive.parts import EventsPart
from services.core.cursors import EventPosition
from tests.harness.keys import ADMIN_KEY, READ_KEY
from tests.harness.worker import Answer, Worker, some_visitor

DAY = "2026-05-01"
NOT_VALID = "Validation failed"


def batch(*ids: int, **fields: object) -> dict[str, Any]:
    """A batch as the archive sends it, with these fields of its events."""
    times = [f"{DAY} 06:00:{number:02}" for number in range(len(ids))]
    positions = [EventPosition(time, number) for time, number in zip(times, ids, strict=True)]
    lines = [
        json.dumps(
            {"id": key.event_id, "pixel_id": "shop", "timestamp": key.timestamp, **fields},
            ensure_ascii=False,
            separators=(",", ":"),
        )
        for key in positions
    ]
    sent: dict[str, Any] = json.loads(endpoint_body(EventsPart("shop", DAY, positions, lines)))
    return {**sent, "batch": f"b-{some_visitor()}"}


def send(worker: Worker, content: object, key: str = ADMIN_KEY) -> Answer:
    headers = {"authorization": f"Bearer {key}"}
    body = content if isinstance(content, str) else json.dumps(content)
    return worker.fetch("/api/archive", method="POST", headers=headers, body=body)


def test_a_batch_is_kept_and_acknowledged(archiving: Worker) -> None:
    sent = batch(7, 3, 9, page_title="Ünï 🎈", form_data='{"email": "a@b.c"}')
    archiving.act("clear_logs")
    answer = send(archiving, sent)
    assert (answer.status, answer.json()) == (
        200,
        {"success": True, "data": {"batch": sent["batch"], "acknowledged": [7, 3, 9]}},
    )
    key = f"received/shop/{DAY}/{sent['batch']}"
    content, manifest = archiving.stored(f"{key}.ndjson.gz"), archiving.stored(f"{key}.json")
    assert content
    assert manifest
    assert [json.loads(line) for line in gzip.decompress(content).splitlines()] == sent["events"]
    assert json.loads(manifest)["events_sha256"] == sent["sha256"]
    assert "a@b.c" not in json.dumps(archiving.act("logs"))


def test_the_same_batch_has_the_same_answer_and_is_kept_once(archiving: Worker) -> None:
    sent = batch(7, 3)
    first, second = send(archiving, sent), send(archiving, sent)
    assert first.body == second.body
    assert len(archiving.stored_keys(f"received/shop/{DAY}/{sent['batch']}")) == 2


def test_the_same_name_with_other_events_is_a_conflict(archiving: Worker) -> None:
    sent = batch(7, 3)
    send(archiving, sent)
    answer = send(archiving, batch(7, 3, country="AT") | {"batch": sent["batch"]})
    assert answer.status == 409
    assert answer.json()["error"] == "The batch was received with other events"


def test_a_batch_whose_part_was_lost_is_kept_again(archiving: Worker) -> None:
    sent = batch(7, 3)
    send(archiving, sent)
    key = f"received/shop/{DAY}/{sent['batch']}.ndjson.gz"
    archiving.forget(key)
    assert send(archiving, sent).status == 200
    assert archiving.stored(key)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"batch": "../x"}, "batch: must be 1 to 100 of A-Z, a-z, 0-9, '-' and '_'"),
        ({"batch": None}, "batch: must be 1 to 100 of A-Z, a-z, 0-9, '-' and '_'"),
        ({"day": "2026-05-32"}, "day: must be a day in UTC: 2026-05-01"),
        ({"day": "2026-05-02"}, "events: number 1 must have a timestamp of the day of the batch"),
        ({"pixel_id": "other"}, "events: number 1 must be of the pixel of the batch"),
        ({"events": []}, "events: must be a list of 1 to 10,000 events"),
        ({"events": {}}, "events: must be a list of 1 to 10,000 events"),
        ({"events": [7]}, "events: number 1 must be a JSON object"),
        ({"events": [{"id": True}]}, "events: number 1 must have an id, a whole number above 0"),
        ({"count": 3}, "count: is not that of the events"),
        ({"first_id": 3}, "first_id: is not that of the events"),
        ({"last_id": 7}, "last_id: is not that of the events"),
        ({"sha256": "0" * 64}, "sha256: is not that of the events"),
    ],
)
def test_what_cannot_be_kept_is_told_why(
    archiving: Worker, change: dict[str, object], problem: str
) -> None:
    answer = send(archiving, batch(7, 3) | change)
    assert (answer.status, answer.json()["error"]) == (400, NOT_VALID)
    assert answer.json()["details"] == [problem]


@pytest.mark.parametrize("body", ["", "[]", "{", "[" * 100_000, '{"batch": NaN}'])
def test_what_is_no_batch_is_refused(archiving: Worker, body: str) -> None:
    answer = send(archiving, body)
    assert (answer.status, answer.json()["error"]) == (400, NOT_VALID)
    assert archiving.fetch("/health").status == 200


def test_half_a_character_is_refused(archiving: Worker) -> None:
    sent = batch(7)
    sent["events"][0]["page_title"] = "\ud800"
    assert "half a character" in send(archiving, sent).json()["details"][0]


def test_two_events_with_one_id_are_refused(archiving: Worker) -> None:
    assert send(archiving, batch(7, 7)).json()["details"] == ["events: two have the same id"]


def test_a_batch_has_four_mebibytes(archiving: Worker) -> None:
    largest = batch(7, event_data="x" * (MAX_BATCH_BYTES - 1_000))
    assert send(archiving, largest).status == 200
    answer = send(archiving, " " * (MAX_BATCH_BYTES + 1))
    assert (answer.status, answer.json()["error"]) == (413, "Request body is larger than 4096 KiB")


def test_it_needs_an_admin(archiving: Worker) -> None:
    assert archiving.fetch("/api/archive", method="POST", body="{}").status == 401
    assert send(archiving, batch(7), READ_KEY).status == 403
    assert archiving.fetch("/api/archive").status == 405
