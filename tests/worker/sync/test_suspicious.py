"""Leads that may be forged: marked with reasons, and held where the project says so."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from ops.leads.lead_states import State
from ops.leads.resubmission import Resubmittable, Selection, set_pending
from services.archive.archive_run import READ_PART
from services.core.pending_leads import IS_NOT_PENDING, RELEASED
from services.sync.outbox_statements import READ_NEAR
from services.sync.suspicion import BURST_ADDRESSES, ONLY_EVENT
from tests.harness.sync import Lab, some_email
from tests.harness.worker import PIXEL, PROJECT, some_address, some_event, some_visitor


@pytest.fixture(autouse=True)
def _website(lab: Lab) -> Iterator[None]:
    """The pixel is the one of the site that the forms come from."""
    set_website = "UPDATE pixels SET website_url = ? WHERE id = ?"
    [before] = lab.worker.query("SELECT website_url FROM pixels WHERE id = ?", PIXEL)
    lab.worker.query(set_website, "https://www.shop.example", PIXEL)
    yield
    lab.worker.query(set_website, before["website_url"], PIXEL)


@contextmanager
def holding(lab: Lab) -> Iterator[None]:
    """The project holds what may be forged."""
    set_configuration = "UPDATE projects SET configuration = ? WHERE id = ?"
    lab.worker.query(set_configuration, json.dumps({"hold_suspicious": True}), PROJECT)
    try:
        yield
    finally:
        lab.worker.query(set_configuration, "{}", PROJECT)


def reasons(lab: Lab, event_id: int) -> list[str]:
    suspicions: list[str] = json.loads(lab.worker.event(event_id)["suspicious"])
    return suspicions


def journey(lab: Lab, email: str) -> int:
    """A page view and the form that follows it; returns the form's id."""
    cookie = some_visitor()
    lab.worker.send(some_event(visitor_cookie=cookie))
    return lab.submit(email, visitor_cookie=cookie)


def test_an_ordinary_lead_is_judged_and_not_suspicious(lab: Lab) -> None:
    email = some_email()
    person = lab.person(email)
    with holding(lab):
        event_id = journey(lab, email)
        lab.sync()
    assert lab.status(event_id) == ("synced", str(person))
    assert reasons(lab, event_id) == []


def test_a_suspicious_lead_is_sent_with_its_reasons_where_nobody_holds_it(lab: Lab) -> None:
    email = some_email()
    person = lab.person(email)
    event_id = lab.submit(email)
    line = lab.sync()
    assert lab.status(event_id) == ("synced", str(person))
    assert reasons(lab, event_id) == [ONLY_EVENT]
    assert (line["held"], line["suspicious"]) == (0, 1)
    [log_line] = [line for line in lab.worker.log_lines() if line["event"] == "leads_suspicious"]
    assert (log_line["event_ids"], log_line["held"]) == ([event_id], 0)


def test_a_held_lead_waits_until_a_person_sends_it(lab: Lab) -> None:
    email = some_email()
    person = lab.person(email)
    with holding(lab):
        event_id = lab.submit(email)
        assert lab.sync()["held"] == 1
        assert lab.status(event_id) == ("held", None)
        assert lab.reason(event_id).startswith("held, because it may be forged: the visitor has")
        assert lab.pipedrive.calls("update") == 0
        lab.sync()
        assert lab.status(event_id) == ("held", None)

        release = set_pending(
            [event_id], Resubmittable([event_id], frozenset(), {}), Selection(ids=[event_id])
        )
        for statement in release:
            lab.worker.query(statement)
        lab.sync()
    assert lab.status(event_id) == ("synced", str(person))
    assert reasons(lab, event_id) == [ONLY_EVENT, RELEASED]


def test_many_addresses_from_one_client_are_a_burst(lab: Lab) -> None:
    address = some_address()
    events = []
    for _ in range(BURST_ADDRESSES):
        cookie = some_visitor()
        lab.worker.send(some_event(visitor_cookie=cookie), address=address)
        form = some_event(
            visitor_cookie=cookie,
            event_type="form_submit",
            event_key=some_visitor(),
            form_data={"email": some_email()},
        )
        events.append(lab.worker.send(form, address=address).json()["event_id"])
    other = journey(lab, some_email())
    lab.sync()
    burst = f"{BURST_ADDRESSES} different addresses from one client within minutes"
    assert [reasons(lab, event) for event in events] == [[burst]] * BURST_ADDRESSES
    assert reasons(lab, other) == []


# With a hundred on either side of the leads, so that no form of another test is near.
FORMS = 6_200
ADD_FORMS = f"""
WITH RECURSIVE forms (number) AS (
  SELECT 0 UNION ALL SELECT number + 1 FROM forms WHERE number < {FORMS - 1}
)
INSERT INTO tracking_events (
  project_id, pixel_id, visitor_id, event_type, form_data, ip_address, timestamp,
  pipedrive_sync_status
)
SELECT
  'ppp-demo-project', 'ppp-demo-pixel', 'near-' || number, 'form_submit', '{{}}',
  '192.0.2.' || (number % 200), '2026-01-01 00:00:00', 'synced'
FROM forms
"""
LEASE_SOME = """
UPDATE tracking_events SET
  pipedrive_sync_status = NULL, pipedrive_lease = 'near', pipedrive_due_at = '2100-01-01 00:00:00'
WHERE id IN (
  SELECT id FROM tracking_events WHERE visitor_id LIKE 'near-%'
  ORDER BY id LIMIT 50 * CAST(?1 AS INTEGER) OFFSET 100
) AND id % CAST(?1 AS INTEGER) = 0
"""
FORGET_FORMS = "DELETE FROM tracking_events WHERE visitor_id LIKE 'near-%'"


@pytest.mark.parametrize(("distance", "most_rows"), [(1, 1_010), (120, 10_800)])
def test_the_forms_near_a_portion_are_read_once(lab: Lab, distance: int, most_rows: int) -> None:
    lease = json.dumps({"lease": "near", "lease_until": "2100-01-01 00:00:00"})
    lab.worker.query(ADD_FORMS)
    try:
        lab.worker.query(LEASE_SOME, distance)
        answer = lab.worker.act("query", sql=READ_NEAR, values=[lease])
    finally:
        lab.worker.query(FORGET_FORMS)
    assert answer["rows_read"] <= most_rows


def test_a_held_lead_is_neither_archived_nor_deleted_by_the_retention(lab: Lab) -> None:
    event_id = lab.submit(some_email())
    lab.worker.query(
        "UPDATE tracking_events SET pipedrive_sync_status = ? WHERE id = ?",
        State.WITHHELD,
        event_id,
    )
    may_go = f"SELECT {IS_NOT_PENDING} AS may_go FROM tracking_events WHERE id = ?"
    assert lab.worker.query(may_go, event_id) == [{"may_go": 0}]
    assert IS_NOT_PENDING in READ_PART


def test_what_a_request_says_is_plain_text_in_the_crm(lab: Lab) -> None:
    email = some_email()
    person = lab.person(email)
    lab.submit(
        email,
        page_title='=HYPERLINK("https://evil.example","Your invoice")',
        page_url="https://shop.example/?utm_source=%2B%2Bad&utm_campaign=%E2%80%AEgnirps&gclid=%3D",
    )
    lab.sync()
    written = lab.written(person)
    assert written["page_title"] == 'HYPERLINK("https://evil.example","Your invoice")'
    assert (written["utm_source"], written["utm_campaign"]) == ("ad", "gnirps")
    assert "gclid" not in written
