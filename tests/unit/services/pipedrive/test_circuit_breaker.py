from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.pipedrive.circuit_breaker import CircuitBreaker, State

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
OPEN_SECONDS = 60
LATER = NOW + timedelta(seconds=OPEN_SECONDS)


def state_of(one: CircuitBreaker) -> State:
    """The state, read anew: a type checker believes that it stays what it was."""
    return one.state


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
    one = breaker(state)
    assert one.allows(NOW)
    assert one.state == state


def test_an_open_breaker_lets_nothing_through_until_its_time_is_over() -> None:
    one = breaker("open")
    assert not one.allows(NOW)
    assert not one.allows(LATER - timedelta(microseconds=1))
    assert state_of(one) == "open"
    assert one.allows(LATER)
    assert state_of(one) == "half_open"


def test_an_open_breaker_without_a_time_is_half_open() -> None:
    one = CircuitBreaker(OPEN_SECONDS, "open")
    assert one.allows(NOW)
    assert one.state == "half_open"


def test_five_failures_that_are_not_in_a_row_open_nothing() -> None:
    one = breaker("closed")
    for _ in range(5):
        assert [one.failed(NOW) for _ in range(4)] == [False] * 4
        one.succeeded()
    assert one.state == "closed"


def test_only_the_failure_that_opens_says_so() -> None:
    one = breaker("closed")
    assert [one.failed(NOW) for _ in range(7)] == [*[False] * 4, True, False, False]


def test_a_failure_of_a_call_under_way_keeps_an_open_breaker_open_for_longer() -> None:
    one = breaker("open", failures=5)
    one.failed(NOW + timedelta(seconds=10))
    assert one.open_until == LATER + timedelta(seconds=10)


def test_a_success_from_before_it_opened_does_not_help_to_close_it() -> None:
    one = breaker("open")
    one.succeeded()
    one.succeeded()
    assert one.allows(LATER)
    one.succeeded()
    assert one.state == "half_open"


STEPS = st.lists(
    st.sampled_from(("succeeded", "failed", "failed", "trip", "wait")), min_size=1, max_size=60
)


@given(STEPS)
def test_whatever_happens_it_opens_and_closes_only_for_its_reasons(steps: list[str]) -> None:
    one, now = breaker("closed"), NOW
    failures = 0  # in a row
    successes = 0  # in a row, since it was last half-open
    for step in steps:
        before = one.state
        match step:
            case "wait":
                now += timedelta(seconds=OPEN_SECONDS / 2)
                one.allows(now)
                successes = 0 if one.state != before else successes
            case "succeeded":
                one.succeeded()
                failures, successes = 0, successes + 1
            case "failed":
                one.failed(now)
                failures, successes = failures + 1, 0
            case _:
                one.trip(now)
        if before == "closed" and one.state == "open":
            assert step == "trip" or failures >= 5
        if before == "closed" and failures >= 5:
            assert one.state == "open"
        if before == "half_open" and one.state == "closed":
            assert successes >= 2
        if before == "half_open" and step in {"failed", "trip"}:
            assert one.state == "open"
        assert not (before == "open" and one.state == "closed")
        if one.state == "open":
            assert one.open_until is not None
            assert one.open_until > now
            assert not one.allows(now)
