"""What calls to Pipedrive must stay below: its limits on bursts, and what one run may spend."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

Operation = Literal["search", "person", "update", "fields"]


class NotNowError(Exception):
    """The call was not made, or Pipedrive asked to be left alone, until a time if that is known."""

    def __init__(self, reason: str, until: datetime | None = None) -> None:
        super().__init__(reason)
        self.until = until


@dataclass(frozen=True, slots=True)
class CallSettings:
    """How Pipedrive is called. A window is the two seconds over which it counts bursts."""

    timeout_seconds: int
    backoff_ms: int
    requests_per_window: int
    searches_per_window: int
    window_ms: int


@dataclass(slots=True)
class Budget:
    """What one run may spend: requests, until a time. Each is taken before it is made."""

    until: datetime
    requests: int
    spent: int = 0

    def take(self, now: datetime, requests: int = 1) -> None:
        """Takes some requests.

        Raises:
            NotNowError: the run has spent what it may.
        """
        if now >= self.until:
            raise NotNowError("the run's time is over")
        if self.spent + requests > self.requests:
            raise NotNowError("the run's requests are spent")
        self.spent += requests

    def has(self, now: datetime, requests: int) -> bool:
        """Whether so many requests are left, and time for them."""
        return now < self.until and self.spent + requests <= self.requests


@dataclass(slots=True)
class Pace:
    """Keeps calls below Pipedrive's limits on bursts: gives each the moment at which it may go."""

    settings: CallSettings
    _calls: deque[datetime] = field(default_factory=deque)
    _searches: deque[datetime] = field(default_factory=deque)
    _hold_until: datetime | None = None

    def seconds_until(self, operation: Operation, now: datetime) -> float:
        """Reserves the next free moment for a call and says how far off it is."""
        moment = max(now, self._hold_until or now)
        moment = self._after(self._calls, self.settings.requests_per_window, moment)
        if operation == "search":
            moment = self._after(self._searches, self.settings.searches_per_window, moment)
            self._searches.append(moment)
        self._calls.append(moment)
        return (moment - now).total_seconds()

    def seconds_held(self, now: datetime) -> float:
        """How long nothing may go yet."""
        return max(0.0, ((self._hold_until or now) - now).total_seconds())

    def hold(self, until: datetime) -> None:
        """Lets nothing go before a time."""
        self._hold_until = max(until, self._hold_until or until)

    def _after(self, calls: deque[datetime], limit: int, moment: datetime) -> datetime:
        if len(calls) < limit:
            return moment
        return max(moment, calls.popleft() + timedelta(milliseconds=self.settings.window_ms))
