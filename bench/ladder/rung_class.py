"""First rung: a class of the SDK, as the documentation of Python Workers has it."""

from __future__ import annotations

from typing import Any

from workers import WorkerEntrypoint

from ladder_batch import store


class Default(WorkerEntrypoint):
    """The Worker."""

    async def fetch(self, request: Any) -> Any:
        """Stores an event; the SDK makes arrays of lists."""
        return await store(request, self.env, list)
