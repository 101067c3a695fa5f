"""The workflows of GitHub run the commands that people run, and hold no secret."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
RUNBOOK = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")


def steps(path: Path) -> list[dict[str, Any]]:
    workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


def test_there_are_two() -> None:
    assert [path.stem for path in WORKFLOWS] == ["deploy", "test"]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_its_commands_are_targets_and_commands_of_this_repository(path: Path) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    commands = [shlex.split(step["run"]) for step in steps(path) if "run" in step]
    programs = [command for command in commands if command[0] in {"make", "./ppp"}]
    assert programs
    for program, name, *_ in programs:
        if program == "make":
            assert re.search(rf"^{name}:", makefile, re.MULTILINE), name
        else:
            assert (ROOT / "ops" / "commands" / f"{name}.py").exists(), name


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_secrets_are_named_in_the_runbook_and_nowhere_written(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for name in re.findall(r"secrets\.(\w+)", text):
        assert f"`{name}`" in RUNBOOK, name
    assert not re.search(r"(?i)(token|key|account_id):\s*[\"']?[\w-]{12,}", text)
    # An input of whoever starts it reaches the shell as a variable only.
    assert "${{ inputs.options }}" not in "".join(step.get("run", "") for step in steps(path))


def test_secrets_reach_the_commands_that_need_them_and_no_test() -> None:
    [deploy] = [path for path in WORKFLOWS if path.stem == "deploy"]
    workflow = yaml.safe_load(deploy.read_text(encoding="utf-8"))
    [job] = workflow["jobs"].values()
    with_secrets = [step for step in job["steps"] if "secrets." in str(step)]
    assert [step["run"] for step in with_secrets] == [
        "./ppp preflight --env production $OPTIONS",
        "./ppp deploy --env production --yes $OPTIONS",
    ]
    assert "secrets." not in str({**job, "steps": []})
