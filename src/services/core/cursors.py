"""Cursors of lists that are ordered by a time and an id: the row behind which a page begins.

As text, `time,id`, clients get one as `next_cursor` and send it back. Other cursors stay with their
lists: the name of a project, a row of a breakdown, the state of a privacy request.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from services.core.ports import Row

_EVENT_CURSOR = re.compile(r"([0-9][0-9T:.Z -]{9,31}),([0-9]{1,18})")
_RECEIPT_CURSOR = re.compile(r"(\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}),([0-9a-f]{32})", re.ASCII)


@dataclass(frozen=True, slots=True, order=True)
class EventPosition:
    """The position of an event among those of its pixel: its stored time and its id."""

    timestamp: str
    event_id: int

    def __str__(self) -> str:
        """The cursor of an export whose next part begins behind this event."""
        return f"{self.timestamp},{self.event_id}"


def parse_event_position(cursor: str) -> EventPosition | None:
    """The position in the cursor of an export, or None if the text is no such cursor."""
    match = _EVENT_CURSOR.fullmatch(cursor)
    return EventPosition(match[1], int(match[2])) if match else None


def event_position(row: Row) -> EventPosition:
    """The position of a row with `timestamp` and `id`."""
    return EventPosition(row["timestamp"], row["id"])


@dataclass(frozen=True, slots=True)
class ReceiptPosition:
    """The position of a receipt among all: the stored time when its erasure began, and its id."""

    started_at: str
    receipt_id: str

    def __str__(self) -> str:
        """The cursor of the list of receipts whose next page begins behind this one."""
        return f"{self.started_at},{self.receipt_id}"


# Before the newest receipt: where the list begins.
NEWEST_RECEIPT = ReceiptPosition("9999", "")


def parse_receipt_position(cursor: str) -> ReceiptPosition | None:
    """The position in the cursor of the receipts' list, or None if the text is no such cursor."""
    match = _RECEIPT_CURSOR.fullmatch(cursor)
    return ReceiptPosition(match[1], match[2]) if match else None
