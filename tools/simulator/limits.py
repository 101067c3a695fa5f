"""Pipedrive's limits: burst windows, a daily budget, and a block of clients that ignore both."""

from __future__ import annotations

import math
import time
from collections import deque
from dataclasses import dataclass, field
from threading import Lock

from simulator.answers import Answer, failure

TOKEN_COSTS = {"search": 20, "person": 1, "update": 5, "fields": 10}
TOO_MANY_REQUESTS = 429


@dataclass(frozen=True, slots=True)
class _Room:
    """What a window has left right now."""

    limit: int
    remaining: int
    seconds_to_reset: float

    @property
    def reset(self) -> int:
        """Whole seconds, so that waiting for them is always enough."""
        return max(1, math.ceil(self.seconds_to_reset))


@dataclass(slots=True)
class Limits:
    """The limits and what was used of them; change a setting at any time, None switches it off."""

    requests_per_window: int | None = 40
    searches_per_window: int | None = 10
    window_seconds: float = 2.0
    daily_tokens: int | None = None
    daily_retry_after: int = 5 * 3600
    block_after: int | None = 20
    """So many answers 429 in a row, within `block_seconds`, lead to a block."""
    block_seconds: float = 10.0
    tokens_spent: int = 0
    _requests: deque[float] = field(default_factory=deque, init=False, repr=False)
    _searches: deque[float] = field(default_factory=deque, init=False, repr=False)
    _refusals: deque[float] = field(default_factory=deque, init=False, repr=False)
    _blocked_until: float = field(default=0.0, init=False, repr=False)
    _lock: Lock = field(default_factory=Lock, init=False, repr=False)

    def forget(self) -> None:
        """Empties the windows, lifts a block, gives back the tokens; keeps the settings."""
        with self._lock:
            for times in (self._requests, self._searches, self._refusals):
                times.clear()
            self._blocked_until = 0.0
            self.tokens_spent = 0

    def admit(self, operation: str | None) -> Answer | None:
        """Counts a request; or, where it is over a limit, does not and returns the refusal."""
        with self._lock:
            now = time.monotonic()
            room = self._room(operation, now)
            if room and not room.remaining:
                return _too_many("Rate limit exceeded", room.reset)
            cost = TOKEN_COSTS.get(operation or "", 0)
            if self.daily_tokens is not None and self.tokens_spent + cost > self.daily_tokens:
                return _too_many("daily request budget exceeded", self.daily_retry_after)
            self._count(operation, cost, now)
            return None

    def headers(self, operation: str | None, status: int) -> dict[str, str]:
        """The headers that tell of the tightest window; none where all are switched off."""
        with self._lock:
            room = self._room(operation, time.monotonic())
        if room is None:
            return {}
        remaining = 0 if status == TOO_MANY_REQUESTS else room.remaining
        return {
            "x-ratelimit-limit": str(room.limit),
            "x-ratelimit-remaining": str(remaining),
            "x-ratelimit-reset": str(room.reset),
        }

    def note_answer(self, status: int) -> None:
        """Sees whether the client goes on asking although it is told to wait."""
        with self._lock:
            if status != TOO_MANY_REQUESTS:
                self._refusals.clear()
                return
            now = time.monotonic()
            self._refusals.append(now)
            refusals = len(_recent(self._refusals, now - self.block_seconds))
            if self.block_after is not None and refusals >= self.block_after:
                self._refusals.clear()
                self._blocked_until = now + self.block_seconds

    def is_blocking(self) -> bool:
        """Whether nobody gets through at the moment."""
        return time.monotonic() < self._blocked_until

    def _count(self, operation: str | None, cost: int, now: float) -> None:
        self.tokens_spent += cost
        self._requests.append(now)
        if operation == "search":
            self._searches.append(now)

    def _room(self, operation: str | None, now: float) -> _Room | None:
        windows = [(self.requests_per_window, self._requests)]
        if operation == "search":
            windows.append((self.searches_per_window, self._searches))
        rooms = [self._room_in(times, limit, now) for limit, times in windows if limit is not None]
        return min(rooms, key=lambda room: room.remaining, default=None)

    def _room_in(self, times: deque[float], limit: int, now: float) -> _Room:
        recent = _recent(times, now - self.window_seconds)
        oldest = recent[0] if recent else now
        return _Room(limit, max(0, limit - len(recent)), oldest + self.window_seconds - now)


def _recent(times: deque[float], since: float) -> deque[float]:
    """The same times without those that left the window."""
    while times and times[0] <= since:
        times.popleft()
    return times


def _too_many(error: str, retry_after: int) -> Answer:
    return failure(TOO_MANY_REQUESTS, error, headers={"Retry-After": str(retry_after)})
