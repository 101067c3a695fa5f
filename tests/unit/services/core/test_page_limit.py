"""The parameter `limit` of lists and reports."""

import pytest

from services.core.page_limit import DEFAULT_PAGE_ROWS, MAX_PAGE_ROWS, page_limit


def test_a_page_has_a_hundred_rows_without_a_limit() -> None:
    assert page_limit({}) == DEFAULT_PAGE_ROWS == 100


@pytest.mark.parametrize("rows", [1, 100, MAX_PAGE_ROWS])
def test_a_limit_is_the_number_of_rows(rows: int) -> None:
    assert page_limit({"limit": str(rows)}) == rows


@pytest.mark.parametrize("text", ["0", str(MAX_PAGE_ROWS + 1), "-1", "ten", "1.0", "0100", ""])
def test_a_limit_that_is_no_number_of_rows_is_none(text: str) -> None:
    assert page_limit({"limit": text}) is None
