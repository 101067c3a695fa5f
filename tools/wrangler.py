"""Runs the pinned wrangler to its end."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from paths import LOCAL_CONFIG, NODE_BIN, ROOT, tool_environment
from processes import kill_group

# A migration of a large table takes its time; a command that hangs takes more.
TIMEOUT_SECONDS = 900


class WranglerError(Exception):
    """wrangler failed; the message is what it said."""


def wrangler(
    *arguments: str | Path,
    config: Path | None = LOCAL_CONFIG,
    variables: Mapping[str, str] | None = None,
) -> str:
    """Runs one command on a configuration, without questions, and returns what it said.

    A `config` of None is wrangler.toml; `variables` are added to the environment.

    Raises:
        WranglerError: it failed.
    """
    config_options = [] if config is None else ["--config", str(config)]
    failed = f"wrangler {arguments[0]} failed:"
    try:
        process = subprocess.Popen(
            [str(NODE_BIN / "wrangler"), *map(str, arguments), *config_options],
            cwd=ROOT,
            env=tool_environment() | {"CI": "true"} | dict(variables or {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # Its child processes must not outlive it.
            start_new_session=True,
        )
    except OSError as error:
        raise WranglerError(f"{failed}\nit cannot be started ({error})") from None
    with process:
        try:
            output, errors = process.communicate(timeout=TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            raise WranglerError(
                f"{failed}\nit did not end within {TIMEOUT_SECONDS} seconds"
            ) from None
        finally:
            kill_group(process)
    if process.returncode != 0:
        raise WranglerError(f"{failed}\n{output}{errors}")
    return output


def start_wrangler(*arguments: str) -> subprocess.Popen[str]:
    """Start a command on wrangler.toml that runs until it is terminated."""
    return subprocess.Popen(
        [str(NODE_BIN / "wrangler"), *arguments],
        cwd=ROOT,
        env=tool_environment() | {"CI": "true"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wrangler_report(
    *arguments: str | Path,
    config: Path | None = LOCAL_CONFIG,
    variables: Mapping[str, str] | None = None,
) -> Sequence[dict[str, Any]]:
    """Runs one command as `wrangler` does and returns what it notes for programs, entry by entry.

    Raises:
        WranglerError: it failed.
    """
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.ndjson"
        wrangler(
            *arguments,
            config=config,
            variables={**(variables or {}), "WRANGLER_OUTPUT_FILE_PATH": str(report)},
        )
        lines = report.read_text(encoding="utf-8").splitlines() if report.exists() else []
    return [json.loads(line) for line in lines]
