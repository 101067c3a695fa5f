"""Sees that there are browsers for the tests; installs Debian's packages where it may.

Chromium is needed. Firefox and WebKitGTK, the engine family of Safari, are for the conformance
tests, which leave out what is not there.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

CHROMIUM = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
FIREFOX = ("firefox-esr", "firefox", "/Applications/Firefox.app/Contents/MacOS/firefox")
MINI_BROWSERS = "lib*/**/webkit2gtk-4.*/MiniBrowser"


@dataclass(frozen=True, slots=True)
class WebKit:
    """What it takes to drive WebKitGTK where there is no screen."""

    driver: str
    browser: str
    display: str


@dataclass(frozen=True, slots=True)
class Engine:
    """A browser engine, how to find it and which packages of Debian it takes."""

    name: str
    find: Callable[[], object]
    packages: tuple[str, ...]


def find_chromium() -> str | None:
    """The path of a Chromium on this machine, or None."""
    return next(filter(None, map(shutil.which, CHROMIUM)), None)


def find_firefox() -> str | None:
    """The path of a Firefox on this machine, or None."""
    return next(filter(None, map(shutil.which, FIREFOX)), None)


def find_webkit() -> WebKit | None:
    """The paths of WebKitGTK's driver, of its browser and of a virtual display, or None."""
    driver, display = shutil.which("WebKitWebDriver"), shutil.which("Xvfb")
    if not driver or not display:
        return None
    browsers = Path(driver).parent.parent.glob(MINI_BROWSERS)
    return next((WebKit(driver, str(browser), display) for browser in browsers), None)


ENGINES = (
    Engine("Chromium", find_chromium, ("chromium",)),
    Engine("Firefox", find_firefox, ("firefox-esr",)),
    Engine("WebKitGTK", find_webkit, ("webkit2gtk-driver", "xvfb", "xauth")),
)


def install(engine: Engine) -> bool:
    """Installs an engine from Debian's packages; False where that is not possible."""
    if not shutil.which("apt-get") or os.geteuid() != 0:
        return False
    print(f"installing {engine.name} (Debian's {', '.join(engine.packages)})")
    _update_lists()
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *engine.packages]
    installation = subprocess.run(command, env=quiet, stdout=subprocess.DEVNULL, check=False)
    return installation.returncode == 0


@cache
def _update_lists() -> None:
    subprocess.run(["apt-get", "update", "-qq"], check=False)


def main() -> int:
    """Find or install the engines; return 1 if Chromium is missing."""
    chromium, *optional_engines = ENGINES
    if not chromium.find() and not install(chromium):
        print(
            "error: the browser tests need Chromium: 'sudo apt-get install chromium' on Debian, "
            "Chrome from google.com/chrome on macOS",
            file=sys.stderr,
        )
        return 1
    for engine in optional_engines:
        if not engine.find() and not install(engine):
            packages = " ".join(engine.packages)
            print(
                f"no {engine.name}, so the conformance tests leave it out; "
                f"on Debian: 'sudo apt-get install {packages}'"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
