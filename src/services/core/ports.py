"""The outside as the services see it, as types; `bindings` implements them for Cloudflare."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

Clock = Callable[[], datetime]
"""Gives the present time, in UTC."""

NewId = Callable[[], str]
"""Gives 32 random hex digits."""

LocalTime = Callable[[datetime, str], datetime]
"""Gives a moment in UTC as the wall clock of a time zone shows it, without a time zone."""

Sleep = Callable[[float], Awaitable[None]]
"""Waits for some seconds."""

Random = Callable[[], float]
"""Gives a number from 0 to below 1, for jitter."""

Row = Mapping[str, Any]


class UnavailableError(Exception):
    """A binding did not answer or failed; the message is for the log, not for the client."""


class NotStoredError(UnavailableError):
    """A batch ran, and its last statement gave no row."""


OnCost = Callable[[int, int], None]
"""Receives the cost of a batch: rows read and rows written, index rows included."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Statements, and the JSON text that each of them has as `?1`."""

    statements: Sequence[str]
    parameters: str


class Database(Protocol):
    """The D1 database."""

    async def batch(
        self, statements: Sequence[str], parameters: str, on_cost: OnCost | None = None
    ) -> str:
        """Runs the statements as one transaction, each with the same JSON text as `?1`.

        Returns the column `answer`, a text, of the last statement's one row.

        Raises:
            NotStoredError: there is no such row.
            UnavailableError: D1 failed; nothing was written.
        """

    async def batches(self, batches: Sequence[Batch]) -> Sequence[str | None]:
        """Runs some batches as one transaction.

        Returns of each what `batch` returns, or None where there is no such row.

        Raises:
            UnavailableError: D1 failed; nothing was written.
        """

    async def rows(self, statement: str, *values: str | int) -> Sequence[Row]:
        """Runs one statement and returns its rows.

        Raises:
            UnavailableError: D1 failed.
        """

    async def batch_rows(
        self, statements: Sequence[str], parameters: str
    ) -> Sequence[Sequence[Row]]:
        """Runs the statements as `batch` does and returns the rows of each of them.

        Raises:
            UnavailableError: D1 failed; nothing was written.
        """


@dataclass(frozen=True, slots=True)
class KeyPage:
    """Names of keys in order; `cursor` leads to the next page, None at the end."""

    names: Sequence[str]
    cursor: str | None


class KeyValues(Protocol):
    """The KV namespace. Each method raises UnavailableError when KV fails."""

    async def get(self, key: str) -> str | None:
        """The value, or None."""

    async def put(self, key: str, value: str, seconds: int) -> None:
        """Writes a value that expires after so many seconds, at least 60."""

    async def delete(self, key: str) -> None:
        """Deletes a key, if it exists."""

    async def page(self, prefix: str, cursor: str | None) -> KeyPage:
        """Up to 1,000 keys that begin with the prefix, in their order."""


class Bucket(Protocol):
    """The R2 bucket. Each method raises UnavailableError when R2 fails."""

    async def get(self, key: str) -> bytes | None:
        """The whole object, or None."""

    async def get_each(self, keys: Sequence[str]) -> Sequence[bytes | None]:
        """What `get` returns of each key; some are fetched at the same time."""

    async def put(self, key: str, content: bytes) -> None:
        """Writes an object; when it returns, the object is durable and can be read."""

    async def delete(self, keys: Sequence[str]) -> None:
        """Deletes objects, at most 1,000; those that are not there are no error."""

    async def page(self, prefix: str, cursor: str | None) -> KeyPage:
        """Up to 1,000 keys that begin with the prefix, in their order."""


class NetworkError(Exception):
    """A request got no answer; the message says why, without the address."""


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """A server's response; the names of its headers are in lower case."""

    status: int
    text: str
    headers: Mapping[str, str]


class HttpClient(Protocol):
    """Sends requests to other servers."""

    async def send(
        self, method: str, url: str, headers: Mapping[str, str], body: str | None, seconds: float
    ) -> HttpAnswer:
        """Sends one request and reads the whole answer, within so many seconds.

        Raises:
            NetworkError: there was no whole answer in time.
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
