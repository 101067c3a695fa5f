"""A real Chromium, and the demo site as a client's site with a working pixel."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from browser import find_chromium
from demo_site import demo_site as running_demo_site
from tests.harness.worker import BROWSER, Worker

QUIET = [
    "--no-sandbox",  # root has no sandbox
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One Chromium for a module; while it runs, its event loop does, and no other can."""
    executable = find_chromium()
    assert executable, "no Chromium: run `make browser`, which installs it or says how"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A page of a visitor nobody saw before, in a browser that does not say it is driven."""
    context = chromium.new_context(user_agent=BROWSER)
    yield context.new_page()
    context.close()


@pytest.fixture(scope="session")
def demo_site(worker: Worker) -> Iterator[str]:
    """The address of the demo site, another origin than the Worker's."""
    with running_demo_site(0, worker.url) as site:
        yield site.url
