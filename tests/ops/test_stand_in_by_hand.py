"""The runbook's blocks for the stand-in by hand, one by one, in a checkout of one's own."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from paths import NODE_BIN
from processes import kill_group
from pyodide_bundle import Bundle
from rehearsal.checkout_copy import copy_checkout
from rehearsal.stage import SHELL, Output
from tests.ops.runbook_blocks import commands_under
from tests.tools.checkout import until

HEADING = "## Deployment"
COMMAND_SECONDS = 600


@dataclass(slots=True)
class Terminal:
    """A shell in a checkout, after the runbook's first line of it: who Cloudflare is."""

    checkout: Path
    login: str
    key: str = ""

    def run(self, command: str, answer: str = "") -> Output:
        path = os.pathsep.join(
            [str(self.checkout.parent / "bin"), str(NODE_BIN), os.environ["PATH"]]
        )
        process = subprocess.run(
            [*SHELL, f"{self.login}\n{command}"],
            cwd=self.checkout,
            env=os.environ | {"PATH": path, "PPP_API_KEY": self.key, "COLUMNS": "300"},
            input=answer,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
        return Output(command, process.returncode, process.stdout, process.stderr)


@pytest.fixture
def terminal(local_config: Bundle, tmp_path: Path) -> Iterator[Terminal]:
    """The second terminal; in the first one the stand-in runs as the runbook starts it."""
    checkout = tmp_path / "checkout"
    copy_checkout(checkout)
    start, login, *_ = (in_folder(command, tmp_path) for command in commands_under(HEADING))
    with subprocess.Popen(
        [*SHELL, f"exec {start}"], cwd=checkout, text=True, start_new_session=True
    ) as process:
        try:
            printed = tmp_path / "stand-in.sh"
            until(lambda: process.poll() is None and printed.exists() and printed.read_text())
            yield Terminal(checkout, login)
            process.send_signal(signal.SIGINT)
            assert process.wait(60) == 0
        finally:
            kill_group(process)


def in_folder(command: str, folder: Path) -> str:
    return command.replace("/tmp/", f"{folder}/")  # noqa: S108  # what the runbook names


def test_somebody_deploys_twice_and_goes_back_by_hand_on_the_stand_in(terminal: Terminal) -> None:
    new_key, put, read, said, preflight, first, backup, again, back, health = commands_under(
        HEADING
    )[2:]
    assert said.startswith("#")
    shown = terminal.run(new_key).expect(0)
    [key] = re.findall(r"^\S{30,}$", shown.text, re.MULTILINE)
    terminal.run(put).expect(0, "API_KEYS")
    terminal.run(f'{read}; [ "$PPP_API_KEY" = "{key}" ]', f"{key}\n").expect(0)
    terminal.key = key

    checked = terminal.run(preflight)
    [accept, database] = re.findall(r"(--accept-database) (\S+)", checked.expect(1).text)[0]
    assert accept in first
    terminal.run(first.replace("DATABASE_ID", database), "y\n").expect(0)
    terminal.run(backup).expect(0, "verified")
    terminal.run(again, "y\n").expect(0)
    terminal.run(back, "y\n").expect(0)
    assert json.loads(terminal.run(health).expect(0).out)["status"] == "healthy"
