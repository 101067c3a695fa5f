"""How a new version gets its traffic, and what stops it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from ops.deploy.rollout import (
    MAX_NEW_FAILED_LEADS,
    SHARES,
    FailureCounter,
    Rollout,
    describe_regression,
)
from ops.deploy.smoke_test import UnhealthyError

HEALTHY: Mapping[str, str] = {}
ILL = {"health": "/health answers 503"}


def metrics(*, failed: int = 0, killed: int = 0, events: int = 10) -> Mapping[str, Any]:
    return {
        "errors_last_hour": {"leads_failed": failed, "runs_killed": killed},
        "recent_activity": {"events_last_hour": events},
    }


class CounterAt:
    """Blames a version from this share on."""

    def __init__(self, share: int = 101) -> None:
        self.share = share

    def describe_failures(self, share: int) -> str | None:
        return "5 of 50 requests were answered 5xx" if share >= self.share else None


def rolled_out(
    probe_results: Iterator[Mapping[str, str]],
    *numbers: Mapping[str, Any],
    counter: FailureCounter | None = None,
) -> list[int | str]:
    """What was done, in order: shares given, `look`; and at the end what was wrong."""
    steps: list[int | str] = []
    announced: list[int] = []
    read = iter(numbers or [metrics()] * (len(SHARES) + 1))

    def probe() -> Mapping[str, str]:
        steps.append("look")
        return next(probe_results)

    rollout = Rollout(
        set_share=steps.append,
        probe=probe,
        read_metrics=lambda: next(read),
        start_counter=lambda: counter or CounterAt(),
        pause=lambda: None,
        probes_per_share=2,
    )
    try:
        rollout.shift_traffic(SHARES, on_share=announced.append)
    except UnhealthyError as error:
        steps.append(str(error))
    return steps


def test_each_share_is_watched_before_the_next() -> None:
    steps = rolled_out(iter([HEALTHY] * 6))
    assert steps == [10, "look", "look", 50, "look", "look", 100, "look", "look"]


def test_one_look_may_fail_on_the_way() -> None:
    assert rolled_out(iter([ILL, HEALTHY, HEALTHY, ILL, HEALTHY, HEALTHY]))[-3:] == [
        100,
        "look",
        "look",
    ]


def test_two_failing_looks_in_a_row_stop_it_at_that_share() -> None:
    steps = rolled_out(iter([HEALTHY, HEALTHY, ILL, ILL]))
    assert steps[3:] == [
        *(50, "look", "look"),
        "with 50 % of the traffic: health: /health answers 503",
    ]


def test_numbers_that_worsen_stop_it_at_that_share() -> None:
    steps = rolled_out(iter([HEALTHY] * 6), metrics(), metrics(), metrics(killed=1))
    assert [step for step in steps if step != "look"] == [
        *(10, 50),
        "with 50 % of the traffic: a run of the sync was killed",
    ]


def test_failed_requests_stop_it_at_that_share() -> None:
    steps = rolled_out(iter([HEALTHY] * 6), counter=CounterAt(50))
    assert [step for step in steps if step != "look"] == [
        *(10, 50),
        "with 50 % of the traffic: 5 of 50 requests were answered 5xx",
    ]


@pytest.mark.parametrize(
    ("now", "worse"),
    [
        (metrics(), None),
        (metrics(failed=MAX_NEW_FAILED_LEADS), None),
        (metrics(failed=MAX_NEW_FAILED_LEADS + 1), "4 more leads failed"),
        (metrics(killed=1), "a run of the sync was killed"),
        (metrics(events=1), None),
        (metrics(events=0), "no event comes in any more"),
    ],
)
def test_what_worsened_is_named(now: Mapping[str, Any], worse: str | None) -> None:
    regression = describe_regression(metrics(), now)
    assert regression is None if worse is None else worse in (regression or "")


def test_a_site_that_sleeps_is_not_worse() -> None:
    assert describe_regression(metrics(events=0), metrics(events=0)) is None
