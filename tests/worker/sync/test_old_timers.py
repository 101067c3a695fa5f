"""The old Worker's timers and its second tries, after a takeover and a rollback.

`TRIED_AGAIN` is what the old Worker takes up without a timer: its statement in other words.
"""

from __future__ import annotations

import re

import pytest

from paths import ROOT
from services.core.stored_time import NEVER_DUE
from simulator.faults import Fault
from tests.harness.sync import Lab, some_email
from tests.harness.worker import PIXEL, some_visitor

TRIED_AGAIN = """
SELECT id FROM tracking_events
WHERE event_type = 'form_submit' AND pipedrive_sync_status IS NULL AND pipedrive_retry_count < 3
ORDER BY id
"""
LATER = "UPDATE tracking_events SET pipedrive_due_at = '2099-01-01 00:00:00' WHERE id = ?"
CHECK_IS_DUE = """
UPDATE tracking_events SET pipedrive_due_at = '2026-01-01 00:00:00', pipedrive_lease = NULL
WHERE id = ?
"""
LEASED = """
UPDATE tracking_events SET pipedrive_due_at = '2099-01-01 00:00:00', pipedrive_lease = 'run-1'
WHERE id = ?
"""
OTHERS = [["idempotency:idemp_1x", "processed"], ["pixel:a", "{}"], ["pending:1", "1"]]


def timer_of_old(event_id: int) -> list[str]:
    """A key of the old Worker, with the event and the time in milliseconds, and its lead."""
    value = f'{{"event_id":"{event_id}","email":"a@shop.example","scheduled_at":1761900000000}}'
    return [f"pipedrive_sync:{event_id}:1761900000000", value]


def tried_again(lab: Lab) -> list[int]:
    return [row["id"] for row in lab.worker.query(TRIED_AGAIN)]


def test_after_a_rollback_no_timer_fires_and_what_is_pending_is_tried(lab: Lab) -> None:
    email = some_email()
    lab.person(email)
    finished = [lab.submit(email), lab.submit(some_email())]
    rejected = lab.submit(some_email(), outcome="rejected")
    lab.sync()
    assert [lab.status(event_id)[0] for event_id in finished] == ["synced", "not_found"]
    pending = lab.submit(some_email())
    lab.worker.query(LATER, pending)
    old = [timer_of_old(event_id) for event_id in (*finished, rejected, pending)]
    lab.worker.act("kv_put", entries=[*old, *OTHERS])
    lab.run()

    names = {name for name, _ in lab.worker.act("kv_entries")}
    assert [name for name in names if name.startswith("pipedrive_sync:")] == []
    assert {name for name, _ in OTHERS} <= names
    assert tried_again(lab) == [pending]


def test_a_lead_of_the_old_worker_that_lost_its_timer_is_sent_by_its_row(lab: Lab) -> None:
    email = some_email()
    person = lab.person(email)
    # As the old Worker stores it on the migrated tables, a moment before the takeover.
    [stored] = lab.worker.query(
        "INSERT INTO tracking_events (project_id, pixel_id, event_type, page_url, form_data)"
        " VALUES ('ppp-demo-project', ?, 'form_submit', 'https://shop.example/',"
        " json_object('email', ?, 'first_name', 'Jane')) RETURNING id",
        PIXEL,
        email,
    )
    lab.worker.act("kv_put", entries=[timer_of_old(stored["id"])])
    lab.run()
    assert lab.status(stored["id"]) == ("synced", str(person))


@pytest.mark.parametrize("outcomes", [("rejected",), ("submitted", "rejected")])
def test_a_rejected_form_is_never_taken_up_whatever_its_check_has_come_to(
    lab: Lab, outcomes: tuple[str, ...]
) -> None:
    """Before its check, while it is leased, after a failed check, and after the last one."""
    email = some_email()
    same = {"event_key": some_visitor(), "visitor_cookie": some_visitor()}
    [rejected] = {lab.submit(email, outcome=outcome, **same) for outcome in outcomes}
    assert lab.status(rejected)[0] == "rejected"
    assert tried_again(lab) == []

    lab.worker.query(LEASED, rejected)
    assert tried_again(lab) == []

    lab.worker.query(CHECK_IS_DUE, rejected)
    lab.pipedrive.faults.add(Fault("server_error", "search", times=3))
    assert lab.sync()["put_back"] == 1
    assert tried_again(lab) == []

    lab.worker.query(CHECK_IS_DUE, rejected)
    assert lab.sync()["rejected"] == 1
    assert lab.worker.event(rejected)["pipedrive_due_at"] == NEVER_DUE
    assert tried_again(lab) == []


def test_a_rejected_form_that_is_accepted_after_all_is_pending_for_both(lab: Lab) -> None:
    email = some_email()
    same = {"event_key": some_visitor(), "visitor_cookie": some_visitor()}
    event_id = lab.submit(email, outcome="rejected", **same)
    assert lab.submit(email, outcome="accepted", **same) == event_id
    assert tried_again(lab) == [event_id]


def test_the_way_back_keeps_projects_without_a_sync_from_the_old_worker(lab: Lab) -> None:
    lab.worker.query("DELETE FROM tracking_events")
    # As it is stored for a project whose sync is off.
    unsynced = lab.submit(some_email())
    lab.worker.query(
        "UPDATE tracking_events SET pipedrive_due_at = '9999-12-31 23:59:59' WHERE id = ?", unsynced
    )
    pending = lab.submit(some_email())
    assert tried_again(lab) == [unsynced, pending]

    document = (ROOT / "docs" / "upgrade.md").read_text(encoding="utf-8")
    [statement] = re.findall(
        r'--command "(UPDATE tracking_events SET pipedrive_retry[^"]*)"', document
    )
    lab.worker.query(statement)
    assert tried_again(lab) == [pending]
