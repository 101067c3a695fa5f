"""Time as the services see it: now, waiting, and the wall clocks of time zones."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import js
from pyodide.ffi import JsException

_PARTS = {
    "calendar": "iso8601",
    "numberingSystem": "latn",
    "hourCycle": "h23",
    "year": "numeric",
    "month": "2-digit",
    "day": "2-digit",
    "hour": "2-digit",
    "minute": "2-digit",
    "second": "2-digit",
}


def now() -> datetime:
    """The present time in UTC."""
    return datetime.now(UTC)


async def sleep(seconds: float) -> None:
    """See `services.core.ports.Sleep`."""
    await asyncio.sleep(seconds)


def local_time(moment: datetime, zone: str) -> datetime:
    """See `services.core.ports.LocalTime`. V8 knows the time zones, Python here does not.

    Raises:
        ValueError: there is no such time zone.
    """
    parts = json.loads(js.JSON.stringify(_form(zone).formatToParts(moment.timestamp() * 1_000)))
    values = {part["type"]: part["value"] for part in parts}
    day, time = "{year}-{month}-{day}", "{hour}:{minute}:{second}"
    return datetime.fromisoformat(f"{day}T{time}".format(**values))


@lru_cache(maxsize=32)
def _form(zone: str) -> Any:
    options = js.JSON.parse(json.dumps({**_PARTS, "timeZone": zone}))
    try:
        return js.Intl.DateTimeFormat.new("en-US", options)
    except JsException:
        raise ValueError(f"{zone!r} is no time zone") from None
