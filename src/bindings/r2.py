"""R2 as the services see it (`services.core.ports.Bucket`)."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Sequence
from typing import Any

import js
from pyodide.ffi import JsException

from services.core.ports import KeyPage, UnavailableError

# So many may wait for an answer at once, as Cloudflare has it.
MAX_CONNECTIONS = 6


class R2:
    """One R2 bucket."""

    def __init__(self, binding: Any) -> None:
        """Takes the unwrapped binding, or None where it is missing."""
        self._binding = binding

    async def get(self, key: str) -> bytes | None:
        """See `services.core.ports.Bucket.get`."""
        stored = await _answer(self._bucket().get(key))
        # Not by its truth: an empty object, whose size is 0, is false like JavaScript's null.
        if not hasattr(stored, "arrayBuffer"):
            return None
        content: bytes = (await _answer(stored.arrayBuffer())).to_bytes()
        return content

    async def get_each(self, keys: Sequence[str]) -> Sequence[bytes | None]:
        """See `services.core.ports.Bucket.get_each`."""
        contents: list[bytes | None] = []
        for start in range(0, len(keys), MAX_CONNECTIONS):
            contents += await self._get_together(keys[start : start + MAX_CONNECTIONS])
        return contents

    async def _get_together(self, keys: Sequence[str]) -> Sequence[bytes | None]:
        # All are under way before the first is awaited, without a task of asyncio for each.
        calls = [self._bucket().get(key) for key in keys]
        objects = [await _answer(call) for call in calls]
        reads = [stored.arrayBuffer() if stored else None for stored in objects]
        return [(await _answer(read)).to_bytes() if read else None for read in reads]

    async def put(self, key: str, content: bytes) -> None:
        """See `services.core.ports.Bucket.put`."""
        await _answer(self._bucket().put(key, js.Uint8Array.new(content)))

    async def delete(self, keys: Sequence[str]) -> None:
        """See `services.core.ports.Bucket.delete`."""
        if keys:
            await _answer(self._bucket().delete(js.Array.of(*keys)))

    async def page(self, prefix: str, cursor: str | None) -> KeyPage:
        """See `services.core.ports.Bucket.page`."""
        options = {"prefix": prefix, **({"cursor": cursor} if cursor else {})}
        listed = await _answer(self._bucket().list(js.JSON.parse(json.dumps(options))))
        names = [stored.key for stored in listed.objects]
        return KeyPage(names, listed.cursor if listed.truncated else None)

    def _bucket(self) -> Any:
        if self._binding is None:
            raise UnavailableError("the binding BACKUPS is missing")
        return self._binding


async def _answer(call: Awaitable[Any]) -> Any:
    try:
        return await call
    except JsException as error:
        raise UnavailableError(f"R2 failed: {error}") from error
