"""What KV and R2 hold in another shape stops neither tracking nor the sync nor alerts.

It counts as nothing, and is said once.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from pyodide_bundle import Bundle
from tests.harness.keys import ADMIN_KEY, keys
from tests.harness.sync import CRON, Lab, running_lab, some_email
from tests.harness.worker import Row, some_event, some_visitor

MEBIBYTE = 2**20
SHAPES = {
    "empty": b"",
    "no JSON": b"{",
    "a list": b"[5]",
    "a list of objects": b'[{"problem": 5}]',
    "a text": b'"x"',
    "a number": b"1e999",
    "null": b"null",
    "an object of an object": b'{"job_failing": {"severity": []}, "format": {}, "backups": {}}',
    "a newer version": b'{"format": 99, "version": 2, "alerts": [], "backups": [{"id": "x"}],'
    b' "event_id": [5], "since": 1, "receipts": {"a": 1}, "count": 1e999}',
    "a text of a megabyte": b"x" * MEBIBYTE,
    "brackets of a megabyte": b"[" * MEBIBYTE,
    "no UTF-8": b"\xff\xfe\x00{",
}
KEYS = ("alerts", "alerts_sent", "alert_acknowledged:job_failing", "pipedrive-fields:default")
OBJECTS = ("backups/high-water.json", "backups/index.json", "erasures/index.json")
# The archive cannot run with this setting, so there is always something to alert of.
ALARMING = {"ARCHIVE_DAYS": "many", "API_KEYS": keys()}


@pytest.fixture(scope="module")
def lab(local_config: Bundle) -> Iterator[Lab]:
    """A Worker that has run its cron, with an alert, an erasure and a backup."""
    with running_lab(**ALARMING) as running:
        for _ in range(2):
            run_cron(running)
        erase(running, some_email())
        yield running


def run_cron(lab: Lab) -> list[Row]:
    """The log lines of a run, in which nothing crashed."""
    lab.worker.act("clear_logs")
    assert lab.worker.act("scheduled", cron=CRON)["outcome"] == "ok"
    lines = lab.worker.log_lines()
    crashed = [line for line in lines if line["event"].endswith(("_crashed", "_failed"))]
    assert crashed == []
    return lines


def ask(lab: Lab, method: str, path: str, body: Row | None = None) -> Row:
    """The answer to somebody with an admin's key."""
    headers = {"authorization": f"Bearer {ADMIN_KEY}"}
    answer = lab.worker.http.request(method, lab.worker.url + path, headers=headers, json=body)
    assert answer.status_code == 200, answer.text
    content: Row = answer.json()["data"]
    return content


def erase(lab: Lab, email: str) -> Row:
    """The receipt of an erasure."""
    body: Row = {"email": email, "confirm": True}
    answer = ask(lab, "POST", "/api/privacy/erase", body)
    while not answer["done"]:
        body["cursor"] = answer["cursor"]
        answer = ask(lab, "POST", "/api/privacy/erase", body)
    receipt: Row = answer["receipt"]
    return receipt


@dataclass(frozen=True, slots=True)
class Submission:
    """A form that is sent more than once."""

    email: str
    event: Row

    def send(self, lab: Lab) -> int:
        answer = lab.worker.send(self.event)
        assert answer.status_code == 200, answer.text
        event_id: int = answer.json()["event_id"]
        return event_id


def some_submission() -> Submission:
    email = some_email()
    fields = {"event_type": "form_submit", "form_data": {"email": email}}
    return Submission(email, dict(some_event(event_key=f"key-{some_visitor()}", **fields)))


def count(lines: list[Row], event: str) -> int:
    """How often an event is among the log lines."""
    return [line["event"] for line in lines].count(event)


@pytest.mark.parametrize("content", SHAPES.values(), ids=SHAPES)
def test_a_value_in_kv_of_another_shape_loses_no_lead_and_no_alert(
    lab: Lab, content: bytes
) -> None:
    submission = some_submission()
    person_id = lab.person(submission.email)
    event_id = submission.send(lab)
    names = {name for name, _ in lab.worker.act("kv_entries")}
    assert [name for name in names if name.startswith("submission:")]
    text = base64.b64encode(content).decode()
    for name in names.union(KEYS):
        lab.worker.act("kv_put_bytes", key=name, content=text)

    assert submission.send(lab) == event_id
    other = some_submission()
    other_id = other.send(lab)
    lab.time_passes()
    lines = run_cron(lab)
    assert lab.status(event_id) == ("synced", str(person_id))
    assert lab.status(other_id)[0] == "not_found"
    alerts = [(line["problem"], line["state"]) for line in lines if line["event"] == "alert"]
    assert ("job_failing", "new") in alerts
    assert count(lines, "alerts_not_remembered") == 1
    assert ask(lab, "GET", "/api/alerts")["problems"]
    assert erase(lab, submission.email)["counts"]["tracking_events"] == 1

    after = run_cron(lab)
    assert count(after, "alerts_not_remembered") == count(after, "alert") == 0
    sent = ask(lab, "GET", "/api/alerts")["sent"]
    assert sent[0]["problem"]
    assert json.dumps(sent).count("new")


@pytest.mark.parametrize("content", SHAPES.values(), ids=SHAPES)
def test_an_object_in_r2_of_another_shape_loses_no_event_and_no_alert(
    lab: Lab, content: bytes
) -> None:
    keys_in_r2 = [key for key in lab.worker.stored_keys() if key.endswith(".json")]
    lab.worker.act("kv_clear")
    for key in {*OBJECTS, *keys_in_r2}:
        lab.worker.store(key, content)
    submission = some_submission()
    submission.send(lab)
    lines = run_cron(lab)
    assert "job_failing" in [line["problem"] for line in lines if line["event"] == "alert"]
    assert count(lines, "backup_index_unreadable") == 1, [line["event"] for line in lines]
    assert count(lines, "mark_unreadable") >= 1
    assert erase(lab, submission.email)["counts"]["tracking_events"] == 1

    after = run_cron(lab)
    assert count(after, "mark_unreadable") == count(after, "backup_index_unreadable") == 0
    mark = json.loads(lab.worker.stored(OBJECTS[0]) or b"")
    assert mark["highest_event"] > 0
    index = json.loads(lab.worker.stored(OBJECTS[2]) or b"")
    assert len(index["receipts"]) >= 1
