from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.pipedrive.circuit_breaker import CircuitBreaker, State

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
OPEN_SECONDS = 60
LATER = NOW + timedelta(seconds=OPEN_SECONDS)


def state_of(tested: CircuitBreaker) -> State:
    """The state, read anew: a type checker believes that it stays what it was."""
    return tested.state


def breaker(state: State, failures: int = 0, successes: int = 0) -> CircuitBreaker:
    until = LATER if state == "open" else None
    return CircuitBreaker(OPEN_SECONDS, state, failures, successes, until)


@pytest.mark.parametrize(
    ("before", "event", "after"),
    [
        (breaker("closed"), "succeeded", "closed"),
        (breaker("closed"), "failed", "closed"),
        (breaker("closed", failures=3), "failed", "closed"),
        (breaker("closed", failures=4), "failed", "open"),
        (breaker("closed"), "trip", "open"),
        (breaker("open", failures=5), "succeeded", "open"),
        (breaker("open", failures=5), "failed", "open"),
        (breaker("open"), "failed", "open"),
        (breaker("open"), "trip", "open"),
        (breaker("half_open", failures=5), "succeeded", "half_open"),
        (breaker("half_open", successes=1), "succeeded", "closed"),
        (breaker("half_open"), "failed", "open"),
        (breaker("half_open", successes=1), "failed", "open"),
        (breaker("half_open"), "trip", "open"),
    ],
)
def test_each_state_meets_each_event(before: CircuitBreaker, event: str, after: State) -> None:
    was_closed = before.state == "closed"
    opened = None
    match event:
        case "succeeded":
            before.succeeded()
        case "failed":
            opened = before.failed(NOW)
        case _:
            opened = before.trip(NOW)
    assert before.state == after
    assert (before.open_until is None) == (after != "open")
    if opened is not None:
        assert opened == (was_closed and after == "open")


@pytest.mark.parametrize("state", ["closed", "half_open"])
def test_a_closed_and_a_half_open_breaker_let_calls_through(state: State) -> None:
    tested = breaker(state)
    assert tested.allows(NOW)
    assert tested.state == state


def test_an_open_breaker_lets_nothing_through_until_its_time_is_over() -> None:
    tested = breaker("open")
    assert not tested.allows(NOW)
    assert not tested.allows(LATER - timedelta(microseconds=1))
    assert state_of(tested) == "open"
    assert tested.allows(LATER)
    assert state_of(tested) == "half_open"


def test_an_open_breaker_without_a_time_is_half_open() -> None:
    tested = CircuitBreaker(OPEN_SECONDS, "open")
    assert tested.allows(NOW)
    assert tested.state == "half_open"


def test_five_failures_that_are_not_in_a_row_open_nothing() -> None:
    tested = breaker("closed")
    for _ in range(5):
        assert [tested.failed(NOW) for _ in range(4)] == [False] * 4
        tested.succeeded()
    assert tested.state == "closed"


def test_only_the_failure_that_opens_it_returns_true() -> None:
    tested = breaker("closed")
    assert [tested.failed(NOW) for _ in range(7)] == [*[False] * 4, True, False, False]


def test_a_failure_of_a_call_under_way_keeps_an_open_breaker_open_for_longer() -> None:
    tested = breaker("open", failures=5)
    tested.failed(NOW + timedelta(seconds=10))
    assert tested.open_until == LATER + timedelta(seconds=10)


def test_a_success_from_before_it_opened_does_not_help_to_close_it() -> None:
    tested = breaker("open")
    tested.succeeded()
    tested.succeeded()
    assert tested.allows(LATER)
    tested.succeeded()
    assert tested.state == "half_open"


STEPS = st.lists(
    st.sampled_from(("succeeded", "failed", "failed", "trip", "wait")), min_size=1, max_size=60
)


@given(STEPS)
def test_a_breaker_opens_and_closes_only_by_its_rules(steps: list[str]) -> None:
    tested, now = breaker("closed"), NOW
    failures = 0  # in a row
    successes = 0  # in a row, since it was last half-open
    for step in steps:
        before = tested.state
        match step:
            case "wait":
                now += timedelta(seconds=OPEN_SECONDS / 2)
                tested.allows(now)
                successes = 0 if tested.state != before else successes
            case "succeeded":
                tested.succeeded()
                failures, successes = 0, successes + 1
            case "failed":
                tested.failed(now)
                failures, successes = failures + 1, 0
            case _:
                tested.trip(now)
        if before == "closed" and tested.state == "open":
            assert step == "trip" or failures >= 5
        if before == "closed" and failures >= 5:
            assert tested.state == "open"
        if before == "half_open" and tested.state == "closed":
            assert successes >= 2
        if before == "half_open" and step in {"failed", "trip"}:
            assert tested.state == "open"
        assert not (before == "open" and tested.state == "closed")
        if tested.state == "open":
            assert tested.open_until is not None
            assert tested.open_until > now
            assert not tested.allows(now)
