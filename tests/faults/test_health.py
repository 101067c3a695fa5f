"""What `/health` costs, and how soon it says what is wrong."""

from __future__ import annotations

from tests.faults.isolate import Isolate
from tests.faults.outside import OUTSIDE, new_outside
from tests.faults.story import SETTINGS


def test_a_thousand_requests_within_five_seconds_cost_as_much_as_one() -> None:
    new_outside()
    isolate = Isolate(**SETTINGS)
    assert isolate.request("/health")[0] == 200
    calls = len(OUTSIDE.calls.names)
    assert calls > 0
    for number in range(1_000):
        assert isolate.request("/health", address=f"192.0.2.{number % 250}")[0] == 200
        if number % 100 == 99:
            OUTSIDE.pass_time(milliseconds=499)
    assert len(OUTSIDE.calls.names) == calls
    OUTSIDE.pass_time(milliseconds=10)
    isolate.request("/api/health")
    assert len(OUTSIDE.calls.names) == 2 * calls


def test_a_loss_and_its_end_are_seen_within_five_seconds() -> None:
    new_outside()
    isolate = Isolate(**SETTINGS)
    isolate.run_cron()
    assert isolate.request("/health")[0] == 200
    OUTSIDE.database.execute("ALTER TABLE job_runs RENAME TO elsewhere")
    OUTSIDE.pass_time(seconds=5)
    assert isolate.request("/health")[0] == 503
    OUTSIDE.database.execute("ALTER TABLE elsewhere RENAME TO job_runs")
    OUTSIDE.pass_time(seconds=5)
    assert isolate.request("/health")[0] == 200


def test_a_clock_that_is_set_back_holds_nothing_up() -> None:
    new_outside()
    isolate = Isolate(**SETTINGS)
    isolate.request("/health")
    calls = len(OUTSIDE.calls.names)
    OUTSIDE.pass_time(hours=-1)
    isolate.request("/health")
    assert len(OUTSIDE.calls.names) == 2 * calls
