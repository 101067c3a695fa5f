"""The circuit breaker of calls to a service that may be down: closed, open, half-open."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

State = Literal["closed", "open", "half_open"]

FAILURES_TO_OPEN = 5
SUCCESSES_TO_CLOSE = 2


@dataclass(slots=True)
class CircuitBreaker:
    """Closed lets every call through, open none, half-open single calls as a test.

    `open_until` is when an open breaker lets the first call through again.
    """

    open_seconds: int
    state: State = "closed"
    failures: int = 0
    successes: int = 0
    open_until: datetime | None = None

    def allows(self, now: datetime) -> bool:
        """Whether a call may be made; an open breaker becomes half-open at `open_until`."""
        if self.state == "open" and (self.open_until is None or self.open_until <= now):
            self.state, self.successes = "half_open", 0
        return self.state != "open"

    def succeeded(self) -> None:
        """Counts a call that was answered."""
        self.failures = 0
        self.successes += 1
        if self.state == "half_open" and self.successes >= SUCCESSES_TO_CLOSE:
            self.state, self.open_until = "closed", None

    def failed(self, now: datetime) -> bool:
        """Counts a call that failed; returns whether it opened a closed breaker."""
        self.failures += 1
        self.successes = 0
        if self.state == "half_open" or self.failures >= FAILURES_TO_OPEN:
            return self.trip(now)
        return False

    def trip(self, now: datetime) -> bool:
        """Opens the breaker; returns whether it was closed before."""
        was_closed = self.state == "closed"
        self.state, self.successes = "open", 0
        self.open_until = now + timedelta(seconds=self.open_seconds)
        return was_closed
