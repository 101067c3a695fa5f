"""Gives a new version more and more of the traffic, and looks at it in between."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ops.deploy.smoke_test import UnhealthyError, in_words

# Percent of the traffic.
WHOLE = 100
SHARES = (10, 50, WHOLE)
AT_ONCE = (WHOLE,)
# One look may go wrong on the way; two in a row do not.
MAX_FAILURES_IN_A_ROW = 1
# Leads fail for reasons of Pipedrive's, too.
MAX_NEW_FAILED_LEADS = 3

Metrics = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Rollout:
    """The way of one version to all traffic.

    `move` gives it a share in percent; `look` asks it a few things and returns what is wrong by
    name; `read_metrics` reads the Worker's numbers; `pause` waits between two looks.
    """

    move: Callable[[int], None]
    look: Callable[[], Mapping[str, str]]
    read_metrics: Callable[[], Metrics]
    pause: Callable[[], None]
    looks: int

    def run(self, shares: Sequence[int], on_share: Callable[[int], None]) -> None:
        """Goes from share to share.

        Raises:
            UnhealthyError: the version is not well with a share; it still has it.
            OpsError: it could not be moved, or not be looked at.
        """
        before = self.read_metrics()
        for share in shares:
            self.move(share)
            on_share(share)
            self._watch(share, before)

    def _watch(self, share: int, before: Metrics) -> None:
        failures = 0
        for _ in range(self.looks):
            self.pause()
            wrong = self.look()
            failures = failures + 1 if wrong else 0
            if failures > MAX_FAILURES_IN_A_ROW:
                raise UnhealthyError(f"with {share} % of the traffic: {in_words(wrong)}")
        worse = worsened(before, self.read_metrics())
        if worse:
            raise UnhealthyError(f"with {share} % of the traffic: {worse}")


def worsened(before: Metrics, now: Metrics) -> str | None:
    """What the Worker's numbers say against the new version, or None."""
    errors, recent = now["errors_last_hour"], now["recent_activity"]
    failed = errors["leads_failed"] - before["errors_last_hour"]["leads_failed"]
    killed = errors["runs_killed"] - before["errors_last_hour"]["runs_killed"]
    if failed > MAX_NEW_FAILED_LEADS:
        return f"{failed} more leads failed (./ppp leads says why)"
    if killed > 0:
        return "a run of the sync was killed"
    if before["recent_activity"]["events_last_hour"] and not recent["events_last_hour"]:
        return "no event comes in any more"
    return None
