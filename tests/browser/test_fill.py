"""`data-fill`: a form's hidden fields get the visitor's stored campaign, and nobody else's."""

from __future__ import annotations

import pytest

from tests.browser.client_site import Visit, until, with_pixel

TOUCH = {
    "utm_source": "google",
    "utm_medium": "cpc",
    "utm_campaign": "spring & summer",
    "utm_content": "<b>“tall”</b>",
    "utm_term": "Gartenhäuser",
    "gclid": "Cj0-test",
}
NO_CLICK = ("fbclid", "msclkid", "ttclid", "twclid", "li_fat_id", "sc_click_id")
AD = (
    "/?utm_source=google&utm_medium=cpc&utm_campaign=spring%20%26%20summer"
    "&utm_content=%3Cb%3E%E2%80%9Ctall%E2%80%9D%3C/b%3E&utm_term=Gartenh%C3%A4user&gclid=Cj0-test"
)
STRANGERS = "a stranger's"
HIDDEN = "".join(
    f'<input type="hidden" name="{name}" value="{STRANGERS}">' for name in (*TOUCH, *NO_CLICK)
)
OTHERS = """
<input type="hidden" name="crm_id" value="crm-7">
<input type="hidden" name="source" value="website">
<input type="hidden" id="utm_source" name="" value="no name">
<input type="text" name="utm_source" value="typed">
<input name="email" value="ada@example.org">
<textarea name="gclid">a text</textarea>
"""
VALUES = """Object.fromEntries(
    [...document.querySelectorAll("#ours input")].map(({ name, value }) => [name, value]))"""
OTHER_VALUES = "[...document.querySelectorAll('#others > *')].map((field) => field.value)"
UNTOUCHED = ["crm-7", "website", "no name", "typed", "ada@example.org", "a text"]


@pytest.fixture
def visit(visit: Visit) -> Visit:
    visit.site.attributes = "data-fill"
    visit.site.pages["/form"] = with_pixel(
        f'<form id="ours">{HIDDEN}</form><form id="others">{OTHERS}</form>'
    )
    return visit


def filled(visit: Visit) -> dict[str, str]:
    """The fields' values once they are no stranger's, or at the deadline."""
    until(lambda: STRANGERS not in visit.page.evaluate(VALUES).values(), 3)
    values: dict[str, str] = visit.page.evaluate(VALUES)
    return values


def test_hidden_fields_get_the_campaign_that_brought_the_visitor(visit: Visit) -> None:
    visit.open(AD)
    visit.open("/form")
    assert filled(visit) == {**TOUCH, **dict.fromkeys(NO_CLICK, "")}
    assert visit.page.evaluate(OTHER_VALUES) == UNTOUCHED


def test_the_page_that_the_ad_led_to_is_filled_in_as_well(visit: Visit) -> None:
    visit.open("/form?fbclid=F1")
    expected = dict.fromkeys((*TOUCH, *NO_CLICK), "") | {"fbclid": "F1"}
    assert filled(visit) == expected


def test_a_visitor_without_a_campaign_does_not_send_a_strangers(visit: Visit) -> None:
    visit.open("/form")
    assert filled(visit) == dict.fromkeys((*TOUCH, *NO_CLICK), "")
    assert visit.page.evaluate(OTHER_VALUES) == UNTOUCHED


def test_the_filled_in_form_is_what_the_site_gets(visit: Visit) -> None:
    visit.site.pages["/form"] = with_pixel(
        f'<form method="get" action="/thank-you">{HIDDEN}<button>Send</button></form>'
    )
    visit.open(AD)
    visit.open("/form")
    until(lambda: visit.page.locator("[name=gclid]").input_value() == TOUCH["gclid"], 3)
    visit.page.get_by_role("button", name="Send").click()
    visit.page.wait_for_url("**/thank-you?*")
    sent = visit.page.evaluate("Object.fromEntries(new URLSearchParams(location.search))")
    assert sent == {**TOUCH, **dict.fromkeys(NO_CLICK, "")}


def test_a_reloaded_page_is_filled_in_again_and_counted_once(visit: Visit) -> None:
    visit.open("/form?fbclid=F1")
    assert filled(visit)["fbclid"] == "F1"
    visit.page.reload()
    assert filled(visit)["fbclid"] == "F1"
    visit.stored(1)


def test_a_site_that_did_not_ask_for_it_keeps_its_fields(visit: Visit) -> None:
    visit.site.attributes = ""
    visit.open(AD)
    visit.open("/form")
    visit.page.wait_for_timeout(1_000)
    assert visit.page.evaluate(VALUES) == dict.fromkeys((*TOUCH, *NO_CLICK), STRANGERS)
    assert visit.page.evaluate(OTHER_VALUES) == UNTOUCHED
