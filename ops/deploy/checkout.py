"""Which code is deployed: the commit of this checkout."""

from __future__ import annotations

import subprocess

from config import VERSION
from paths import ROOT


def version_message(commit: str | None) -> str:
    """Return the message of an uploaded version: `3.1.0 at 4f1fd03`."""
    return f"{VERSION} at {commit}" if commit else VERSION


def read_checkout() -> tuple[str | None, bool]:
    """Return the commit, or None outside of a checkout, and whether files differ from it."""
    commit = _git("rev-parse", "--short", "HEAD")
    return commit, bool(commit and _git("status", "--porcelain"))


def _git(*arguments: str) -> str | None:
    """Return the output of git, or None if it fails or prints nothing."""
    try:
        process = subprocess.run(  # noqa: S603  # the arguments are constants of this file
            ["git", *arguments],  # noqa: S607  # found on PATH on purpose
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        return None
    return process.stdout.strip() or None if process.returncode == 0 else None
