"""A clock that is ahead for a while deletes nothing for good."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.faults.outside import OUTSIDE, new_outside
from tests.faults.story import Story


def parked_keys() -> list[str]:
    return [key for key in OUTSIDE.objects if key.startswith("parked/")]


def story_with_parked_event() -> Story:
    """Two days of cron runs; then an event of a pixel that is not there is parked."""
    # The ledger of runs is cut by the database's own clock.
    new_outside().now = datetime.now(UTC) - timedelta(days=12)
    story = Story()
    for _ in range(8):
        story.run_cron(minutes=6 * 60)
    moment = f"{OUTSIDE.now:%Y%m%dT%H%M%S%fZ}"
    OUTSIDE.objects[f"parked/ppp-website-9/{moment}-{'ab' * 16}.json"] = b"{}"
    return story


def test_what_is_parked_survives_runs_by_a_clock_that_is_ahead() -> None:
    story = story_with_parked_event()
    for days in (10, 30, 400):
        now = OUTSIDE.now
        OUTSIDE.now = now + timedelta(days=days)
        for _ in range(12):
            story.run_cron()
        OUTSIDE.now = now + timedelta(hours=6)
        story.run_cron()
    assert len(parked_keys()) == 1


def test_what_is_parked_goes_after_its_days() -> None:
    story = story_with_parked_event()
    for _ in range(4 * 7):
        story.run_cron(minutes=6 * 60)
    assert len(parked_keys()) == 1
    story.run_cron()
    story.run_cron()
    assert parked_keys() == []
