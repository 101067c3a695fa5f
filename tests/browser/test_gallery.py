"""The pixel on the forms that site builders make: typed into as people do, in real Chromium."""

import json
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import FrameLocator, Locator, Page, Request, Response

from tests.browser.gallery.builders import BUILDERS, REFUSALS, VENDORS, Builder, Refusal, Vendor
from tests.browser.gallery.gallery_site import PAGES, REFUSED, Gallery, gallery_site
from tests.harness.worker import Row, Worker

DEADLINE_SECONDS = 30.0
SETTLE_MS = 800  # in which a second row, or a leak, would show
# Where the tabulator does not stop is a honeypot.
TYPED_BY_PEOPLE = ":is(input, select, textarea):not([tabindex='-1']):visible"
HIDDEN_VALUES = """
(fields) => fields.filter(({ form, value }) => value.length > 7 && !form.action.includes(value))
    .map((field) => field.value)
"""
LEADS_OF_PAGE = """
SELECT * FROM tracking_events WHERE page_url = ? AND event_type = 'form_submit' ORDER BY id
"""


@dataclass
class Visit:
    """One visitor on one page of the gallery, whose address nobody else has."""

    page: Page
    url: str
    worker: Worker
    bodies: list[str] = field(default_factory=list)
    secrets: list[str] = field(default_factory=list)

    def note(self, request: Request) -> None:
        if request.method == "POST" and request.url == f"{self.worker.url}/e":
            body = request.post_data
            assert body, "the browser did not show what it sent"
            self.bodies.append(body)

    def open(self) -> None:
        with self.page.expect_response(answers_event):
            self.page.goto(self.url)

    def leads(self) -> list[Row]:
        return self.worker.query(LEADS_OF_PAGE, self.url)

    def settled_leads(self) -> list[Row]:
        """The leads of this page, as soon as there is one and no more come."""
        wait_for(self.page, lambda: bool(self.leads()))
        self.page.wait_for_timeout(SETTLE_MS)
        return self.leads()

    def assert_nothing_leaked(self) -> None:
        assert any('"form_submit"' in body for body in self.bodies)
        readable = [json.dumps(json.loads(body), ensure_ascii=False) for body in self.bodies]
        assert not [secret for secret in self.secrets if any(secret in body for body in readable)]


def answers_event(response: Response) -> bool:
    return response.url.endswith("/e")


def wait_for(page: Page, is_so: Callable[[], bool]) -> bool:
    """Whether it became so before the deadline; meanwhile the browser goes on."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not is_so():
        if time.monotonic() > deadline:
            return False
        page.wait_for_timeout(50)
    return True


@pytest.fixture(scope="module")
def gallery(worker: Worker) -> Iterator[Gallery]:
    with gallery_site(worker.url) as running:
        yield running


@pytest.fixture
def start(page: Page, gallery: Gallery, worker: Worker) -> Callable[[str], Visit]:
    """Opens a page of the gallery."""

    def open_page(name: str) -> Visit:
        gallery.posts.clear()
        page.set_default_timeout(1000 * DEADLINE_SECONDS)
        visit = Visit(page, f"{gallery.url}/{name}.html?visit={secrets.token_hex(6)}", worker)
        page.context.on("request", visit.note)
        visit.open()
        return visit

    return open_page


def surface_of(page: Page, builder: Builder) -> Page | FrameLocator:
    return page.frame_locator(builder.frame) if builder.frame else page


def type_over(locator: Locator, value: str) -> None:
    locator.click()
    locator.press("ControlOrMeta+a")
    locator.press_sequentially(value)


def fill_in(visit: Visit, builder: Builder, typed: Mapping[str, str]) -> None:
    """Types what is asked for, and into every other field what is nobody's business."""
    surface = surface_of(visit.page, builder)
    asked = ", ".join((*typed, *builder.chosen))
    for index, other in enumerate(surface.locator(TYPED_BY_PEOPLE).all()):
        if not other.evaluate("(element, asked) => element.matches(asked)", asked):
            visit.secrets += fill_secret(other, index)
    for selector, value in typed.items():
        type_over(surface.locator(selector), value)
    for selector in builder.chosen:
        surface.locator(selector).check()
    visit.secrets += surface.locator("[type=hidden]").evaluate_all(HIDDEN_VALUES)


def fill_secret(other: Locator, index: int) -> list[str]:
    """Fills in a field that must not leave the page; returns what must not be seen elsewhere."""
    match other.evaluate("(element) => element.type"):
        case "submit" | "button":
            return []
        case "radio":
            return [str(other.get_attribute("value"))]
        case "checkbox":
            other.check()
            value = other.get_attribute("value") or ""
            return [value] if len(value) > 3 else []
        case "select-one":
            return other.select_option(index=1)
        case "tel":
            secret = f"+1 555 010 0{index:02}"
        case _:
            secret = f"Secret number {index}"
    type_over(other, secret)
    return [secret]


def send(visit: Visit, builder: Builder) -> None:
    surface = surface_of(visit.page, builder)
    surface.get_by_role("button", name=builder.button, exact=True).click()


def person_of(row: Row) -> object:
    return json.loads(str(row["form_data"] or "{}"))


@pytest.mark.parametrize("builder", BUILDERS, ids=lambda builder: builder.page)
def test_a_form_is_one_lead_with_the_person_and_nothing_else(
    start: Callable[[str], Visit], gallery: Gallery, builder: Builder
) -> None:
    visit = start(builder.page)
    fill_in(visit, builder, builder.typed)
    send(visit, builder)
    assert wait_for(visit.page, lambda: bool(gallery.posts)), "the page did not send its form"
    leads = visit.settled_leads()
    assert len(gallery.posts) == 1
    assert builder.person["email"] in gallery.posts[0].text
    assert [person_of(lead) for lead in leads] == [builder.person]
    visit.assert_nothing_leaked()


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: refusal.builder.page)
def test_what_the_site_refused_is_a_lead_only_once_it_is_corrected(
    start: Callable[[str], Visit], gallery: Gallery, refusal: Refusal
) -> None:
    builder = refusal.builder
    visit = start(builder.page)
    fill_in(visit, builder, {**builder.typed, refusal.phone: REFUSED})
    send(visit, builder)
    visit.page.locator(refusal.shown).first.wait_for()
    visit.page.wait_for_timeout(2 * SETTLE_MS)
    assert [lead for lead in visit.leads() if lead.get("form_outcome") != "rejected"] == []
    gallery.posts.clear()
    type_over(visit.page.locator(refusal.phone), "+1 555 010 0199")
    send(visit, builder)
    assert wait_for(visit.page, lambda: bool(gallery.posts))
    wait_for(visit.page, lambda: bool(accepted(visit)))
    visit.page.wait_for_timeout(SETTLE_MS)
    assert [person_of(lead) for lead in accepted(visit)] == [builder.person]
    visit.secrets.append("+1 555 010 0199")
    visit.assert_nothing_leaked()


def accepted(visit: Visit) -> list[Row]:
    return [lead for lead in visit.leads() if lead.get("form_outcome") != "rejected"]


def serve_vendors(page: Page) -> None:
    """Answers for the hosts of all vendors with what their frames show."""
    for vendor in VENDORS:
        page.route(f"{vendor.host}/**", fulfil_with(vendor))


def fulfil_with(vendor: Vendor) -> Callable[..., None]:
    content = (PAGES / f"{vendor.page}.frame.html").read_text(encoding="utf-8")
    return lambda route: route.fulfill(content_type="text/html", body=content)


def press_in_frame(page: Page, frame: str, vendor: Vendor) -> None:
    """Presses the button, and waits until the page has heard of it."""
    page.evaluate("addEventListener('message', () => { window.heard = true; })")
    page.frame_locator(frame).get_by_role("button", name=vendor.button).click()
    page.wait_for_function("window.heard")


@pytest.mark.parametrize("vendor", VENDORS, ids=lambda vendor: vendor.page)
def test_a_form_in_a_vendors_frame_is_one_lead_without_a_person(
    start: Callable[[str], Visit], page: Page, vendor: Vendor
) -> None:
    serve_vendors(page)
    visit = start(vendor.page)
    type_over(page.frame_locator("iframe").locator("[name=email]"), "ada@example.org")
    press_in_frame(page, "iframe", vendor)
    leads = visit.settled_leads()
    assert [person_of(lead) for lead in leads] == [{}]
    visit.secrets.append("ada@example.org")
    visit.assert_nothing_leaked()


@pytest.mark.parametrize("vendor", VENDORS, ids=lambda vendor: vendor.page)
def test_the_same_message_from_a_strangers_frame_is_no_lead(
    start: Callable[[str], Visit], page: Page, vendor: Vendor
) -> None:
    serve_vendors(page)
    page.route("https://stranger.example/**", fulfil_with(vendor))
    visit = start(vendor.page)
    page.evaluate("document.querySelector('iframe').src = 'https://stranger.example/'")
    page.frame_locator("iframe[src*=stranger]").locator("[name=email]").wait_for()
    press_in_frame(page, "iframe[src*=stranger]", vendor)
    page.wait_for_timeout(SETTLE_MS)
    assert visit.leads() == []
