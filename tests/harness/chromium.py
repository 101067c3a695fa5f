"""Headless Chromium that does not say it is driven: bots are not stored."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from browser import find_chromium
from tests.harness.worker import BROWSER

ARGUMENTS = [
    "--no-sandbox",  # root has no sandbox
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    # Not a context's user agent: a request that outlives its page would not have it.
    f"--user-agent={BROWSER}",
]


class NoChromiumError(Exception):
    """There is no Chromium to run."""


@contextmanager
def running_chromium(*arguments: str) -> Iterator[Browser]:
    """A Chromium with these arguments too.

    While it runs, its event loop does, and no other can.

    Raises:
        NoChromiumError: there is none on this machine.
    """
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=_executable(),
            args=[*ARGUMENTS, *arguments],
        )
        yield browser
        browser.close()


@contextmanager
def undriven_chromium(url: str, profile: Path) -> Iterator[None]:
    """A Chromium that shows this address and is left alone: it keeps pages and prerenders them.

    Raises:
        NoChromiumError: there is none on this machine.
    """
    command = [_executable(), "--headless", *ARGUMENTS, f"--user-data-dir={profile}", url]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def _executable() -> str:
    if executable := find_chromium():
        return executable
    raise NoChromiumError("no Chromium: run `make browser`, which installs it or says how")
