"""What became of events on a bad road: each arrives, once, however long it takes."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, Route

from pyodide_bundle import Bundle
from tests.browser.client_site import (
    RETRY_MS,
    SETTLE_SECONDS,
    Visit,
    until,
    visiting,
)
from tests.harness.keys import READ_KEY, keys
from tests.harness.worker import Row, Worker, running_worker, some_visitor

ADA = {"first_name": "Ada", "last_name": "Lovelace", "email": "ada@example.org"}
QUICKLY_SECONDS = 3.0  # seconds: sooner than the pixel's next retry
MAX_WAITING = 31
DAY_MS = 86_400_000
GIVE_UP_MS = 30_000  # after which the pixel no longer waits for an answer
TURN_MS = 2_000
TURNS = 60
TURNS_REFUSED = 20
PUT = "([key, value]) => localStorage.setItem(`ppp_e_${key}`, value)"
NOTE_ANSWERS = """
const { fetch } = window;
window.answers = [];
window.fetch = async (...request) => {
  const response = await fetch(...request);
  window.answers.push(await response.clone().json());
  return response;
};
"""


@pytest.fixture
def visit(visit: Visit) -> Visit:
    """Somebody new, whose clock goes on by itself, and faster where a test says so."""
    visit.page.clock.install()
    return visit


def sequences(rows: list[Row]) -> list[int]:
    return sorted(row["visitor_sequence"] for row in rows)


def types(rows: list[Row]) -> list[str]:
    return sorted(row["event_type"] for row in rows)


def tries(visit: Visit, key: str) -> int:
    """How often an event came along the road."""
    return sum(key in request.body for request in list(visit.road.events))


def wait_event(visit: Visit, days_ago: float = 0, **fields: object) -> str:
    """Lets a custom event wait in the browser; returns its key."""
    key = some_visitor()
    now = time.time() * 1_000
    event = {
        "pixel_id": visit.site.pixel,
        "event_key": key,
        "event_type": "event",
        "event_name": "waited",
        "page_url": f"{visit.site.url}/",
        "visitor_cookie": some_visitor(),
        "at": int(now - days_ago * DAY_MS),
        **fields,
    }
    visit.page.evaluate(PUT, [key, json.dumps(event)])
    return key


def test_a_lead_survives_the_navigation_that_its_submit_causes(visit: Visit) -> None:
    visit.open("/form")
    visit.road.slow_down(1_500)  # the page is gone long before the answer
    visit.submit()
    assert types(visit.rows()) == ["pageview"]
    [_, lead] = visit.stored(2)
    assert json.loads(str(lead["form_data"])) == ADA
    assert lead["visitor_sequence"] == 2


def test_what_the_worker_could_not_take_is_repeated_until_it_can(visit: Visit) -> None:
    visit.road.refuse(500)
    visit.open("/form")
    visit.command("identify", ADA)
    assert until(lambda: visit.road.count(500) == 2)
    visit.pass_time(RETRY_MS)
    assert until(lambda: visit.road.count(500) == 4), "nothing was repeated"
    visit.pass_time(RETRY_MS)
    assert until(lambda: visit.road.count(500) == 6), "nothing was repeated again"
    assert until(lambda: len(visit.waiting()) == 2)
    visit.road.clear()
    visit.pass_time(RETRY_MS)
    rows = visit.stored(2)
    assert types(rows) == ["form_submit", "pageview"]
    assert sequences(rows) == [1, 2]
    visit.assert_nothing_waits()
    visit.pass_time(RETRY_MS)
    time.sleep(SETTLE_SECONDS)
    assert len(visit.sent()) == 8


@pytest.mark.parametrize("status", [500, 503, 429, 404])
def test_what_was_refused_goes_out_on_the_next_page(visit: Visit, status: int) -> None:
    visit.road.refuse(status)
    visit.open("/form")
    visit.submit()
    assert until(lambda: visit.road.count(status) == 2)
    assert visit.rows() == []
    waiting_keys = visit.waiting()
    assert waiting_keys == sorted(body["event_key"] for body in visit.sent())
    visit.road.clear()
    visit.open("/")
    rows = visit.stored(3, QUICKLY_SECONDS)
    assert types(rows) == ["form_submit", "pageview", "pageview"]
    assert sequences(rows) == [1, 2, 3]
    assert [tries(visit, key) for key in waiting_keys] == [2, 2]
    visit.assert_nothing_waits()


def test_what_was_sent_offline_goes_out_once_the_browser_is_online(visit: Visit) -> None:
    visit.open("/form")
    visit.page.context.set_offline(offline=True)
    visit.command("event", "read", {"pages": 2})
    visit.command("identify", ADA)
    assert until(lambda: len(visit.waiting()) == 2)
    waiting_keys = visit.waiting()
    assert len(visit.sent()) == 1
    visit.page.context.set_offline(offline=False)
    rows = visit.stored(3, QUICKLY_SECONDS)
    assert types(rows) == ["custom", "form_submit", "pageview"]
    assert sequences(rows) == [1, 2, 3]
    assert sorted(body["event_key"] for body in visit.sent()[1:]) == waiting_keys
    visit.assert_nothing_waits()


def test_what_was_dropped_on_the_way_goes_out_on_the_next_page(visit: Visit) -> None:
    visit.open("/form")
    visit.road.cut()
    visit.submit()
    visit.leave()
    assert len(visit.waiting()) == 1
    visit.road.clear()
    visit.open("/")
    rows = visit.stored(3, QUICKLY_SECONDS)
    assert types(rows) == ["form_submit", "pageview", "pageview"]
    assert sequences(rows) == [1, 2, 3]
    assert len({body["event_key"] for body in visit.sent("form_submit")}) == 1
    visit.assert_nothing_waits()


def test_what_the_worker_refuses_for_good_is_not_repeated(visit: Visit) -> None:
    visit.site.pixel = "nobody-knows-this-pixel"
    visit.open("/form")
    visit.command("identify", ADA)
    assert until(lambda: visit.road.count(400) == 2)
    visit.assert_nothing_waits()
    visit.pass_time(RETRY_MS)
    visit.open("/")
    assert [request.status for request in visit.road.events] == [400, 400, 400]


def test_an_event_that_is_none_is_not_repeated(visit: Visit) -> None:
    visit.open("/")
    visit.command("event", "x" * 65)
    assert until(lambda: visit.road.count(400) == 1)
    visit.assert_nothing_waits()
    visit.pass_time(RETRY_MS)
    time.sleep(SETTLE_SECONDS)
    assert len(visit.road.events) == 2


def test_a_server_that_asks_for_time_is_given_it_by_the_next_page_too(visit: Visit) -> None:
    visit.open("/form")
    visit.road.refuse(429, retry_after=60)
    visit.command("identify", ADA)
    assert until(lambda: visit.road.count(429) == 1)
    visit.road.clear()
    [waiting_keys] = visit.waiting()
    visit.open("/")
    visit.pass_time(50_000)
    visit.stored(2)
    assert tries(visit, waiting_keys) == 1
    visit.pass_time(15_000)
    rows = visit.stored(3)
    assert types(rows) == ["form_submit", "pageview", "pageview"]
    assert tries(visit, waiting_keys) == 2
    visit.assert_nothing_waits()


def test_what_waits_while_offline_is_bounded(visit: Visit) -> None:
    visit.open("/")
    visit.page.context.set_offline(offline=True)
    for number in range(45):
        visit.command("event", f"event {number}")
    assert until(lambda: len(visit.waiting()) == 45)
    visit.pass_time(RETRY_MS)
    assert until(lambda: len(visit.waiting()) == MAX_WAITING)
    visit.page.context.set_offline(offline=False)
    visit.stored(1 + MAX_WAITING)
    visit.assert_nothing_waits()


def test_no_more_than_that_goes_out_on_the_next_page(visit: Visit) -> None:
    visit.leave()
    for sequence in range(1, 41):
        wait_event(visit, sequence=sequence)
    number = f"ppp_{visit.site.pixel}_{visit.road.url}_n"
    visit.page.evaluate("(name) => { localStorage[name] = 40; }", number)
    visit.open("/")
    visit.stored(1 + MAX_WAITING)
    visit.assert_nothing_waits()


def test_what_is_older_than_three_and_a_half_days_is_forgotten(visit: Visit) -> None:
    visit.leave()
    wait_event(visit, days_ago=3.5)
    young = wait_event(visit, days_ago=3.4)
    visit.open("/")
    visit.stored(2)
    assert [body["event_key"] for body in visit.sent("event")] == [young]
    visit.assert_nothing_waits()


@pytest.mark.parametrize(
    "owner", [{"pixel_id": "another-pixel"}, {"origin": "https://pixel.elsewhere.example"}]
)
def test_what_another_pixel_or_server_has_to_say_waits_for_it(
    visit: Visit, owner: dict[str, str]
) -> None:
    visit.leave()
    others = wait_event(visit, days_ago=4, sequence=1, **owner)
    number = f"ppp_{visit.site.pixel}_{visit.road.url}_n"
    visit.page.evaluate("(name) => { localStorage[name] = 40; }", number)
    visit.open("/")
    visit.stored(1)
    assert until(lambda: visit.waiting() == [others]), visit.waiting()
    assert tries(visit, others) == 0


@pytest.mark.parametrize("content", ["", "{", "null", "7", "{}", '{"at": "x"}'])
def test_an_entry_that_cannot_be_read_stands_in_nobodys_way(visit: Visit, content: str) -> None:
    visit.leave()
    for key in ("!first", "0", "zzzz", "~last"):  # whatever order the browser has
        visit.page.evaluate(PUT, [key, content])
    errors = visit.errors()
    wait_event(visit)
    visit.page.goto(f"{visit.site.url}/")
    assert until(lambda: visit.rows("custom"), QUICKLY_SECONDS), "it still waits"
    visit.assert_nothing_waits()
    assert errors == []


def test_a_repeat_is_answered_with_the_same_event(visit: Visit) -> None:
    visit.page.add_init_script(NOTE_ANSWERS)
    visit.open("/")
    visit.road.slow_down(1_500)  # slower than the repeat
    visit.command("identify", ADA)
    visit.pass_time(GIVE_UP_MS + RETRY_MS)
    assert until(lambda: len(visit.sent("form_submit")) == 2)
    [_, lead] = visit.stored(2)
    assert until(lambda: len(visit.page.evaluate("answers")) == 3)
    [_, *answers] = visit.page.evaluate("answers")
    assert {answer["event_id"] for answer in answers} == {lead["id"]}
    assert len({body["event_key"] for body in visit.sent("form_submit")}) == 1


def test_what_is_on_its_way_is_sent_again_only_once_it_is_given_up(visit: Visit) -> None:
    visit.open("/")
    held = visit.hold()
    visit.command("identify", ADA)
    for _ in range(GIVE_UP_MS // RETRY_MS - 1):
        visit.pass_time(RETRY_MS)
        visit.page.wait_for_timeout(100)
    assert len(held) == 1
    visit.pass_time(2 * RETRY_MS)
    visit.page.wait_for_timeout(500)
    assert len(held) == 2
    for route in held:
        route.continue_()
    assert types(visit.stored(2)) == ["form_submit", "pageview"]
    visit.assert_nothing_waits()


def test_a_lead_is_sent_although_page_after_page_is_refused(visit: Visit) -> None:
    visit.road.refuse(503, retry_after=30)
    visit.open("/form")
    visit.command("identify", ADA)
    assert until(lambda: len(visit.waiting()) == 2)
    [lead] = {body["event_key"] for body in visit.sent("form_submit")}
    for turn in range(TURNS):
        if turn == TURNS_REFUSED:
            visit.road.clear()
        visit.open("/")
        visit.pass_time(TURN_MS)
    visit.assert_nothing_waits()
    assert len(visit.rows("form_submit")) == 1
    assert 2 <= tries(visit, lead) < TURNS_REFUSED / 2, "each refusal began the pause anew"


def test_a_lead_is_never_too_far_behind(visit: Visit) -> None:
    visit.leave()
    wait_event(visit, sequence=1, event_type="form_submit", outcome="submitted", form_data=ADA)
    wait_event(visit, sequence=2, event_type="pageview", page=f"{visit.site.url}/")
    number = f"ppp_{visit.site.pixel}_{visit.road.url}_n"
    visit.page.evaluate("(name) => { localStorage[name] = 400; }", number)
    visit.open("/")
    assert types(visit.stored(2)) == ["form_submit", "pageview"]
    assert [body["sequence"] for body in visit.sent("pageview")] == [401]
    visit.assert_nothing_waits()


def test_a_clock_that_is_put_back_ends_the_pause(visit: Visit) -> None:
    visit.leave()
    wait_event(visit)
    pause = f"ppp_{visit.site.pixel}_{visit.road.url}"
    visit.page.evaluate("(name) => { localStorage[name] = Date.now() + 3e10; }", pause)
    visit.open("/")
    assert until(lambda: visit.rows("custom"), QUICKLY_SECONDS), "it still waits"


def test_a_page_without_storage_repeats_what_was_refused(visit: Visit) -> None:
    visit.page.add_init_script("Object.defineProperty(window, 'localStorage', { value: null })")
    visit.road.refuse(500)
    visit.open("/")
    visit.command("identify", ADA)
    assert until(lambda: visit.road.count(500) == 2)
    visit.road.clear()
    visit.pass_time(RETRY_MS)
    assert types(visit.stored(2)) == ["form_submit", "pageview"]


def test_a_correction_that_waits_outlives_the_late_answer_to_what_it_corrects(
    visit: Visit,
) -> None:
    visit.open("/")
    late: list[Route] = []

    def stop(route: Route) -> None:
        late.append(route)
        if len(late) > 1:
            route.abort()

    visit.page.route(f"{visit.road.url}/e", stop)
    visit.command("identify", {"email": ADA["email"]})
    visit.command("identify", ADA)
    visit.page.wait_for_timeout(500)
    assert len(late) == 2
    late[0].continue_()
    visit.page.wait_for_timeout(500)
    [lead] = visit.rows("form_submit")
    assert json.loads(str(lead["form_data"])) == {"email": ADA["email"]}
    assert len(visit.waiting()) == 1
    visit.page.unroute_all()
    visit.pass_time(RETRY_MS)
    assert until(lambda: json.loads(str(visit.rows("form_submit")[0]["form_data"])) == ADA)
    visit.assert_nothing_waits()


def test_two_tabs_deliver_what_waits_once(visit: Visit) -> None:
    visit.open("/form")
    visit.road.cut()
    visit.submit()
    visit.leave()
    [waiting_keys] = visit.waiting()
    visit.road.clear()
    visit.road.slow_down(500)  # neither tab knows that the other one has delivered it
    tabs = [visit.page.context.new_page() for _ in range(2)]
    for tab in tabs:
        tab.goto(f"{visit.site.url}/")
    rows = visit.stored(4)
    assert types(rows) == ["form_submit", "pageview", "pageview", "pageview"]
    delivered = [request.status for request in visit.road.events if waiting_keys in request.body]
    assert delivered[-2:] == [200, 200]
    visit.assert_nothing_waits()


def test_two_tabs_send_what_has_no_answer_once_each(visit: Visit) -> None:
    visit.leave()
    lead = wait_event(visit, event_type="form_submit", outcome="submitted", form_data=ADA)
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    visit.page.context.route(f"{visit.road.url}/e", hold)
    tabs = [visit.page.context.new_page() for _ in range(2)]
    for tab in tabs:
        tab.goto(f"{visit.site.url}/")
    for _ in range(GIVE_UP_MS // RETRY_MS - 1):
        visit.pass_time(RETRY_MS)  # in both: they share the clock
        visit.page.wait_for_timeout(100)
    sent = [route for route in held if lead in (route.request.post_data or "")]
    assert len(sent) == len(tabs)
    for route in held:
        route.continue_()
    assert types(visit.stored(3)) == ["form_submit", "pageview", "pageview"]
    visit.assert_nothing_waits()


@pytest.fixture(scope="module")
def keyed(local_config: Bundle) -> Iterator[Worker]:
    """A Worker with API keys."""
    with running_worker(env_vars={"API_KEYS": keys()}) as running:
        yield running


def test_what_never_arrives_is_measured(page: Page, keyed: Worker) -> None:
    with visiting(page, keyed) as visit:
        visit.open("/")
        visit.road.refuse(400)
        for number in range(3):
            visit.command("event", f"lost {number}")
        assert until(lambda: visit.road.count(400) == 3)
        visit.road.clear()
        visit.command("event", "late")
        rows = visit.stored(2)
        assert sequences(rows) == [1, 5]
        path = f"/api/reports/stats/{visit.site.pixel}"
        answer = keyed.fetch(path, headers={"x-api-key": READ_KEY})
        assert answer.json()["data"]["delivery"] == {
            "numbered_events": 2,
            "missing_events": 3,
            "measured_loss": 0.6,
        }
