"""The pixel on a client's site, in real Chromium, through the real Worker, into real D1."""

import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Page, Response

from config import VERSION
from tests.harness.worker import Row, Worker

CAMPAIGN_LINK = "/?utm_source=google&utm_medium=cpc&utm_campaign=spring&gclid=Cj0-test"
ADA = {"first_name": "Ada", "last_name": "Lovelace", "email": "ada@example.org"}
DEADLINE_SECONDS = 30.0

EVENTS_OF_VISITOR = """
SELECT event.* FROM tracking_events AS event
JOIN visitors AS visitor ON visitor.id = event.visitor_id
WHERE visitor.visitor_cookie = ?
ORDER BY event.id
"""


@dataclass
class Wire:
    """What the browser sent to the Worker, preflights included: only DevTools shows those."""

    requests: list[str] = field(default_factory=list)

    @property
    def events(self) -> int:
        return self.requests.count("POST /e")


@pytest.fixture
def wire(page: Page, worker: Worker) -> Iterator[Wire]:
    seen = Wire()

    def note(sent: dict[str, dict[str, str]]) -> None:
        request = sent["request"]
        if request["url"].startswith(worker.url):
            seen.requests.append(f"{request['method']} {request['url'].removeprefix(worker.url)}")

    devtools = page.context.new_cdp_session(page)
    devtools.on("Network.requestWillBeSent", note)
    devtools.send("Network.enable")
    yield seen
    devtools.detach()


def answers_event(response: Response) -> bool:
    return response.url.endswith("/e")


def open_page(page: Page, address: str) -> None:
    """Opens it and waits for the page view's answer."""
    with page.expect_response(answers_event):
        page.goto(address)


def visitor_cookie(page: Page) -> str:
    cookies = [cookie for cookie in page.context.cookies() if cookie.get("name") == "ppp_visitor"]
    assert len(cookies) == 1
    value = cookies[0].get("value")
    assert value is not None
    return value


def stored(page: Page, worker: Worker, at_least: int) -> list[Row]:
    """This visitor's events, as soon as there are that many."""
    visitor = visitor_cookie(page)
    deadline = time.monotonic() + DEADLINE_SECONDS
    while True:
        rows = worker.query(EVENTS_OF_VISITOR, visitor)
        if len(rows) >= at_least or time.monotonic() > deadline:
            return rows
        time.sleep(0.05)


def of_type(rows: list[Row], event_type: str) -> list[Row]:
    return [row for row in rows if row["event_type"] == event_type]


def fill_lead_form(page: Page) -> None:
    page.get_by_label("First name").fill(ADA["first_name"])
    page.get_by_label("Last name").fill(ADA["last_name"])
    page.get_by_label("E-mail").fill(ADA["email"])
    page.get_by_label("Your garden").fill("A pond, and a secret that is nobody's business")


def submit_lead_form(page: Page) -> None:
    page.get_by_role("button", name="Ask for a visit").click()
    page.wait_for_url("**/thank-you")


def add_form(page: Page, markup: str) -> None:
    """Puts a form of the site's own on the page, which sends it without leaving."""
    page.evaluate(
        """(markup) => {
            document.querySelector("main").insertAdjacentHTML("afterbegin", markup);
            document.querySelector("form").addEventListener("submit", (e) => e.preventDefault());
        }""",
        markup,
    )


def test_a_page_view_with_campaign_parameters_is_one_row(
    page: Page, demo_site: str, worker: Worker, wire: Wire
) -> None:
    open_page(page, demo_site + CAMPAIGN_LINK)
    expected = {
        "event_type": "pageview",
        "page_url": demo_site + CAMPAIGN_LINK,
        "page_title": page.title(),
        "referrer_url": None,
        "utm_source": "google",
        "utm_medium": "cpc",
        "utm_campaign": "spring",
        "gclid": "Cj0-test",
    }
    [row] = stored(page, worker, at_least=1)
    assert {name: row[name] for name in expected} == expected
    sizes = page.evaluate("[innerWidth, innerHeight, screen.width, screen.height]")
    viewport, device = json.loads(row["viewport_data"]), json.loads(row["device_data"])
    screen = device["screen"]
    assert [viewport["width"], viewport["height"], screen["width"], screen["height"]] == sizes
    second_part = f"GET /static/pixel-{VERSION}-more.js"  # the page has a form
    assert wire.requests == ["GET /p.js", second_part, "POST /e"]


def test_the_wire_would_have_shown_a_preflight(
    page: Page, demo_site: str, worker: Worker, wire: Wire
) -> None:
    open_page(page, demo_site)
    page.evaluate(
        """(address) => fetch(address, { method: "POST", headers: { "x-not-simple": "1" } })
            .catch(() => undefined)""",
        f"{worker.url}/e",
    )
    assert "OPTIONS /e" in wire.requests


def test_the_visitor_has_one_id_in_cookie_and_local_storage(page: Page, demo_site: str) -> None:
    open_page(page, demo_site)
    visitor = visitor_cookie(page)
    assert re.fullmatch(r"pxl_[0-9a-f]{16}", visitor)
    assert page.evaluate("localStorage.ppp_visitor") == visitor
    page.context.clear_cookies()
    open_page(page, f"{demo_site}/pricing.html")
    assert visitor_cookie(page) == visitor


def test_a_submitted_form_is_stored_with_the_three_fields_and_the_same_session(
    page: Page, demo_site: str, worker: Worker
) -> None:
    open_page(page, demo_site + CAMPAIGN_LINK)
    fill_lead_form(page)
    submit_lead_form(page)
    rows = stored(page, worker, at_least=3)
    [lead] = of_type(rows, "form_submit")
    assert json.loads(str(lead["form_data"])) == ADA
    assert lead["page_url"] == demo_site + CAMPAIGN_LINK
    assert len({row["visitor_id"] for row in rows}) == 1
    assert len({row["session_id"] for row in rows}) == 1


def test_a_double_click_is_one_lead(page: Page, demo_site: str, worker: Worker, wire: Wire) -> None:
    open_page(page, demo_site)
    add_form(page, '<form><input type="email" name="email" value="ada@example.org"><button>Go')
    page.evaluate(
        """() => {
            window.submits = 0;
            document.forms[0].addEventListener("submit", () => { window.submits += 1; });
        }"""
    )
    with page.expect_response(answers_event):
        page.get_by_role("button", name="Go").dblclick()
    assert page.evaluate("window.submits") == 2
    rows = stored(page, worker, at_least=2)
    assert len(of_type(rows, "form_submit")) == 1
    assert wire.events == 2


@pytest.mark.parametrize(
    "markup",
    [
        pytest.param(
            '<form role="search"><input name="email" value="ada@example.org"><button>Go',
            id="role search",
        ),
        pytest.param(
            '<form><input type="search" name="q" value="ada@example.org"><button>Go',
            id="search field",
        ),
        pytest.param(
            """<form><input type="email" name="email" value="ada@example.org">
               <input type="password" name="password" value="hunter2"><button>Go""",
            id="login",
        ),
        pytest.param(
            '<form><input name="mailing_address" value="12 Elm St"><button>Go',
            id="no e-mail",
        ),
    ],
)
def test_what_is_not_a_lead_is_not_sent(
    page: Page, demo_site: str, worker: Worker, markup: str
) -> None:
    open_page(page, demo_site)
    add_form(page, markup)
    page.get_by_role("button", name="Go").click()
    fill_lead_form(page)  # a lead after it shows that nothing is still on its way
    submit_lead_form(page)
    rows = stored(page, worker, at_least=3)
    assert [json.loads(str(row["form_data"])) for row in of_type(rows, "form_submit")] == [ADA]


def test_a_route_change_is_a_page_view_with_the_new_title(
    page: Page, demo_site: str, worker: Worker
) -> None:
    open_page(page, demo_site)
    with page.expect_response(answers_event):
        page.evaluate(
            """() => {
                history.pushState({}, "", "/about");
                history.replaceState({}, "", "/about#team");
                setTimeout(() => { document.title = "About us" });
            }"""
        )
    first, second = stored(page, worker, at_least=2)
    assert (first["page_url"], second["page_url"]) == (f"{demo_site}/", f"{demo_site}/about#team")
    assert second["page_title"] == "About us"
