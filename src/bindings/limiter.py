"""The rate limiter's Durable Objects as services see them (`core.ports.LimiterShards`)."""

from __future__ import annotations

from typing import Any

from pyodide.ffi import JsException

from bindings.time_limit import within
from services.core.ports import UnavailableError

# A call takes milliseconds. Without an answer the event is stored, not counted.
ANSWER_SECONDS = 2


class Shards:
    """The Durable Objects of the class RateLimiter."""

    def __init__(self, namespace: Any) -> None:
        """Takes the unwrapped binding, or None: text in and text out needs no conversion."""
        self._namespace = namespace

    async def take(self, shard: str, request: str) -> str:
        """See `services.core.ports.LimiterShards.take`."""
        try:
            answer: str = await within(ANSWER_SECONDS, self._shard(shard).take(request))
        except JsException as error:
            raise UnavailableError(f"the rate limiter failed: {error}") from error
        return answer

    async def ping(self) -> None:
        """See `services.core.ports.LimiterShards.ping`."""
        try:
            await within(ANSWER_SECONDS, self._shard("health").ping())
        except JsException as error:
            raise UnavailableError(f"the rate limiter failed: {error}") from error

    def _shard(self, name: str) -> Any:
        if self._namespace is None:
            raise UnavailableError("the binding RATE_LIMITER is missing")
        return self._namespace.getByName(name)
