"""Raise a new version's share of the traffic in steps, and watch it after each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ops.deploy.smoke_test import UnhealthyError, describe_problems

# Percent.
FULL_TRAFFIC = 100
SHARES = (10, 50, FULL_TRAFFIC)
ONE_STEP = (FULL_TRAFFIC,)
# A single failure may be the network.
MAX_FAILURES_IN_A_ROW = 1
# Leads fail because of Pipedrive, too.
MAX_NEW_FAILED_LEADS = 3

Metrics = Mapping[str, Any]


class FailureCounter(Protocol):
    """Counts the requests since the rollout began."""

    def describe_failures(self, share: int) -> str | None:
        """Describe failures for which a version with this share of the traffic is blamed."""


@dataclass(frozen=True, slots=True)
class Rollout:
    """The rollout of one version.

    `set_share` sets its share in percent; `probe` tests it and returns problems by the name of the
    test; `read_metrics` reads the Worker's metrics; `start_counter` begins to count the requests
    that fail; `pause` waits between two probes.
    """

    set_share: Callable[[int], None]
    probe: Callable[[], Mapping[str, str]]
    read_metrics: Callable[[], Metrics]
    start_counter: Callable[[], FailureCounter]
    pause: Callable[[], None]
    probes_per_share: int

    def shift_traffic(self, shares_percent: Sequence[int], on_share: Callable[[int], None]) -> None:
        """Give the version each share of the traffic in turn, and watch it.

        Raises:
            UnhealthyError: the version is unhealthy with a share, and still has it.
            OpsError: a share could not be set, or the metrics not be read.
        """
        before = self.read_metrics()
        counter = self.start_counter()
        for share in shares_percent:
            self.set_share(share)
            on_share(share)
            self._watch(share, before, counter)

    def _watch(self, share: int, before: Metrics, counter: FailureCounter) -> None:
        failures = 0
        for _ in range(self.probes_per_share):
            self.pause()
            problems = self.probe()
            failures = failures + 1 if problems else 0
            if failures > MAX_FAILURES_IN_A_ROW:
                raise UnhealthyError(
                    f"with {share} % of the traffic: {describe_problems(problems)}"
                )
        regression = describe_regression(before, self.read_metrics())
        regression = regression or counter.describe_failures(share)
        if regression:
            raise UnhealthyError(f"with {share} % of the traffic: {regression}")


def describe_regression(before: Metrics, now: Metrics) -> str | None:
    """Describe what became worse in the Worker's metrics, or return None."""
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
