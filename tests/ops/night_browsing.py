"""Somebody with Chromium who goes from page to page of a client's site all night."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event, Thread

from playwright.sync_api import Page

from tests.browser.client_site import FORM, PAGES, WAITING, ClientSite, client_site, with_pixel
from tests.harness.chromium import running_chromium
from tests.harness.road import Road, running_road
from tests.harness.worker import PIXEL, some_address
from tests.tools.checkout import until

# A Worker that starts again on a busy machine takes minutes: what the browser keeps till then must
# not occupy it when it is there.
PAUSE_MS = 5_000
FORMS = range(3)
# The Worker starts again while a page loads its pixel, on a machine that may be busy.
PAGE_MS = 300_000
LAST_PAGES = 60


def email_of(form: int) -> str:
    """The address that is filled in on this form."""
    return f"night{form}@example.com"


@dataclass
class Browsing:
    """Somebody who browses in a thread until the night is over."""

    site: ClientSite
    road: Road
    is_over: Event = field(default_factory=Event)
    is_form_due: Event = field(default_factory=Event)
    forms_sent: int = 0
    problem: BaseException | None = None
    waiting: list[str] = field(default_factory=list)
    """What the browser keeps in the end."""

    def run(self) -> None:
        try:
            self._browse()
        except BaseException as error:  # noqa: BLE001  # shown by the test, which waits for it
            self.problem = error

    def _browse(self) -> None:
        with running_chromium() as browser:
            page = browser.new_page()
            page.set_default_navigation_timeout(PAGE_MS)
            while not self.is_over.is_set():
                self._visit(page, "/")
                if self.is_form_due.is_set():
                    self._send_form(page)
            # What the browser kept comes with the next pages.
            for _ in range(LAST_PAGES):
                self._visit(page, "/")
                self.waiting = page.evaluate(WAITING)
                if not self.waiting:
                    break

    def _send_form(self, page: Page) -> None:
        self._visit(page, f"/form{self.forms_sent}")
        page.get_by_role("button", name="Send").click()
        page.wait_for_url("**/thank-you")
        self.is_form_due.clear()
        self.forms_sent += 1

    def _visit(self, page: Page, path: str) -> None:
        # The limits are by address, and this is about another thing.
        self.road.address = some_address()
        page.goto(self.site.url + path)
        page.wait_for_timeout(PAUSE_MS)

    def fill_in_form(self) -> None:
        """Has the next form sent, and waits until it came along the road."""
        address = email_of(self.forms_sent)
        self.is_form_due.set()
        until(lambda: self.problem or address in {sender for _, sender, _ in self.sent()})
        assert self.problem is None

    def sent(self) -> list[tuple[str, str, int]]:
        """Key, e-mail address and status of each event that came along, in order."""
        sent = []
        for request in list(self.road.events):
            event = json.loads(request.body)
            address = (event.get("form_data") or {}).get("email", "")
            sent.append((event["event_key"], address, request.status))
        return sent

    def answered(self) -> set[str]:
        """The keys of the events that a database took."""
        return {key for key, _, status in self.sent() if status == 200}


@contextmanager
def browsing(url: str) -> Iterator[Browsing]:
    """Somebody browses until the block ends, and then until the browser keeps nothing more."""
    with running_road(url) as road, client_site(road.url, PIXEL) as site:
        forms = {f"/form{form}": FORM.replace("ada@example.org", email_of(form)) for form in FORMS}
        site.pages = {**PAGES, **{path: with_pixel(form) for path, form in forms.items()}}
        person = Browsing(site, road)
        thread = Thread(target=person.run, daemon=True)
        thread.start()
        yield person
        person.is_over.set()
        thread.join(PAGE_MS / 1000)
