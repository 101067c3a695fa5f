"""Second rung: a function of the module instead of the class, on Pyodide's own event loop."""

from __future__ import annotations

from typing import Any

from ladder_batch import store


async def on_fetch(request: Any, env: Any, _ctx: Any) -> Any:
    """Stores an event."""
    return await store(request, env)
