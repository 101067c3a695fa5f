"""What was sent and answered, and what must be stored and written for it when all is over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

Event = Mapping[str, Any]

SYNCED = "synced"


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """A row of the event table: its key, its type, and how the sync ended, None if it did not."""

    key: str
    event_type: str
    sync_status: str | None


@dataclass(slots=True)
class Ledger:
    """The events by their key, those that were answered 200, and the other answers by status.

    `campaigns` is the campaign that each lead's address must have in Pipedrive.
    """

    events: dict[str, Event] = field(default_factory=dict)
    answered: set[str] = field(default_factory=set)
    statuses: Counter[int] = field(default_factory=Counter)
    campaigns: dict[str, str] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def send(self, event: Event, campaign: str) -> None:
        """Notes an event before it is sent for the first time."""
        with self._lock:
            self.events[event["event_key"]] = event
            if event["event_type"] == "form_submit":
                self.campaigns[event["form_data"]["email"]] = campaign

    def answer(self, event: Event, status: int) -> None:
        """Notes an answer; 0 is none."""
        with self._lock:
            self.statuses[status] += 1
            if status == 200:
                self.answered.add(event["event_key"])

    def unanswered(self) -> Sequence[Event]:
        """The events that their pixel still keeps."""
        with self._lock:
            return [event for key, event in self.events.items() if key not in self.answered]

    def faults(self, rows: Sequence[StoredEvent], written: Mapping[str, object]) -> Sequence[str]:
        """What is not as it must be, one sentence each; `written` are campaigns by address.

        Everything was answered in the end: so everything is stored, once, and each lead is synced
        with its own campaign.
        """
        counts = Counter(row.key for row in rows)
        statuses = {row.key: row.sync_status for row in rows if row.event_type == "form_submit"}
        leads = {key for key, event in self.events.items() if event["event_type"] == "form_submit"}
        return [
            *(f"{key} was never answered" for key in sorted(self.events.keys() - self.answered)),
            *(f"{key} is lost" for key in sorted(self.answered - counts.keys())),
            *(f"{key} is stored {number} times" for key, number in counts.items() if number > 1),
            *(f"{key} was never sent" for key in sorted(counts.keys() - self.events.keys())),
            *(
                f"the lead {key} has the status {statuses[key]}"
                for key in sorted(leads & statuses.keys())
                if statuses[key] != SYNCED
            ),
            *(
                f"the person of a lead has the campaign {written.get(email)}, not {campaign}"
                for email, campaign in sorted(self.campaigns.items())
                if written.get(email) != campaign
            ),
        ]
