from __future__ import annotations

import re
from dataclasses import dataclass

from services.core.ports import Row

_CURSOR = re.compile(r"([0-9][0-9T:.Z -]{9,31}),([0-9]{1,18})")


@dataclass(frozen=True, slots=True, order=True)
class Cursor:
    """An event's place in an export: its time as it is stored, and its id."""

    timestamp: str
    event_id: int

    def __str__(self) -> str:
        """The cursor as clients read and send it."""
        return f"{self.timestamp},{self.event_id}"


def read_cursor(text: str) -> Cursor | None:
    """The cursor that a client sent, or None where it is none."""
    found = _CURSOR.fullmatch(text)
    return Cursor(found[1], int(found[2])) if found else None


def cursor_of(row: Row) -> Cursor:
    """The place of a row with `timestamp` and `id`."""
    return Cursor(row["timestamp"], row["id"])
