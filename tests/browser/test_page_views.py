"""What counts as a page view, when, and with which title and referrer."""

from __future__ import annotations

from typing import Any

import pytest

from config import VERSION
from tests.browser.client_site import FORM, PIXEL_TAG, Visit, document, script, with_pixel
from tests.harness.worker import Row

SECOND_PART = f"/static/pixel-{VERSION}-more.js"
LEAVE_AT_ONCE = """addEventListener("load", () => { location.href = "/without-pixel"; });"""
STAYING_FORM = FORM.replace("<form", "<form onsubmit='event.preventDefault()'")
SENDS = FORM.replace("<form", "<form onsubmit='event.preventDefault(); take(this)'") + script(
    """const take = (form) => fetch("/thank-you", { method: "POST", body: new FormData(form) })
        .then(() => { form.outerHTML = "<p>Thank you"; });"""
)


def paths(visit: Visit, rows: list[Row]) -> list[str]:
    return [str(row["page_url"]).removeprefix(visit.site.url) for row in rows]


def steps(visit: Visit, code: str) -> None:
    """Runs code on the page, which may wait for a router's pause with `settle()`."""
    settle = "const settle = () => new Promise((done) => setTimeout(done, 250));"
    visit.page.evaluate(f"async () => {{ {settle} {code} }}")


def thrown(visit: Visit) -> list[str]:
    """What will be thrown on the page from now on, whether somebody catches it or not."""
    found: list[str] = []
    devtools = visit.page.context.new_cdp_session(visit.page)

    def note(stop: dict[str, Any]) -> None:
        found.append(stop.get("data", {}).get("description", ""))
        devtools.send("Debugger.resume")

    devtools.on("Debugger.paused", note)
    devtools.send("Debugger.enable")
    devtools.send("Debugger.setPauseOnExceptions", {"state": "all"})
    return found


def requests(visit: Visit) -> list[str]:
    return [f"{request.method} {request.path}" for request in visit.road.requests]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        pytest.param("history.pushState({}, '', '/a')", ["/", "/a"], id="pushState"),
        pytest.param("history.replaceState({}, '', '/a')", ["/", "/a"], id="replaceState"),
        pytest.param("history.pushState({}, '', '/?a=1')", ["/", "/?a=1"], id="query"),
        pytest.param("history.replaceState({ n: 1 }, '')", ["/"], id="replaceState, same address"),
        pytest.param("history.pushState({}, '', '/')", ["/"], id="pushState, same address"),
        pytest.param(
            "history.pushState({}, '', '/a'); await settle(); history.back()",
            ["/", "/a", "/"],
            id="back",
        ),
        pytest.param(
            """history.pushState({}, '', '/a'); await settle(); history.back(); await settle();
               history.forward()""",
            ["/", "/a", "/", "/a"],
            id="back and forward",
        ),
        pytest.param(
            "for (const path of ['/a', '/b', '/c']) history.pushState({}, '', path)",
            ["/", "/c"],
            id="redirects at once",
        ),
        pytest.param(
            """history.pushState({}, '', '/a'); await new Promise((done) => setTimeout(done, 40));
               history.replaceState({}, '', '/b')""",
            ["/", "/b"],
            id="a redirect a moment later",
        ),
        pytest.param("history.pushState({}, '', '/a'); history.back()", ["/"], id="there and back"),
        pytest.param("location.hash = 'team'", ["/"], id="hash"),
        pytest.param("history.pushState({}, '', '#team')", ["/"], id="pushState of a hash"),
        pytest.param("history.pushState({}, '', '/a#team')", ["/", "/a#team"], id="path and hash"),
    ],
)
def test_a_new_address_is_a_page_view(visit: Visit, code: str, expected: list[str]) -> None:
    visit.open()
    steps(visit, code)
    rows = visit.stored(len(expected))
    assert paths(visit, rows) == expected
    assert [row["visitor_sequence"] for row in rows] == list(range(1, len(rows) + 1))


@pytest.mark.parametrize(
    ("spa", "expected"),
    [("hash", ["/", "/#/a", "/#/b", "/c#/b"]), ("off", ["/"])],
)
def test_data_spa_says_what_is_a_new_address(visit: Visit, spa: str, expected: list[str]) -> None:
    visit.site.attributes = f'data-spa="{spa}"'
    visit.open()
    steps(
        visit,
        """location.hash = '#/a'; await settle(); history.pushState({}, '', '#/b');
           await settle(); history.replaceState({}, '', '/c#/b')""",
    )
    assert paths(visit, visit.stored(len(expected))) == expected


def test_a_campaign_that_the_page_cleans_away_is_stored(visit: Visit) -> None:
    cleans = script("history.replaceState(null, '', location.pathname)")
    visit.site.pages["/"] = document(PIXEL_TAG.replace("async", "") + cleans, "Welcome")
    campaign = "/?utm_source=google&utm_campaign=spring&gclid=Cj0-test"
    visit.open(campaign)
    [row] = visit.stored(1)
    assert paths(visit, [row]) == [campaign]
    assert (row["utm_campaign"], row["gclid"]) == ("spring", "Cj0-test")


def test_a_query_that_is_replaced_again_and_again_counts_once_it_stays(visit: Visit) -> None:
    visit.page.clock.install()
    visit.open()
    for price in range(20):
        steps(visit, f"history.replaceState(null, '', '/?price={price}')")
        visit.pass_time(150)
    visit.pass_time(1_000)
    assert paths(visit, visit.stored(2)) == ["/", "/?price=19"]


def test_off_still_counts_every_page_that_is_loaded(visit: Visit) -> None:
    visit.site.attributes = 'data-spa="off"'
    visit.site.pages["/a"] = with_pixel()
    visit.open()
    visit.open("/a")
    assert paths(visit, visit.stored(2)) == ["/", "/a"]


def test_a_route_has_the_title_that_the_app_sets_after_it(visit: Visit) -> None:
    visit.open()
    steps(
        visit,
        """history.pushState({}, '', '/a');
           setTimeout(() => { document.title = 'About us'; }, 50)""",
    )
    assert [row["page_title"] for row in visit.stored(2)] == ["A site", "About us"]


def test_the_referrer_of_a_route_is_the_address_before_it(visit: Visit) -> None:
    visit.page.goto(f"{visit.site.url}/without-pixel")
    visit.page.evaluate("location.href = '/?from=there'")
    visit.page.wait_for_url("**/?from=there")
    visit.stored(1)
    steps(
        visit,
        "history.pushState({}, '', '/a'); await settle(); history.pushState({}, '', '/b')",
    )
    rows = visit.stored(3)
    referrers = [str(row["referrer_url"]).removeprefix(visit.site.url) for row in rows]
    assert referrers == ["/without-pixel", "/?from=there", "/a"]


def test_routes_and_leads_of_an_app_with_endless_addresses_are_stored(visit: Visit) -> None:
    """An event names up to three addresses, and the Worker takes 16 KiB."""
    visit.open()
    steps(
        visit,
        """for (const state of ['a', 'b']) {
             history.pushState({}, '', `/?state=${state.repeat(20000)}`);
             await settle();
           }
           ppp('identify', { email: 'ada@example.org' })""",
    )
    rows = visit.stored(4)
    assert [row["event_type"] for row in rows] == [*["pageview"] * 3, "form_submit"]
    assert visit.waiting() == []


def test_a_reload_is_not_counted_again(visit: Visit) -> None:
    visit.open()
    for _ in range(2):
        with visit.page.expect_response("**/e"):
            visit.page.reload()
    visit.stored(1)
    assert len({view["event_key"] for view in visit.sent("pageview")}) == 1


def test_a_reload_sends_a_page_view_that_has_no_answer_once(visit: Visit) -> None:
    held = visit.hold()
    visit.page.goto(f"{visit.site.url}/")
    visit.page.wait_for_timeout(500)
    visit.page.reload()
    visit.page.wait_for_timeout(500)
    assert len(held) == 2  # each page once
    held[1].continue_()
    visit.stored(1)
    visit.assert_nothing_waits()


def test_a_reload_of_a_route_is_not_counted_again(visit: Visit) -> None:
    visit.site.pages["/a"] = with_pixel()
    visit.open()
    steps(visit, "history.pushState({}, '', '/a'); await settle()")
    visit.stored(2)
    visit.page.reload()
    assert paths(visit, visit.stored(2)) == ["/", "/a"]


def test_a_page_view_throws_nothing_that_it_would_have_to_catch(visit: Visit) -> None:
    """An exception costs a slow computer milliseconds; images are loaded by the dozen."""
    image = "<img src='data:image/gif;base64,R0lGODlhAQABAAAAACw='>"
    visit.site.pages["/"] = with_pixel(image + FORM)
    found = thrown(visit)
    visit.open()
    visit.stored(1)
    assert found == []


def test_a_route_after_a_reload_is_counted(visit: Visit) -> None:
    visit.open()
    visit.page.reload()
    steps(visit, "await settle(); history.pushState({}, '', '/a')")
    rows = visit.stored(2)
    assert paths(visit, rows) == ["/", "/a"]
    assert rows[1]["referrer_url"] == f"{visit.site.url}/"


def test_a_reload_of_a_page_that_was_never_counted_is(visit: Visit) -> None:
    visit.site.pages["/"] = document()
    visit.page.goto(visit.site.url)
    visit.site.pages["/"] = with_pixel()
    visit.page.reload()
    visit.stored(1)


def test_the_same_page_opened_again_is_counted_again(visit: Visit) -> None:
    visit.open()
    visit.open()
    visit.stored(2)


@pytest.mark.parametrize("body", ["", FORM], ids=["without a form", "with a form"])
def test_a_page_that_is_left_at_once_is_counted(visit: Visit, body: str) -> None:
    visit.site.pages["/"] = with_pixel(body, script(LEAVE_AT_ONCE))
    visit.page.goto(visit.site.url)
    visit.page.wait_for_url("**/without-pixel")
    assert paths(visit, visit.stored(1)) == ["/"]


def test_a_visit_of_all_kinds_of_events_is_numbered_without_gaps(visit: Visit) -> None:
    visit.site.pages["/form"] = with_pixel(STAYING_FORM)
    visit.open()
    visit.command("event", "seen", {})
    visit.open("/form")
    steps(visit, "history.pushState({}, '', '/form/2'); await settle()")
    visit.page.get_by_role("button", name="Send").click()
    visit.open()
    rows = visit.stored(6)
    by_number = sorted(rows, key=lambda row: int(row["visitor_sequence"]))
    assert [row["visitor_sequence"] for row in by_number] == [1, 2, 3, 4, 5, 6]
    kinds = ["pageview", "custom", "pageview", "pageview", "form_submit", "pageview"]
    assert [row["event_type"] for row in by_number] == kinds


def test_a_page_view_is_two_requests_and_a_route_one(visit: Visit) -> None:
    visit.open()
    visit.stored(1)
    assert requests(visit) == ["GET /p.js", "POST /e"]
    steps(visit, "history.pushState({}, '', '/a')")
    visit.stored(2)
    assert requests(visit) == ["GET /p.js", "POST /e", "POST /e"]


def test_a_page_view_with_fields_is_three_requests_and_a_lead_one_more(visit: Visit) -> None:
    visit.open("/form")
    visit.stored(1)
    page_view = ["GET /p.js", f"GET {SECOND_PART}", "POST /e"]
    assert requests(visit) == page_view
    visit.submit()
    visit.stored(2)
    assert requests(visit) == [*page_view, "POST /e"]


def test_a_lead_whose_outcome_is_seen_is_two_requests(visit: Visit) -> None:
    visit.site.pages["/form"] = with_pixel(SENDS)
    visit.open("/form")
    before = len(requests(visit))
    visit.page.get_by_role("button", name="Send").click()
    visit.page.get_by_text("Thank you").wait_for()
    visit.page.wait_for_timeout(5_500)  # as long as the pixel looks
    assert [row["form_outcome"] for row in visit.rows("form_submit")] == ["accepted"]
    assert requests(visit)[before:] == ["POST /e", "POST /e"]


def test_the_second_page_of_a_visit_is_one_request(visit: Visit) -> None:
    visit.site.pages["/a"] = with_pixel()
    visit.open()
    visit.open("/a")
    visit.stored(2)
    assert requests(visit) == ["GET /p.js", "POST /e", "POST /e"]
