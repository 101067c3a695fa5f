"""A client's site whose pages are Python strings, and somebody new on it, with a road of their own.

    with visiting(page, worker) as visit:
        visit.site.pages["/offer"] = document(PIXEL_TAG, FORM)
        visit.open("/offer")

What is posted to a page is answered with that page.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler
from typing import Any, TypeVar
from urllib.parse import urlsplit

from playwright.sync_api import Page, Route

from tests.harness.listening import listening
from tests.harness.road import Road, running_road
from tests.harness.worker import Row, Worker, some_visitor

Answer = TypeVar("Answer")

DEADLINE_SECONDS = 30.0
SETTLE_SECONDS = 0.8  # in which what must not be sent would be seen
RETRY_MS = 5_000  # the pixel's own pause before what waits is sent again
ADD_PIXEL = "INSERT INTO pixels (id, project_id, name) VALUES (?, 'ppp-demo-project', ?)"
EVENTS_OF_PIXEL = "SELECT * FROM tracking_events WHERE pixel_id = ? ORDER BY id"
WAITING = """Object.keys(localStorage).filter((key) => key.startsWith("ppp_e_"))"""

PIXEL_TAG = (
    """<script src="{{road}}/p.js" data-pixel-id="{{pixel}}" {{attributes}} async></script>"""
)
FORM = """
<form method="post" action="/thank-you">
  <input name="first_name" value="Ada"><input name="last_name" value="Lovelace">
  <input name="email" type="email" value="ada@example.org"><input name="phone" value="5550123">
  <button>Send</button>
</form>
"""


def document(head: str = "", body: str = "") -> str:
    """A page of the site."""
    return f"""<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A site</title>
        <link rel="icon" href="data:,">{head}</head><body><main>{body}</main></body></html>"""


def with_pixel(body: str = "", before: str = "") -> str:
    """A page with the pixel's tag, and with what stands before it in the head."""
    return document(before + PIXEL_TAG, body)


def script(code: str) -> str:
    """An inline script."""
    return f"<script>{code}</script>"


PAGES = {
    "/": with_pixel("Welcome"),
    "/form": with_pixel(FORM),
    "/thank-you": document("", "Thank you"),
    "/without-pixel": document("", "Nothing here"),
}


@dataclass(slots=True)
class ClientSite:
    """The running site. What is changed here counts for the next page that is opened."""

    road: str
    pixel: str
    url: str = ""
    attributes: str = ""
    """What else stands in the pixel's tag."""
    headers: dict[str, str] = field(default_factory=dict)
    pages: dict[str, str] = field(default_factory=lambda: dict(PAGES))

    def page(self, path: str) -> str | None:
        """The markup of a page."""
        markup = self.pages.get(path)
        for name in ("road", "pixel", "attributes"):
            markup = markup and markup.replace(f"{{{{{name}}}}}", getattr(self, name))
        return markup


class _Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, site: ClientSite, *args: object) -> None:
        self._site = site
        super().__init__(*args)  # type: ignore[arg-type]  # passed through as they came

    def do_GET(self) -> None:
        markup = self._site.page(urlsplit(self.path).path)
        body = (markup or "Not here").encode()
        self.send_response_only(200 if markup else 404)
        headers = {
            "Content-Type": "text/html; charset=utf-8",
            "Content-Length": str(len(body)),
            "Cache-Control": "no-store",
            **self._site.headers,
        }
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self.do_GET()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def client_site(road: str, pixel: str) -> Iterator[ClientSite]:
    """Runs the site, with a pixel whose events go along this road."""
    site = ClientSite(road, pixel)
    with listening(partial(_Answer, site)) as port:
        site.url = f"http://127.0.0.1:{port}"
        yield site


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody new on a site whose pixel nobody else uses."""

    page: Page
    site: ClientSite
    road: Road
    worker: Worker

    def open(self, path: str = "/", page: Page | None = None) -> None:
        """Opens a page and waits until its page view was answered, however."""
        views = self._page_views()
        (page or self.page).goto(self.site.url + path)
        assert until(lambda: self._page_views() > views), "no page view was sent"

    def _page_views(self) -> int:
        # A repeat is none.
        return len({event["event_key"] for event in self.sent("pageview")})

    def pass_time(self, milliseconds: int) -> None:
        """Lets time pass on the page at once; its clock must have been installed."""
        self.page.clock.fast_forward(milliseconds)

    def hold(self) -> list[Route]:
        """The events that set out from now on, none of which arrives until it is let go."""
        held: list[Route] = []

        def note(route: Route) -> None:
            held.append(route)  # Playwright takes no built-in method

        self.page.route(f"{self.road.url}/e", note)
        return held

    def leave(self) -> None:
        """Goes to a page of the site that has no pixel."""
        self.page.goto(f"{self.site.url}/without-pixel")

    def submit(self) -> None:
        """Sends the form of the page, natively: the site answers with the next page."""
        self.page.get_by_role("button", name="Send").click()
        self.page.wait_for_url("**/thank-you")

    def command(self, *command: object) -> None:
        """Calls `ppp`."""
        self.page.evaluate("(command) => ppp(...command)", command)

    def consent(self, *, given: bool) -> None:
        """Tells the pixel of the visitor's consent."""
        self.command("consent", given)

    def errors(self) -> list[object]:
        """What will have gone wrong on the page from now on."""
        found: list[object] = []

        def note(error: object) -> None:
            found.append(error)  # Playwright takes no built-in method

        self.page.on("pageerror", note)
        return found

    def rows(self, event_type: str = "") -> list[Row]:
        """What is stored of this pixel, oldest first."""
        rows = self.worker.query(EVENTS_OF_PIXEL, self.site.pixel)
        return [row for row in rows if event_type in ("", row["event_type"])]

    def stored(self, count: int, seconds: float = DEADLINE_SECONDS) -> list[Row]:
        """What is stored as soon as there is that much, and no more has come."""
        until(lambda: len(self.rows()) >= count, seconds)
        time.sleep(SETTLE_SECONDS)
        rows = self.rows()
        assert len(rows) == count, [row["event_type"] for row in rows]
        return rows

    def sent(self, event_type: str = "") -> list[dict[str, Any]]:
        """The bodies that came along the road, whatever became of them."""
        bodies = [json.loads(request.body) for request in list(self.road.events)]
        return [body for body in bodies if event_type in ("", body["event_type"])]

    def waiting(self) -> list[str]:
        """The keys of the events that wait in the browser, in order."""
        keys: list[str] = self.page.evaluate(WAITING)
        return sorted(key.removeprefix("ppp_e_") for key in keys)

    def assert_nothing_waits(self) -> None:
        """Whatever waited has arrived, or was given up."""
        assert until(lambda: not self.waiting()), self.waiting()

    def cookies(self) -> list[str]:
        """The visitor's ids, of which there should be one."""
        found = self.page.context.cookies()
        return [cookie.get("value", "") for cookie in found if cookie.get("name") == "ppp_visitor"]


def until(question: Callable[[], Answer], seconds: float = DEADLINE_SECONDS) -> Answer:
    """What it answers as soon as that is true of it, else what it answers at the deadline."""
    deadline = time.monotonic() + seconds
    while True:
        answer = question()
        if answer or time.monotonic() > deadline:
            return answer
        time.sleep(0.05)


def new_pixel(worker: Worker) -> str:
    """A pixel that saw nothing yet."""
    name = f"pixel-{some_visitor()}"
    worker.query(ADD_PIXEL, name, name)
    return name


@contextmanager
def visiting(page: Page, worker: Worker) -> Iterator[Visit]:
    """Somebody new, with a site, a pixel and a road of their own, until the block ends."""
    with (
        running_road(worker.url) as road,
        client_site(road.url, new_pixel(worker)) as site,
    ):
        yield Visit(page, site, road, worker)
