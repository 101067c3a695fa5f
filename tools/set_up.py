"""Runs one target of the Makefile while no other command sets up this checkout.

Two commands on a fresh clone would install into the same folders at once. Standard library only.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from file_lock import take_lock

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    """Waits for its turn and becomes the command, which holds the lock until it ends."""
    os.set_inheritable(take_lock(ROOT / "Makefile"), True)  # noqa: FBT003  # has no name there
    os.execvp(sys.argv[1], sys.argv[1:])  # noqa: S606  # what the Makefile says


if __name__ == "__main__":
    main()
