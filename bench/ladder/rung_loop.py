"""Third rung: the function on this product's event loop, whose coroutines begin at once."""

from __future__ import annotations

from typing import Any

from bindings.event_loop import EventLoop
from ladder_batch import store

_loops: list[EventLoop] = []


def on_fetch(request: Any, env: Any, _ctx: Any) -> Any:
    """Stores an event."""
    if not _loops:
        _loops.append(EventLoop())
    return _loops[0].start(store(request, env))


# As `entry` does it.
on_fetch.__signature__ = None  # type: ignore[attr-defined]  # as inspect reads it
