"""Which code is deployed: the commit of this checkout."""

from __future__ import annotations

import subprocess

from config import VERSION
from ops.terminal.output import note
from paths import ROOT


def version_message(commit: str | None, *, uncommitted: bool = False) -> str:
    """Return the message of an uploaded version: `3.1.0 at 4f1fd03 with uncommitted changes`."""
    changes = " with uncommitted changes" if uncommitted else ""
    return f"{VERSION} at {commit}{changes}" if commit else VERSION


def read_checkout() -> tuple[str | None, bool | None]:
    """Return the commit and whether files differ from it; None is not known."""
    commit = _git("rev-parse", "--short", "HEAD")
    return commit, bool(_git("status", "--porcelain")) if commit else None


def note_unknown_code() -> None:
    """Say that nobody will know which code was deployed, where no commit holds it."""
    commit, uncommitted = read_checkout()
    if uncommitted:
        note(
            f"this checkout has changes that are not in its commit {commit}: nobody will be able to"
            " deploy the same code again (git status lists them)"
        )
    if commit is None:
        note(
            "the commit of this checkout is not known, because git does not tell it: the log of "
            "deployments will not name it (git status says why)"
        )


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
