"""What somebody else is sent of old events, and that only what was acknowledged leaves."""

from __future__ import annotations

import gzip
import hashlib
import json

import pytest

from tests.harness.archive import (
    OLD,
    Receiver,
    archived,
    logged,
    run,
    some_pixel,
    store,
    stored_ids,
)
from tests.harness.keys import ADMIN_KEY
from tests.harness.worker import Worker


def test_what_is_sent_is_what_is_archived(sending: Worker, receiver: Receiver) -> None:
    pixel = some_pixel(sending)
    events = store(sending, pixel, OLD, 3)
    rows = sending.query("SELECT * FROM tracking_events ORDER BY id")
    assert run(sending)["outcome"] == "drained"
    [batch] = receiver.batches
    sent = batch.pop("events")
    assert sent == rows
    # As any receiver can count it: each event as compact JSON, with a line end.
    lines = "".join(
        json.dumps(event, ensure_ascii=False, separators=(",", ":")) + "\n" for event in sent
    )
    digest = hashlib.sha256(lines.encode()).hexdigest()
    assert batch == {
        "batch": f"{events[0]}-{events[2]}-{digest[:12]}",
        "pixel_id": pixel,
        "day": OLD,
        "count": 3,
        "first_id": events[0],
        "last_id": events[2],
        "sha256": digest,
    }
    assert receiver.keys == ["Bearer hunter2"]
    assert archived(sending) == events
    assert "hunter2" not in json.dumps(sending.act("logs"))


def test_only_what_was_acknowledged_leaves(sending: Worker, receiver: Receiver) -> None:
    receiver.acknowledge = lambda ids: [*ids[::2], 10**9, "x"]
    events = store(sending, some_pixel(sending), OLD, 10)
    line = run(sending)
    assert (line["outcome"], line["archived"]) == ("not_acknowledged", 5)
    assert line["not_acknowledged"] == 5
    assert stored_ids(sending) == events[1::2]
    assert archived(sending) == events[::2]
    [unconfirmed] = logged(sending, "archive_not_acknowledged")
    assert (unconfirmed["sent"], unconfirmed["acknowledged"]) == (10, 5)
    receiver.acknowledge = list
    assert run(sending)["archived"] == 5
    assert archived(sending) == events


def test_what_changes_while_it_is_archived_stays_and_moves_as_it_is_then(
    sending: Worker, receiver: Receiver
) -> None:
    first, second, third = store(sending, some_pixel(sending), OLD, 3)

    def change(ids: list[int]) -> list[int]:
        sending.query("UPDATE tracking_events SET country = 'AT' WHERE id = ?", second)
        return ids

    receiver.acknowledge = change
    line = run(sending)
    assert (line["outcome"], line["archived"], line["changed"]) == ("drained", 0, 3)
    assert stored_ids(sending) == [first, second, third]
    assert sending.stored_keys("archive/") == []
    receiver.acknowledge = list
    assert run(sending)["archived"] == 3
    assert archived(sending) == [first, second, third]
    assert [event["country"] for event in receiver.batches[-1]["events"]] == [None, "AT", None]
    # Another content has another name, so no receiver takes one for the other.
    assert receiver.batches[0]["batch"] != receiver.batches[-1]["batch"]


def test_what_is_erased_while_it_is_archived_is_not_archived(
    sending: Worker, receiver: Receiver
) -> None:
    first, second, third = store(sending, some_pixel(sending), OLD, 3)

    def erase(ids: list[int]) -> list[int]:
        sending.query("DELETE FROM tracking_events WHERE id = ?", second)
        return ids

    receiver.acknowledge = erase
    assert run(sending)["changed"] == 3
    assert (stored_ids(sending), sending.stored_keys("archive/")) == ([first, third], [])


def test_what_nobody_acknowledges_stays(sending: Worker, receiver: Receiver) -> None:
    receiver.acknowledge = lambda _: []
    events = store(sending, some_pixel(sending), OLD, 3)
    run(sending)
    assert (stored_ids(sending), sending.stored_keys("archive/")) == (events, [])


def test_an_endpoint_that_fails_for_a_moment_is_asked_again(
    sending: Worker, receiver: Receiver
) -> None:
    receiver.statuses = [500, 429]
    events = store(sending, some_pixel(sending), OLD, 3)
    assert run(sending)["archived"] == 3
    assert len(receiver.batches) == 3
    assert archived(sending) == events


@pytest.mark.parametrize(
    ("statuses", "tries", "reason"),
    [
        ([503, 503, 503], 3, "ARCHIVE_ENDPOINT, 3 times: answered 503"),
        ([401], 1, "ARCHIVE_ENDPOINT answered 401"),
        ([302], 1, "ARCHIVE_ENDPOINT answered 302"),
    ],
)
def test_while_an_endpoint_fails_everything_stays(
    sending: Worker, receiver: Receiver, statuses: list[int], tries: int, reason: str
) -> None:
    receiver.statuses = list(statuses)
    for _ in range(2):
        store(sending, some_pixel(sending), OLD)
    line = run(sending)
    assert (line["outcome"], line["archived"]) == ("endpoint_failed", 0)
    # The other pixel is not even tried.
    assert len(receiver.batches) == tries
    assert len(stored_ids(sending)) == 2
    assert [line["reason"] for line in logged(sending, "archive_endpoint_failed")] == [reason]


@pytest.mark.parametrize("ids", [None, {"a": 1}, "all"])
def test_an_answer_without_a_list_acknowledges_nothing(
    sending: Worker, receiver: Receiver, ids: object
) -> None:
    receiver.acknowledge = lambda _: ids
    events = store(sending, some_pixel(sending), OLD)
    assert run(sending)["outcome"] == "endpoint_failed"
    assert stored_ids(sending) == events


def test_one_worker_archives_into_another_one(
    sending: Worker, receiver: Receiver, archiving: Worker
) -> None:
    headers = {"authorization": f"Bearer {ADMIN_KEY}"}

    def pass_on(_: list[int]) -> object:
        batch = json.dumps(receiver.batches[-1])
        answer = archiving.fetch("/api/archive", method="POST", headers=headers, body=batch)
        assert answer.status == 200, answer.body
        return answer.json()["data"]["acknowledged"]

    receiver.acknowledge = pass_on
    pixel = some_pixel(sending)
    events = store(sending, pixel, OLD, 250)
    assert run(sending)["outcome"] == "drained"
    assert archived(sending) == events
    part_keys = [key for key in archiving.stored_keys(f"received/{pixel}/") if key.endswith(".gz")]
    contents = [archiving.stored(key) or b"" for key in part_keys]
    lines = [line for content in contents for line in gzip.decompress(content).splitlines()]
    assert sorted(json.loads(line)["id"] for line in lines) == events
