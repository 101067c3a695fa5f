import os
from collections.abc import Callable
from pathlib import Path

import pytest

import check_host
from check_host import list_problems, main, version_problem

Install = Callable[[str, str], None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Puts a program on a PATH of its own; its shell script is given."""

    def install_program(name: str, script: str) -> None:
        program = tmp_path / name
        program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        program.chmod(0o755)

    monkeypatch.setenv("PATH", os.fspath(tmp_path))
    return install_program


def test_a_machine_with_everything_passes(
    install: Install, capsys: pytest.CaptureFixture[str]
) -> None:
    install("node", "echo v20.0.0")
    install("npm", "echo 9.0.0")
    assert list_problems() == []
    assert main() == 0
    assert capsys.readouterr() == ("", "")


def test_what_is_missing_is_said_with_what_to_do(install: Install) -> None:
    assert list_problems() == [
        "node is missing: install Node.js 20 or newer (it brings npm)",
        "npm is missing: install Node.js 20 or newer (it brings npm)",
    ]


@pytest.mark.parametrize("version", ["v18.20.4", "v4.0.0", "v19.9.9"])
def test_an_old_node_is_named_with_its_version(install: Install, version: str) -> None:
    install("node", f"echo {version}")
    assert version_problem("node", 20) == f"node {version} is too old: install node 20 or newer"


@pytest.mark.parametrize("version", ["v20.0.0", "v22.11.0", "v100.1.1", "20.1.0"])
def test_a_newer_node_passes(install: Install, version: str) -> None:
    install("node", f"echo {version}")
    assert version_problem("node", 20) is None


def test_an_old_npm_is_named_with_its_version(install: Install) -> None:
    install("node", "echo v20.0.0")
    install("npm", "echo 8.19.4")
    assert list_problems() == ["npm 8.19.4 is too old: install npm 9 or newer"]


@pytest.mark.parametrize("script", ["exit 1", "echo 'cannot load' >&2; exit 127", "echo hello"])
def test_a_program_that_fails_is_not_taken_for_a_version(install: Install, script: str) -> None:
    install("node", script)
    problem = version_problem("node", 20)
    assert problem is not None
    assert problem.startswith("'node --version' failed: install Node.js 20 or newer")


def test_a_file_that_cannot_be_run_is_missing(install: Install, tmp_path: Path) -> None:
    install("node", "echo v20.0.0")
    (tmp_path / "node").chmod(0o644)
    assert version_problem("node", 20) == (
        "node is missing: install Node.js 20 or newer (it brings npm)"
    )


def test_an_old_python_is_said_with_a_way_out(
    install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    install("node", "echo v20.0.0")
    install("npm", "echo 9.0.0")
    monkeypatch.setattr(check_host, "MIN_PYTHON", (4, 0))
    (problem,) = list_problems()
    assert problem.startswith("Python 3.")
    assert "make PYTHON=python3" in problem


def test_each_complaint_is_one_line_on_standard_error(
    install: Install, capsys: pytest.CaptureFixture[str]
) -> None:
    install("node", "echo v16.0.0")
    assert main() == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        "error: node v16.0.0 is too old: install node 20 or newer",
        "error: npm is missing: install Node.js 20 or newer (it brings npm)",
    ]
