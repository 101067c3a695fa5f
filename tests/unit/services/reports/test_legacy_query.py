"""Numbers in the queries of old scripts."""

import pytest

from services.reports.legacy_query import clamped_number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        *((None, 30), ("", 30), ("x", 30), ("٣", 30), ("-", 30)),
        *(("7", 7), (" 7", 7), ("7days", 7), ("1.9", 1), ("1e2", 1), ("+5", 5)),
        *(("0", 1), ("-3", 1), ("366", 365), ("9" * 9_999, 365)),
    ],
)
def test_a_number_is_read_as_far_as_it_is_one_and_clamped(text: str | None, number: int) -> None:
    assert clamped_number(text, 30, 365) == number
