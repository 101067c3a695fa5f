"""KV as the services see it (`services.ports.KeyValues`)."""

from __future__ import annotations

from typing import Any

from pyodide.ffi import JsException

from services.ports import UnavailableError


class Kv:
    """One KV namespace."""

    def __init__(self, binding: Any) -> None:
        """Takes the SDK's binding, or None where it is missing."""
        self._binding = binding

    async def get(self, key: str) -> str | None:
        """See `services.ports.KeyValues.get`."""
        if self._binding is None:
            raise UnavailableError("the binding CACHE is missing")
        try:
            value: str | None = await self._binding.get(key)
        except JsException as error:
            raise UnavailableError(f"KV failed: {error}") from error
        return value
