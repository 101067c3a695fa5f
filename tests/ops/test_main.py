"""`./ppp` itself: help, usage, and that nobody sees a traceback."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.core import TyperGroup

from ops import commands
from ops.__main__ import MODULE_NAMES, build_app, main
from paths import ROOT
from tests.ops.running import here, ppp


def command_paths(group: TyperGroup) -> Iterator[tuple[str, ...]]:
    """Every command as the words that call it."""
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield from ((name, *path) for path in command_paths(command))
        else:
            yield (name,)


COMMANDS = tuple(command_paths(typer.main.get_group(build_app())))
GROUPS = ((), *sorted({path[:1] for path in COMMANDS if len(path) > 1}))


def test_the_script_sets_everything_up_and_runs_from_anywhere(home: Path) -> None:
    output = ppp(home=home, command=(ROOT / "ppp",))
    assert output.code == 0
    assert "Usage: ./ppp [OPTIONS] COMMAND" in output.out
    assert "Exit codes: 0 fine" in output.out


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_explains_itself_with_an_example(command: tuple[str, ...]) -> None:
    output = here(*command, "--help", env={"COLUMNS": "80"})
    assert output.code == 0
    assert f"Example: ./ppp {' '.join(command)}" in output.out
    assert "--json" in output.out


def test_every_module_of_a_command_is_registered() -> None:
    files = {file.stem for file in Path(commands.__file__).parent.glob("*.py")} - {"__init__"}
    registered = set(MODULE_NAMES)
    assert registered == files


@pytest.mark.parametrize("group", GROUPS, ids=" ".join)
def test_the_list_of_commands_cuts_no_sentence(group: tuple[str, ...]) -> None:
    text = here(*group, "--help", env={"COLUMNS": "80"}).out
    assert "Commands:" in text
    # click cuts with "...", which its own usage line has, too.
    listed = text.partition("Commands:")[2]
    assert "..." not in listed


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_stands_in_the_docs(command: tuple[str, ...]) -> None:
    page = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    assert f"./ppp {' '.join(command)}" in page


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
    output = capsys.readouterr()
    assert output.out == ""
    [line] = output.err.splitlines()
    assert line.startswith("error: ")
    assert remedy in line
