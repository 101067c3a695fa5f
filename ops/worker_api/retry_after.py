"""How long an answer of 429 or 503 tells its client to wait."""

from __future__ import annotations

import httpx

from ops.terminal.output import spoken

# What has begun is worth some patience.
PAUSES = (1, 5, 15)


def seconds_told(response: httpx.Response) -> int | None:
    """The seconds that `Retry-After` says, or None where it says none."""
    wait = response.headers.get("retry-after", "")
    return int(wait) if wait.isascii() and wait.isdigit() else None


def later(response: httpx.Response) -> str:
    """When to try again, in words."""
    wait = seconds_told(response)
    return "in a few seconds" if wait is None else f"in {spoken(wait)}"
