"""What a check before a deployment finds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["pass", "fail", "skipped"]


@dataclass(frozen=True, slots=True)
class Finding:
    """A verdict, why it is so, and where it fails what to do next, as a command."""

    verdict: Verdict
    why: str
    next_step: str = ""


def passed(why: str) -> Finding:
    """All is well."""
    return Finding("pass", why)


def failed(why: str, next_step: str) -> Finding:
    """Nothing may be deployed."""
    return Finding("fail", why, next_step)


def skipped(why: str) -> Finding:
    """It was not looked at, which says nothing."""
    return Finding("skipped", why)
