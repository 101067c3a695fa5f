"""Sees that there is a Chromium for the browser tests; installs Debian's where it may."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

CANDIDATES = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)


def find_chromium() -> str | None:
    """The path of a Chromium on this machine, or None."""
    return next(filter(None, map(shutil.which, CANDIDATES)), None)


def install_chromium() -> bool:
    """Installs Debian's Chromium; False where that is not possible."""
    if not shutil.which("apt-get") or os.geteuid() != 0:
        return False
    print("installing Chromium (Debian's package)")
    subprocess.run(["apt-get", "update", "-qq"], check=False)
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"]
    done = subprocess.run(command, env=quiet, stdout=subprocess.DEVNULL, check=False)
    return done.returncode == 0


def main() -> int:
    """Says what to do where there is none."""
    if find_chromium() or install_chromium():
        return 0
    print(
        "error: the browser tests need Chromium: 'sudo apt-get install chromium' on Debian, "
        "Chrome from google.com/chrome on macOS",
        file=sys.stderr,
    )
    return 1


if __name__ == "__main__":
    sys.exit(main())
