"""One afternoon on which everything is due, and its many endings."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from random import Random

from tests.faults.outside import OUTSIDE, Fault, Outside, new_outside
from tests.faults.promises import broken_promises
from tests.faults.story import Story

PERSONS = ("jane", "old", "gone")
LEAVING = "gone@example.com"


@dataclass(frozen=True, slots=True)
class Ending:
    """How a story ended: the calls of its act, what is wrong, and the log."""

    calls: list[str]
    broken_promises: list[str]
    log: str


def _run_two_crons(story: Story) -> None:
    """Leads, retention, backups, the archive, what waits and the checks: all are due."""
    story.run_cron()
    story.run_cron()


ACTS: Mapping[str, Callable[[Story], None]] = {
    "a page view": lambda story: story.view("7", "another-view", "/?gclid=x"),
    "a lead": lambda story: story.submit("3", "another-lead", "jane@example.com", "/other"),
    "two cron runs": _run_two_crons,
    "an erasure": lambda story: story.erase(LEAVING),
    "a backup": Story.back_up,
}


def play(
    act: Callable[[Story], None], failing: int | None = None, fault: Fault = Fault.REFUSED
) -> Ending:
    """Plays the end of the afternoon: an act in which one call fails, then some quiet days."""
    story = _begin()
    OUTSIDE.calls.failing, OUTSIDE.calls.fault = failing, fault
    with contextlib.redirect_stdout(io.StringIO()) as log:
        act(story)
        calls = [*OUTSIDE.calls.names]
        _end(story)
    return Ending(calls, broken_promises(story, log.getvalue()), log.getvalue())


def play_in_bad_weather(seed: int, share_failing: float) -> Ending:
    """Plays all acts in some order while many calls fail, then some quiet days."""
    story, random = _begin(), Random(seed)  # noqa: S311  # the same story each time
    acts = [*ACTS.values()]
    random.shuffle(acts)
    OUTSIDE.calls.random, OUTSIDE.calls.share_failing = random, share_failing
    with contextlib.redirect_stdout(io.StringIO()) as log:
        for act in acts:
            act(story)
        calls = [*OUTSIDE.calls.names]
        # Who tries so often and gives up does it again when the weather is better.
        story.problems.clear()
        _end(story)
    return Ending(calls, broken_promises(story, log.getvalue()), log.getvalue())


def _begin() -> Story:
    before, story = _afternoon()
    OUTSIDE.begin_again_from(before)
    for name in PERSONS:
        OUTSIDE.account.add_person(name.title(), [f"{name}@example.com"])
    return story.copy()


def _end(story: Story) -> None:
    """Some quiet days, after which everything has happened that was due."""
    OUTSIDE.calls.failing, OUTSIDE.calls.share_failing = None, 0
    if LEAVING not in story.erased:
        story.erase(LEAVING)
    for _ in range(4):
        story.run_cron()
    # A lead whose tries failed waits for hours in the end.
    OUTSIDE.pass_time(hours=7)
    for _ in range(4):
        story.run_cron(minutes=800)


@cache
def _afternoon() -> tuple[Outside, Story]:
    """An afternoon on which all is due: leads, a backup, the archive, retention, what waits."""
    outside, story = new_outside(), Story()
    with contextlib.redirect_stdout(io.StringIO()):
        expiring = story.add_expiring_pixel()
        story.view("1", "old-view", "/?utm_source=google&utm_medium=cpc&gclid=abc")
        outside.account.add_person("Old", ["old@example.com"])
        story.submit("1", "old-lead", "old@example.com")
        for _ in range(3):
            story.run_cron()
        outside.pass_time(days=150)
        story.view("2", "expired-view", "/", expiring)
        outside.pass_time(days=31)
        story.view("3", "new-view", "/?utm_source=li&utm_medium=paid&utm_campaign=demo")
        story.submit("3", "lead-of-jane", "jane@example.com")
        story.submit("4", "lead-of-nobody", "nobody@example.com")
        outside.pass_time(minutes=8)
        story.view("5", "view-of-gone", email=LEAVING)
        story.submit("5", "lead-of-gone", LEAVING)
        story.submit_while_database_is_away("6", "waiting-lead", "jane@example.com")
        story.submit_while_database_is_away("5", "waiting-lead-of-gone", LEAVING)
    assert story.problems == []
    copy = Outside()
    copy.begin_again_from(outside)
    return copy, story
