"""The result of one check before a deployment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["pass", "fail", "skipped"]


@dataclass(frozen=True, slots=True)
class CheckResult:
    """A verdict with its reason. A failure has a `next_step`: a command or a runbook section."""

    verdict: Verdict
    reason: str
    next_step: str = ""


def passed(reason: str) -> CheckResult:
    """Return the result of a check that found nothing wrong."""
    return CheckResult("pass", reason)


def failed(reason: str, next_step: str) -> CheckResult:
    """Return the result of a check that forbids the deployment."""
    return CheckResult("fail", reason, next_step)


def skipped(reason: str) -> CheckResult:
    """Return the result of a check that was not made."""
    return CheckResult("skipped", reason)
