"""The page for site owners: it can be read everywhere, and what it tells them to paste works.

The code is taken from the page as it is shown; only the host and the pixel ID are replaced.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import re
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page

from config import VERSION
from tests.browser.client_site import (
    FORM,
    SETTLE_SECONDS,
    ClientSite,
    client_site,
    document,
    until,
)
from tests.harness.worker import PIXEL, Row, Worker

GUIDE = "/static/integration-example.html"
SHOWN_HOST = "https://pixel.salesmagic.us"
SHOWN_ID = "your_pixel_id"
SHOWN_PAGE = quote("https://www.example.com/", safe="")
WIDTHS = (320, 360, 768, 1280)

SNIPPETS = "(all) => Object.fromEntries(all.map((pre) => [pre.id, pre.textContent]))"
OPEN = "(all) => all.forEach((details) => { details.open = true; })"
STICKING_OUT = """() => [document.documentElement, ...document.body.querySelectorAll("*")]
    .filter((element) => element.getBoundingClientRect().right > innerWidth
        || element.scrollWidth > element.clientWidth + 1 && element.clientWidth > 1)
    .map((element) => element.outerHTML.slice(0, 200))"""
IDS = "(all) => all.map((element) => element.id)"
TARGETS = "(all) => all.map((link) => link.getAttribute('href'))"
LEVELS = "(all) => all.map((heading) => Number(heading.tagName[1]))"
LABELS = "(all) => all.map((element) => element.getAttribute('aria-labelledby'))"
BROWSER_STORAGE = "document.cookie + JSON.stringify(localStorage) + JSON.stringify(sessionStorage)"
ROWS_OF_PAGE = "SELECT * FROM tracking_events WHERE page_url = ? ORDER BY id"


@dataclass
class Owner:
    """Somebody who pastes from the page, and a visitor of that site."""

    page: Page
    site: ClientSite
    worker: Worker
    snippets: dict[str, str]
    path: str = field(default_factory=lambda: f"/{secrets.token_hex(6)}")
    complaints: list[str] = field(default_factory=list)

    def paste(self, snippet: str) -> str:
        """What the page shows under this id, with the owner's own pixel ID."""
        snippets = self.snippets[snippet]
        return snippets.replace(SHOWN_HOST, self.worker.url).replace(SHOWN_ID, PIXEL)

    def publish(self, head: str, body: str = "Welcome") -> None:
        self.site.pages[self.path] = document(head, body)

    def obey_policy(self) -> None:
        """Sends a policy that allows what the page says, and the site's own icon."""
        lines = self.paste("csp-code").replace("img-src", "img-src data:").splitlines()
        policy = "; ".join(["default-src 'none'", *lines])
        self.site.headers["Content-Security-Policy"] = policy

    @property
    def url(self) -> str:
        return self.site.url + self.path

    def visit(self, query: str = "") -> None:
        self.page.goto(self.url + query)

    def rows(self, event_type: str, url: str = "") -> list[Row]:
        rows = self.worker.query(ROWS_OF_PAGE, url or self.url)
        return [row for row in rows if row["event_type"] == event_type]

    def assert_page_view(self, url: str = "") -> None:
        assert until(lambda: self.rows("pageview", url)), self.complaints
        assert len(self.rows("pageview", url)) == 1
        assert self.rows("pageview", url)[0]["pixel_id"] == PIXEL


@pytest.fixture(scope="module")
def snippets(chromium: Browser, worker: Worker) -> dict[str, str]:
    """All code of the page that has an id."""
    page = chromium.new_page()
    page.goto(worker.url + GUIDE)
    snippets: dict[str, str] = page.locator("pre[id]").evaluate_all(SNIPPETS)
    page.close()
    return snippets


@pytest.fixture
def owner(page: Page, worker: Worker, snippets: dict[str, str]) -> Iterator[Owner]:
    with client_site(worker.url, PIXEL) as site:
        running = Owner(page, site, worker, snippets)
        page.on("console", lambda message: running.complaints.append(message.text))
        page.on("pageerror", lambda error: running.complaints.append(str(error)))
        yield running


# ---- the page itself -------------------------------------------------------------------------


def test_it_shows_without_a_complaint_and_without_a_script(page: Page, worker: Worker) -> None:
    complaints: list[str] = []

    def note(message: ConsoleMessage) -> None:
        complaints.append(message.text)

    page.on("console", note)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("requestfailed", lambda request: complaints.append(request.url))
    page.goto(worker.url + GUIDE, wait_until="networkidle")
    assert complaints == []
    assert page.locator("script, [style], style").count() == 0
    assert page.locator("body").evaluate("(body) => getComputedStyle(body).maxWidth") != "none"


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_sticks_out(page: Page, worker: Worker, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 740})
    page.goto(worker.url + GUIDE)
    page.locator("details").evaluate_all(OPEN)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert page.evaluate(STICKING_OUT) == []


def test_every_link_has_its_target(page: Page, worker: Worker) -> None:
    page.goto(worker.url + GUIDE)
    targets = page.locator("a").evaluate_all(TARGETS)
    ids = page.locator("[id]").evaluate_all(IDS)
    assert len(ids) == len(set(ids))
    assert [target for target in targets if target.removeprefix("#") not in ids] == []
    assert {f"#{name}" for name in page.locator("section > h2").evaluate_all(IDS)} <= set(targets)


def test_the_headings_are_an_outline_and_name_their_sections(page: Page, worker: Worker) -> None:
    page.goto(worker.url + GUIDE)
    levels = page.locator("h1, h2, h3, h4").evaluate_all(LEVELS)
    assert levels.count(1) == 1
    assert all(deeper - level <= 1 for level, deeper in itertools.pairwise(levels))
    labels = page.locator("section, nav").evaluate_all(LABELS)
    assert all(label and page.locator(f"h2#{label}").count() == 1 for label in labels)


def test_the_build_filled_in_everything(page: Page, worker: Worker) -> None:
    page.goto(worker.url + GUIDE)
    assert "{{" not in page.content()
    assert page.locator(".product").inner_text() == f"PPP Pixel {VERSION}"


def test_the_shown_hash_is_that_of_the_script_as_it_is_served(
    worker: Worker, snippets: dict[str, str]
) -> None:
    [integrity] = re.findall(r'integrity="([^"]*)"', snippets["pinned-code"])
    [address] = re.findall(r'src="([^"]*)"', snippets["pinned-code"])
    assert address == f"{SHOWN_HOST}/static/pixel-{VERSION}.js"
    script = worker.http.get(address.replace(SHOWN_HOST, worker.url))
    assert script.status_code == 200
    digest = base64.b64encode(hashlib.sha384(script.content).digest()).decode()
    assert integrity == f"sha384-{digest}"


# ---- what it tells to paste --------------------------------------------------------------------


@pytest.mark.parametrize("snippet", ["tag-code", "pinned-code", "gtm-code"])
def test_a_tag_counts_the_page_view_and_reads_forms(owner: Owner, snippet: str) -> None:
    owner.publish(owner.paste(snippet), FORM)
    owner.visit()
    owner.assert_page_view()
    owner.page.get_by_role("button", name="Send").click()
    assert until(lambda: owner.rows("form_submit"))
    [lead] = owner.rows("form_submit")
    assert json.loads(str(lead["form_data"])) == {
        "first_name": "Ada",
        "last_name": "Lovelace",
        "email": "ada@example.org",
    }
    assert owner.complaints == []


def test_a_pinned_tag_runs_no_other_script(owner: Owner) -> None:
    tampered = owner.paste("pinned-code").replace("sha384-", "sha384-A", 1)
    owner.publish(tampered)
    owner.visit()
    time.sleep(SETTLE_SECONDS)
    assert owner.page.evaluate("typeof window.ppp") == "undefined"
    assert any("valid digest" in complaint for complaint in owner.complaints)


def test_the_loader_of_an_app_adds_one_tag_and_routes_are_counted(owner: Owner) -> None:
    owner.publish(
        f"""<script type="module">
            {owner.paste("loader-code")}
            loadPixel();
            loadPixel();
        </script>"""
    )
    owner.visit()
    owner.assert_page_view()
    assert owner.page.locator("script[data-pixel-id]").count() == 1
    owner.page.evaluate("history.pushState({}, '', location.pathname + '/next')")
    owner.assert_page_view(f"{owner.url}/next")


def test_calls_that_came_before_the_script_are_a_lead_and_an_event(owner: Owner) -> None:
    calls = owner.paste("identify-code") + owner.paste("event-code")
    owner.publish(
        f"{owner.paste('queue-code')}<script>{calls}</script>{owner.paste('tag-code')}",
    )
    owner.visit()
    owner.assert_page_view()
    assert until(lambda: owner.rows("form_submit") and owner.rows("custom"))
    [lead] = owner.rows("form_submit")
    assert json.loads(str(lead["form_data"])) == {
        "email": "ada@example.com",
        "first_name": "Ada",
        "last_name": "Lovelace",
    }
    [event] = owner.rows("custom")
    assert event["event_name"] == "price_calculated"
    assert json.loads(str(event["event_data"])) == {"rooms": 3, "currency": "EUR"}


@dataclass(frozen=True, slots=True)
class Banner:
    """A consent tool: what it has before it speaks, and how it says yes and no."""

    snippet: str
    consent_script: str
    withdrawn: str
    before: str = ""


def complianz_script(*categories: str) -> str:
    detail = json.dumps({"detail": {"categories": categories}})
    return f"document.dispatchEvent(new CustomEvent('cmplz_fire_categories', {detail}))"


def onetrust_script(*groups: str) -> str:
    detail = json.dumps({"detail": groups})
    return f"dispatchEvent(new CustomEvent('OneTrustGroupsUpdated', {detail}))"


def cookieyes_script(event: str, **detail_values: object) -> str:
    detail = json.dumps({"detail": detail_values})
    return f"document.dispatchEvent(new CustomEvent('cookieyes_{event}', {detail}))"


BANNERS = (
    Banner(
        "banner-code",
        "agreed = true; document.dispatchEvent(new Event('your-banner-changed'))",
        "agreed = false; document.dispatchEvent(new Event('your-banner-changed'))",
        before="<script>var agreed = false; var yourBannerSaysYes = () => agreed;</script>",
    ),
    Banner(
        "cookiebot-code",
        """Cookiebot = { consent: { marketing: true } };
           dispatchEvent(new Event('CookiebotOnConsentReady'))""",
        """Cookiebot.consent.marketing = false;
           dispatchEvent(new Event('CookiebotOnDecline'))""",
    ),
    Banner("onetrust-code", onetrust_script("C0001", "C0004"), onetrust_script("C0001")),
    Banner(
        "complianz-code",
        complianz_script("functional", "marketing"),
        complianz_script("functional"),
    ),
    Banner(
        "cookieyes-code",
        cookieyes_script("banner_load", categories={"necessary": True, "advertisement": True}),
        cookieyes_script("consent_update", accepted=["necessary"], rejected=["advertisement"]),
    ),
)


@pytest.mark.parametrize("banner", BANNERS, ids=lambda banner: banner.snippet)
def test_the_pixel_waits_for_the_consent_tool_and_heeds_it(owner: Owner, banner: Banner) -> None:
    pasted = [owner.paste(name) for name in ("queue-code", "wait-code", banner.snippet)]
    owner.publish(banner.before + "".join(pasted))
    owner.visit()
    owner.page.wait_for_function("ppp.version")
    time.sleep(SETTLE_SECONDS)
    assert owner.page.evaluate(BROWSER_STORAGE) == "{}{}"
    assert owner.rows("pageview") == []
    owner.page.evaluate(banner.consent_script)
    owner.assert_page_view()
    assert "ppp_visitor" in owner.page.evaluate("document.cookie")
    owner.page.evaluate(banner.withdrawn)
    assert owner.page.evaluate("document.cookie + JSON.stringify(localStorage)") == "{}"
    owner.page.evaluate("ppp('event', 'nobody is asked')")
    time.sleep(SETTLE_SECONDS)
    assert owner.rows("custom") == []
    assert owner.complaints == []


def test_hidden_fields_are_filled_in(owner: Owner) -> None:
    owner.publish("", f"<form>{owner.paste('fill-code')}</form>")
    owner.visit("?utm_source=newsletter&utm_campaign=spring")
    value = "document.querySelector('[name=utm_campaign]').value"
    owner.page.wait_for_function(f"{value} === 'spring'")
    assert owner.page.locator("[name=utm_source]").input_value() == "newsletter"
    assert owner.page.locator("[name=gclid]").input_value() == ""


def test_the_shown_policy_is_enough(owner: Owner) -> None:
    owner.obey_policy()
    owner.publish(owner.paste("tag-code"), FORM)
    with owner.page.expect_response(f"**/pixel-{VERSION}-more.js"):
        owner.visit()
    owner.assert_page_view()
    assert owner.complaints == []


def test_the_image_counts_a_page_view_without_javascript(owner: Owner, chromium: Browser) -> None:
    owner.obey_policy()
    image = owner.paste("noscript-code").replace(SHOWN_PAGE, quote(owner.url, safe=""))
    owner.publish("", image)
    context = chromium.new_context(java_script_enabled=False)
    context.new_page().goto(owner.url)
    owner.assert_page_view()
    context.close()
