"""KV as the services see it (`services.core.ports.KeyValues`)."""

from __future__ import annotations

import json
from typing import Any

import js
from pyodide.ffi import JsException

from bindings.time_limit import within
from services.core.ports import KeyPage, UnavailableError

# A lead waits for its answer: D1 recognises a repeat as well.
ANSWER_SECONDS = 5


class Kv:
    """One KV namespace."""

    def __init__(self, binding: Any) -> None:
        """Takes the binding, or None where it is missing."""
        self._binding = binding

    async def get(self, key: str) -> str | None:
        """See `services.core.ports.KeyValues.get`."""
        value = await _answer(self._namespace().get(key))
        # JavaScript's null is an object of its own.
        return value if isinstance(value, str) else None

    async def put(self, key: str, value: str, seconds: int) -> None:
        """See `services.core.ports.KeyValues.put`."""
        await _answer(self._namespace().put(key, value, expirationTtl=seconds))

    async def delete(self, key: str) -> None:
        """See `services.core.ports.KeyValues.delete`."""
        await _answer(self._namespace().delete(key))

    async def page(self, prefix: str, cursor: str | None) -> KeyPage:
        """See `services.core.ports.KeyValues.page`."""
        answer = await _answer(self._namespace().list(prefix=prefix, cursor=cursor))
        listed = json.loads(js.JSON.stringify(answer))
        names = [key["name"] for key in listed["keys"]]
        return KeyPage(names, None if listed["list_complete"] else listed["cursor"])

    def _namespace(self) -> Any:
        if self._binding is None:
            raise UnavailableError("the binding CACHE is missing")
        return self._binding


async def _answer(call: Any) -> Any:
    try:
        return await within(ANSWER_SECONDS, call)
    except JsException as error:
        raise UnavailableError(f"KV failed: {error}") from error
