"""Times as the tables hold them."""

from datetime import UTC, datetime

import pytest

from services.core.stored_time import NEVER_DUE, format_iso, format_stored_time, parse_stored_time

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def test_a_stored_time_has_no_fraction_and_no_zone() -> None:
    assert format_stored_time(NOON.replace(microsecond=999_999)) == "2026-05-01 12:00:00"


@pytest.mark.parametrize(
    "text",
    ["2026-05-01 12:00:00", "2026-05-01T12:00:00Z", "2026-05-01 12:00:00.123"],
)
def test_the_seconds_of_a_stored_time_count(text: str) -> None:
    assert parse_stored_time(text) == NOON


@pytest.mark.parametrize("text", ["", "yesterday", "2026-05-01 25:00:00"])
def test_a_text_that_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"isoformat|hour"):
        parse_stored_time(text)


def test_never_due_is_a_stored_time_after_all_real_ones() -> None:
    assert format_stored_time(parse_stored_time(NEVER_DUE)) == NEVER_DUE
    assert format_stored_time(NOON.replace(year=2999)) < NEVER_DUE


def test_answers_have_a_stored_time_by_iso_8601() -> None:
    stored_time = parse_stored_time("2026-05-01 12:00:00")
    assert format_iso(stored_time) == "2026-05-01T12:00:00Z"


def test_an_answered_time_has_no_fraction() -> None:
    assert format_iso(NOON.replace(microsecond=999_999)) == "2026-05-01T12:00:00Z"
