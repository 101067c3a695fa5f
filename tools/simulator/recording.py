"""The requests that came, for tests and for the page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(slots=True)
class RecordedRequest:
    """One request: `path` and `query` as they came, header names in lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: str
    at: float
    """When it came, by `time.monotonic()`."""
    operation: str | None = None
    person_id: int | None = None
    status: int = 0
    """What it was answered with; 0 while, or if, it was not."""
