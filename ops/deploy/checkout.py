"""What is being deployed: the commit of this checkout."""

from __future__ import annotations

import subprocess

from config import VERSION
from paths import ROOT


def message_of(commit: str | None) -> str:
    """What stands beside a version: `3.1.0 at 4f1fd03`."""
    return f"{VERSION} at {commit}" if commit else VERSION


def commit_of_checkout() -> tuple[str | None, bool]:
    """The commit, where this is a checkout, and whether files differ from it."""
    commit = _git("rev-parse", "--short", "HEAD")
    return commit, bool(commit and _git("status", "--porcelain"))


def _git(*words: str) -> str | None:
    """What git says, or None where it has nothing to say."""
    try:
        done = subprocess.run(  # noqa: S603  # constants only
            ["git", *words],  # noqa: S607  # found on PATH on purpose
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        return None
    return done.stdout.strip() or None if done.returncode == 0 else None
