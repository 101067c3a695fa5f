"""How a list that is answered page by page is read: each page names the cursor of the next."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

PageT = TypeVar("PageT")


def follow_cursor(
    read_page: Callable[[str | None], PageT],
    next_cursor: Callable[[PageT], str | None],
    cursor: str | None = None,
) -> Iterator[PageT]:
    """Yield pages from *cursor* on, until one has no next cursor.

    A page is read only when it is asked for, so that what happens between two pages may wait.
    """
    while True:
        page = read_page(cursor)
        yield page
        cursor = next_cursor(page)
        if not cursor:
            return
