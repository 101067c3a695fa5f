"""Everything that Pipedrive does when it misbehaves, and that no lead is lost by it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from simulator.faults import Fault
from simulator.server import simulator
from tests.harness.sync import FIELDS, Lab, running_lab, some_email

OPERATIONS = ["search", "person", "update", "fields"]
TRANSIENT = [
    Fault("timeout", seconds=5, times=3),
    Fault("server_error", times=3),
    Fault("bad_gateway", times=3),
    Fault("reset", times=3),
    Fault("broken_json", times=1),
    Fault("empty", times=1),
]


def fault_for(kind: Fault, operation: str | None) -> Fault:
    return Fault(kind.kind, operation, times=kind.times, seconds=kind.seconds)


def state_of(lab: Lab) -> str:
    state: str = lab.worker.query("SELECT state FROM pipedrive_accounts")[0]["state"]
    return state


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("kind", TRANSIENT, ids=lambda fault: fault.kind)
def test_a_failure_that_may_pass_keeps_the_lead_and_a_later_run_sends_it(
    lab: Lab, kind: Fault, operation: str
) -> None:
    email = some_email()
    person = lab.person(email)
    event_id = lab.submit(email)
    lab.pipedrive.faults.add(fault_for(kind, operation))

    line = lab.sync()
    assert (line["event"], line["put_back"]) == ("sync_run", 1)
    assert lab.status(event_id) == (None, None)
    assert lab.reason(event_id)

    lab.sync()
    assert lab.status(event_id) == ("synced", str(person))
    assert lab.worker.event(event_id)["pipedrive_retry_count"] == 1


@pytest.mark.parametrize("kind", ["server_error", "reset", "bad_gateway"])
def test_two_failures_in_a_row_are_got_over_within_the_call(lab: Lab, kind: str) -> None:
    email = some_email()
    person = lab.person(email)
    event_id = lab.submit(email)
    lab.pipedrive.faults.add(Fault(kind, "search", times=2))

    assert lab.sync()["synced"] == 1
    assert lab.status(event_id) == ("synced", str(person))
    assert lab.pipedrive.calls("search") == 3


def test_one_failing_person_does_not_hold_the_others_up(lab: Lab) -> None:
    emails = [some_email() for _ in range(6)]
    persons = [lab.person(email) for email in emails]
    events = [lab.submit(email) for email in emails]
    lab.pipedrive.faults.add(Fault("server_error", "update", times=None, person_id=persons[2]))

    line = lab.sync()

    assert (line["synced"], line["put_back"]) == (5, 1)
    assert lab.status(events[2]) == (None, None)


def test_a_short_429_is_waited_for(lab: Lab) -> None:
    email = some_email()
    person = lab.person(email)
    event_id = lab.submit(email)
    lab.pipedrive.faults.add(Fault("too_many_requests", "search", retry_after=1))

    lab.sync()

    assert lab.status(event_id) == ("synced", str(person))
    first, second = (request for request in lab.pipedrive.requests if request.operation == "search")
    assert second.at - first.at >= 1
    assert state_of(lab) == "closed"


def test_a_long_429_ends_the_run_and_is_remembered(lab: Lab) -> None:
    emails = [some_email() for _ in range(3)]
    events = [lab.submit(email) for email in emails]
    lab.pipedrive.faults.add(Fault("too_many_requests", "search", times=3, retry_after=7_200))

    line = lab.sync()
    assert (line["outcome"], line["put_back"]) == ("drained", 3)
    searches_before = lab.pipedrive.calls("search")

    # Due again, but Pipedrive still wants to be left alone.
    lab.worker.query(
        "UPDATE tracking_events SET pipedrive_due_at = '2026-01-01' "
        "WHERE pipedrive_sync_status IS NULL AND event_type = 'form_submit' "
        "AND pipedrive_due_at < '9999'"
    )
    assert lab.run()["outcome"] == "pipedrive_unavailable"
    assert lab.pipedrive.calls("search") == searches_before
    assert [lab.worker.event(event)["pipedrive_retry_count"] for event in events] == [0, 0, 0]

    lab.sync()
    assert {lab.status(event) for event in events} == {("not_found", None)}


def test_an_exhausted_daily_budget_puts_the_work_back_for_hours(lab: Lab) -> None:
    event_id = lab.submit(some_email())
    lab.pipedrive.limits.daily_tokens = 10
    lab.sync()

    [account] = lab.worker.query(
        "SELECT paused_until > datetime('now', '+1 hour') AS paused FROM pipedrive_accounts"
    )
    assert account["paused"] == 1
    assert lab.status(event_id) == (None, None)


@pytest.mark.parametrize(("kind", "reason"), [("unauthorized", "401"), ("blocked", "403")])
def test_a_refused_key_and_a_block_open_the_breaker_and_are_never_repeated(
    lab: Lab, kind: str, reason: str
) -> None:
    event_id = lab.submit(some_email())
    lab.pipedrive.faults.add(Fault(kind, times=None))

    lab.sync()
    assert state_of(lab) == "open"
    assert len(lab.pipedrive.requests) == 1
    [alert] = [line for line in lab.worker.log_lines() if line["event"] == "alert"]
    assert reason in alert["text"]

    assert lab.run()["outcome"] == "pipedrive_unavailable"
    assert len(lab.pipedrive.requests) == 1
    assert lab.status(event_id) == (None, None)
    assert lab.worker.event(event_id)["pipedrive_retry_count"] == 0


def test_an_address_that_is_not_pipedrives_holds_leads_up_and_says_so(local_config: object) -> None:
    with (
        simulator() as elsewhere,
        running_lab(
            PIPEDRIVE_URL=f"{elsewhere.url}/nowhere", PIPEDRIVE_API_KEY=elsewhere.token
        ) as lab,
    ):
        event_id = lab.submit(some_email())
        lab.sync()
        assert lab.status(event_id) == (None, None)
        assert state_of(lab) == "open"
        [alert] = [line for line in lab.worker.log_lines() if line["event"] == "alert"]
        assert "answered 404 to the fields: are address and token right?" in alert["text"]


def test_the_breaker_opens_after_five_failures_and_says_so_once(lab: Lab) -> None:
    events = [lab.submit(some_email()) for _ in range(20)]
    lab.run()  # reads the fields of the account
    lab.pipedrive.faults.add(Fault("server_error", "search", times=None))

    lab.sync()

    assert state_of(lab) == "open"
    # Five leads are under way at once, each with two retries; then nobody is asked any more.
    assert 15 <= lab.pipedrive.calls("search") <= 30
    alerts = [line for line in lab.worker.log_lines() if line["event"] == "alert"]
    assert len(alerts) == 1
    assert all(lab.status(event) == (None, None) for event in events)


def test_an_open_breaker_lets_two_through_and_closes(lab: Lab) -> None:
    email = some_email()
    person = lab.person(email)
    lab.worker.query(
        "INSERT INTO pipedrive_accounts VALUES ('default', 'open', 5, 0, ?, NULL)",
        "2026-01-01T00:00:00.000+00:00",
    )
    event_id = lab.submit(email)
    lab.sync()
    assert lab.status(event_id) == ("synced", str(person))
    assert state_of(lab) == "closed"


def test_a_half_open_breaker_opens_again_at_the_first_failure(lab: Lab) -> None:
    lab.submit(some_email())
    lab.sync()  # the fields of the account are known from here on
    lab.worker.query(
        "UPDATE pipedrive_accounts SET state = 'open', failures = 5, open_until = ?",
        "2026-01-01T00:00:00.000+00:00",
    )
    for _ in range(10):
        lab.submit(some_email())
    lab.pipedrive.faults.add(Fault("server_error", "search", times=None))
    before = len(lab.pipedrive.requests)
    lab.sync()

    assert state_of(lab) == "open"
    assert len(lab.pipedrive.requests) - before == 3  # one lead, with its two retries
    # The sync did not open it; who watches finds it open.
    [alert] = [line for line in lab.worker.log_lines() if line["event"] == "alert"]
    assert (alert["problem"], alert["state"]) == ("pipedrive_breaker_open", "new")


def test_a_key_that_pipedrive_does_not_know_is_named_dropped_and_gone_on_without(lab: Lab) -> None:
    email = some_email()
    person = lab.person(email)
    event_id = lab.submit(email, page_url="https://shop.example/?utm_source=google")
    lab.pipedrive.faults.add(Fault("unknown_key"))
    lab.sync()

    assert lab.status(event_id) == ("synced", str(person))
    assert "utm_source (the account does not know the key" in lab.reason(event_id)
    assert FIELDS["utm_source"] in lab.reason(event_id)
    assert lab.written(person)["event_id"] == event_id
    assert "utm_source" not in lab.written(person)


def test_a_field_that_the_account_does_not_have_is_left_out_beforehand(lab: Lab) -> None:
    account = lab.pipedrive.account
    missing = next(field for field in account.fields if field.field_code == FIELDS["gclid"])
    account.fields.remove(missing)
    try:
        email = some_email()
        person = lab.person(email)
        event_id = lab.submit(email, page_url="https://shop.example/?gclid=G1")
        lab.sync()
    finally:
        account.fields.append(missing)

    assert lab.status(event_id) == ("synced", str(person))
    assert "gclid (the account has no field with the key" in lab.reason(event_id)
    assert lab.pipedrive.calls("update") == 1


def test_a_field_that_was_added_since_the_fields_were_read_is_written(lab: Lab) -> None:
    account = lab.pipedrive.account
    added = next(field for field in account.fields if field.field_code == FIELDS["gclid"])
    account.fields.remove(added)
    try:
        lab.person(email := some_email())
        lab.submit(email)
        lab.sync()
    finally:
        account.fields.append(added)
    email = some_email()
    person = lab.person(email)
    lab.submit(email, page_url="https://shop.example/?gclid=G1")
    line = lab.sync()

    assert line["calls"]["fields"] == 1
    assert lab.written(person)["gclid"] == "G1"


def test_a_refusal_for_good_ends_in_error_with_pipedrives_own_words(lab: Lab) -> None:
    account = lab.pipedrive.account
    index = next(
        i for i, field in enumerate(account.fields) if field.field_code == FIELDS["pixel_id"]
    )
    text = account.fields[index]
    lab.submit(some_email())
    lab.sync()
    email = some_email()
    lab.person(email)
    event_id = lab.submit(email)
    # The account changes under the fields that are remembered: what was a text is a number now.
    account.fields[index] = replace(text, field_type="double")
    try:
        lab.sync()
    finally:
        account.fields[index] = text

    status, _ = lab.status(event_id)
    assert status == "error"
    assert lab.reason(event_id).startswith("Pipedrive refused the request (400): ")


def test_a_lead_that_keeps_failing_rests_longer_each_time_and_ends_in_error(lab: Lab) -> None:
    event_id = lab.submit(some_email())
    lab.pipedrive.faults.add(Fault("broken_json", "search", times=None))
    pauses = []
    for _ in range(40):
        lab.worker.query("DELETE FROM pipedrive_accounts")
        lab.sync()
        row = lab.worker.query(
            "SELECT round(24 * 60 * (julianday(pipedrive_due_at) - julianday('now'))) AS pause, "
            "pipedrive_sync_status AS status, pipedrive_retry_count AS retries "
            "FROM tracking_events WHERE id = ?",
            event_id,
        )[0]
        if row["status"]:
            break
        pauses.append(row["pause"])

    assert row["status"] == "error"
    assert pauses[:8] == [5, 10, 20, 40, 80, 160, 320, 360]
    assert 72 <= sum(pauses) / 60 <= 78
    assert "given up after" in lab.reason(event_id)


# ---- who is told --------------------------------------------------------------------------------


class Webhook(BaseHTTPRequestHandler):
    """A receiver of alerts."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.received.append(json.loads(body))  # type: ignore[attr-defined]  # ours
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def webhook() -> Iterator[HTTPServer]:
    with HTTPServer(("127.0.0.1", 0), Webhook) as server:
        server.received = []  # type: ignore[attr-defined]  # what came
        Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def test_an_alert_goes_to_the_webhook_without_anything_personal(
    local_config: object, webhook: HTTPServer
) -> None:
    address = f"http://127.0.0.1:{webhook.server_address[1]}/hook"
    with running_lab(ALERT_WEBHOOK_URL=address) as lab:
        email = some_email()
        lab.submit(email)
        lab.pipedrive.faults.add(Fault("unauthorized", times=None))
        lab.sync()
    [message] = webhook.received  # type: ignore[attr-defined]  # what came
    assert "401" in message["text"]
    assert email not in json.dumps(message)
    assert lab.pipedrive.token not in json.dumps(message)
