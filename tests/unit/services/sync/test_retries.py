from datetime import timedelta
from itertools import count, takewhile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.sync.retries import HOUR_SECONDS, RetrySchedule

USUAL = RetrySchedule(
    first_pause_seconds=300, max_pause_seconds=6 * HOUR_SECONDS, give_up_after_hours=72
)


def pauses_of(retries: RetrySchedule) -> list[float]:
    """Every pause until the lead is given up, in seconds."""
    pauses = (retries.pause_after(tries) for tries in count(1))
    return [pause.total_seconds() for pause in takewhile(lambda pause: pause, pauses) if pause]


def test_pauses_double_up_to_the_longest() -> None:
    minutes = [pause / 60 for pause in pauses_of(USUAL)]
    assert minutes[:8] == [5, 10, 20, 40, 80, 160, 320, 360]
    assert set(minutes[8:]) == {360}


def test_a_lead_is_given_up_when_its_pauses_add_up_to_the_hours() -> None:
    assert 72 * HOUR_SECONDS <= sum(pauses_of(USUAL)) < 78 * HOUR_SECONDS


@pytest.mark.parametrize("tries", [0, 1])
def test_the_first_pause_comes_after_the_first_try(tries: int) -> None:
    assert USUAL.pause_after(tries) == timedelta(minutes=5)


@pytest.mark.parametrize("tries", [30, 1_000, 100_000])
def test_a_lead_stays_given_up_after_more_tries(tries: int) -> None:
    assert USUAL.pause_after(tries) is None


def test_the_largest_settings_overflow_nothing() -> None:
    largest = 999_999_999
    pause = RetrySchedule(largest, largest, largest).pause_after(3_000)
    assert pause == timedelta(seconds=largest)


@given(st.integers(300, 7_200), st.integers(1, 50_000), st.integers(1, 72))
def test_the_pauses_add_up_to_the_hours_with_none_too_many(
    first: int, growth: int, hours: int
) -> None:
    pauses = pauses_of(RetrySchedule(first, first + growth, hours))
    assert sum(pauses) >= hours * HOUR_SECONDS
    assert sum(pauses[:-1]) < hours * HOUR_SECONDS
    assert pauses == sorted(pauses)
    assert pauses[0] == first
    assert pauses[-1] <= first + growth


def test_an_absurd_number_of_tries_is_answered_at_once() -> None:
    assert RetrySchedule(300, 21_600, 72).pause_after(2**31) is None


def test_no_pause_is_longer_than_the_longest() -> None:
    assert RetrySchedule(600, 60, 72).pause_after(1) == timedelta(seconds=60)
