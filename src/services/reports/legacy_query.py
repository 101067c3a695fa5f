"""Numbers in the queries of the old addresses, which refused none."""

from __future__ import annotations

import re

# As JavaScript's parseInt reads them: the digits at the beginning, whatever follows.
_LEADING_NUMBER = re.compile(r"\s*([+-]?[0-9]+)", re.ASCII)
_MAX_DIGITS = 12


def clamped_number(text: str | None, default: int, maximum: int) -> int:
    """The number at the beginning of a text, from 1 to `maximum`; `default` where there is none."""
    match = _LEADING_NUMBER.match(text or "")
    if match is None:
        return default
    return min(max(int(match[1][:_MAX_DIGITS]), 1), maximum)
