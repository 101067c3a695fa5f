"""What became of a form decides whether Pipedrive hears of it."""

from __future__ import annotations

from threading import Thread

import pytest

from services.core.pending_leads import REJECTED
from services.core.stored_time import NEVER_DUE
from services.sync.portion import ACCEPTED_REASON, NOT_TAKEN
from simulator.faults import Fault
from tests.harness.sync import CRON, Lab, running_lab, some_email
from tests.harness.worker import Row, some_event, some_visitor


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


def known_person(lab: Lab, email: str) -> int:
    """A person whom Pipedrive had long before any form."""
    return lab.pipedrive.account.add_person("Jane Doe", [email], update_time="2026-01-01T00:00:00Z")


def check_is_due(lab: Lab) -> None:
    lab.worker.query(
        "UPDATE tracking_events SET pipedrive_due_at = '2026-01-01 00:00:00' "
        "WHERE pipedrive_sync_status = 'rejected' AND pipedrive_due_at < '9999'"
    )


def check(lab: Lab) -> Row:
    """The checks of rejected forms are due, and the cron runs."""
    check_is_due(lab)
    return lab.sync()


@pytest.mark.parametrize("outcomes", [("rejected",), ("submitted", "rejected")])
@pytest.mark.parametrize("late", [(), ("submitted",)])
def test_a_form_that_was_refused_is_checked_once_and_not_sent(
    lab: Lab, outcomes: tuple[str, ...], late: tuple[str, ...]
) -> None:
    email = some_email()
    known_person(lab, email)
    event_id = send(lab, form(email), *outcomes, *late)
    assert lab.status(event_id) == (REJECTED, None)
    assert lab.sync()["calls"] == {}

    line = check(lab)
    assert (line["synced"], line["rejected"], line["put_back"]) == (0, 1, 0)
    assert lab.pipedrive.calls("search") == 1
    assert lab.status(event_id) == (REJECTED, None)
    row = lab.worker.event(event_id)
    assert (row["pipedrive_due_at"], row["pipedrive_lease"]) == (NEVER_DUE, None)
    assert row["pipedrive_sync_reason"] == NOT_TAKEN

    # The pixel may say it again, and KV may have forgotten.
    lab.worker.act("kv_clear")
    assert check(lab)["calls"] == {}
    assert lab.pipedrive.calls("search") == 1
    assert lab.pipedrive.calls("update") == 0


def test_a_form_that_is_refused_again_is_not_checked_again(lab: Lab) -> None:
    event = form(some_email())
    event_id = send(lab, event, "rejected")
    check(lab)
    lab.worker.act("kv_clear")
    send(lab, event, "rejected")
    assert lab.worker.event(event_id)["pipedrive_due_at"] == NEVER_DUE


def test_a_form_that_was_refused_at_once_gets_no_timer(lab: Lab) -> None:
    send(lab, form(some_email()), "rejected")
    assert timers(lab) == []


@pytest.mark.parametrize("outcomes", [("rejected",), ("submitted", "rejected")])
def test_a_refused_form_whose_person_was_added_since_was_taken(
    lab: Lab, outcomes: tuple[str, ...]
) -> None:
    email = some_email()
    event_id = send(lab, form(email), *outcomes)
    person = lab.person(email)

    line = check(lab)
    assert line["synced"] == 1
    assert lab.status(event_id) == ("synced", str(person))
    assert lab.reason(event_id) == ACCEPTED_REASON
    assert lab.written(person)["event_id"] == event_id
    assert lab.pipedrive.calls("search") == 1
    assert lab.worker.event(event_id)["form_outcome"] == "rejected"
    assert check(lab)["calls"] == {}


@pytest.mark.parametrize(("seconds", "is_taken"), [(100, True), (140, False)])
def test_clocks_may_differ_by_two_minutes(lab: Lab, seconds: int, *, is_taken: bool) -> None:
    email = some_email()
    lab.person(email)
    event_id = send(lab, form(email), "rejected")
    lab.worker.query(
        "UPDATE tracking_events SET timestamp = datetime(timestamp, ?) WHERE id = ?",
        f"+{seconds} seconds",
        event_id,
    )
    check(lab)
    assert (lab.status(event_id)[0] == "synced") is is_taken


def test_of_two_persons_the_one_that_was_added_since_is_taken(lab: Lab) -> None:
    email = some_email()
    known_person(lab, email)
    event_id = send(lab, form(email), "rejected")
    added = lab.person(email)
    deleted = lab.person(email)
    lab.pipedrive.account.delete_person(deleted)
    check(lab)
    assert lab.status(event_id) == ("synced", str(added))


def test_a_namesake_is_not_the_person_of_a_refused_form(lab: Lab) -> None:
    event_id = send(
        lab,
        form(some_email()) | {"form_data": {"email": some_email(), "name": "Zoe Unseen"}},
        "rejected",
    )
    lab.person(some_email(), "Zoe Unseen")
    check(lab)
    assert lab.status(event_id) == (REJECTED, None)
    assert lab.pipedrive.calls("search") == 1


def test_a_refused_form_and_its_corrected_retry_are_one_lead(lab: Lab) -> None:
    email = some_email()
    refused = send(lab, form(email), "submitted", "rejected")
    retried = send(lab, form(email), "submitted", "accepted")
    person = lab.person(email)
    check(lab)
    assert lab.status(retried) == ("synced", str(person))
    assert lab.status(refused) == (REJECTED, None)
    assert lab.pipedrive.calls("update") == 1


def test_leads_go_before_checks(lab: Lab) -> None:
    email = some_email()
    person = lab.person(email)
    checks = [send(lab, form(some_email()), "rejected") for _ in range(3)]
    event_id = send(lab, form(email), "accepted")
    lab.worker.query("UPDATE tracking_events SET pipedrive_due_at = NULL WHERE id = ?", event_id)
    check(lab)
    paths = [request.operation for request in lab.pipedrive.requests]
    assert paths.count("search") == 4
    assert lab.status(event_id) == ("synced", str(person))
    assert {lab.status(check_id) for check_id in checks} == {(REJECTED, None)}


def test_a_check_that_fails_is_tried_again_and_never_becomes_an_error(lab: Lab) -> None:
    email = some_email()
    event_id = send(lab, form(email), "rejected")
    lab.pipedrive.faults.add(Fault("server_error", "search", times=3))
    check(lab)
    row = lab.worker.event(event_id)
    assert row["pipedrive_sync_status"] == REJECTED
    assert row["pipedrive_due_at"] < NEVER_DUE

    person = lab.person(email)
    check(lab)
    assert lab.status(event_id) == ("synced", str(person))


def test_a_form_that_is_accepted_while_it_is_checked_is_a_lead(lab: Lab) -> None:
    email = some_email()
    event = form(email)
    event_id = send(lab, event, "rejected")
    fault = lab.pipedrive.faults.add(Fault("slow", "search", times=1, seconds=0.8))
    check_is_due(lab)
    run = Thread(target=lab.worker.act, args=("scheduled",), kwargs={"cron": CRON})
    run.start()
    assert fault.reached.wait(10)
    send(lab, event, "accepted")
    run.join()

    row = lab.worker.event(event_id)
    assert row["pipedrive_sync_status"] is None
    assert row["pipedrive_due_at"] < NEVER_DUE
    person = known_person(lab, email)
    lab.sync()
    assert lab.status(event_id) == ("synced", str(person))


def test_an_old_refused_form_that_was_never_due_stays_so(lab: Lab) -> None:
    email = some_email()
    event_id = send(lab, form(email), "rejected")
    lab.worker.query(
        "UPDATE tracking_events SET pipedrive_due_at = ? WHERE id = ?", NEVER_DUE, event_id
    )
    lab.person(email)
    assert check(lab)["calls"] == {}


def test_a_refused_form_without_an_address_is_not_checked(lab: Lab) -> None:
    event = form(some_email()) | {"form_data": {"first_name": "Jane"}}
    event_id = send(lab, event, "rejected")
    assert lab.worker.event(event_id)["pipedrive_due_at"] == NEVER_DUE
    send(lab, event | {"form_data": {"email": some_email()}}, "rejected")
    assert lab.worker.event(event_id)["pipedrive_due_at"] < NEVER_DUE


def test_the_check_is_a_setting() -> None:
    with running_lab(SYNC_REJECTED_FORMS="never") as lab:
        email = some_email()
        event_id = send(lab, form(email), "submitted", "rejected")
        lab.person(email)
        assert check(lab)["calls"] == {}
        assert lab.status(event_id) == (REJECTED, None)
        assert lab.worker.event(event_id)["pipedrive_due_at"] == NEVER_DUE


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


def test_a_form_that_is_refused_while_it_is_being_tried_is_only_checked(lab: Lab) -> None:
    email = some_email()
    known_person(lab, email)
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
    assert row["pipedrive_sync_status"] == REJECTED
    assert row["pipedrive_due_at"] < NEVER_DUE
    assert row["pipedrive_lease"] is None
    check(lab)
    assert lab.worker.event(event_id)["pipedrive_due_at"] == NEVER_DUE
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
