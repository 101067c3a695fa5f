"""What the services need from the outside, as types. `bindings/` supplies the real things."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

Clock = Callable[[], datetime]
"""Gives the present time, in UTC."""

NewId = Callable[[], str]
"""Gives 32 random hex digits."""

Row = Mapping[str, Any]


class UnavailableError(Exception):
    """A binding did not answer or failed; the message is for the log, not for the client."""


OnCost = Callable[[int, int], None]
"""Is told what a batch cost: rows read and rows written, index rows included."""


class Database(Protocol):
    """The D1 database."""

    async def batch(
        self, statements: Sequence[str], parameters: str, on_cost: OnCost | None = None
    ) -> str:
        """Runs the statements as one transaction, each with the same JSON text as `?1`.

        Returns the column `answer`, a text, of the last statement's one row.

        Raises:
            UnavailableError: D1 failed; nothing was written.
        """

    async def rows(self, statement: str, *values: str | int) -> Sequence[Row]:
        """Runs one statement and returns its rows.

        Raises:
            UnavailableError: D1 failed.
        """


class KeyValues(Protocol):
    """The KV namespace."""

    async def get(self, key: str) -> str | None:
        """The value, or None.

        Raises:
            UnavailableError: KV failed.
        """


class LimiterShards(Protocol):
    """The Durable Objects that count requests."""

    async def take(self, shard: str, request: str) -> str:
        """Passes one request for a lease to a shard; see `rate_limiting`.

        Raises:
            UnavailableError: the shard failed.
        """

    async def ping(self) -> None:
        """Sees whether a shard answers.

        Raises:
            UnavailableError: it does not.
        """
