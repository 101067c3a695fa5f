"""What fails beside the other tests gets a second chance alone, and is named."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from paths import ROOT

PASSES = "def test_passes():\n    assert True\n"
FAILS = "def test_fails():\n    assert False\n"
FAILS_ONCE = """
from pathlib import Path

def test_fails_once():
    ran = Path("ran")
    was_there = ran.exists()
    ran.touch()
    assert was_there
"""


def run(directory: Path, *tests: str) -> subprocess.CompletedProcess[str]:
    """Runs these tests, each in a file of its own."""
    (directory / "pytest.ini").write_text("[pytest]\naddopts = -p xdist\n", encoding="utf-8")
    for number, test in enumerate(tests):
        (directory / f"test_{number}.py").write_text(test, encoding="utf-8")
    command = [sys.executable, str(ROOT / "tools" / "run_tests.py"), "--numprocesses=2"]
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    return subprocess.run(
        command, cwd=directory, env=environment, capture_output=True, text=True, check=False
    )


def test_all_tests_run_once_if_they_pass(tmp_path: Path) -> None:
    ran = run(tmp_path, PASSES, PASSES)
    assert ran.returncode == 0
    assert "2 passed" in ran.stdout
    assert "Once more" not in ran.stdout


def test_a_test_that_passes_alone_is_named_and_stops_nobody(tmp_path: Path) -> None:
    ran = run(tmp_path, PASSES, FAILS_ONCE)
    assert ran.returncode == 0
    assert "UNSTEADY test_1.py::test_fails_once" in ran.stdout


def test_a_test_that_fails_twice_is_a_failure(tmp_path: Path) -> None:
    ran = run(tmp_path, PASSES, FAILS_ONCE, FAILS)
    assert ran.returncode == pytest.ExitCode.TESTS_FAILED
    assert "UNSTEADY test_1.py::test_fails_once" in ran.stdout
    assert "UNSTEADY test_2.py" not in ran.stdout


def test_many_failures_are_no_chance(tmp_path: Path) -> None:
    ran = run(tmp_path, *[FAILS_ONCE.replace('"ran"', f'"ran-{n}"') for n in range(11)])
    assert ran.returncode == pytest.ExitCode.TESTS_FAILED
    assert "Once more" not in ran.stdout


def test_a_run_that_did_not_begin_is_not_repeated(tmp_path: Path) -> None:
    ran = run(tmp_path, "import nothing_of_this_name\n")
    assert ran.returncode != 0
    assert "UNSTEADY" not in ran.stdout
