"""Checks the programs that the set-up needs, before it installs anything. Standard library only.

Prints one line for each missing program and its remedy, and exits with 1.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys

MIN_PYTHON = (3, 11)
MIN_NODE_MAJOR = 20
# Older ones do not know package-lock.json's `allowScripts` and `node` from the registry.
MIN_NPM_MAJOR = 9


def list_problems() -> list[str]:
    """List the missing and outdated programs, one sentence each."""
    problems = []
    if sys.version_info < MIN_PYTHON:
        version = ".".join(map(str, sys.version_info[:2]))
        problems.append(
            f"Python {version} is too old: install Python 3.11 or newer, "
            "or name one: make PYTHON=python3.12 …"
        )
    problems.extend(
        problem
        for problem in (
            version_problem("node", MIN_NODE_MAJOR),
            version_problem("npm", MIN_NPM_MAJOR),
        )
        if problem
    )
    return problems


def version_problem(name: str, minimum: int) -> str | None:
    """Describe a program that is missing or older than a major version; None if it is fine."""
    if not shutil.which(name):
        return f"{name} is missing: install Node.js {MIN_NODE_MAJOR} or newer (it brings npm)"
    process = subprocess.run([name, "--version"], capture_output=True, text=True, check=False)
    version = re.match(r"v?(\d+)\.", process.stdout)
    if not version:
        return (
            f"'{name} --version' failed: install Node.js {MIN_NODE_MAJOR} or newer (it brings npm)"
        )
    if int(version.group(1)) < minimum:
        return f"{name} {process.stdout.strip()} is too old: install {name} {minimum} or newer"
    return None


def main() -> int:
    """Print the problems."""
    problems = list_problems()
    for problem in problems:
        print(f"error: {problem}", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
