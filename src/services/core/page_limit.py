"""How many rows a page of a list or a report has: the parameter `limit`."""

from __future__ import annotations

from collections.abc import Mapping

from services.core.text import whole_number

DEFAULT_PAGE_ROWS = 100
MAX_PAGE_ROWS = 500


def page_limit(parameters: Mapping[str, str]) -> int | None:
    """The rows of a page, 100 without the parameter `limit`; None if it cannot be used."""
    return whole_number(parameters.get("limit", str(DEFAULT_PAGE_ROWS)), MAX_PAGE_ROWS)
