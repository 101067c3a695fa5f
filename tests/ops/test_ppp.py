"""`./ppp` itself: help, usage, and that nobody sees a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest

from ops.__main__ import main
from paths import ROOT
from tests.ops.running import ppp

COMMANDS = (("fields", "check"), ("fields", "suggest"), ("keys", "new"), ("leads",), ("resync",))


def test_the_script_sets_everything_up_and_runs_from_anywhere(home: Path) -> None:
    said = ppp(home=home, command=(ROOT / "ppp",))
    assert said.code == 0
    assert "Usage: ./ppp [OPTIONS] COMMAND" in said.out
    assert "Exit codes: 0 fine" in said.out


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_explains_itself_with_an_example(
    home: Path, command: tuple[str, ...]
) -> None:
    said = ppp(*command, "--help", home=home, env={"COLUMNS": "80"})
    assert said.code == 0
    assert f"Example: ./ppp {' '.join(command)}" in said.out
    assert "--json" in said.out


@pytest.mark.parametrize(
    ("arguments", "remedy"),
    [
        (("nonsense",), "./ppp --help"),
        (("fields",), "./ppp fields --help"),
        (("keys",), "./ppp keys --help"),
        (("keys", "new", "--role", "read"), "--name"),
        (("keys", "new", "--name", "ops"), "--role"),
        (("leads",), "--local (this machine) or --env production"),
        (("leads", "--env", "staging"), "'production'"),
        (("leads", "--local", "--state", "x' OR 1"), "'pending'"),
        (("leads", "--local", "--limit", "0"), "1<=x<=1000"),
        (("resync", "--local"), "--failed, or --not-found"),
        (("resync", "--local", "--failed", "--not-found"), "--failed, or --not-found"),
        (("resync", "--local", "7", "--failed"), "--failed, or --not-found"),
        (("resync", "--local", "7", "--since", "3"), "--since goes with"),
        (("resync", "--local", "1); DROP TABLE pixels"), "not a valid int"),
        (("resync", "--local", "0"), "not in the range"),
        (("resync", "--local", "--failed", "--json"), "--yes or --dry-run"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_wrong_usage_is_one_line_that_says_what_is_right(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    remedy: str,
) -> None:
    monkeypatch.setattr("sys.argv", ["ppp", *arguments])
    assert main() == 2
    said = capsys.readouterr()
    assert said.out == ""
    [line] = said.err.splitlines()
    assert line.startswith("error: ")
    assert remedy in line
