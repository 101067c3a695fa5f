"""Visitors, sessions and attribution, as they end up in D1."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.harness.worker import PIXEL, PROJECT, Row, Worker, some_address, some_event, some_visitor

AD_CLICK = "https://shop.example/sale?utm_source=google&utm_medium=cpc&utm_campaign=spring&gclid=G1"
OTHER_AD = "https://shop.example/?utm_source=facebook&utm_medium=paid_social&fbclid=F1"


def sessions_of(worker: Worker, cookie: str) -> list[Row]:
    return worker.query(
        "SELECT s.* FROM sessions s JOIN visitors v ON v.id = s.visitor_id "
        "WHERE v.visitor_cookie = ? ORDER BY s.started_at",
        cookie,
    )


def visitor(worker: Worker, cookie: str) -> Row:
    return worker.query("SELECT * FROM visitors WHERE visitor_cookie = ?", cookie)[0]


def an_hour_passes(worker: Worker, cookie: str) -> None:
    """Moves all that the visitor did an hour into the past."""
    worker.query(
        "UPDATE sessions SET started_at = datetime(started_at, '-1 hour'), "
        "last_activity = datetime(last_activity, '-1 hour') "
        "WHERE visitor_id = (SELECT id FROM visitors WHERE visitor_cookie = ?)",
        cookie,
    )


def visit(worker: Worker, cookie: str, url: str, **fields: object) -> Row:
    """One page view; returns its row, and the answer under `answer`."""
    answer = worker.send(some_event(visitor_cookie=cookie, page_url=url, **fields))
    assert answer.status_code == 200, answer.text
    return worker.event(answer.json()["event_id"]) | {"answer": answer.json()}


def test_pages_within_half_an_hour_are_one_session(worker: Worker) -> None:
    cookie = some_visitor()
    first = visit(worker, cookie, "https://shop.example/")
    second = visit(worker, cookie, "https://shop.example/two")

    assert first["session_id"] == second["session_id"]
    assert [session["page_views"] for session in sessions_of(worker, cookie)] == [2]
    assert visitor(worker, cookie)["visit_count"] == 1


def test_a_pause_of_more_than_half_an_hour_opens_a_new_session(worker: Worker) -> None:
    cookie = some_visitor()
    visit(worker, cookie, "https://shop.example/")
    an_hour_passes(worker, cookie)
    visit(worker, cookie, "https://shop.example/")

    assert [session["page_views"] for session in sessions_of(worker, cookie)] == [1, 1]
    assert visitor(worker, cookie)["visit_count"] == 2


def test_pixels_of_one_project_share_a_session_and_its_touch(worker: Worker) -> None:
    cookie, first, second = some_visitor(), "ppp-website-1", "ppp-website-2"
    ad = visit(worker, cookie, AD_CLICK, pixel_id=first)
    form = visit(worker, cookie, "https://form.example/", pixel_id=second)
    visit(worker, cookie, OTHER_AD, pixel_id=second)
    back = visit(worker, cookie, "https://shop.example/two", pixel_id=first)

    assert form["session_id"] == back["session_id"] == ad["session_id"]
    assert (form["gclid"], form["touch_origin"]) == ("G1", "session")
    assert (back["fbclid"], back["gclid"]) == ("F1", None)
    [session] = sessions_of(worker, cookie)
    assert (session["page_views"], session["pixel_id"]) == (4, first)
    assert visitor(worker, cookie)["visit_count"] == 1


def test_each_project_has_a_session_of_its_own(worker: Worker) -> None:
    cookie = some_visitor()
    here = visit(worker, cookie, "https://shop.example/")
    there = visit(worker, cookie, "https://blog.example/", pixel_id="ppp-website-1")

    assert here["visitor_id"] == there["visitor_id"]
    assert here["session_id"] != there["session_id"]


def test_two_hundred_concurrent_first_events_make_one_visitor_and_one_session(
    worker: Worker,
) -> None:
    cookie = some_visitor()

    def send(number: int) -> int:
        event = some_event(visitor_cookie=cookie, page_url=f"https://shop.example/{number}")
        return worker.send(event, address=some_address()).status_code

    with ThreadPoolExecutor(50) as pool:
        assert set(pool.map(send, range(200))) == {200}

    assert [session["page_views"] for session in sessions_of(worker, cookie)] == [200]
    events = worker.query(
        "SELECT count(*) AS events FROM tracking_events WHERE visitor_id = ?",
        visitor(worker, cookie)["id"],
    )
    assert events[0]["events"] == 200


def test_an_ad_click_is_credited_to_its_event_session_and_visitor(worker: Worker) -> None:
    cookie = some_visitor()
    event = visit(worker, cookie, AD_CLICK)

    touch = {"utm_source": "google", "utm_medium": "cpc", "utm_campaign": "spring", "gclid": "G1"}
    assert {name: event[name] for name in touch} == touch
    assert event["touch_origin"] == "page_url"
    assert event["answer"]["attribution"] == {
        "source": "google",
        "medium": "cpc",
        "campaign": "spring",
    }
    stored = touch | {"origin": "page_url"}
    [session] = sessions_of(worker, cookie)
    assert json.loads(session["touch"]) == stored
    assert session["utm_campaign"] == "spring"
    assert json.loads(visitor(worker, cookie)["first_touch"]) == stored


def test_later_pages_of_the_session_keep_its_touch(worker: Worker) -> None:
    cookie = some_visitor()
    visit(worker, cookie, AD_CLICK)
    later = visit(worker, cookie, "https://shop.example/pricing")

    assert later["utm_source"] == "google"
    assert later["gclid"] == "G1"
    assert later["touch_origin"] == "session"


def test_a_visitor_who_returns_without_parameters_has_the_first_touch_back(
    worker: Worker,
) -> None:
    cookie = some_visitor()
    visit(worker, cookie, AD_CLICK)
    an_hour_passes(worker, cookie)
    back = visit(worker, cookie, "https://shop.example/")

    assert (back["utm_campaign"], back["gclid"], back["touch_origin"]) == (
        "spring",
        "G1",
        "visitor",
    )
    # What was not seen in this session is not written into it.
    assert sessions_of(worker, cookie)[-1]["touch"] is None


def test_a_second_ad_gets_its_own_event_and_those_after_it(worker: Worker) -> None:
    cookie = some_visitor()
    visit(worker, cookie, AD_CLICK)
    second = visit(worker, cookie, OTHER_AD)
    after = visit(worker, cookie, "https://shop.example/pricing")

    assert (second["utm_source"], second["fbclid"], second["gclid"]) == ("facebook", "F1", None)
    assert second["utm_campaign"] is None
    credited = (after["utm_source"], after["fbclid"], after["gclid"], after["touch_origin"])
    assert credited == ("facebook", "F1", None, "session")
    [session] = sessions_of(worker, cookie)
    assert (session["utm_source"], session["utm_campaign"]) == ("facebook", None)
    assert json.loads(session["touch"])["fbclid"] == "F1"
    assert json.loads(visitor(worker, cookie)["first_touch"])["utm_source"] == "google"


def test_a_session_that_began_without_a_touch_takes_the_first_that_comes(worker: Worker) -> None:
    cookie = some_visitor()
    visit(worker, cookie, "https://shop.example/")
    visit(worker, cookie, OTHER_AD)
    after = visit(worker, cookie, "https://shop.example/pricing")

    assert (after["utm_source"], after["touch_origin"]) == ("facebook", "session")
    [session] = sessions_of(worker, cookie)
    assert session["utm_source"] == "facebook"
    assert visitor(worker, cookie)["visit_count"] == 1
    assert json.loads(visitor(worker, cookie)["first_touch"])["fbclid"] == "F1"


def test_a_visit_without_any_touch_stores_null_and_answers_the_fallback_words(
    worker: Worker,
) -> None:
    event = visit(worker, some_visitor(), "https://shop.example/")

    assert [event[name] for name in ("utm_source", "utm_medium", "utm_campaign")] == [None] * 3
    assert event["touch_origin"] is None
    assert event["answer"]["attribution"] == {
        "source": "direct",
        "medium": "unknown",
        "campaign": "none",
    }


def test_the_first_touch_of_an_inherited_visitor_is_recovered(worker: Worker) -> None:
    cookie = some_visitor()
    worker.query(
        "INSERT INTO visitors (id, visitor_cookie, first_touches) VALUES (?, ?, ?)",
        cookie,
        cookie,
        f'{{"{PROJECT}":{{"utm_source":"bing","msclkid":"M1","origin":"inherited"}}}}',
    )
    event = visit(worker, cookie, "https://shop.example/")

    assert (event["utm_source"], event["msclkid"]) == ("bing", "M1")
    assert event["touch_origin"] == "visitor"
    assert event["visitor_id"] == cookie


AD = {"utm_source": "google", "utm_medium": "cpc", "utm_campaign": "spring", "gclid": "G1"}
NOTHING_SEEN = {"utm_source": "direct", "utm_medium": "unknown", "utm_campaign": "none"}


def old_visit(worker: Worker, cookie: str, *pages: dict[str, str]) -> None:
    """Rows as the old Worker writes them: the session has what its last page had."""
    worker.query(
        "INSERT INTO visitors (id, visitor_cookie, first_seen, last_seen, visit_count)"
        " VALUES (?1, ?1, datetime('now'), datetime('now'), 1)",
        cookie,
    )
    worker.query(
        "INSERT INTO sessions (id, visitor_id, pixel_id, session_cookie, started_at,"
        " last_activity, page_views, utm_source, utm_medium, utm_campaign)"
        " VALUES ('old-' || ?1, ?1, ?2, 'sess_' || ?1, datetime('now'), datetime('now'), 1,"
        " ?3, ?4, ?5)",
        *(cookie, PIXEL, *(pages[0].get(name) for name in NOTHING_SEEN)),
    )
    for page in pages:
        worker.query(
            "UPDATE sessions SET page_views = page_views + 1, utm_source = ?, utm_medium = ?,"
            " utm_campaign = ? WHERE id = ?",
            *(*(page.get(name) for name in NOTHING_SEEN), f"old-{cookie}"),
        )
        columns = ", ".join(("pixel_id", "visitor_id", "session_id", "page_url", *page))
        values = (PIXEL, cookie, f"old-{cookie}", "https://shop.example/", *page.values())
        worker.query(
            f"INSERT INTO tracking_events ({columns}) VALUES ({', '.join('?' * len(values))})",
            *values,
        )


def some_lead(worker: Worker, cookie: str) -> Row:
    form = {"event_type": "form_submit", "form_data": {"email": f"{cookie}@example.com"}}
    return visit(worker, cookie, "https://shop.example/contact", **form)


@pytest.mark.parametrize("pages", [(AD,), (AD, NOTHING_SEEN), (NOTHING_SEEN, AD, NOTHING_SEEN)])
@pytest.mark.parametrize("origin", ["session", "visitor"])
def test_a_lead_is_credited_to_the_ad_of_a_visit_that_the_old_worker_recorded(
    worker: Worker, pages: tuple[dict[str, str], ...], origin: str
) -> None:
    cookie = some_visitor()
    old_visit(worker, cookie, *pages)
    if origin == "visitor":
        an_hour_passes(worker, cookie)
    lead = some_lead(worker, cookie)

    assert {name: lead[name] for name in AD} == AD
    assert lead["answer"]["attribution"] == {
        "source": "google",
        "medium": "cpc",
        "campaign": "spring",
    }
    assert (lead["session_id"] == f"old-{cookie}") is (origin == "session")
    assert lead["touch_origin"] == origin


def test_an_ad_that_follows_in_a_visit_of_the_old_worker_gets_what_comes_after_it(
    worker: Worker,
) -> None:
    cookie = some_visitor()
    old_visit(worker, cookie, AD, {"utm_source": "bing", "msclkid": "M1"})
    ad = visit(worker, cookie, OTHER_AD)
    assert (ad["utm_source"], ad["touch_origin"]) == ("facebook", "page_url")
    lead = some_lead(worker, cookie)
    assert (lead["fbclid"], lead["gclid"], lead["touch_origin"]) == ("F1", None, "session")
    assert json.loads(visitor(worker, cookie)["first_touch"]) == AD | {"origin": "inherited"}


def test_what_the_old_worker_writes_for_nothing_is_no_touch(worker: Worker) -> None:
    cookie = some_visitor()
    words = NOTHING_SEEN | {"utm_content": "", "gclid": "null", "fbclid": "Undefined"}
    old_visit(worker, cookie, NOTHING_SEEN, words | {"ad_group": "shoes"})
    assert visitor(worker, cookie)["first_touch"] is None
    lead = some_lead(worker, cookie)
    assert (lead["utm_source"], lead["ad_group"], lead["touch_origin"]) == (None, None, None)


def test_a_repeated_event_gets_the_same_id_and_changes_nothing(worker: Worker) -> None:
    cookie = some_visitor()
    event = some_event(visitor_cookie=cookie, event_key="0123456789abcdef", page_url=AD_CLICK)
    first = worker.send(event).json()
    repeat = worker.send(event).json()

    same = ("event_id", "visitor_id", "session_id", "attribution")
    assert {name: first[name] for name in same} == {name: repeat[name] for name in same}
    assert [session["page_views"] for session in sessions_of(worker, cookie)] == [1]


def test_an_event_repeated_after_its_session_ended_opens_no_new_one(worker: Worker) -> None:
    cookie = some_visitor()
    event = some_event(visitor_cookie=cookie, event_key="0123456789abcdef")
    first = worker.send(event).json()
    an_hour_passes(worker, cookie)
    repeat = worker.send(event).json()

    assert first["event_id"] == repeat["event_id"]
    assert len(sessions_of(worker, cookie)) == 1


def batch_cost(worker: Worker, event: dict[str, object]) -> tuple[int, int, int]:
    """Round trips, rows read and rows written for one event, as D1 counts them."""
    worker.act("clear_logs")
    assert worker.send(event).status_code == 200
    [cost] = [line for line in worker.log_lines() if line["event"] == "event_cost"]
    return cost["round_trips"], cost["rows_read"], cost["rows_written"]


def test_a_repeat_page_view_costs_one_round_trip_and_at_most_five_rows(worker: Worker) -> None:
    cookie = some_visitor()
    visit(worker, cookie, AD_CLICK, event_key="first-event-1")
    round_trips, rows_read, rows_written = batch_cost(
        worker, some_event(visitor_cookie=cookie, event_key="second-event-2")
    )

    assert round_trips == 1
    assert rows_written <= 5
    assert rows_read <= 13


def test_a_page_on_another_pixel_of_the_project_costs_what_a_repeat_page_view_does(
    worker: Worker,
) -> None:
    cookie, other = some_visitor(), "ppp-website-2"
    visit(worker, cookie, AD_CLICK, event_key="first-event-1", pixel_id="ppp-website-1")
    visit(worker, some_visitor(), "https://form.example/", pixel_id=other)
    event = some_event(visitor_cookie=cookie, event_key="second-event-2", pixel_id=other)
    assert batch_cost(worker, event) == (1, 13, 5)


def test_the_first_page_view_of_a_visitor_writes_at_most_eleven_rows(worker: Worker) -> None:
    worker.send(some_event())
    # With a touch, a trigger looks whether the visitor has it.
    for page, rows_read in (("https://shop.example/", 11), (AD_CLICK, 13)):
        event = some_event(event_key="first-event-1", page_url=page)
        assert batch_cost(worker, event) == (1, rows_read, 9), page


def test_a_part_of_the_sessions_link_costs_what_a_repeat_costs(worker: Worker) -> None:
    cookie = some_visitor()
    visit(worker, cookie, AD_CLICK, event_key="first-event-1")
    for parameters in ("gclid=G1", "utm_source=google&utm_medium=cpc&gclid=G1"):
        page = f"https://shop.example/p?{parameters}"
        event = some_event(
            page_url=page, visitor_cookie=cookie, event_key=f"k-{len(parameters):08}"
        )
        assert batch_cost(worker, event) == (1, 13, 5), page


def test_a_first_touch_of_an_open_session_is_one_row_more_than_a_page_view(worker: Worker) -> None:
    cookie = some_visitor()
    visit(worker, cookie, "https://shop.example/", event_key="first-event-1")
    ad = some_event(visitor_cookie=cookie, event_key="second-event-2", page_url=AD_CLICK)
    assert batch_cost(worker, ad) == (1, 16, 6)
    second_ad = some_event(visitor_cookie=cookie, event_key="third-event-3", page_url=OTHER_AD)
    assert batch_cost(worker, second_ad) == (1, 15, 5)


def test_a_first_view_with_another_project_writes_eight_rows(worker: Worker) -> None:
    cookie = some_visitor()
    visit(worker, cookie, AD_CLICK, event_key="first-event-1")
    event = some_event(
        visitor_cookie=cookie,
        event_key="second-event-2",
        pixel_id="ppp-website-1",
        page_url=OTHER_AD,
    )
    visit(worker, some_visitor(), "https://shop.example/", pixel_id="ppp-website-1")
    assert batch_cost(worker, event) == (1, 15, 8)


def test_a_lead_writes_at_most_seven_rows_and_its_outcome_four(worker: Worker) -> None:
    cookie = some_visitor()
    visit(worker, cookie, AD_CLICK, event_key="first-event-1")
    lead = some_event(
        visitor_cookie=cookie,
        event_key="the-lead-1",
        event_type="form_submit",
        form_data={"email": "jane@example.com"},
        outcome="submitted",
    )
    costs = [
        batch_cost(worker, lead | {"outcome": outcome})
        for outcome in ("submitted", "accepted", "rejected")
    ]
    assert costs == [(1, 17, 7), (1, 18, 3), (1, 15, 4)]


def test_a_custom_event_costs_what_a_page_view_does(worker: Worker) -> None:
    cookie = some_visitor()
    visit(worker, cookie, AD_CLICK, event_key="first-event-1")
    event = some_event(
        visitor_cookie=cookie,
        event_key="second-event-2",
        event_type="event",
        event_name="signup",
        event_data={"plan": "pro"},
        sequence=2,
        fill=True,
    )
    assert batch_cost(worker, event) == (1, 13, 5)


def test_only_a_lead_in_an_address_looks_at_the_visitors_other_events(worker: Worker) -> None:
    cookie = some_visitor()
    address = "https://shop.example/thank-you?email=jane%40example.com"
    visit(worker, cookie, AD_CLICK, event_key="first-event-1")
    thanks = some_event(visitor_cookie=cookie, event_key="second-event-2", page_url=address)
    assert batch_cost(worker, thanks) == (1, 15, 7)


def test_an_event_on_a_pixel_that_is_not_remembered_costs_one_round_trip_more(
    worker: Worker,
) -> None:
    round_trips, _, _ = batch_cost(worker, some_event(pixel_id="ppp-website-3"))
    assert round_trips == 2


@pytest.mark.parametrize("sessions", [1, 300])
def test_rows_read_do_not_grow_with_a_visitors_history(worker: Worker, sessions: int) -> None:
    cookie = some_visitor()
    visitor_id = visit(worker, cookie, AD_CLICK)["visitor_id"]
    worker.query(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) "
        "INSERT INTO sessions (id, visitor_id, pixel_id, session_cookie, started_at, last_activity)"
        " SELECT ? || i, ?, ?, ? || i, datetime('now', '-' || (i + 60) || ' minutes'),"
        " datetime('now', '-' || (i + 60) || ' minutes') FROM n",
        sessions,
        cookie,
        visitor_id,
        PIXEL,
        cookie,
    )
    worker.query(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) "
        "INSERT INTO tracking_events (pixel_id, visitor_id, event_key) "
        "SELECT ?, ?, 'key-' || i FROM n",
        sessions * 10,
        PIXEL,
        visitor_id,
    )
    _, rows_read, _ = batch_cost(worker, some_event(visitor_cookie=cookie, event_key="another-1"))

    assert rows_read <= 13
