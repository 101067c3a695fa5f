"""Starts the Node scripts of the harness, which serve until their standard input closes."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from paths import NODE_BIN, ROOT, tool_environment

HARNESS = Path(__file__).resolve().parent
Script = subprocess.Popen[str]


@contextmanager
def serving(
    script: str, options: Mapping[str, object], variables: Mapping[str, str] | None = None
) -> Iterator[tuple[Script, dict[str, Any]]]:
    """Runs a script of this folder, in a process group of its own, until the block ends.

    Gives the process and the addresses that it printed when it was ready.
    """
    process = subprocess.Popen(
        [NODE_BIN / "node", HARNESS / script, json.dumps(options)],
        env=tool_environment() | dict(variables or {}),
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield process, _addresses(process)
    finally:
        process.communicate(timeout=120)


def _addresses(process: Script) -> dict[str, Any]:
    lines: list[str] = []
    for line in process.stdout or ():
        if line.startswith('{"worker"'):
            addresses: dict[str, Any] = json.loads(line)
            return addresses
        lines.append(line)
    raise AssertionError("the Worker did not start:\n" + "".join(lines))
