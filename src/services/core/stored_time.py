from __future__ import annotations

from datetime import datetime


def stored_time(text: str) -> datetime:
    """A time as the tables hold it, in UTC."""
    return datetime.fromisoformat(f"{text[:19]}+00:00")


TIME_TEXT = "%Y-%m-%d %H:%M:%S"


# A time in a column that sorts after every real one.
NEVER = "9999-12-31 23:59:59"
