"""The pixel wherever a tag may stand: strict policies, twice, late, in frames."""

from __future__ import annotations

import html
import json
import time

import pytest

from config import VERSION
from tests.browser.client_site import (
    FORM,
    PIXEL_TAG,
    RETRY_MS,
    SETTLE_SECONDS,
    Visit,
    document,
    script,
    with_pixel,
)
from tests.browser.troubles import Troubles

ADA = {"first_name": "Ada", "last_name": "Lovelace", "email": "ada@example.org"}
INSERTED = """
const tag = document.createElement("script");
tag.src = "{{road}}/p.js";
tag.dataset.pixelId = "{{pixel}}";
document.head.append(tag);
"""
MODULE = f"""<script type="module">{INSERTED}</script>"""
TAGS = {
    "async": PIXEL_TAG,
    "defer": PIXEL_TAG.replace("async", "defer"),
    "in its place": PIXEL_TAG.replace("async", ""),
    "a module": PIXEL_TAG.replace("<script", '<script type="module"'),
    "by a tag manager": script(INSERTED),
    "by a bundle": MODULE,
    "by a tag manager, late": script(f"setTimeout(() => {{ {INSERTED} }}, 400)"),
}
POLICIES = {
    "only its own host": (
        "default-src 'none'; img-src data:; form-action 'self'; "
        "script-src {road}; connect-src {road}"
    ),
    "trusted types": "require-trusted-types-for 'script'; trusted-types 'none'",
    "nonces": "script-src 'nonce-n0nce' 'strict-dynamic'; connect-src {road}",
}


def leads(visit: Visit) -> list[object]:
    return [json.loads(str(row["form_data"])) for row in visit.rows("form_submit")]


def assert_counts_both(visit: Visit, troubles: Troubles) -> None:
    """The page view and the whole lead, each once, and no complaint."""
    visit.open("/")
    if "form-action" not in str(visit.site.headers):
        visit.submit()
    else:
        visit.page.get_by_role("button", name="Send").click()
    assert [row["event_type"] for row in visit.stored(2)] == ["pageview", "form_submit"]
    assert leads(visit) == [ADA]
    assert troubles.taken() == []


@pytest.mark.parametrize("tag", TAGS.values(), ids=TAGS)
def test_it_counts_however_its_tag_came_there(visit: Visit, tag: str) -> None:
    visit.site.pages["/"] = document(tag, FORM)
    assert_counts_both(visit, Troubles(visit.page))


@pytest.mark.parametrize("second", ["async", "by a tag manager", "by a tag manager, late"])
def test_two_tags_on_a_page_count_once(visit: Visit, second: str) -> None:
    visit.site.pages["/"] = document(PIXEL_TAG + TAGS[second], FORM)
    visit.page.goto(visit.site.url)
    visit.page.wait_for_load_state("networkidle")
    assert_counts_both_once(visit)


def assert_counts_both_once(visit: Visit) -> None:
    visit.stored(1)
    visit.submit()
    assert [row["event_type"] for row in visit.stored(2)] == ["pageview", "form_submit"]


@pytest.mark.parametrize("policy", POLICIES.values(), ids=POLICIES)
def test_it_keeps_to_a_strict_policy(visit: Visit, policy: str) -> None:
    visit.site.headers["Content-Security-Policy"] = policy.format(road=visit.road.url)
    visit.site.pages["/"] = document(PIXEL_TAG.replace("<script", '<script nonce="n0nce"'), FORM)
    assert_counts_both(visit, Troubles(visit.page))


def test_a_policy_that_forbids_the_second_part_keeps_the_address(visit: Visit) -> None:
    visit.site.headers["Content-Security-Policy"] = (
        f"script-src {visit.road.url}/p.js; connect-src {visit.road.url}"
    )
    visit.open("/form")
    visit.submit()
    visit.stored(2)
    assert leads(visit) == [{"email": "ada@example.org"}]


OLD_ADDRESS = "/api/track/track"


def events_to_old_address(visit: Visit) -> int:
    return sum(
        (request.method, request.path) == ("POST", OLD_ADDRESS) for request in visit.road.requests
    )


@pytest.mark.parametrize("body", [FORM, "Welcome"], ids=["with fields", "without fields"])
def test_a_policy_that_allows_only_the_old_address_is_enough(visit: Visit, body: str) -> None:
    visit.site.headers["Content-Security-Policy"] = (
        f"script-src {visit.road.url}; connect-src {visit.road.url}{OLD_ADDRESS}"
    )
    visit.site.pages["/"] = with_pixel(body)
    visit.page.goto(visit.site.url)
    visit.stored(1)
    visit.command("identify", ADA)
    visit.stored(2)
    assert leads(visit) == [ADA]
    assert visit.road.events == []
    assert events_to_old_address(visit) == 2
    visit.assert_nothing_waits()
    troubles = Troubles(visit.page)
    visit.page.goto(visit.site.url)
    visit.stored(3)
    assert troubles.taken() == []  # the tab remembers it


def test_a_policy_that_allows_both_addresses_leaves_the_new_one(visit: Visit) -> None:
    visit.site.headers["Content-Security-Policy"] = (
        f"script-src {visit.road.url}; connect-src {visit.road.url}/e {visit.road.url}{OLD_ADDRESS}"
    )
    visit.open("/form")
    visit.submit()
    visit.stored(2)
    assert events_to_old_address(visit) == 0


def test_a_policy_that_only_reports_leaves_the_new_address(visit: Visit) -> None:
    visit.site.headers["Content-Security-Policy-Report-Only"] = "connect-src 'none'"
    visit.open("/form")
    visit.submit()
    visit.stored(2)
    assert events_to_old_address(visit) == 0


def test_what_a_policy_blocks_at_both_addresses_is_not_tried_for_ever(visit: Visit) -> None:
    visit.page.clock.install()
    visit.site.headers["Content-Security-Policy"] = (
        f"script-src {visit.road.url}; connect-src 'none'"
    )
    troubles = Troubles(visit.page)
    visit.page.goto(f"{visit.site.url}/form")
    visit.page.wait_for_timeout(500)
    visit.pass_time(RETRY_MS)
    visit.page.wait_for_timeout(500)
    assert troubles.taken()
    for _ in range(5):
        visit.pass_time(RETRY_MS)
        visit.page.wait_for_timeout(100)
    assert troubles.taken() == []
    visit.submit()
    assert visit.rows() == []


def test_a_page_in_a_frame_counts_for_itself(visit: Visit) -> None:
    visit.site.pages["/"] = document("", '<iframe src="/form" width="500" height="300"></iframe>')
    visit.page.goto(visit.site.url)
    visit.stored(1)
    visit.page.frame_locator("iframe").get_by_role("button", name="Send").click()
    rows = visit.stored(2)
    assert [row["page_url"] for row in rows] == [f"{visit.site.url}/form"] * 2
    assert leads(visit) == [ADA]


def test_a_page_and_its_frame_with_pixels_of_their_own_count_a_lead_once(visit: Visit) -> None:
    visit.site.pages["/"] = with_pixel('<iframe src="/form" width="500" height="300"></iframe>')
    visit.page.goto(visit.site.url)
    visit.stored(2)
    visit.page.frame_locator("iframe").get_by_role("button", name="Send").click()
    visit.stored(3)
    assert leads(visit) == [ADA]


def test_a_frame_that_a_script_fills_counts_for_the_page_around_it(visit: Visit) -> None:
    content = html.escape(with_pixel(FORM))
    visit.site.pages["/"] = document(
        "", f'<iframe srcdoc="{content}" width="500" height="300"></iframe>'
    )
    visit.page.goto(f"{visit.site.url}/")
    visit.stored(1)
    visit.page.frame_locator("iframe").get_by_role("button", name="Send").click()
    rows = visit.stored(2)
    assert [row["page_url"] for row in rows] == [f"{visit.site.url}/"] * 2
    assert leads(visit) == [ADA]


@pytest.mark.parametrize(
    "attribute", ["", 'data-pixel-id=""', 'data-pixel-id="short"', 'data-pixel-id="<your id> "']
)
def test_a_wrong_id_is_said_once_and_nothing_else_is_done(visit: Visit, attribute: str) -> None:
    troubles = Troubles(visit.page)
    tag = f'<script src="{{{{road}}}}/p.js" {attribute} async></script>'
    visit.site.pages["/"] = document(tag, FORM)
    visit.page.goto(visit.site.url)
    visit.page.wait_for_load_state("networkidle")
    time.sleep(SETTLE_SECONDS)
    assert troubles.taken() == ["warning: wrong data-pixel-id"]
    visit.submit()
    assert visit.road.events == []
    assert visit.page.evaluate("[typeof ppp, localStorage.length]") == ["undefined", 0]


def test_it_changes_nothing_that_can_be_seen(visit: Visit) -> None:
    looks = "document.documentElement.outerHTML.replace(/<script.*?script>/gs, '')"
    visit.site.pages["/alone"] = document("", FORM)
    visit.page.goto(f"{visit.site.url}/alone")
    alone = visit.page.evaluate(looks)
    visit.open("/form")
    visit.stored(1)
    assert visit.page.evaluate(looks) == alone


def test_its_globals_are_two(visit: Visit) -> None:
    visit.page.goto(f"{visit.site.url}/without-pixel")
    before = set(visit.page.evaluate("Object.getOwnPropertyNames(window)"))
    visit.open("/form")
    visit.stored(1)
    after = set(visit.page.evaluate("Object.getOwnPropertyNames(window)"))
    assert after - before == {"ppp", "PPPTracker"}


def test_the_old_names_still_answer(visit: Visit) -> None:
    visit.open("/")
    visit.page.evaluate("PPPTracker.track()")
    visit.stored(2)
    assert visit.page.evaluate("[PPPTracker.version, ppp.version]") == [VERSION] * 2


def test_what_scripts_asked_the_old_pixel_for_is_harmless(visit: Visit) -> None:
    visit.open("/")
    asked = "PPPTracker.log('x', 1) ?? [PPPTracker.attribution.utm_source, PPPTracker.config.id]"
    assert visit.page.evaluate(asked) == [None, None]
    visit.stored(1)
