"""Checks what this machine must bring, before anything is installed. Standard library only.

Says in one line what is missing and what to do, and exits with 1.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys

OLDEST_PYTHON = (3, 11)
OLDEST_NODE = 20
# Older ones do not understand package-lock.json's `allowScripts` and `node` from the registry.
OLDEST_NPM = 9


def complaints() -> list[str]:
    """What is wrong with this machine, one sentence each."""
    found = []
    if sys.version_info < OLDEST_PYTHON:
        version = ".".join(map(str, sys.version_info[:2]))
        found.append(
            f"Python {version} is too old: install Python 3.11 or newer, "
            "or name one: make PYTHON=python3.12 …"
        )
    found.extend(
        complaint
        for complaint in (old_program("node", OLDEST_NODE), old_program("npm", OLDEST_NPM))
        if complaint
    )
    return found


def old_program(name: str, oldest: int) -> str | None:
    """A sentence when a program is missing or older than a major version."""
    if not shutil.which(name):
        return f"{name} is missing: install Node.js {OLDEST_NODE} or newer (it brings npm)"
    done = subprocess.run([name, "--version"], capture_output=True, text=True, check=False)
    version = re.match(r"v?(\d+)\.", done.stdout)
    if not version:
        return f"'{name} --version' failed: install Node.js {OLDEST_NODE} or newer (it brings npm)"
    if int(version.group(1)) < oldest:
        return f"{name} {done.stdout.strip()} is too old: install {name} {oldest} or newer"
    return None


def main() -> int:
    """Prints the complaints."""
    found = complaints()
    for complaint in found:
        print(f"error: {complaint}", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
