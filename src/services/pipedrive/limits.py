"""The limits of calls to Pipedrive: bursts, how long a 429 is obeyed, the budget of one run."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from services.core.ports import Random

# A 429 that asks for more pauses the account.
MAX_RATE_LIMIT_WAIT_SECONDS = 30
MAX_RATE_LIMIT_WAITS = 3
# A longer 429 is not believed: the daily budget is a new one by then.
MAX_PAUSE_SECONDS = 86_400.0
DEFAULT_WAIT_SECONDS = 2.0

Operation = Literal["search", "person", "update", "fields"]


class DeferredError(Exception):
    """The call was not made, or Pipedrive asked for a pause; `until` is its end, where known."""

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
    """What one run may spend: requests, until a deadline. Each is taken before it is made."""

    deadline: datetime
    requests: int
    spent: int = 0

    def take(self, now: datetime, requests: int = 1) -> None:
        """Spends requests.

        Raises:
            DeferredError: the budget or the time is spent.
        """
        if now >= self.deadline:
            raise DeferredError("the run's time is over")
        if self.spent + requests > self.requests:
            raise DeferredError("the run's requests are spent")
        self.spent += requests

    def has(self, now: datetime, requests: int) -> bool:
        """Whether the budget covers so many more requests."""
        return now < self.deadline and self.spent + requests <= self.requests


@dataclass(slots=True)
class Pace:
    """Keeps calls below Pipedrive's limits on bursts: schedules the moment of each call."""

    settings: CallSettings
    _calls: deque[datetime] = field(default_factory=deque)
    _searches: deque[datetime] = field(default_factory=deque)
    _hold_until: datetime | None = None

    def seconds_until(self, operation: Operation, now: datetime) -> float:
        """Reserves the next free moment for a call; returns the seconds until then."""
        moment = max(now, self._hold_until or now)
        moment = self._after(self._calls, self.settings.requests_per_window, moment)
        if operation == "search":
            moment = self._after(self._searches, self.settings.searches_per_window, moment)
            self._searches.append(moment)
        self._calls.append(moment)
        return (moment - now).total_seconds()

    def seconds_held(self, now: datetime) -> float:
        """For how many seconds `hold` still stops all calls."""
        return max(0.0, ((self._hold_until or now) - now).total_seconds())

    def hold(self, until: datetime) -> None:
        """Stops all calls until a time."""
        self._hold_until = max(until, self._hold_until or until)

    def _after(self, calls: deque[datetime], limit: int, moment: datetime) -> datetime:
        if len(calls) < limit:
            return moment
        return max(moment, calls.popleft() + timedelta(milliseconds=self.settings.window_ms))


def seconds_to_wait(headers: Mapping[str, str], random: Random) -> float:
    """How long a 429 asks to wait; two to three seconds where it does not say."""
    for name in ("retry-after", "x-ratelimit-reset"):
        if (value := headers.get(name, "")).isdecimal():
            return min(float(value), MAX_PAUSE_SECONDS)
    return DEFAULT_WAIT_SECONDS + random()
