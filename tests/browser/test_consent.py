"""Before there is consent nothing is kept and nothing is sent; when it ends, all is forgotten."""

from __future__ import annotations

import json
import time

import pytest

from tests.browser.client_site import (
    FORM,
    RETRY_MS,
    SETTLE_SECONDS,
    Visit,
    script,
    until,
    with_pixel,
)

STAYING_FORM = FORM.replace("<form", '<form onsubmit="event.preventDefault()"')
CAMPAIGN = "/?utm_source=google&utm_medium=cpc&utm_campaign=spring&gclid=Cj0-test"
OUR_KEYS = """[...Object.keys(localStorage), ...Object.keys(sessionStorage)]
    .filter((key) => key.startsWith("ppp"))"""
PUT = "([key, value]) => localStorage.setItem(key, value)"


@pytest.fixture
def visit(visit: Visit) -> Visit:
    visit.page.clock.install()
    visit.site.attributes = 'data-consent="wait"'
    visit.site.pages["/"] = with_pixel(STAYING_FORM)
    return visit


def arrive(visit: Visit, path: str = "/") -> None:
    """Opens a page whose pixel has nothing to say yet."""
    visit.page.goto(visit.site.url + path)
    visit.page.wait_for_function("window.ppp && ppp.version")
    time.sleep(SETTLE_SECONDS)


def assert_nothing_is_kept(visit: Visit) -> None:
    assert visit.page.context.cookies() == []
    assert visit.page.evaluate(OUR_KEYS) == []


def test_without_consent_nothing_is_sent_and_nothing_is_kept(visit: Visit) -> None:
    arrive(visit, CAMPAIGN)
    visit.page.get_by_role("button", name="Send").click()
    visit.command("event", "seen")
    visit.page.evaluate("history.pushState({}, '', '/next')")
    visit.pass_time(RETRY_MS)
    time.sleep(SETTLE_SECONDS)
    visit.leave()
    assert visit.road.events == []
    assert visit.page.evaluate("localStorage.length + sessionStorage.length") == 0
    assert_nothing_is_kept(visit)


def test_with_consent_the_landing_page_and_what_happened_since_arrive(visit: Visit) -> None:
    arrive(visit, CAMPAIGN)
    visit.page.get_by_role("button", name="Send").click()
    time.sleep(SETTLE_SECONDS)
    assert visit.road.events == []
    visit.consent(given=True)
    rows = visit.stored(2)
    [view, lead] = sorted(rows, key=lambda row: str(row["visitor_sequence"]))
    assert (view["event_type"], lead["event_type"]) == ("pageview", "form_submit")
    for row in rows:
        assert row["page_url"] == visit.site.url + CAMPAIGN
        assert (row["utm_campaign"], row["gclid"]) == ("spring", "Cj0-test")
    assert json.loads(str(lead["form_data"]))["email"] == "ada@example.org"
    assert visit.cookies() == [visit.page.evaluate("localStorage.ppp_visitor")]
    visit.command("event", "from now on")
    assert until(lambda: len(visit.rows()) == 3)


def test_consent_before_the_script_came_counts(visit: Visit) -> None:
    stub = """window.ppp = window.ppp || function () { (ppp.q = ppp.q || []).push(arguments); };
        ppp("consent", true);"""
    visit.site.pages["/"] = with_pixel("Welcome", script(stub))
    visit.open("/")
    visit.stored(1)


def test_consent_that_ends_leaves_nothing_behind(visit: Visit) -> None:
    arrive(visit)
    visit.consent(given=True)
    visit.stored(1)
    visit.page.evaluate("localStorage.theirs = sessionStorage.theirs = document.cookie = 'a=b'")
    visit.road.refuse(429, retry_after=60)
    visit.command("identify", {"email": "ada@example.org"})
    pause = f"ppp_{visit.site.pixel}_{visit.road.url}"
    assert until(lambda: visit.page.evaluate("(name) => name in localStorage", pause))
    visit.consent(given=False)
    visit.road.clear()
    assert visit.page.evaluate(OUR_KEYS) == []
    assert visit.cookies() == []
    stored_values = "[localStorage.theirs, sessionStorage.theirs, document.cookie]"
    assert visit.page.evaluate(stored_values) == ["a=b", "a=b", "a=b"]
    sent = len(visit.road.events)
    visit.command("event", "nobody's business")
    visit.command("identify", {"email": "grace@example.org"})
    visit.pass_time(RETRY_MS)
    time.sleep(SETTLE_SECONDS)
    assert len(visit.road.events) == sent
    assert visit.page.evaluate(OUR_KEYS) == []
    assert visit.cookies() == []


def test_consent_that_comes_back_is_a_new_visitor(visit: Visit) -> None:
    arrive(visit)
    visit.consent(given=True)
    [before] = visit.stored(1)
    old = visit.cookies()
    visit.consent(given=False)
    visit.command("event", "in between")
    visit.consent(given=True)
    [_, after] = visit.stored(2)
    assert (after["event_name"], after["visitor_sequence"]) == ("in between", 1)
    assert after["visitor_id"] != before["visitor_id"]
    assert len(visit.cookies()) == 1
    assert visit.cookies() != old


def test_an_answer_that_is_late_keeps_nothing_after_consent_has_ended(visit: Visit) -> None:
    arrive(visit)
    visit.consent(given=True)
    visit.stored(1)
    visit.road.slow_down(1_000)
    visit.road.refuse(503)
    visit.command("identify", {"email": "ada@example.org"})
    visit.consent(given=False)
    assert until(lambda: visit.road.count(503) == 1)
    time.sleep(SETTLE_SECONDS)
    assert visit.page.evaluate(OUR_KEYS) == []


def test_what_waits_from_before_is_not_sent_while_consent_is_missing(visit: Visit) -> None:
    visit.leave()
    event = {
        "pixel_id": visit.site.pixel,
        "event_key": "0123456789abcdef",
        "event_type": "event",
        "event_name": "waited",
        "page_url": f"{visit.site.url}/",
        "visitor_cookie": "0123456789abcdef",
        "at": int(time.time() * 1_000),
    }
    visit.page.evaluate(PUT, [f"ppp_e_{event['event_key']}", json.dumps(event)])
    arrive(visit)
    visit.page.evaluate("dispatchEvent(new Event('online'))")
    visit.pass_time(RETRY_MS)
    time.sleep(SETTLE_SECONDS)
    assert visit.road.events == []
    visit.consent(given=True)
    visit.pass_time(RETRY_MS)
    assert until(lambda: len(visit.rows()) == 2)
    assert len(visit.rows("custom")) == 1
