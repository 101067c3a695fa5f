"""The counting behind the weather: it sees what is lost, doubled, or of another lead."""

from __future__ import annotations

import pytest

from tests.chaos.ledger import Ledger, StoredEvent

VIEW = {"event_key": "view", "event_type": "pageview"}
LEAD = {
    "event_key": "lead",
    "event_type": "form_submit",
    "form_data": {"email": "jane@client.example"},
}
STORED_VIEW = StoredEvent("view", "pageview", None)
STORED_LEAD = StoredEvent("lead", "form_submit", "synced")
WRITTEN = {"jane@client.example": "spring"}


@pytest.fixture
def ledger() -> Ledger:
    """A page view and a lead, both answered."""
    ledger = Ledger()
    for event in (VIEW, LEAD):
        ledger.send(event, "spring")
        ledger.answer(event, 200)
    return ledger


def test_what_is_as_it_must_be_is_no_fault(ledger: Ledger) -> None:
    assert ledger.faults([STORED_VIEW, STORED_LEAD], WRITTEN) == []


@pytest.mark.parametrize(
    ("rows", "written", "fault"),
    [
        ([STORED_LEAD], WRITTEN, "view is lost"),
        ([STORED_VIEW], WRITTEN, "lead is lost"),
        ([STORED_VIEW, STORED_VIEW, STORED_LEAD], WRITTEN, "view is stored 2 times"),
        (
            [STORED_VIEW, StoredEvent("lead", "form_submit", None)],
            WRITTEN,
            "the lead lead has the status None",
        ),
        (
            [STORED_VIEW, STORED_LEAD, StoredEvent("ghost", "pageview", None)],
            WRITTEN,
            "ghost was never sent",
        ),
        (
            [STORED_VIEW, STORED_LEAD],
            {"jane@client.example": "autumn"},
            "the person of a lead has the campaign autumn, not spring",
        ),
        ([STORED_VIEW, STORED_LEAD], {}, "the person of a lead has the campaign None, not spring"),
    ],
)
def test_a_fault_is_seen(
    ledger: Ledger, rows: list[StoredEvent], written: dict[str, object], fault: str
) -> None:
    assert ledger.faults(rows, written) == [fault]


def test_what_nobody_answered_is_kept_by_its_pixel(ledger: Ledger) -> None:
    event = {"event_key": "late", "event_type": "pageview"}
    ledger.send(event, "spring")
    ledger.answer(event, 503)
    assert list(ledger.unanswered()) == [event]
    assert ledger.faults([STORED_VIEW, STORED_LEAD], WRITTEN) == ["late was never answered"]
