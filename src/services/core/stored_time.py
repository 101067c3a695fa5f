"""Times as the tables hold them: UTC to the second as text, `2026-05-01 12:00:00`.

Such texts sort as the times do, also against SQLite's own `datetime('now')`.
"""

from __future__ import annotations

from datetime import datetime

# A due time of events that the sync never takes: it sorts after every real time.
NEVER_DUE = "9999-12-31 23:59:59"


def format_stored_time(moment: datetime) -> str:
    """A time in UTC as a table holds it, without its fraction of a second."""
    return moment.isoformat(" ", "seconds")[:19]


def parse_stored_time(text: str) -> datetime:
    """The time in UTC that a table holds as text; what stands behind the seconds is ignored.

    Raises:
        ValueError: the text does not begin with a time.
    """
    return datetime.fromisoformat(f"{text[:19]}+00:00")


def iso_8601(text: str) -> str:
    """A stored time as answers write it: `2026-05-01T12:00:00Z`."""
    return f"{text.replace(' ', 'T')}Z"
