"""Remembers the unknown keys of late requests, so that one counts as one guess a period."""

from __future__ import annotations

import hashlib
from collections import OrderedDict

MAX_REMEMBERED = 1_000


class RefusedKeys:
    """Remembers digests of refused keys by client, for a period; a script with a dead key is one.

    Without it, such a script would lock out the right keys of everybody at its address.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._refused_at: OrderedDict[bytes, float] = OrderedDict()

    def is_guess(self, address: str, key: str, now: float) -> bool:
        """Whether a client's refused key is another than those of the last period; remembers it."""
        digest = hashlib.sha256(f"{address} {key}".encode("utf-8", "surrogatepass")).digest()
        refused_at = self._refused_at.pop(digest, float("-inf"))
        is_guess = now - refused_at >= self._seconds
        self._refused_at[digest] = now if is_guess else refused_at
        while len(self._refused_at) > MAX_REMEMBERED:
            self._refused_at.popitem(last=False)
        return is_guess
