"""What became of a form decides whether Pipedrive hears of it."""

from __future__ import annotations

from threading import Thread

import pytest

from services.core.pending_leads import REJECTED
from services.core.stored_time import NEVER_DUE
from simulator.faults import Fault
from tests.harness.sync import CRON, Lab, some_email
from tests.harness.worker import some_event, some_visitor


def form(email: str, **fields: object) -> dict[str, object]:
    """A form as a new pixel sends it at once."""
    return some_event(
        event_type="form_submit",
        event_key=some_visitor(),
        form_data={"email": email},
        outcome="submitted",
        **fields,
    )


def send(lab: Lab, event: dict[str, object], *outcomes: str) -> int:
    """Sends a form once for each outcome; returns its event's id."""
    answers = [lab.worker.send(event | {"outcome": outcome}) for outcome in outcomes]
    [event_id] = {int(answer.json()["event_id"]) for answer in answers}
    return event_id


def timers(lab: Lab) -> list[str]:
    entries: list[list[str]] = lab.worker.act("kv_entries")
    return [value for name, value in entries if name.startswith("sync:")]


def timer_goes_off(lab: Lab, event_id: int) -> None:
    """Puts the timer of an event into the past, whatever its row says."""
    assert timers(lab) == [str(event_id)]
    lab.worker.act("kv_clear")
    entry = [f"sync:20260101T000000Z:{event_id:012}", str(event_id)]
    lab.worker.act("kv_put", entries=[entry])


@pytest.mark.parametrize("outcomes", [("submitted",), ("submitted", "accepted"), ("accepted",)])
def test_a_form_that_was_not_refused_is_sent(lab: Lab, outcomes: tuple[str, ...]) -> None:
    email = some_email()
    person = lab.person(email)
    event_id = send(lab, form(email), *outcomes)
    timer_goes_off(lab, event_id)

    assert lab.sync()["synced"] == 1
    assert lab.status(event_id) == ("synced", str(person))


@pytest.mark.parametrize("late", [(), ("submitted",)])
def test_a_form_that_was_refused_after_its_timer_was_set_is_never_sent(
    lab: Lab, late: tuple[str, ...]
) -> None:
    email = some_email()
    lab.person(email)
    event_id = send(lab, form(email), "submitted", "rejected", *late)
    timer_goes_off(lab, event_id)

    assert lab.sync()["synced"] == 0
    assert lab.sync()["outcome"] == "drained"
    assert lab.status(event_id) == (REJECTED, None)
    assert lab.worker.event(event_id)["pipedrive_due_at"] == NEVER_DUE
    assert lab.pipedrive.requests == []
    assert timers(lab) == []


def test_a_form_that_was_refused_at_once_gets_no_timer(lab: Lab) -> None:
    email = some_email()
    lab.person(email)
    event_id = send(lab, form(email), "rejected")

    assert timers(lab) == []
    assert lab.status(event_id) == (REJECTED, None)
    lab.sync()
    assert lab.pipedrive.requests == []


def test_a_form_that_was_refused_and_then_taken_gets_a_timer_and_is_sent(lab: Lab) -> None:
    email = some_email()
    person = lab.person(email)
    event_id = send(lab, form(email), "rejected", "accepted")
    timer_goes_off(lab, event_id)

    lab.sync()
    assert lab.status(event_id) == ("synced", str(person))


def test_a_correction_sets_no_second_timer(lab: Lab) -> None:
    event = form(some_email())
    event_id = send(lab, event, "submitted")
    lab.worker.query(
        "UPDATE tracking_events SET pipedrive_due_at = '2099-01-01' WHERE id = ?", event_id
    )
    send(lab, event, "accepted")
    assert timers(lab) == [str(event_id)]


def test_a_form_that_was_sent_stays_sent(lab: Lab) -> None:
    email = some_email()
    person = lab.person(email)
    event = form(email)
    event_id = send(lab, event, "submitted")
    lab.sync()
    send(lab, event, "rejected")

    assert lab.status(event_id) == ("synced", str(person))
    assert lab.sync()["synced"] == 0
    assert lab.pipedrive.calls("update") == 1


def test_a_form_that_is_refused_while_it_is_being_tried_is_not_tried_again(lab: Lab) -> None:
    email = some_email()
    lab.person(email)
    event = form(email)
    event_id = send(lab, event, "submitted")
    # Longer than a call may take, each time.
    fault = lab.pipedrive.faults.add(Fault("slow", "search", times=3, seconds=2))
    lab.time_passes()
    run = Thread(target=lab.worker.act, args=("scheduled",), kwargs={"cron": CRON})
    run.start()
    assert fault.reached.wait(10)
    send(lab, event, "rejected")
    run.join()

    row = lab.worker.event(event_id)
    assert (row["pipedrive_sync_status"], row["pipedrive_due_at"]) == (REJECTED, NEVER_DUE)
    assert row["pipedrive_lease"] is None
    lab.sync()
    assert lab.pipedrive.calls("update") == 0


def test_a_later_step_with_a_name_reaches_the_search(lab: Lab) -> None:
    person = lab.pipedrive.account.add_person("Theodora Quist", [some_email()])
    event = form(some_email())
    event_id = send(lab, event, "submitted")
    names = {"first_name": "Theodora", "last_name": "Quist"}
    lab.worker.send(event | {"form_data": names})

    lab.sync()
    assert lab.status(event_id) == ("synced", str(person))


def test_what_is_refused_is_not_pending_and_a_custom_event_is_no_submission(lab: Lab) -> None:
    send(lab, form(some_email()), "submitted", "rejected")
    lab.worker.send(
        some_event(event_type="event", event_name="signup", form_data={"email": some_email()})
    )
    pending = lab.worker.query(
        "SELECT count(*) AS pending FROM tracking_events WHERE event_type = 'form_submit' "
        "AND pipedrive_sync_status IS NULL AND pipedrive_due_at < ?",
        NEVER_DUE,
    )
    assert pending == [{"pending": 0}]
    assert lab.sync()["outcome"] == "drained"
    assert lab.pipedrive.requests == []
