"""What a newcomer sees while the Worker writes."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from browser import find_chromium
from simulator.account import field_code
from simulator.server import Simulator

EMPTY = "No field written yet; the sync looks after the configured delay"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One Chromium for all tests here."""
    executable = find_chromium()
    if not executable:
        pytest.skip("no Chromium: `make browser` installs it or says how")
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu"]
        browser = playwright.chromium.launch(executable_path=executable, args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def screen(chromium: Browser, pipedrive: Simulator) -> Iterator[Page]:
    """The page, open; any error in it fails the test."""
    context = chromium.new_context(viewport={"width": 360, "height": 800})
    opened = context.new_page()
    problems: list[str] = []
    opened.on("pageerror", lambda error: problems.append(str(error)))
    opened.on("console", lambda message: problems.append(message.text))
    opened.goto(pipedrive.url)
    yield opened
    context.close()
    # Chromium itself tells of every answer 400; the page shows those to its reader.
    assert [problem for problem in problems if "status of 400" not in problem] == []


def test_a_newcomer_watches_the_fields_being_filled_in(screen: Page, api: httpx.Client) -> None:
    jane = screen.locator("#persons > li", has_text="Jane Doe")
    expect(jane).to_contain_text(EMPTY)
    api.get("/persons/search?term=jane@example.com")
    long = "https://example.com/" + "a" * 200
    custom_fields = {field_code("utm_source"): "google", field_code("page_url"): long}
    api.patch("/persons/1", json={"custom_fields": custom_fields})
    expect(jane.locator(".changed")).to_have_text(["UTM sourcegoogle", f"Page URL{long}"])
    expect(jane).not_to_contain_text(EMPTY)
    expect(screen.get_by_role("status")).to_contain_text("Jane Doe: 2 fields changed")
    expect(screen.locator("#requests")).to_contain_text("search?term=jane@example.com")
    assert screen.evaluate("document.documentElement.scrollWidth") == 360


def test_what_did_not_change_is_not_drawn_again(screen: Page, api: httpx.Client) -> None:
    screen.locator("#persons > li", has_text="Otto").evaluate("node => node.mark = 'kept'")
    api.patch("/persons/1", json={"custom_fields": {field_code("utm_source"): "google"}})
    expect(screen.locator(".changed")).to_have_count(1)
    otto = screen.locator("#persons > li", has_text="Otto")
    assert otto.evaluate("node => node.mark") == "kept"


def test_a_person_and_a_fault_can_be_added_there(screen: Page, pipedrive: Simulator) -> None:
    screen.get_by_label("Name").fill("<b>Neu</b>")
    screen.get_by_label("E-mail").fill("neu@example.com")
    screen.get_by_role("button", name="Add person").click()
    expect(screen.locator("#persons > li").first).to_contain_text("<b>Neu</b>")
    screen.get_by_label("Kind").select_option("too_many_requests")
    screen.get_by_label("Operation").select_option("search")
    screen.get_by_label("Times").fill("")
    screen.get_by_label("Retry-After").fill("7")
    screen.get_by_role("button", name="Provoke").click()
    waiting = screen.locator("#faults")
    expect(waiting).to_have_text("429 too many requests (search, until cleared)")
    (fault,) = pipedrive.faults.active()
    assert (fault.operation, fault.times, fault.retry_after) == ("search", None, 7)
    screen.get_by_role("button", name="Clear faults").click()
    expect(waiting).to_be_empty()
    assert pipedrive.faults.active() == []


def test_what_is_wrong_with_a_form_is_said_beneath_it(screen: Page) -> None:
    screen.get_by_label("Name").fill("   ")
    screen.get_by_label("E-mail").fill("neu@example.com")
    problems = screen.locator("#add-person .message")
    screen.get_by_role("button", name="Add person").click()
    expect(problems).to_contain_text("name must be a text")
