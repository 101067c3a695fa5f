"""Pages of a list, each of which names the cursor of the next."""

from __future__ import annotations

import pytest

from ops.worker_api.paging import follow_cursor

PAGES: dict[str | None, tuple[str, str | None]] = {
    None: ("first", "a"),
    "a": ("second", "b"),
    "b": ("third", None),
}


@pytest.mark.parametrize(
    ("cursor", "texts"), [(None, ["first", "second", "third"]), ("b", ["third"])]
)
def test_pages_follow_from_a_cursor_to_the_end(cursor: str | None, texts: list[str]) -> None:
    pages = follow_cursor(PAGES.__getitem__, lambda page: page[1], cursor)
    assert [text for text, _ in pages] == texts


def test_a_page_is_read_only_when_it_is_asked_for() -> None:
    cursors: list[str | None] = []

    def read_page(cursor: str | None) -> tuple[str, str | None]:
        cursors.append(cursor)
        return PAGES[cursor]

    pages = follow_cursor(read_page, lambda page: page[1])
    next(pages)
    assert cursors == [None]
    next(pages)
    assert cursors == [None, "a"]
