"""A real Chromium that does not say it is driven, and the demo site with a working pixel."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page

from demo_site import demo_site as running_demo_site
from tests.browser.client_site import Visit, visiting
from tests.harness.chromium import running_chromium
from tests.harness.worker import Worker


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One Chromium for a module."""
    with running_chromium() as browser:
        yield browser


@contextmanager
def somebody_new(browser: Browser) -> Iterator[Page]:
    """A page of a visitor nobody saw before."""
    context = browser.new_context()
    yield context.new_page()
    context.close()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A page of a visitor nobody saw before."""
    with somebody_new(chromium) as new_page:
        yield new_page


@pytest.fixture(scope="session")
def demo_site(worker: Worker) -> Iterator[str]:
    """The address of the demo site, another origin than the Worker's."""
    with running_demo_site(0, worker.url) as site:
        yield site.url


@pytest.fixture
def visit(page: Page, worker: Worker) -> Iterator[Visit]:
    """Somebody new on a client's site, whose pixel nobody else uses."""
    with visiting(page, worker) as running:
        yield running
