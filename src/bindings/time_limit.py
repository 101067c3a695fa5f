"""A time limit for calls to bindings that have none: a part that hangs must not stop the others."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

from services.core.ports import UnavailableError


async def within(seconds: float, call: Awaitable[Any]) -> Any:
    """What a call answers.

    Raises:
        UnavailableError: it took longer; what it answers then is lost.
    """
    # Not `wait_for`, which needs a task: the border of the hot path runs without one.
    future = asyncio.ensure_future(call)
    answered, _ = await asyncio.wait([future], timeout=seconds)
    if not answered:
        future.add_done_callback(_forget)
        raise UnavailableError(f"no answer within {seconds:g} seconds")
    return future.result()


def _forget(late: asyncio.Future[Any]) -> None:
    """Takes an error that nobody waits for any more."""
    if not late.cancelled():
        late.exception()
