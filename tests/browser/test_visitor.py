"""Who a visitor is: one id in a cookie and in the page's storage, for all subdomains of a site."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route

from tests.browser.client_site import Visit, document, script, until, with_pixel
from tests.browser.conftest import somebody_new
from tests.harness.chromium import running_chromium

NAME = "ppp_visitor"
OLD_VISITOR = "pxl_0123456789abcdef"
DAY_SECONDS = 86_400
NO_COOKIES = """Object.defineProperty(document, "cookie", {
  get() { throw new Error("blocked"); }, set() { throw new Error("blocked"); },
});"""
NO_STORAGE = """for (const name of ["localStorage", "sessionStorage"])
  Object.defineProperty(window, name, { get() { throw new Error("blocked"); } });"""
NOTED_WRITES = """const real = Object.getOwnPropertyDescriptor(Document.prototype, "cookie");
const writes = [];
Object.defineProperty(document, "cookie", {
  get() { return real.get.call(document); },
  set(cookie) { writes.push(cookie); real.set.call(document, cookie); },
});"""
FIXED_RANDOM = """Crypto.prototype.getRandomValues =
  (array) => array.map((_, index) => 1234567 + index);"""
VISITORS = """SELECT DISTINCT visitor.visitor_cookie FROM tracking_events AS event
JOIN visitors AS visitor ON visitor.id = event.visitor_id WHERE event.pixel_id = ?"""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A Chromium for which every host of these sites is this machine."""
    hosts = ("*.client.example", "*.client.co.uk", "*.shop.test")
    rules = ",".join(f"MAP {host} 127.0.0.1" for host in hosts)
    # The site is public to a browser, the Worker of a test is on this machine.
    private = "--disable-features=LocalNetworkAccessChecks"
    with running_chromium(f"--host-resolver-rules={rules}", private) as browser:
        yield browser


def at(visit: Visit, host: str, path: str = "/") -> str:
    return visit.site.url.replace("127.0.0.1", host) + path


def open_at(visit: Visit, host: str, page: Page | None = None) -> None:
    """Opens the site under another name; waits until the page view is stored."""
    before = len(visit.rows())
    (page or visit.page).goto(at(visit, host))
    assert until(lambda: len(visit.rows()) > before), "no page view was stored"


def cookies(visit: Visit) -> list[dict[str, Any]]:
    cookies = visit.page.context.cookies()
    return [dict(cookie) for cookie in cookies if cookie.get("name") == NAME]


def visitors(visit: Visit) -> list[str]:
    """The visitors that the Worker knows of this pixel."""
    return [row["visitor_cookie"] for row in visit.worker.query(VISITORS, visit.site.pixel)]


def test_a_new_visitor_gets_an_id_from_the_browsers_own_randomness(visit: Visit) -> None:
    visit.site.pages["/"] = with_pixel(before=script(FIXED_RANDOM))
    visit.open()
    assert visit.cookies() == ["pxl_6812345691234570"]


def test_two_visitors_are_never_the_same(visit: Visit, chromium: Browser) -> None:
    visit.open()
    with somebody_new(chromium) as page:
        visit.open(page=page)
    ids = until(lambda: len(visitors(visit)) == 2 and visitors(visit))
    assert ids
    assert all(re.fullmatch(r"pxl_[0-9a-f]{16}", visitor) for visitor in ids)


def test_the_cookie_is_kept_a_year_and_sent_to_nobody_else(visit: Visit) -> None:
    visit.open()
    [cookie] = cookies(visit)
    days = (cookie["expires"] - time.time()) / DAY_SECONDS
    assert 364 < days < 366
    expected = {"path": "/", "sameSite": "Lax", "secure": False, "httpOnly": False}
    assert {name: cookie[name] for name in expected} == expected


def test_the_cookie_of_a_site_with_https_is_secure(visit: Visit) -> None:
    address = "https://www.client.example/"

    def answer(route: Route) -> None:
        route.fulfill(body=visit.site.page("/") or "", content_type="text/html")

    visit.page.route(f"{address}**", answer)
    visit.page.goto(address)
    assert until(visit.rows), "no page view was stored"
    [cookie] = cookies(visit)
    assert (cookie["secure"], cookie["domain"]) == (True, ".client.example")


@pytest.mark.parametrize(
    ("hosts", "domain"),
    [
        (("www.client.example", "shop.client.example"), ".client.example"),
        (("a.client.co.uk", "b.eu.client.co.uk"), ".client.co.uk"),
        (("www.shop.test", "deep.under.shop.test"), ".shop.test"),
    ],
)
def test_subdomains_share_the_visitor(visit: Visit, hosts: tuple[str, str], domain: str) -> None:
    for host in hosts:
        open_at(visit, host)
    assert [cookie["domain"] for cookie in cookies(visit)] == [domain]
    assert visitors(visit) == visit.cookies()


def test_for_somebody_new_no_cookie_is_removed(visit: Visit) -> None:
    visit.site.pages["/"] = with_pixel(before=script(NOTED_WRITES))
    open_at(visit, "www.client.example")
    written = visit.page.evaluate("writes")
    assert ["max-age=0;" in cookie for cookie in written] == [False, False]


def test_a_known_visitors_cookie_is_written_once_in_a_tab(visit: Visit) -> None:
    visit.site.pages["/"] = with_pixel(before=script(NOTED_WRITES))
    host = "www.client.example"
    for _ in range(2):
        open_at(visit, host)
    assert visit.page.evaluate("writes") == []
    tab = visit.page.context.new_page()
    open_at(visit, host, tab)
    written = tab.evaluate("writes")
    assert ["max-age=0;" in cookie for cookie in written] == [True, True, True, False, False]
    assert len(visit.cookies()) == 1


def test_a_cookie_that_is_gone_comes_back_in_the_same_tab(visit: Visit) -> None:
    host = "www.client.example"
    open_at(visit, host)
    [visitor] = visit.cookies()
    visit.page.context.clear_cookies()
    open_at(visit, host)
    assert visit.cookies() == [visitor]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_host_without_subdomains_has_its_own_cookie(visit: Visit, host: str) -> None:
    open_at(visit, host)
    open_at(visit, host)
    assert [cookie["domain"] for cookie in cookies(visit)] == [host]
    assert visitors(visit) == visit.cookies()


def test_data_domain_says_where_the_cookie_is(visit: Visit) -> None:
    visit.site.attributes = 'data-domain="eu.client.example"'
    open_at(visit, "www.eu.client.example")
    assert [cookie["domain"] for cookie in cookies(visit)] == [".eu.client.example"]


def test_a_data_domain_of_somebody_else_loses_no_event(visit: Visit) -> None:
    visit.site.attributes = 'data-domain="other.example"'
    open_at(visit, "www.client.example")
    open_at(visit, "www.client.example")
    assert cookies(visit) == []
    assert len(visitors(visit)) == 1  # known by the page's storage


@pytest.mark.parametrize("host", ["www.client.example", "127.0.0.1"])
@pytest.mark.parametrize("visitor", [OLD_VISITOR, "0123456789abcdef"])
def test_the_visitor_of_an_older_cookie_goes_on_with_one_cookie(
    visit: Visit, host: str, visitor: str
) -> None:
    visit.page.goto(at(visit, host, "/without-pixel"))
    visit.page.evaluate(f"document.cookie = '{NAME}={visitor};path=/;max-age=1000'")
    [before] = cookies(visit)
    assert before["domain"] == host  # and nothing below it
    open_at(visit, host)
    assert visitors(visit) == [visitor]
    assert visit.cookies() == [visitor]


def test_a_cookie_on_a_narrower_domain_moves_to_the_widest(visit: Visit) -> None:
    narrow = {"name": NAME, "value": OLD_VISITOR, "domain": ".www.client.example", "path": "/"}
    visit.page.context.add_cookies([narrow])  # type: ignore[list-item]  # a TypedDict's fields
    open_at(visit, "www.client.example")
    assert [(cookie["value"], cookie["domain"]) for cookie in cookies(visit)] == [
        (OLD_VISITOR, ".client.example")
    ]


@pytest.mark.parametrize("value", ["", "nonsense", "0123", "0123456789ABCDEF", "pxl_0123"])
def test_a_cookie_that_is_no_id_is_replaced(visit: Visit, value: str) -> None:
    visit.page.context.add_cookies([{"name": NAME, "value": value, "url": visit.site.url}])
    open_at(visit, "127.0.0.1")
    [visitor] = visitors(visit)
    assert re.fullmatch(r"pxl_[0-9a-f]{16}", visitor)
    assert visit.cookies() == [visitor]


def test_a_visitor_without_cookies_is_known_by_the_storage(visit: Visit) -> None:
    open_at(visit, "www.client.example")
    before = visit.cookies()
    visit.page.context.clear_cookies()
    open_at(visit, "www.client.example")
    assert visit.cookies() == before
    assert visitors(visit) == before


def test_a_visitor_without_storage_is_known_by_the_cookie(visit: Visit) -> None:
    open_at(visit, "www.client.example")
    before = visit.cookies()
    visit.page.evaluate("localStorage.clear()")
    open_at(visit, "www.client.example")
    assert visit.page.evaluate(f"localStorage.{NAME}") == before[0]
    assert visitors(visit) == before


@pytest.mark.parametrize(
    ("broken", "known_again"),
    [
        pytest.param(NO_COOKIES, True, id="no cookies"),
        pytest.param(NO_STORAGE, True, id="no storage"),
        pytest.param(NO_COOKIES + NO_STORAGE, False, id="neither"),
    ],
)
def test_a_visitor_whose_browser_keeps_nothing_is_counted(
    visit: Visit, broken: str, *, known_again: bool
) -> None:
    visit.site.pages["/"] = with_pixel(before=script(broken))
    for _ in range(2):
        open_at(visit, "www.client.example")
    assert len(visitors(visit)) == (1 if known_again else 2)


def test_a_sandboxed_frame_without_an_origin_is_counted(visit: Visit) -> None:
    visit.site.pages["/frame"] = with_pixel()
    visit.site.pages["/"] = document("", '<iframe sandbox="allow-scripts" src="/frame"></iframe>')
    open_at(visit, "www.client.example")
    [row] = visit.stored(1)
    assert row["page_url"] == at(visit, "www.client.example", "/frame")
    assert cookies(visit) == []
