"""Somebody with Chromium who goes from page to page of a client's site all night."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from threading import Event, Thread
from typing import NamedTuple

from playwright.sync_api import Page

from config import VERSION
from tests.browser.client_site import FORM, PAGES, WAITING, ClientSite, client_site, with_pixel
from tests.harness.chromium import running_chromium
from tests.harness.road import Road, running_road
from tests.harness.worker import PIXEL, some_address

PAUSE_MS = 3_000
# The pixel sends all that it keeps with each page and every five seconds, and after a 503 not for
# thirty: who turned page after page would send ever more, and put off what is kept.
MAX_KEPT_EVENTS = 6
# Until when it waits stands under the address of its server, with nothing behind it.
IS_PAUSE_OVER = r"""() => Object.keys(localStorage)
    .every((key) => !/^ppp_.*:\/\/[^_]*$/.test(key) || localStorage[key] < Date.now())"""
# After a failure the page that is open is not waited for.
GIVE_UP_SECONDS = 30
# A form for each part of the night.
FORMS = range(3)
HAS_SECOND_PART = f"""() => performance.getEntriesByType("resource")
    .some(({{ name }}) => name.endsWith("{VERSION}-more.js"))"""


class SentEvent(NamedTuple):
    """An event as it came along the road: its key, its e-mail address, the answer's status."""

    key: str
    email: str
    status: int


def email_of(form: int) -> str:
    """The address that is filled in on this form."""
    return f"night{form}@example.com"


@dataclass
class Browsing:
    """Somebody who browses in a thread until the night is over."""

    site: ClientSite
    road: Road
    is_over: Event = field(default_factory=Event)
    is_given_up: Event = field(default_factory=Event)
    forms_sent: int = 0
    problem: BaseException | None = None
    kept_events: list[str] = field(default_factory=list)
    """What the browser keeps."""
    _due: SimpleQueue[Callable[[Page], None]] = field(default_factory=SimpleQueue)

    def run(self) -> None:
        """Browses, and goes on until the browser keeps nothing."""
        try:
            with running_chromium() as browser:
                page = browser.new_page()
                # A machine that is busy is no reason to give up; the test's own limit is.
                page.set_default_timeout(0)
                while self._goes_on():
                    self._open(page, "/")
                    self._stay(page)
                    self._do_what_is_due(page)
        except BaseException as error:  # noqa: BLE001  # shown by the test, which waits for it
            self.problem = error

    def _goes_on(self) -> bool:
        has_reason = not self.is_over.is_set() or bool(self.kept_events)
        return has_reason and not self.is_given_up.is_set()

    def _do_what_is_due(self, page: Page) -> None:
        try:
            self._due.get_nowait()(page)
        except Empty:
            return

    def _open(self, page: Page, path: str) -> None:
        self._change_address()
        page.goto(self.site.url + path)
        page.wait_for_timeout(PAUSE_MS)

    def _stay(self, page: Page) -> None:
        """Turns no page while something waits for an answer, unless there is a form to send."""
        while True:
            self.kept_events = kept = page.evaluate(WAITING)
            has_reason = kept and (len(kept) > MAX_KEPT_EVENTS or page.evaluate(IS_PAUSE_OVER))
            if not has_reason or not self._due.empty() or not self._goes_on():
                return
            self._change_address()
            page.wait_for_timeout(PAUSE_MS)

    def _change_address(self) -> None:
        # The limits are by address, and this is about another thing.
        self.road.address = some_address()

    def _send_form(self, page: Page) -> None:
        self._open(page, f"/form{self.forms_sent}")
        page.wait_for_function(HAS_SECOND_PART)
        page.get_by_role("button", name="Send").click()
        page.wait_for_url("**/thank-you")
        self.forms_sent += 1

    def fill_in_form(self) -> str:
        """Has the next form sent; its address comes along the road soon."""
        self._due.put(self._send_form)
        return email_of(self.forms_sent)

    def sent(self) -> list[SentEvent]:
        """Each event that came along, as often as it did, in order."""
        events = []
        for request in list(self.road.events):
            event = json.loads(request.body)
            email = (event.get("form_data") or {}).get("email", "")
            events.append(SentEvent(event["event_key"], email, request.status))
        return events

    def senders(self) -> set[str]:
        """The addresses of the forms that came along."""
        return {event.email for event in self.sent()}

    def answered(self) -> set[str]:
        """The keys of the events that a database took."""
        return {event.key for event in self.sent() if event.status == 200}


@contextmanager
def browsing(url: str) -> Iterator[Browsing]:
    """Somebody browses until the block ends, and then until the browser keeps nothing."""
    with running_road(url) as road, client_site(road.url, PIXEL) as site:
        forms = {f"/form{form}": FORM.replace("ada@example.org", email_of(form)) for form in FORMS}
        site.pages = {**PAGES, **{path: with_pixel(form) for path, form in forms.items()}}
        person = Browsing(site, road)
        thread = Thread(target=person.run, daemon=True)
        thread.start()
        try:
            yield person
        except BaseException:
            person.is_given_up.set()
            raise
        finally:
            person.is_over.set()
            thread.join(GIVE_UP_SECONDS if person.is_given_up.is_set() else None)
