"""The runbook: every command in it runs, every alarm has its page, every link leads somewhere.

The commands run on this machine: where the runbook says production, a Worker and a storage stand
in that hold leads, a project, and a backup. What would write or take long is asked for its plan.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest
import typer

from ops.__main__ import build_app
from ops.checks.on_call import EXAMPLE
from ops.commands import alerts as ops_alerts
from paths import LOCAL_CONFIG, ROOT
from pyodide_bundle import Bundle
from services.alerting import problems
from services.alerting.problems import Problem
from simulator.server import Simulator
from tests.harness.direct import running_directly
from tests.ops.asking import ADMIN_KEY, KEYS
from tests.ops.leads_in_d1 import write_leads
from tests.ops.running import here
from wrangler import wrangler

TEXT = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
COMMANDS = TEXT + (ROOT / "docs" / "upgrade.md").read_text(encoding="utf-8")
CODE = re.compile(r"```sh\n(.*?)```|`([^`\n]+)`", re.DOTALL)
TWO_DAYS_AGO = f"{datetime.now(UTC) - timedelta(days=2):%Y-%m-%dT%H:%M}"
KEPT_ANSWERS = ROOT / "tests" / "ops" / "kept_answers.json"
# Their own tests run them: a drill takes minutes, the others need somebody who is logged in.
NOT_HERE = {"drill", "logs"}
ALARMS = [problem for problem in vars(problems).values() if isinstance(problem, Problem)]


def commands(program: str) -> list[str]:
    """Every command of a program that is written out with where it works."""
    found: dict[str, None] = {}
    for block, inline in CODE.findall(COMMANDS):
        for line in (block or inline).replace("\\\n", " ").splitlines():
            command = re.sub(r"\s+#.*", "", line).strip()
            is_whole = program != "./ppp" or "--env" in command or "--map" in command
            if command.startswith(program) and is_whole:
                found[command] = None
    return list(found)


@dataclass(frozen=True, slots=True)
class Location:
    """Where the commands run: a Worker on a storage with a backup."""

    url: str
    storage: Path
    backup: str


@pytest.fixture(scope="module")
def location(
    bundle: Path,
    local_config: Bundle,
    migrated_storage: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Location]:
    """A Worker and its storage."""
    storage = tmp_path_factory.mktemp("runbook") / "storage"
    shutil.copytree(migrated_storage, storage)
    write_leads(storage)
    config = json.loads(LOCAL_CONFIG.read_text(encoding="utf-8"))
    with running_directly(bundle, "entry.py", config, storage, {"API_KEYS": KEYS}) as running:
        backup = here("backup", "--url", running.url, "--json", env={"PPP_API_KEY": ADMIN_KEY})
        assert backup.code == 0, backup
        yield Location(running.url, storage, backup.json["id"])


def split(command: str) -> tuple[Any, list[str], list[str]]:
    """The command of the command line, as typer knows it, its name, and what it is told."""
    arguments, name = shlex.split(command.partition(" | ")[0])[1:], list[str]()
    found: Any = typer.main.get_command(build_app())
    while hasattr(found, "commands"):
        if found.invoke_without_command and arguments[0].startswith("-"):
            break
        assert arguments, f"there is no {command}"
        name.append(arguments.pop(0))
        found = found.commands[name[-1]]
    return found, name, arguments


def options_of(command: Any) -> set[str]:  # noqa: ANN401  # typer has no type for it
    return {option for parameter in command.params for option in parameter.opts}


def filled_in(arguments: list[str], values: Mapping[str, str]) -> list[str]:
    return [
        values.get(re.sub(r"20\d\d-\d\d-\d\dT\d\d:\d\d", "TIME", word), word) for word in arguments
    ]


def here_instead(options: set[str], arguments: list[str], location: Location) -> list[str]:
    """The same for the Worker and storage of this test."""
    at = arguments.index("--env")
    rest = arguments[:at] + arguments[at + 2 :]
    where = [
        *(["--local", "--persist-to", str(location.storage)] if "--persist-to" in options else [])
    ]
    where += ["--url", location.url] if "--url" in options else []
    return rest + where


@pytest.mark.parametrize("command", commands("./ppp"))
def test_a_command_runs(
    command: str,
    location: Location,
    pipedrive: Simulator,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)  # where a command that writes a file does so
    monkeypatch.setattr(ops_alerts, "CONTACTS", EXAMPLE)
    found, name, arguments = split(command)
    field_map = ROOT / "config" / "pipedrive-fields.example.json"
    kept = shutil.copy(KEPT_ANSWERS, tmp_path)
    values = {
        "answers-before.json": str(kept),
        "EVENT_ID": "1",
        "PIXEL_ID": "ppp-demo-pixel",
        "PROJECT_ID": "ppp-demo-project",
        "ID": location.backup,
        "NEW_ID": "0" * 32,
        "TIME": TWO_DAYS_AGO,
        "pipedrive-fields.json": str(field_map),
        "…": str(field_map),
    }
    arguments = filled_in(arguments, values)
    if name[0] in NOT_HERE:
        with found.make_context(name[-1], arguments):
            return
    options = options_of(found)
    # What these would do at Cloudflare is in their plans.
    is_planned = name == ["deploy"] or "--to-time" in arguments
    if "--env" in arguments and not is_planned:
        arguments = here_instead(options, arguments, location)
    question = "--dry-run" if "--dry-run" in options else "--yes"
    arguments += [option for option in (question, "--json") if option in options - set(arguments)]
    if name[0] == "preflight":
        arguments += ["--only", "migrations"]
    env = {
        "PPP_API_KEY": ADMIN_KEY,
        "PIPEDRIVE_API_KEY": pipedrive.token,
        "PIPEDRIVE_URL": pipedrive.api_url,
    }
    output = here(*name, *arguments, env=env, answer="jane@example.com\n")
    assert output.code in {0, 1}, output
    assert "Traceback" not in output.err


def sub_command(command: str) -> tuple[list[str], list[str]]:
    """The words that name a command of wrangler, and the options that it is given."""
    arguments = shlex.split(command.replace("…", ""))[2:]
    names = list(takewhile(re.compile("[a-z0-9]+").fullmatch, arguments))
    return names, [word for word in arguments if word.startswith("--")]


@pytest.mark.parametrize("command", commands("npx wrangler"))
def test_wrangler_knows_a_command_and_its_options(command: str) -> None:
    names, options = sub_command(command)
    helped = wrangler(*names, "--help", config=None)
    assert f"wrangler {' '.join(names)}" in helped
    assert [option for option in options if option not in helped] == []


@pytest.mark.parametrize("alarm", ALARMS, ids=lambda alarm: alarm.name)
def test_an_alarm_has_a_page_that_says_everything(alarm: Problem) -> None:
    page = re.search(rf"^### {alarm.name}\n\n(.*?)(?=^#|\Z)", TEXT, re.DOTALL | re.MULTILINE)
    assert page, f"### {alarm.name} is missing"
    assert page[1].startswith(alarm.severity)
    if "As [" not in page[1]:
        for part in ("**Symptom:**", "**Diagnosis", "ecovery:**", "**Over when**"):
            assert part in page[1]
    assert alarm.command.removeprefix("./") in TEXT.replace("./ppp", "ppp")


def test_every_link_leads_to_a_heading_or_a_file() -> None:
    headings = {
        re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
        for title in re.findall(r"^#+ (.*)$", TEXT, re.MULTILINE)
    }
    for link in re.findall(r"\]\(([^)]+)\)", TEXT):
        file, _, heading = link.partition("#")
        if file:
            assert (ROOT / "docs" / file).exists(), link
        else:
            assert heading in headings, link
