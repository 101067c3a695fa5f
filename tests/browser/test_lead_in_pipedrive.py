"""The whole product: an ad click in real Chromium becomes values on a person in Pipedrive."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest
from playwright.sync_api import Page

from demo_site import demo_site
from dev import add_person
from pyodide_bundle import Bundle
from tests.harness.sync import Lab, running_lab

AD = "/?utm_source=google&utm_medium=cpc&utm_campaign=spring&gclid=Cj0-test"


@pytest.fixture(scope="module")
def lab(local_config: Bundle) -> Iterator[Lab]:
    """A Worker and a simulator, apart from those of other tests."""
    with running_lab() as running:
        yield running


def test_a_form_sent_after_an_ad_click_fills_in_the_persons_fields(lab: Lab, page: Page) -> None:
    on_form = partial(add_person, lab.pipedrive)
    with demo_site(0, lab.worker.url, on_form=on_form) as site:
        with page.expect_response(lambda response: response.url.endswith("/e")):
            page.goto(site.url + AD)
        with page.expect_response(lambda response: response.url.endswith("/e")):
            page.goto(f"{site.url}/pricing.html")
        page.goto(f"{site.url}/")
        page.fill("#first-name", "Ada")
        page.fill("#last-name", "Lovelace")
        page.fill("#email", "ada@example.org")
        page.click("button[type=submit]")
        page.wait_for_url("**/thank-you")
        page.wait_for_timeout(500)
        assert lab.sync()["synced"] == 1

    [ada] = [one for one in lab.pipedrive.account.persons() if "ada@example.org" in one.emails]
    written = lab.written(ada.id)
    assert ada.name == "Ada Lovelace"
    assert (written["utm_campaign"], written["gclid"]) == ("spring", "Cj0-test")
    assert written["page_url"] == f"{site.url}/"
    pages = str(written["visited_pages"]).split(", ")
    assert pages == [f"{site.url}{path}" for path in ("/thank-you", "/", "/pricing.html")]
