"""When a form submission is due for Pipedrive, and that one which comes twice is one."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from services.core.stored_time import NEVER_DUE
from tests.harness.sync import Lab, some_email
from tests.harness.worker import PROJECT, some_event, some_visitor


def due_of(lab: Lab, event_id: int) -> str | None:
    due: str | None = lab.worker.event(event_id)["pipedrive_due_at"]
    return due


def timers(lab: Lab) -> list[tuple[str, str]]:
    entries: list[list[str]] = lab.worker.act("kv_entries")
    return [(name, value) for name, value in entries if name.startswith("sync:")]


def old_form(email: str, **fields: object) -> dict[str, object]:
    """What an old pixel sends: no event key, and form data as text."""
    return some_event(
        event_type="form_submission",
        page_url="https://shop.example/thank-you",
        form_data=json.dumps({"email": email}),
        **fields,
    )


def event_id_of(answer: httpx.Response) -> int:
    assert answer.status_code == 200, answer.text
    event_id: int = answer.json()["event_id"]
    return event_id


def test_a_lead_is_pending_from_the_moment_its_row_is_there_and_due_in_seven_minutes(
    lab: Lab,
) -> None:
    event_id = lab.submit(some_email())
    row = lab.worker.event(event_id)

    assert row["pipedrive_sync_status"] is None
    sent = datetime.fromisoformat(row["timestamp"])
    assert datetime.fromisoformat(row["pipedrive_due_at"]) == sent + timedelta(minutes=7)


def test_its_timer_sorts_by_due_time_and_holds_the_event_id_and_nothing_else(lab: Lab) -> None:
    first, second = lab.submit(some_email()), lab.submit(some_email())
    entries = timers(lab)

    assert [value for _, value in entries] == [str(first), str(second)]
    due = datetime.fromisoformat(due_of(lab, first) or "").replace(tzinfo=UTC)
    assert entries[0][0] == f"sync:{due:%Y%m%dT%H%M%SZ}:{first:012}"
    assert all(re.fullmatch(r"sync:\d{8}T\d{6}Z:\d+", name) for name, _ in entries)


def test_nothing_personal_is_in_kv_or_in_the_log(lab: Lab) -> None:
    email = some_email()
    lab.worker.act("clear_logs")
    lab.submit(email, first_name="Theodora", last_name="Quist")
    lab.sync()

    stored = json.dumps([lab.worker.act("kv_entries"), lab.worker.log_lines()])
    assert not [word for word in (email, "Theodora", "Quist") if word in stored]


def test_a_submission_before_its_time_stays_where_it_is(lab: Lab) -> None:
    email = some_email()
    lab.person(email)
    event_id = lab.submit(email)

    assert lab.run()["synced"] == 0
    assert lab.status(event_id) == (None, None)
    assert lab.pipedrive.requests == []


@pytest.mark.parametrize(
    "fields",
    [
        {"event_type": "form_submit", "form_data": {"first_name": "Jane", "last_name": "Doe"}},
        {"event_type": "form_submit"},
    ],
)
def test_a_form_without_an_email_is_never_due(lab: Lab, fields: dict[str, object]) -> None:
    event_id = event_id_of(lab.worker.send(some_event(**fields)))
    assert due_of(lab, event_id) == NEVER_DUE
    assert timers(lab) == []


def test_a_page_view_is_not_due_and_costs_no_timer(lab: Lab) -> None:
    event_id = event_id_of(lab.worker.send(some_event()))
    assert due_of(lab, event_id) is None
    assert lab.worker.act("kv_entries") == []


@pytest.mark.parametrize("disabled", ["false", '"false"', "0"])
def test_a_project_that_is_switched_off_has_no_pending_leads(lab: Lab, disabled: str) -> None:
    name = f"off-{some_visitor()}"
    configuration = f'{{"pipedrive_enabled": {disabled}}}'
    lab.worker.query(
        "INSERT INTO projects (id, name, configuration) VALUES (?, ?, ?)", name, name, configuration
    )
    lab.worker.query("INSERT INTO pixels (id, project_id, name) VALUES (?, ?, 'x')", name, name)

    assert due_of(lab, lab.submit(some_email(), pixel_id=name)) == NEVER_DUE
    assert timers(lab) == []


@pytest.mark.parametrize("configuration", ["", "not json", "[]", '{"pipedrive_enabled": true}'])
def test_any_other_configuration_leaves_the_sync_on(lab: Lab, configuration: str) -> None:
    name = f"odd-{some_visitor()}"
    lab.worker.query(
        "INSERT INTO projects (id, name, configuration) VALUES (?, ?, ?)", name, name, configuration
    )
    lab.worker.query("INSERT INTO pixels (id, project_id, name) VALUES (?, ?, 'x')", name, name)
    email = some_email()
    person = lab.person(email)
    event_id = lab.submit(email, pixel_id=name)
    lab.sync()
    assert lab.status(event_id) == ("synced", str(person))


def test_a_project_that_is_switched_off_meanwhile_gets_a_reason(lab: Lab) -> None:
    event_id = lab.submit(some_email())
    off = "UPDATE projects SET configuration = ? WHERE id = ?"
    lab.worker.query(off, '{"pipedrive_enabled": false}', PROJECT)
    lab.sync()
    lab.worker.query(off, "{}", PROJECT)

    assert lab.status(event_id) == ("error", None)
    assert "switched off" in lab.reason(event_id)
    assert lab.pipedrive.calls("search") == 0


# ---- repeats ------------------------------------------------------------------------------------


def test_a_new_pixel_that_sends_its_submission_again_gets_the_same_event(lab: Lab) -> None:
    event = some_event(
        event_type="form_submit", event_key=some_visitor(), form_data={"email": some_email()}
    )
    first = lab.worker.send(event).json()
    repeated = lab.worker.send(event).json()

    for answer in (first, repeated):
        del answer["processing_time"]
    assert repeated == first
    assert len(timers(lab)) == 1


def test_the_answer_is_the_same_when_kv_has_forgotten_it(lab: Lab) -> None:
    event = some_event(
        event_type="form_submit", event_key=some_visitor(), form_data={"email": some_email()}
    )
    first = event_id_of(lab.worker.send(event))
    lab.worker.act("kv_clear")
    assert event_id_of(lab.worker.send(event)) == first


@pytest.mark.parametrize("nonsense", ["", "x", "[]", "{}", '{"at": "2026-01-01"}'])
def test_nonsense_in_kv_costs_no_lead(lab: Lab, nonsense: str) -> None:
    form = old_form(some_email())
    first = event_id_of(lab.worker.send(form))
    [name] = [name for name, _ in lab.worker.act("kv_entries") if name.startswith("submission:")]
    lab.worker.act("kv_put", entries=[[name, nonsense]])
    assert event_id_of(lab.worker.send(form)) == first


def test_an_old_pixel_that_says_the_same_again_gets_the_same_event(lab: Lab) -> None:
    form = old_form(some_email())
    first = event_id_of(lab.worker.send(form))
    assert event_id_of(lab.worker.send(form)) == first

    lab.worker.act("kv_clear")
    assert event_id_of(lab.worker.send(form)) == first
    [session] = lab.worker.query(
        "SELECT page_views FROM sessions WHERE id = ?", lab.worker.event(first)["session_id"]
    )
    assert session["page_views"] == 1


def test_the_same_form_without_the_cookie_is_another_visitors_and_tells_nothing(lab: Lab) -> None:
    form = old_form(some_email())
    first = lab.worker.send(form).json()
    stranger = lab.worker.send({**form, "visitor_cookie": None}).json()
    for name in ("event_id", "visitor_id", "session_id", "visitor_cookie"):
        assert stranger[name] != first[name]


def test_repeats_of_an_old_pixel_at_the_same_moment_are_one_event(lab: Lab) -> None:
    form = old_form(some_email())
    with ThreadPoolExecutor(8) as senders:
        answers = list(senders.map(lambda _: lab.worker.send(form), range(8)))
    assert len({event_id_of(answer) for answer in answers}) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"page_url": "https://shop.example/other"},
        {"pixel_id": "ppp-website-1"},
        {"form_data": '{"email": "somebody.else@example.com"}'},
    ],
)
def test_another_page_pixel_or_person_is_another_submission(
    lab: Lab, change: dict[str, object]
) -> None:
    form = old_form(some_email())
    first = event_id_of(lab.worker.send(form))
    assert event_id_of(lab.worker.send(form | change)) != first


@pytest.mark.parametrize(("seconds_ago", "is_repeat"), [(1, True), (590, True), (610, False)])
def test_the_same_form_of_an_old_pixel_is_one_submission_for_ten_minutes(
    lab: Lab, seconds_ago: int, *, is_repeat: bool
) -> None:
    form = old_form(some_email())
    first = event_id_of(lab.worker.send(form))
    lab.worker.act("kv_clear")
    # Its key says when it came.
    name, _, second = lab.worker.event(first)["event_key"].rpartition("-")
    key = f"{name}-{int(second) - seconds_ago}"
    lab.worker.query("UPDATE tracking_events SET event_key = ? WHERE id = ?", key, first)
    repeated = event_id_of(lab.worker.send(form))
    assert (repeated == first) is is_repeat
    assert lab.worker.event(first)["event_key"] == key


def test_a_repeat_is_synced_once(lab: Lab) -> None:
    email = some_email()
    person = lab.person(email)
    form = old_form(email)
    event_id = event_id_of(lab.worker.send(form))
    lab.worker.send(form)

    assert lab.sync()["synced"] == 1
    assert lab.status(event_id) == ("synced", str(person))
    assert lab.pipedrive.calls("update") == 1
