"""Runs all tests; what fails beside the others runs again alone, and is named if it then passes.

A test that only fails while the machine does much else says nothing about the product, and should
keep nobody from merging. It is a fault of the test all the same: that is why it is named.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

# Where pytest keeps the tests that failed last, below the directory it is called in.
FAILED = Path(".pytest_cache/v/cache/lastfailed")
# So many do not fail by chance.
MOST_BY_CHANCE = 10


def _run(arguments: Sequence[str]) -> int:
    """Pytest's exit code for these arguments."""
    return subprocess.run([sys.executable, "-m", "pytest", *arguments], check=False).returncode


def _failed_tests() -> list[str]:
    """The tests that failed last, by pytest's own names."""
    return sorted(json.loads(FAILED.read_text(encoding="utf-8"))) if FAILED.exists() else []


def run_tests(arguments: Sequence[str]) -> int:
    """Runs pytest with these arguments, then alone what failed; gives the exit code."""
    FAILED.unlink(missing_ok=True)
    exit_code = _run(arguments)
    failed = _failed_tests()
    if exit_code != pytest.ExitCode.TESTS_FAILED or not 0 < len(failed) <= MOST_BY_CHANCE:
        return exit_code
    print(f"\n{len(failed)} failed. Once more, alone:", *failed, sep="\n  ", flush=True)
    exit_code = _run(["--last-failed", "--last-failed-no-failures=none"])
    steady = set(_failed_tests())
    for test in failed:
        if test not in steady:
            print(f"UNSTEADY {test}: failed beside the other tests, passed alone. Mend it.")
    return exit_code


if __name__ == "__main__":
    sys.exit(run_tests(sys.argv[1:]))
