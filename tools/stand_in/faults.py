"""Failures of the API on demand: of the n-th request that fits, whatever it is about."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from threading import Lock

KINDS = ("error", "limit", "timeout", "reset", "lost", "expired")


@dataclass
class ApiFault:
    """One failure, of the n-th request whose `METHOD path` the pattern fits.

    Kinds: `error` answers 500, `limit` 429 with Retry-After, `expired` as a token that is no longer
    valid; `timeout` answers nothing for `seconds` and `reset` breaks the connection, both without
    having changed anything; `lost` breaks it after the change was made.
    """

    kind: str
    pattern: str = ""
    nth: int = 1
    times: int = 1
    seconds: float = 1.0
    remaining: int = field(init=False)

    def __post_init__(self) -> None:
        """Check that there is such a kind."""
        if self.kind not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}")
        self.remaining = self.nth + self.times - 1

    def strikes(self, method: str, path: str) -> bool:
        """Count a request, and say whether it is to fail."""
        if not re.search(self.pattern, f"{method} {path}") or self.remaining == 0:
            return False
        self.remaining -= 1
        return self.remaining < self.times


class ApiFaults:
    """The failures to come; the first one that strikes a request counts."""

    def __init__(self) -> None:
        """Start without any."""
        self._faults: list[ApiFault] = []
        self._lock = Lock()

    def add(self, fault: ApiFault) -> ApiFault:
        """Add one."""
        with self._lock:
            self._faults.append(fault)
        return fault

    def clear(self) -> None:
        """Drop all."""
        with self._lock:
            self._faults.clear()

    def strike(self, method: str, path: str) -> ApiFault | None:
        """Return the failure of a request, or None if it may go well."""
        with self._lock:
            struck = [fault for fault in self._faults if fault.strikes(method, path)]
            return struck[0] if struck else None
