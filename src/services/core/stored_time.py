"""Times as text, in UTC to the second: as the tables hold them, and as answers have them.

A stored time, `2026-05-01 12:00:00`, sorts as the times do, also against SQLite's own
`datetime('now')`.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

# What is later than now by more was written while a clock was ahead.
MAX_CLOCK_DIFFERENCE = timedelta(hours=1)
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


def parse_iso(text: str) -> datetime:
    """The time in ISO 8601 that a file in R2 has; without an offset it is in UTC.

    Raises:
        ValueError: the text is no time.
    """
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def format_iso(moment: datetime) -> str:
    """A time in UTC as answers and files in R2 have it, to the second: `2026-05-01T12:00:00Z`."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
