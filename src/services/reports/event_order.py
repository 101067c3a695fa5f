"""The order of events in SQL: by their times, because one that waited is stored late.

A moment is one text of an event's time and id, so that the first of many is their `min`.
"""

from __future__ import annotations

TIME_CHARACTERS = 19
MOMENT = f"printf('%-{TIME_CHARACTERS}.{TIME_CHARACTERS}s%015d', timestamp, id)"
MOMENT_CHARACTERS = TIME_CHARACTERS + 15


def id_of(moment: str) -> str:
    """The SQL of the id in a moment."""
    return f"CAST(substr({moment}, {TIME_CHARACTERS + 1}) AS INTEGER)"
