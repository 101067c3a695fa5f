"""Query strings: which parameters there may be, and pages of a list."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar
from urllib.parse import parse_qsl

from simulator.answers import INVALID, ApiError

DEFAULT_LIMIT = 100
MAX_LIMIT = 500

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """One page of a list, and the cursor of the next; None where this is the last."""

    items: Sequence[Item]
    next_cursor: str | None


def parameters(query: str, allowed: frozenset[str] = frozenset()) -> dict[str, str]:
    """The parameters of a query string, each of them allowed and there once.

    Raises:
        ApiError: the query is not what the operation takes.
    """
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=True, errors="strict")
    except ValueError:
        if not query:
            return {}
        raise invalid("the query string cannot be read") from None
    for name, _ in pairs:
        if name not in allowed:
            raise invalid(f"query parameter '{name}' is unknown, or not simulated")
    if len(pairs) > len(dict(pairs)):
        raise invalid("a query parameter is there twice")
    return dict(pairs)


def page_of(items: Sequence[Item], query: Mapping[str, str]) -> Page[Item]:
    """The page that `limit` and `cursor` ask for.

    Raises:
        ApiError: one of them is not valid.
    """
    start, limit = _start(query.get("cursor")), _limit(query.get("limit", str(DEFAULT_LIMIT)))
    end = start + limit
    return Page(items[start:end], _cursor(end) if end < len(items) else None)


def invalid(problem: str) -> ApiError:
    """The refusal of a request that does not fit the API's schema."""
    return ApiError(400, f"Validation failed: {problem}", INVALID)


def _limit(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= MAX_LIMIT):
        raise invalid(f"limit: must be an integer from 1 to {MAX_LIMIT}")
    return int(text)


def _cursor(start: int) -> str:
    """Looks as little like a number as the real ones, so that nobody counts with it."""
    return base64.urlsafe_b64encode(f"from:{start}".encode()).decode().rstrip("=")


def _start(cursor: str | None) -> int:
    if cursor is None:
        return 0
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        word, _, start = base64.b64decode(padded, b"-_", validate=True).decode().partition(":")
        if word == "from" and start.isdigit():
            return int(start)
    except (binascii.Error, ValueError):
        pass
    raise invalid("cursor: is not one of ours")
