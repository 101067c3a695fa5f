"""Which person a lead is written onto, and what is never done."""

from __future__ import annotations

import json

import pytest

from ops.leads.resubmission import Resubmittable, Selection, set_pending
from simulator.account import Write
from simulator.faults import Fault
from tests.harness.sync import FIELDS, Lab, some_email
from tests.harness.worker import PIXEL, some_visitor


def synced(person: int) -> tuple[str, str]:
    return "synced", str(person)


def written(lab: Lab, person: int) -> list[Write]:
    return lab.pipedrive.account.person(person).writes


def test_the_person_with_the_email_address_gets_the_values(lab: Lab) -> None:
    email = some_email()
    person = lab.person(email)
    event_id = lab.submit(email)

    line = lab.sync()

    assert lab.status(event_id) == synced(person)
    assert lab.written(person)["event_id"] == event_id
    assert line["calls"].get("search") == line["calls"].get("update") == 1


def test_upper_and_lower_case_are_the_same_address(lab: Lab) -> None:
    email = some_email()
    person = lab.person(email.upper())
    event_id = lab.submit(email.title())
    lab.sync()
    assert lab.status(event_id) == synced(person)


@pytest.mark.parametrize("in_pipedrive", ["münchen", "MÜNCHEN", "xn--mnchen-3ya"])
@pytest.mark.parametrize("typed", ["münchen", "xn--mnchen-3ya"])
def test_an_internationalized_domain_is_one_address_in_both_spellings(
    lab: Lab, in_pipedrive: str, typed: str
) -> None:
    name = some_visitor()
    person = lab.person(f"{name}@{in_pipedrive}.example")
    event_id = lab.submit(f"{name}@{typed}.example")
    stored = json.loads(lab.worker.event(event_id)["form_data"])

    line = lab.sync()

    assert stored == {"email": f"{name}@xn--mnchen-3ya.example"}
    assert lab.status(event_id) == synced(person)
    assert line["calls"]["search"] == 2


def test_of_two_persons_under_both_spellings_the_one_updated_last_is_taken(lab: Lab) -> None:
    name, account = some_visitor(), lab.pipedrive.account
    newest = account.add_person(
        "New", [f"{name}@münchen.example"], update_time="2026-05-01T00:00:00Z"
    )
    account.add_person(
        "Old", [f"{name}@xn--mnchen-3ya.example"], update_time="2026-01-01T00:00:00Z"
    )
    event_id = lab.submit(f"{name}@münchen.example")
    lab.sync()
    assert lab.status(event_id) == synced(newest)


def test_an_old_row_with_the_domain_in_unicode_is_sent_too(lab: Lab) -> None:
    name = some_visitor()
    person = lab.person(f"{name}@xn--mnchen-3ya.example")
    event_id = lab.submit(some_email())
    lab.worker.query(
        "UPDATE tracking_events SET form_data = ? WHERE id = ?",
        json.dumps({"email": f"{name}@münchen.example"}),
        event_id,
    )
    lab.sync()
    assert lab.status(event_id) == synced(person)


@pytest.mark.parametrize("in_pipedrive", ["strasse", "straße"])
def test_another_domain_is_another_address(lab: Lab, in_pipedrive: str) -> None:
    name, domain = some_visitor(), {"strasse": "straße", "straße": "strasse"}[in_pipedrive]
    lab.person(f"{name}@{in_pipedrive}.example")
    event_id = lab.submit(f"{name}@{domain}.example")
    lab.sync()
    assert lab.status(event_id) == ("not_found", None)


def test_an_address_with_invisible_characters_finds_its_person(lab: Lab) -> None:
    email = some_email()
    person = lab.person(email)
    event_id = lab.submit(f"\u200b{email.replace('@', chr(0xAD) + '@')}\u200e")
    lab.sync()
    assert lab.status(event_id) == synced(person)


def test_an_address_with_a_plus_is_searched_for_as_it_is(lab: Lab) -> None:
    email = f"jane+{some_visitor()}@example.com"
    person = lab.person(email)
    event_id = lab.submit(email)
    lab.sync()
    assert lab.status(event_id) == synced(person)


def test_of_more_than_ten_persons_with_the_address_the_one_updated_last_is_taken(lab: Lab) -> None:
    email, account = some_email(), lab.pipedrive.account
    persons = [
        account.add_person("Jane", [email], update_time=f"2026-01-{day:02}T00:00:00Z")
        for day in (*range(1, 12), 30, 12)
    ]
    event_id = lab.submit(email)
    lab.sync()
    assert lab.status(event_id) == synced(persons[-2])


def test_of_several_persons_with_the_address_the_one_updated_last_is_taken(lab: Lab) -> None:
    email, account = some_email(), lab.pipedrive.account
    account.add_person("Old", [email], update_time="2026-01-01T00:00:00Z")
    newest = account.add_person("New", [email], update_time="2026-05-01T00:00:00Z")
    account.add_person("Middle", [email], update_time="2026-03-01T00:00:00Z")
    deleted = account.add_person("Deleted", [email], update_time="2026-09-01T00:00:00Z")
    account.delete_person(deleted)
    event_id = lab.submit(email)
    lab.sync()
    assert lab.status(event_id) == synced(newest)


def test_a_deleted_person_that_the_search_still_finds_is_not_written(lab: Lab) -> None:
    email = some_email()
    lab.pipedrive.account.delete_person(lab.person(email), keep_in_index=True)
    event_id = lab.submit(email)
    lab.sync()

    assert lab.status(event_id) == ("not_found", None)
    assert "deleted" in lab.reason(event_id)
    assert lab.pipedrive.calls("update") == 0


def test_a_person_that_is_gone_is_searched_for_once_more(lab: Lab) -> None:
    email = some_email()
    lab.pipedrive.account.erase_person(lab.person(email))
    event_id = lab.submit(email)
    lab.sync()

    assert lab.status(event_id) == ("not_found", None)
    assert "gone" in lab.reason(event_id)
    assert lab.pipedrive.calls("search") == 2


def test_a_person_merged_into_another_is_written_under_its_new_id(lab: Lab) -> None:
    email = some_email()
    lab.pipedrive.account.erase_person(lab.person(email))
    remaining = lab.person(email)
    event_id = lab.submit(email)
    lab.sync()
    assert lab.status(event_id) == synced(remaining)


def test_only_if_nobody_has_the_address_the_name_counts(lab: Lab) -> None:
    name = f"Ada {some_visitor()}"
    person = lab.person(some_email(), name)
    first, _, last = name.partition(" ")
    event_id = lab.submit(some_email(), first_name=first.upper(), last_name=last)
    lab.sync()

    assert lab.status(event_id) == synced(person)
    fields = [request.query for request in lab.pipedrive.requests if "search" in request.path]
    assert ["fields=email" in query for query in fields] == [True, False]


def test_a_name_is_not_searched_for_when_the_address_is_known(lab: Lab) -> None:
    email = some_email()
    lab.person(email, "Somebody Else")
    lab.submit(email, first_name="Jane", last_name="Doe")
    lab.sync()
    assert lab.pipedrive.calls("search") == 1


def test_a_first_name_alone_is_no_name(lab: Lab) -> None:
    name = some_visitor()
    lab.person(some_email(), name)
    event_id = lab.submit(some_email(), first_name=name)
    lab.sync()
    assert lab.status(event_id) == ("not_found", None)
    assert lab.pipedrive.calls("search") == 1


def test_a_form_without_a_name_does_not_hide_the_name_of_another(lab: Lab) -> None:
    email, last = some_email(), some_visitor()
    person = lab.person(some_email(), f"Jane {last}")
    named = lab.submit(email, first_name="Jane", last_name=last)
    unnamed = lab.submit(email)
    lab.sync()
    assert lab.status(named) == lab.status(unnamed) == synced(person)


def test_several_persons_with_the_name_are_never_guessed_from(lab: Lab) -> None:
    last = some_visitor()
    for _ in range(3):
        lab.person(some_email(), f"Jane {last}")
    event_id = lab.submit(some_email(), first_name="Jane", last_name=last)
    lab.sync()

    assert lab.status(event_id) == ("not_found", None)
    assert "3 have this name" in lab.reason(event_id)
    assert lab.pipedrive.calls("update") == 0


def test_a_deleted_person_with_the_name_is_not_written(lab: Lab) -> None:
    last = some_visitor()
    lab.pipedrive.account.delete_person(lab.person(some_email(), f"Jane {last}"))
    event_id = lab.submit(some_email(), first_name="Jane", last_name=last)
    lab.sync()
    assert lab.status(event_id) == ("not_found", None)
    assert "deleted" in lab.reason(event_id)


def test_nobody_is_created_and_nothing_but_custom_fields_is_sent(lab: Lab) -> None:
    known_email, unknown_email = some_email(), some_email()
    lab.person(known_email)
    before = len(lab.pipedrive.account.persons())
    for email in (known_email, unknown_email):
        lab.submit(email, first_name="Jane", last_name=some_visitor())
    lab.sync()

    assert len(lab.pipedrive.account.persons()) == before
    assert {request.method for request in lab.pipedrive.requests} == {"GET", "PATCH"}
    bodies = [
        json.loads(request.body) for request in lab.pipedrive.requests if request.method == "PATCH"
    ]
    assert [list(body) for body in bodies] == [["custom_fields"]]


def test_a_person_who_is_not_indexed_yet_is_not_found(lab: Lab) -> None:
    email = some_email()
    lab.pipedrive.account.add_person("Jane", [email], seconds_until_searchable=60)
    event_id = lab.submit(email)
    lab.sync()
    assert lab.status(event_id) == ("not_found", None)


def test_the_token_goes_into_its_header_and_nowhere_else(lab: Lab) -> None:
    email = some_email()
    lab.person(email)
    lab.submit(email)
    lab.sync()
    for request in lab.pipedrive.requests:
        assert request.headers["x-api-token"] == lab.pipedrive.token
        assert lab.pipedrive.token not in request.query + request.path + request.body


# ---- several submissions of one person ----------------------------------------------------------


def test_two_submissions_of_one_person_cost_one_search_and_the_newer_one_counts(lab: Lab) -> None:
    email = some_email()
    person = lab.person(email)
    older = lab.submit(email, page_url="https://shop.example/older")
    newer = lab.submit(email, page_url="https://shop.example/newer")
    lab.sync()

    assert lab.status(older) == lab.status(newer) == synced(person)
    assert lab.written(person)["page_url"] == "https://shop.example/newer"
    assert (lab.pipedrive.calls("search"), lab.pipedrive.calls("update")) == (1, 1)
    assert "newer submission" in lab.reason(older)


def test_two_addresses_of_one_person_are_one_person(lab: Lab) -> None:
    work, home = some_email(), some_email()
    person = lab.pipedrive.account.add_person("Jane", [work, home])
    older, newer = lab.submit(home), lab.submit(work)
    lab.sync()

    assert lab.status(older) == lab.status(newer) == synced(person)
    assert lab.written(person)["event_id"] == newer
    assert lab.pipedrive.calls("update") == 1


def test_an_older_event_that_comes_late_does_not_overwrite_a_newer_one(lab: Lab) -> None:
    work, home = some_email(), some_email()
    person = lab.pipedrive.account.add_person("Jane", [work, home])
    older = lab.submit(work)
    # The first one meets a Pipedrive that fails; the second one does not.
    lab.pipedrive.faults.add(Fault("server_error", times=3))
    lab.sync()
    assert lab.status(older) == (None, None)
    newer = lab.submit(home)
    lab.worker.query(
        "UPDATE tracking_events SET pipedrive_due_at = '2026-01-01' WHERE id = ?", newer
    )
    lab.run()
    assert lab.status(newer) == synced(person)

    lab.sync()

    assert lab.status(older) == synced(person)
    assert lab.written(person)["event_id"] == newer
    assert len(written(lab, person)) == 1


def test_an_older_event_waits_while_a_newer_one_may_be_half_written(lab: Lab) -> None:
    work, home = some_email(), some_email()
    person = lab.pipedrive.account.add_person("Jane", [work, home])
    older, newer = lab.submit(work), lab.submit(home)
    # As a run leaves it that was killed between the PATCH of the newer one and its status.
    lab.worker.query("INSERT INTO pipedrive_persons VALUES ('default', ?, ?, 0)", person, newer)
    lab.worker.query(
        "UPDATE tracking_events SET pipedrive_due_at = datetime('now', '+4 minutes') WHERE id = ?",
        newer,
    )
    lab.worker.query(
        "UPDATE tracking_events SET pipedrive_due_at = '2026-01-01' WHERE id = ?", older
    )

    assert lab.run()["put_back"] == 1
    assert lab.status(older) == (None, None)
    assert lab.pipedrive.calls("update") == 0
    due = [lab.worker.event(event)["pipedrive_due_at"] for event in (newer, older)]
    assert due == sorted(due)

    lab.sync()
    assert lab.status(older) == lab.status(newer) == synced(person)
    assert lab.written(person)["event_id"] == newer


def test_a_newer_event_that_was_given_up_does_not_hold_an_older_one_for_ever(lab: Lab) -> None:
    work, home = some_email(), some_email()
    person = lab.pipedrive.account.add_person("Jane", [work, home])
    older, newer = lab.submit(work), lab.submit(home)
    lab.worker.query("INSERT INTO pipedrive_persons VALUES ('default', ?, ?, 0)", person, newer)
    lab.worker.query(
        "UPDATE tracking_events SET pipedrive_sync_status = 'error' WHERE id = ?", newer
    )
    lab.sync()
    assert lab.status(older) == synced(person)
    assert lab.written(person)["event_id"] == older


def test_a_lead_that_ops_send_again_is_sent_again(lab: Lab) -> None:
    email = some_email()
    event_id = lab.submit(email)
    lab.sync()
    assert lab.status(event_id) == ("not_found", None)

    person = lab.person(email)
    # What ops used to do by hand is enough.
    lab.worker.query(
        "UPDATE tracking_events SET pipedrive_sync_status = NULL WHERE id = ?", event_id
    )
    lab.run()
    assert lab.status(event_id) == synced(person)


def test_a_synced_lead_that_is_sent_again_is_written_again(lab: Lab) -> None:
    email = some_email()
    person = lab.person(email)
    older, newer = lab.submit(email), lab.submit(email)
    lab.sync()
    resubmittable = Resubmittable(ids=[newer], synced=frozenset([newer]), refused={})
    for statement in set_pending([newer], resubmittable, Selection(ids=[newer])):
        lab.worker.query(statement)

    lab.run()

    assert lab.status(newer) == synced(person)
    assert [write.custom_fields[FIELDS["event_id"]] for write in written(lab, person)] == [
        *(newer, newer)
    ]
    resubmittable = Resubmittable(ids=[older], synced=frozenset([older]), refused={})
    for statement in set_pending([older], resubmittable, Selection(ids=[older])):
        lab.worker.query(statement)
    lab.run()
    assert "newer submission" in lab.reason(older)
    assert len(written(lab, person)) == 2


def test_what_a_script_of_ops_marked_synced_is_left_alone(lab: Lab) -> None:
    event_id = lab.submit(some_email())
    lab.worker.query(
        "UPDATE tracking_events SET pipedrive_sync_status = 'synced', pipedrive_person_id = '9'"
        " WHERE id = ?",
        event_id,
    )
    lab.sync()
    assert lab.status(event_id) == ("synced", "9")
    assert lab.pipedrive.requests == []


def test_a_row_of_the_old_worker_is_sent_as_it_is(lab: Lab) -> None:
    email = some_email()
    person = lab.person(email)
    lab.worker.query(
        "INSERT INTO tracking_events (project_id, pixel_id, event_type, utm_source, utm_medium,"
        " utm_campaign, form_data, timestamp) VALUES ('ppp-demo-project', ?, 'form_submit',"
        " 'direct', 'none', 'unknown', ?, '2026-11-01T10:00:00.000Z')",
        PIXEL,
        json.dumps(json.dumps({"Email": email.upper(), "firstName": "Jane"})),
    )
    lab.run()
    [row] = lab.worker.query("SELECT max(id) AS id FROM tracking_events")
    assert lab.status(row["id"]) == synced(person)
    written = lab.written(person)
    assert "utm_source" not in written
    assert written["last_touch_source"] == "direct"
    assert written["last_visited_on"] == "November 1, 2026 at 10:00 AM"


@pytest.mark.parametrize("form_data", ["not json", "{}", None, '{"email": "nobody"}'])
def test_a_row_without_an_address_is_put_aside_with_a_reason(
    lab: Lab, form_data: str | None
) -> None:
    lab.worker.query(
        "INSERT INTO tracking_events (pixel_id, event_type, form_data)"
        " VALUES (?, 'form_submit', ?)",
        PIXEL,
        form_data,
    )
    lab.run()
    [row] = lab.worker.query("SELECT * FROM tracking_events ORDER BY id DESC LIMIT 1")
    assert row["pipedrive_due_at"].startswith("9999")
    assert row["pipedrive_sync_reason"] == "no e-mail address"
    assert lab.pipedrive.requests == []
