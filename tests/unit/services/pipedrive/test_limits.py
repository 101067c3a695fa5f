from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.pipedrive.limits import Budget, DeferredError, Operation, Pace
from tests.unit.memory import CALLS, NOW

OPERATIONS: tuple[Operation, ...] = get_args(Operation)

# The budget


@pytest.mark.parametrize("requests", [1, 2, 3])
def test_a_budget_gives_what_it_has_and_no_more(requests: int) -> None:
    budget = Budget(NOW + timedelta(minutes=1), 3)
    assert budget.has(NOW, requests)
    budget.take(NOW, requests)
    assert not budget.has(NOW, 4 - requests)
    with pytest.raises(DeferredError, match="requests are spent"):
        budget.take(NOW, 4 - requests)
    assert budget.spent == requests


def test_a_budget_ends_with_its_time() -> None:
    budget = Budget(NOW, 10)
    before = NOW - timedelta(microseconds=1)
    budget.take(before, 10)
    assert budget.has(before, 0)
    assert not budget.has(NOW, 0)
    with pytest.raises(DeferredError, match="time is over"):
        budget.take(NOW, 0)


# The pace

LIMITED = replace(CALLS, requests_per_window=5, searches_per_window=2)
WINDOW = timedelta(milliseconds=CALLS.window_ms)


def most_in_a_window(moments: Sequence[datetime]) -> int:
    """How many moments lie in the fullest window that begins with one of them."""
    counts = (sum(start <= moment < start + WINDOW for moment in moments) for start in moments)
    return max(counts, default=0)


@given(
    st.lists(
        st.tuples(st.sampled_from(OPERATIONS), st.integers(0, 1_500), st.booleans()), max_size=40
    )
)
def test_no_window_ever_holds_more_calls_or_searches_than_allowed(
    steps: list[tuple[Operation, int, bool]],
) -> None:
    pace, now = Pace(LIMITED), NOW
    moments: dict[str, list[datetime]] = {"all": [], "search": []}
    for operation, gap, waits in steps:
        now += timedelta(milliseconds=gap)
        seconds = pace.seconds_until(operation, now)
        assert seconds >= 0
        moment = now + timedelta(seconds=seconds)
        moments["all"].append(moment)
        if operation == "search":
            moments["search"].append(moment)
        now = moment if waits else now
    assert most_in_a_window(moments["all"]) <= LIMITED.requests_per_window
    assert most_in_a_window(moments["search"]) <= LIMITED.searches_per_window


def test_calls_wait_no_longer_than_they_must() -> None:
    pace = Pace(LIMITED)
    operations: tuple[Operation, ...] = ("search", "search", "person", "person", "person")
    assert [pace.seconds_until(operation, NOW) for operation in operations] == [0] * 5
    assert pace.seconds_until("update", NOW + timedelta(seconds=1)) == pytest.approx(1.2)
    assert pace.seconds_until("search", NOW + WINDOW) == 0


@given(st.lists(st.tuples(st.integers(0, 1_500), st.integers(-1_000, 9_000)), max_size=20))
def test_while_calls_are_held_none_goes(steps: list[tuple[int, int]]) -> None:
    pace, now, held_until = Pace(LIMITED), NOW, NOW
    for number, (gap, hold) in enumerate(steps):
        now += timedelta(milliseconds=gap)
        if number % 3 == 0:
            until = now + timedelta(milliseconds=hold)
            pace.hold(until)
            held_until = max(held_until, until)
        assert now + timedelta(seconds=pace.seconds_until("person", now)) >= held_until


def test_calls_do_not_all_go_at_once_when_a_hold_ends() -> None:
    pace = Pace(LIMITED)
    pace.hold(NOW + timedelta(seconds=10))
    moments = [NOW + timedelta(seconds=pace.seconds_until("update", NOW)) for _ in range(12)]
    assert most_in_a_window(moments) == LIMITED.requests_per_window
    assert all(first <= second for first, second in pairwise(moments))
