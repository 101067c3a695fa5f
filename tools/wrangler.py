"""Runs the pinned wrangler to its end."""

from __future__ import annotations

import subprocess
from pathlib import Path

from paths import LOCAL_CONFIG, NODE_BIN, ROOT, tool_environment

# A migration of a large table takes its time; a command that hangs takes more.
LONGEST_SECONDS = 900


class WranglerError(Exception):
    """wrangler failed; the message is what it said."""


def wrangler(*arguments: str | Path, config: Path | None = LOCAL_CONFIG) -> str:
    """Runs one command on a configuration, without questions, and returns what it said.

    A `config` of None is wrangler.toml.

    Raises:
        WranglerError: it failed.
    """
    which = [] if config is None else ["--config", str(config)]
    try:
        done = subprocess.run(
            [str(NODE_BIN / "wrangler"), *map(str, arguments), *which],
            cwd=ROOT,
            env=tool_environment() | {"CI": "true"},
            capture_output=True,
            text=True,
            check=False,
            timeout=LONGEST_SECONDS,
        )
    except subprocess.TimeoutExpired:
        raise WranglerError(
            f"wrangler {arguments[0]} did not end within {LONGEST_SECONDS} seconds"
        ) from None
    if done.returncode != 0:
        raise WranglerError(f"wrangler {arguments[0]} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def following(*arguments: str) -> subprocess.Popen[str]:
    """Starts a command on wrangler.toml that goes on until it is ended."""
    return subprocess.Popen(
        [str(NODE_BIN / "wrangler"), *arguments],
        cwd=ROOT,
        env=tool_environment() | {"CI": "true"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
