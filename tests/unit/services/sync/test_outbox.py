import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.core.ports import Row
from services.core.stored_time import NEVER_DUE
from services.pipedrive.circuit_breaker import CircuitBreaker
from services.pipedrive.client import AccountState
from services.sync.outbox import JOB, Claim, ClaimDecision, Outbox, Outcome
from services.sync.submissions import Submission
from services.tracking.form_data import Lead
from tests.unit.memory import NOW, MemoryDatabase

SUBMISSION = Submission(
    event_id=42,
    project_id="p",
    lead=Lead("j@x.com", None, None),
    tries=3,
    configuration={},
    row={"suspicious": None},
)
REJECTED_FORM = replace(SUBMISSION, is_rejected=True)
DUE = datetime(2026, 5, 1, 12, 5, 0, 999_999, tzinfo=UTC)


# Outcomes


def test_an_outcome_of_a_sent_submission_has_its_person() -> None:
    outcome = Outcome(SUBMISSION, "synced", "left out: x", 7, "acme", written=True)
    assert outcome.as_json() == {
        "event_id": 42,
        "status": "synced",
        "was_rejected": False,
        "reason": "left out: x",
        "suspicious": "[]",
        "person_id": "7",
        "destination": "acme",
        "written": True,
        "due_at": None,
        "tries": 2,
    }


def test_a_rejected_form_keeps_the_status_of_its_row() -> None:
    written = Outcome(REJECTED_FORM, "rejected", "nobody was added").as_json()
    assert (written["status"], written["was_rejected"]) == (None, True)
    assert Outcome(REJECTED_FORM, "synced").as_json()["status"] == "synced"


@pytest.mark.parametrize(
    ("outcome", "due_at", "tries"),
    [
        (Outcome(SUBMISSION, "synced"), None, 2),
        (Outcome(SUBMISSION, "not_found"), None, 2),
        (Outcome(SUBMISSION, "error", due_at=DUE), None, 2),
        (Outcome(SUBMISSION, "error", tried=False), None, 2),
        (Outcome(SUBMISSION, due_at=DUE), "2026-05-01 12:05:00", 3),
        (Outcome(SUBMISSION, due_at=DUE, tried=False), "2026-05-01 12:05:00", 2),
        (Outcome(SUBMISSION), NEVER_DUE, 3),
        (Outcome(REJECTED_FORM, "rejected"), NEVER_DUE, 2),
        (Outcome(REJECTED_FORM, "synced"), None, 2),
        (Outcome(replace(SUBMISSION, tries=1), "synced"), None, 0),
        (Outcome(replace(SUBMISSION, tries=0), "synced"), None, 0),
    ],
)
def test_an_outcome_has_a_due_time_and_the_number_of_retries(
    outcome: Outcome, due_at: str | None, tries: int
) -> None:
    fields = outcome.as_json()
    assert (fields["due_at"], fields["tries"]) == (due_at, tries)


def test_an_outcome_without_a_person_writes_none() -> None:
    fields = Outcome(SUBMISSION, "not_found", "nobody").as_json()
    assert (fields["person_id"], fields["destination"], fields["written"]) == (None, None, False)


# Claims


def outbox_with(
    *rows: Sequence[Row], accounts: Mapping[str, AccountState] | None = None
) -> tuple[Outbox, MemoryDatabase]:
    database = MemoryDatabase(rows=rows)
    return Outbox(database, "run-1", lease_seconds=240, accounts=accounts or {}), database


@pytest.mark.parametrize(
    ("claimed", "written", "decision"),
    [
        (42, 0, "write"),
        (42, 41, "write"),
        (41, 41, "write"),
        (42, 42, "superseded"),
        (42, 43, "superseded"),
        (43, 42, "superseded"),
        (43, 43, "superseded"),
        (43, 0, "wait"),
        (43, 41, "wait"),
    ],
)
def test_an_older_event_gives_way_to_a_newer_one(
    claimed: int, written: int, decision: ClaimDecision
) -> None:
    row = {
        "destination": "acme",
        "person_id": 7,
        "claimed_event_id": claimed,
        "written_event_id": written,
        "claimed_due_at": "2026-05-01 12:30:00",
    }
    outbox, database = outbox_with([row])
    due_at = datetime(2026, 5, 1, 12, 30, tzinfo=UTC) if decision == "wait" else None
    claims = asyncio.run(outbox.claim([("acme", 7, 42)], NOW))
    assert claims == {("acme", 7): Claim(decision, due_at)}
    [parameters] = database.parameters
    assert parameters["claims"] == [{"destination": "acme", "person_id": 7, "event_id": 42}]


# A run


def test_a_run_gets_the_lease_and_the_states_of_its_accounts() -> None:
    state = AccountState(CircuitBreaker(60))
    row = {
        "name": "acme",
        "state": "open",
        "failures": 5,
        "successes": 1,
        "open_until": "2026-05-01T12:01:00.500+00:00",
        "paused_until": None,
    }
    outbox, database = outbox_with(
        [], [{"id": 1}], [row, {**row, "name": "former"}], accounts={"acme": state}
    )
    assert asyncio.run(outbox.begin(NOW))
    until = NOW + timedelta(seconds=60.5)
    assert state == AccountState(CircuitBreaker(60, "open", 5, 1, until), None)
    assert database.parameters == [
        {
            "run": "run-1",
            "now": "2026-05-01 12:00:00",
            "job": JOB,
            "lease_until": "2026-05-01 12:04:00",
        }
    ]


def test_a_run_without_the_lease_does_not_begin() -> None:
    outbox, _ = outbox_with([], [], [])
    assert not asyncio.run(outbox.begin(NOW))


def test_the_states_of_accounts_are_written_as_they_are_read() -> None:
    paused = AccountState(CircuitBreaker(60, "half_open", 5, 1), NOW + timedelta(hours=1))
    tripped = AccountState(CircuitBreaker(60))
    tripped.breaker.trip(NOW)
    before = {"paused": paused, "tripped": tripped}
    outbox, database = outbox_with([], [], [], [], accounts=before)
    asyncio.run(outbox.end([], NOW, "drained"))
    rows: Any = database.parameters[0]["accounts"]

    after = {name: AccountState(CircuitBreaker(60)) for name in before}
    outbox, _ = outbox_with([], [{"id": 1}], rows, accounts=after)
    asyncio.run(outbox.begin(NOW))
    assert after == before


def test_a_portion_settles_the_lease_of_the_one_before_it() -> None:
    row = dict.fromkeys(
        (
            "form_data",
            "configuration",
            "project_id",
            "pipedrive_retry_count",
            "pipedrive_sync_status",
            *("website_url", "pixel_configuration", "suspicious"),
            *("page_url", "has_other_events", "ip_address", "user_agent", "timestamp"),
        )
    )
    outbox, database = outbox_with([], [], [], [], [], [{**row, "id": 42}], [])
    for _ in range(2):
        [leased] = asyncio.run(outbox.exchange([], NOW, 50, [42]))
        assert leased.event_id == 42
    leases = [(batch["settled"], batch["lease"]) for batch in database.parameters]
    assert leases == [("run-1-0", "run-1-1"), ("run-1-1", "run-1-2")]
    assert (outbox.portions, outbox.round_trips) == (2, 2)
