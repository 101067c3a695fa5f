"""A form that comes again with what became of it, and pages that thank for one."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import pytest

from services.core.stored_time import NEVER_DUE
from tests.harness.worker import Row, Worker, some_address, some_event, some_visitor

THANKS = "https://shop.example/thank-you?email=jane%40example.com&first_name=Jane"


def form(**fields: object) -> dict[str, object]:
    """A form as a new pixel sends it at once."""
    return some_event(
        **{
            "event_type": "form_submit",
            "event_key": some_visitor(),
            "outcome": "submitted",
            "form_data": {"email": "jane@example.com"},
            **fields,
        }
    )


def send(worker: Worker, event: dict[str, object]) -> Row:
    """Sends an event and returns its row as it is then."""
    answer = worker.send(event)
    assert answer.status_code == 200, answer.text
    return worker.event(answer.json()["event_id"])


def send_all(worker: Worker, event: dict[str, object], *outcomes: str | None) -> Row:
    """Sends the same form once for each outcome and returns its one row."""
    rows = [send(worker, event | {"outcome": outcome}) for outcome in outcomes]
    assert len({row["id"] for row in rows}) == 1
    return rows[-1]


def rows_of(worker: Worker, event: dict[str, object]) -> list[Row]:
    return worker.query(
        "SELECT e.* FROM tracking_events e JOIN visitors v ON v.id = e.visitor_id "
        "WHERE v.visitor_cookie = ? ORDER BY e.id",
        event["visitor_cookie"],
    )


@pytest.mark.parametrize(
    ("outcomes", "stored", "is_due"),
    [
        (("submitted",), "submitted", True),
        (("submitted", "accepted"), "accepted", True),
        (("submitted", "rejected"), "rejected", False),
        (("submitted", "submitted"), "submitted", True),
        ((None,), None, True),
        ((None, "accepted"), "accepted", True),
        ((None, "submitted"), "submitted", True),
        (("submitted", None), "submitted", True),
        # The bodies arrive in the other order, or the first one is tried again late.
        (("accepted", "submitted"), "accepted", True),
        (("rejected", "submitted"), "rejected", False),
        (("rejected", None), "rejected", False),
        (("submitted", "rejected", "submitted"), "rejected", False),
        # The site changes its mind.
        (("rejected", "accepted"), "accepted", True),
        (("accepted", "rejected"), "rejected", False),
        (("rejected", "submitted", "accepted"), "accepted", True),
    ],
)
@pytest.mark.parametrize("kv_forgets", [False, True])
def test_what_became_of_a_form_is_known_in_whatever_order_it_comes(
    worker: Worker,
    outcomes: tuple[str | None, ...],
    stored: str | None,
    *,
    is_due: bool,
    kv_forgets: bool,
) -> None:
    event = form()
    for outcome in outcomes:
        row = send(worker, event | {"outcome": outcome})
        if kv_forgets:
            worker.act("kv_clear")

    assert len(rows_of(worker, event)) == 1
    assert row["form_outcome"] == stored
    # A refused form is due too, once, to be checked.
    assert row["pipedrive_due_at"] < NEVER_DUE
    # The old Worker takes up what has no status.
    assert row["pipedrive_sync_status"] == (None if is_due else "rejected")


def test_a_correction_is_answered_as_the_first_one(worker: Worker) -> None:
    event = form()
    answers = [worker.send(event | {"outcome": said}).json() for said in ("submitted", "accepted")]
    for answer in answers:
        del answer["processing_time"]
    assert answers[0] == answers[1]


def test_an_accepted_form_is_due_when_it_was_before(worker: Worker) -> None:
    event = form()
    send(worker, event)
    worker.query(
        "UPDATE tracking_events SET pipedrive_due_at = '2030-01-01 00:00:00' WHERE event_key = ?",
        event["event_key"],
    )
    assert send_all(worker, event, "accepted")["pipedrive_due_at"] == "2030-01-01 00:00:00"


def test_a_form_that_was_refused_and_then_taken_is_due_seven_minutes_from_then(
    worker: Worker,
) -> None:
    event = form()
    send_all(worker, event, "submitted", "rejected")
    worker.query(
        "UPDATE tracking_events SET timestamp = datetime('now', '-1 hour') WHERE event_key = ?",
        event["event_key"],
    )
    row = send_all(worker, event, "accepted")
    late = datetime.fromisoformat(row["pipedrive_due_at"]) - datetime.fromisoformat(
        row["timestamp"]
    )
    assert timedelta(minutes=66) < late < timedelta(minutes=69)


def test_what_a_later_body_says_is_merged_over_what_is_known(worker: Worker) -> None:
    event = form(form_data={"email": "jane@example.com", "first_name": "Jane"})
    send(worker, event)
    row = send(worker, event | {"form_data": {"first_name": "Janet", "last_name": "Doe"}})

    merged = {"email": "jane@example.com", "first_name": "Janet", "last_name": "Doe"}
    assert json.loads(row["form_data"]) == merged
    row = send(worker, event | {"outcome": "rejected", "form_data": {"last_name": "Roe"}})
    assert json.loads(row["form_data"]) == merged | {"last_name": "Roe"}


@pytest.mark.parametrize("nothing", [None, {}, {"message": "hello"}])
def test_a_later_body_without_a_person_removes_none(worker: Worker, nothing: object) -> None:
    event = form()
    send(worker, event)
    row = send(worker, event | {"outcome": "accepted", "form_data": nothing})
    assert (row["form_data"], row["form_outcome"]) == ('{"email":"jane@example.com"}', "accepted")
    assert row["pipedrive_due_at"] < NEVER_DUE


@pytest.mark.parametrize("first_step", [None, {"first_name": "Jane", "last_name": "Doe"}])
def test_a_form_is_due_from_the_step_that_has_the_address(
    worker: Worker, first_step: object
) -> None:
    event = form()
    first = send(worker, event | {"form_data": first_step})
    assert first["pipedrive_due_at"] == NEVER_DUE
    second = send(worker, event)
    assert second["id"] == first["id"]
    assert json.loads(second["form_data"])["email"] == "jane@example.com"
    assert second["pipedrive_due_at"] < NEVER_DUE


@pytest.mark.parametrize("status", ["synced", "not_found", "error"])
@pytest.mark.parametrize("outcome", ["rejected", "accepted"])
def test_a_form_whose_sync_has_ended_keeps_status_due_time_and_person(
    worker: Worker, status: str, outcome: str
) -> None:
    event = form()
    row = send(worker, event)
    worker.query(
        "UPDATE tracking_events SET pipedrive_sync_status = ?, pipedrive_due_at = NULL "
        "WHERE id = ?",
        status,
        row["id"],
    )
    after = send(worker, event | {"outcome": outcome, "form_data": {"email": "j@example.com"}})
    assert (after["pipedrive_sync_status"], after["pipedrive_due_at"]) == (status, None)
    assert (after["form_outcome"], after["form_data"]) == (outcome, row["form_data"])


def test_nothing_else_of_the_row_its_session_or_its_visitor_changes(worker: Worker) -> None:
    event = form(page_url="https://shop.example/?utm_source=google&gclid=G1", sequence=3)
    first = send(worker, event)
    worker.query(
        "UPDATE sessions SET started_at = datetime('now', '-2 hours'), "
        "last_activity = datetime('now', '-2 hours') WHERE id = ?",
        first["session_id"],
    )
    later = event | {
        "page_url": "https://shop.example/other?utm_source=facebook",
        "page_title": "Another",
        "sequence": 9,
    }
    after = send(worker, later | {"outcome": "accepted"})

    assert {name for name in after if after[name] != first[name]} == {"form_outcome"}
    sessions = worker.query(
        "SELECT page_views FROM sessions WHERE visitor_id = ?", first["visitor_id"]
    )
    assert [session["page_views"] for session in sessions] == [1]
    [visitor] = worker.query("SELECT * FROM visitors WHERE id = ?", first["visitor_id"])
    assert visitor["visit_count"] == 1


def test_an_unwanted_lead_is_not_made_due_by_its_outcome(worker: Worker) -> None:
    name = f"off-{some_visitor()}"
    worker.query(
        "INSERT INTO projects (id, name, configuration) VALUES (?, ?, ?)",
        name,
        name,
        '{"pipedrive_enabled": false}',
    )
    worker.query("INSERT INTO pixels (id, project_id, name) VALUES (?, ?, 'x')", name, name)
    row = send_all(worker, form(pixel_id=name), "submitted", "rejected", "accepted")
    assert (row["form_outcome"], row["pipedrive_due_at"]) == ("accepted", NEVER_DUE)


@pytest.mark.parametrize("said", [{"event_type": "pageview"}, {"form_data": None}])
def test_a_key_that_a_page_view_has_is_not_made_a_form(
    worker: Worker, said: dict[str, object]
) -> None:
    view = some_event(event_key=some_visitor())
    first = send(worker, view)
    after = send(worker, form(**{**view, "event_type": "form_submit", **said}))
    assert after == first


def test_an_old_pixels_repeat_changes_nothing(worker: Worker) -> None:
    event = form(event_key=None, outcome=None)
    first = send(worker, event)
    worker.act("kv_clear")
    assert send(worker, event | {"outcome": "rejected"}) == first


# ---- KV ----------------------------------------------------------------------------------------


def logged(worker: Worker, event: dict[str, object]) -> str:
    """Under which name an event's request is logged."""
    worker.act("clear_logs")
    assert worker.send(event).status_code == 200
    names = {"event_stored", "submission_repeated"}
    [name] = [line["event"] for line in worker.log_lines() if line["event"] in names]
    return str(name)


def test_the_same_words_again_are_answered_from_kv_and_other_words_reach_d1(
    worker: Worker,
) -> None:
    event = form()
    assert logged(worker, event) == "event_stored"
    assert logged(worker, event) == "submission_repeated"
    accepted = event | {"outcome": "accepted"}
    assert logged(worker, accepted) == "event_stored"
    assert logged(worker, accepted) == "submission_repeated"
    more = event | {"form_data": {"email": "jane@example.com", "first_name": "Jane"}}
    assert logged(worker, more) == "event_stored"
    assert logged(worker, event) == "submission_repeated"


# ---- thank-you pages ---------------------------------------------------------------------------


def minutes_pass(worker: Worker, event: dict[str, object], minutes: int) -> None:
    worker.query(
        "UPDATE tracking_events SET timestamp = datetime('now', ?) WHERE visitor_id = "
        "(SELECT id FROM visitors WHERE visitor_cookie = ?)",
        f"-{minutes} minutes",
        event["visitor_cookie"],
    )


def thanks(event: dict[str, object], **fields: object) -> dict[str, object]:
    """The page view of the same visitor after a form, with the form's values in its address."""
    visitor = event["visitor_cookie"]
    key = some_visitor()
    return some_event(**{"visitor_cookie": visitor, "event_key": key, "page_url": THANKS, **fields})


@pytest.mark.parametrize("key", ["0123456789abcdef", None])
def test_a_thank_you_page_after_its_form_is_a_page_view(worker: Worker, key: str | None) -> None:
    event = form(form_data={"email": "Jane@Example.com"}, event_key=key)
    send(worker, event)
    worker.act("kv_clear")
    worker.act("clear_logs")
    row = send(worker, thanks(event, event_key=key and some_visitor()))

    assert (row["event_type"], row["form_data"], row["pipedrive_due_at"]) == (
        "pageview",
        None,
        None,
    )
    assert row["form_outcome"] is None
    assert worker.act("kv_entries") == []
    [line] = [line for line in worker.log_lines() if line["event"] == "event_stored"]
    assert line["event_type"] == "pageview"


def test_a_thank_you_page_counts_as_a_page_of_the_session(worker: Worker) -> None:
    event = form()
    send(worker, event)
    row = send(worker, thanks(event))
    [session] = worker.query("SELECT page_views FROM sessions WHERE id = ?", row["session_id"])
    assert session["page_views"] == 2


@pytest.mark.parametrize(("minutes", "kind"), [(29, "pageview"), (31, "form_submit")])
def test_a_page_thanks_for_a_form_of_the_last_half_hour(
    worker: Worker, minutes: int, kind: str
) -> None:
    event = form()
    send(worker, event)
    minutes_pass(worker, event, minutes)
    assert send(worker, thanks(event))["event_type"] == kind


def test_a_page_that_thanks_somebody_else_is_a_lead(worker: Worker) -> None:
    event = form()
    send(worker, event)
    other = "https://shop.example/thank-you?email=john%40example.com"
    row = send(worker, thanks(event, page_url=other))
    assert (row["event_type"], row["form_data"]) == ("form_submit", '{"email":"john@example.com"}')
    assert send(worker, thanks(event, visitor_cookie=some_visitor()))["event_type"] == "form_submit"


def test_a_page_that_thanks_for_a_form_that_was_refused_is_the_lead(worker: Worker) -> None:
    event = form()
    send_all(worker, event, "submitted", "rejected")
    row = send(worker, thanks(event))
    assert row["event_type"] == "form_submit"
    assert row["pipedrive_due_at"] < NEVER_DUE


def test_two_clients_that_share_a_visitor_have_a_lead_each(worker: Worker) -> None:
    event = form()
    send(worker, event)
    row = send(worker, thanks(event, pixel_id="ppp-website-1"))
    assert row["event_type"] == "form_submit"


@pytest.mark.parametrize("form_data", [None, {"email": "jane@example.com"}])
def test_a_form_on_a_page_with_an_address_stays_a_form(worker: Worker, form_data: object) -> None:
    event = form()
    send(worker, event)
    row = send(worker, thanks(event, event_type="form_submit", form_data=form_data))
    assert row["event_type"] == "form_submit"


def test_a_thank_you_page_alone_is_one_lead_however_often_an_old_pixel_sends_it(
    worker: Worker,
) -> None:
    page = thanks({"visitor_cookie": f"pxl_{some_visitor()}"}, event_key=None)
    first = send(worker, page)
    assert first["event_type"] == "form_submit"
    assert send(worker, page) == first
    worker.act("kv_clear")
    assert send(worker, page) == first


def test_a_thank_you_page_that_a_new_pixel_retries_stays_what_it_was(worker: Worker) -> None:
    event = form()
    alone = thanks(event)
    first = send(worker, alone)
    worker.act("kv_clear")
    assert send(worker, alone) == first
    assert first["event_type"] == "form_submit"

    after_form = thanks(event)
    view = send(worker, after_form)
    assert view["event_type"] == "pageview"
    assert send(worker, after_form) == view


def sent_form(visitor: object, **fields: object) -> dict[str, object]:
    """The form that waited in the browser while its thank-you page was sent."""
    return form(visitor_cookie=visitor, **fields)


def kinds(worker: Worker, event: dict[str, object]) -> list[str]:
    return [row["event_type"] for row in rows_of(worker, event)]


@pytest.mark.parametrize("has_sequence", [False, True])
@pytest.mark.parametrize("outcomes", [("submitted",), ("submitted", "accepted"), ("accepted",)])
def test_a_thank_you_page_before_its_form_is_one_lead_with_it(
    worker: Worker, outcomes: tuple[str, ...], *, has_sequence: bool
) -> None:
    visitor = some_visitor()
    numbers = ({"sequence": 1}, {"sequence": 2}) if has_sequence else ({}, {})
    page = thanks({"visitor_cookie": visitor}, **numbers[1])
    assert send(worker, page)["event_type"] == "form_submit"
    event = sent_form(visitor, **numbers[0])
    row = send_all(worker, event, *outcomes)

    assert kinds(worker, event) == ["pageview", "form_submit"]
    assert (row["form_outcome"], row["event_key"]) == (outcomes[-1], event["event_key"])
    assert row["pipedrive_due_at"] < NEVER_DUE
    [view, _] = rows_of(worker, event)
    empty = ("form_data", "form_outcome", "pipedrive_due_at", "pipedrive_sync_status")
    assert [view[name] for name in empty] == [None] * 4
    # The page is sent again: it stays what it became.
    worker.act("kv_clear")
    send(worker, page)
    send(worker, event)
    assert kinds(worker, event) == ["pageview", "form_submit"]


def test_an_old_pixels_page_gives_way_to_its_form_too(worker: Worker) -> None:
    visitor = f"pxl_{some_visitor()}"
    send(worker, thanks({"visitor_cookie": visitor}, event_key=None))
    names = {"email": "jane@example.com", "first_name": "Jane", "last_name": "Doe"}
    event = sent_form(visitor, event_key=None, outcome=None, form_data=names)
    send(worker, event)
    assert kinds(worker, event) == ["pageview", "form_submit"]


@pytest.mark.parametrize("status", ["synced", "not_found", "error"])
def test_a_page_that_was_sent_to_pipedrive_stays_the_lead(worker: Worker, status: str) -> None:
    visitor = some_visitor()
    page = send(worker, thanks({"visitor_cookie": visitor}, sequence=2))
    worker.query(
        "UPDATE tracking_events SET pipedrive_sync_status = ?, pipedrive_due_at = NULL "
        "WHERE id = ?",
        status,
        page["id"],
    )
    event = sent_form(visitor, sequence=1)
    row = send_all(worker, event, "submitted", "accepted")
    assert (row["id"], row["pipedrive_sync_status"]) == (page["id"], status)
    assert (row["form_outcome"], row["pipedrive_due_at"]) == ("accepted", None)
    assert send(worker, event | {"outcome": "rejected"})["id"] == page["id"]
    assert kinds(worker, event) == ["form_submit"]


def test_a_page_that_is_being_sent_stays_the_lead(worker: Worker) -> None:
    visitor = some_visitor()
    page = send(worker, thanks({"visitor_cookie": visitor}))
    worker.query("UPDATE tracking_events SET pipedrive_lease = 'r-1' WHERE id = ?", page["id"])
    event = sent_form(visitor)
    assert send(worker, event)["id"] == page["id"]
    assert kinds(worker, event) == ["form_submit"]


def test_a_form_that_was_sent_after_the_page_is_another_lead(worker: Worker) -> None:
    visitor = some_visitor()
    send(worker, thanks({"visitor_cookie": visitor}, sequence=2))
    event = sent_form(visitor, sequence=3)
    send(worker, event)
    assert kinds(worker, event) == ["form_submit", "form_submit"]


def test_numbers_of_another_site_say_nothing(worker: Worker) -> None:
    visitor = some_visitor()
    send(worker, thanks({"visitor_cookie": visitor}, sequence=2))
    event = sent_form(visitor, sequence=7, page_url="https://forms.example/")
    send(worker, event)
    assert kinds(worker, event) == ["pageview", "form_submit"]


@pytest.mark.parametrize(("number", "kind"), [(5, "pageview"), (9, "form_submit")])
@pytest.mark.parametrize("form_is_first", [False, True])
def test_after_a_long_outage_the_numbers_tell(
    worker: Worker, number: int, kind: str, *, form_is_first: bool
) -> None:
    visitor = some_visitor()
    event = sent_form(visitor, sequence=4)
    page = thanks(event, sequence=number)
    for sent in (event, page) if form_is_first else (page, event):
        send(worker, sent)
        minutes_pass(worker, event, 300)
    expected = ["form_submit", kind]
    assert kinds(worker, event) == (expected if form_is_first else expected[::-1])


def test_a_page_stays_the_lead_beside_a_form_that_was_refused(worker: Worker) -> None:
    visitor = some_visitor()
    send(worker, thanks({"visitor_cookie": visitor}))
    event = sent_form(visitor)
    send(worker, event | {"outcome": "rejected"})
    assert kinds(worker, event) == ["form_submit", "form_submit"]
    send(worker, event | {"outcome": "accepted"})
    assert kinds(worker, event) == ["pageview", "form_submit"]


@pytest.mark.parametrize(
    "different", [{"pixel_id": "ppp-website-1"}, {"form_data": {"email": "john@example.com"}}]
)
def test_a_page_gives_way_to_its_own_form_only(
    worker: Worker, different: dict[str, object]
) -> None:
    visitor = some_visitor()
    send(worker, thanks({"visitor_cookie": visitor}))
    event = sent_form(visitor, **different)
    send(worker, event)
    assert kinds(worker, event) == ["form_submit", "form_submit"]


@pytest.mark.parametrize(
    ("page_url", "stored"),
    [
        (
            "https://shop.example/spring?email=jane%40example.com&utm_source=mail",
            "?utm_source=mail",
        ),
        ("https://shop.example/spring?mail=jane@example.com&name=Jane", ""),
    ],
)
@pytest.mark.parametrize("event_key", [None, "0123456789abcdef"])
def test_the_link_of_a_mailing_is_no_lead_and_loses_its_address(
    worker: Worker, page_url: str, stored: str, event_key: str | None
) -> None:
    row = send(worker, some_event(page_url=page_url, referrer_url=page_url, event_key=event_key))
    assert (row["event_type"], row["form_data"]) == ("pageview", None)
    assert row["page_url"] == row["referrer_url"] == f"https://shop.example/spring{stored}"


def test_a_thank_you_page_loses_its_address_and_is_a_lead(worker: Worker) -> None:
    row = send(worker, some_event(page_url=f"{THANKS}&gclid=G1"))
    assert row["event_type"] == "form_submit"
    assert json.loads(row["form_data"]) == {"email": "jane@example.com", "first_name": "Jane"}
    assert row["page_url"] == "https://shop.example/thank-you?gclid=G1"


def test_broken_form_data_of_the_past_costs_no_event(worker: Worker) -> None:
    event = form()
    row = send(worker, event)
    worker.query("UPDATE tracking_events SET form_data = '{broken' WHERE id = ?", row["id"])
    assert send(worker, thanks(event))["event_type"] == "form_submit"


# ---- custom events -----------------------------------------------------------------------------


def custom(**fields: object) -> dict[str, object]:
    return some_event(**{"event_type": "event", "event_name": "plan chosen", **fields})


def test_a_custom_event_is_stored_with_its_name_and_data(worker: Worker) -> None:
    row = send(worker, custom(event_data={"plan": "größe", "seats": 3}, sequence=4))
    assert (row["event_type"], row["event_name"]) == ("custom", "plan chosen")
    assert row["event_data"] == '{"plan":"größe","seats":3}'
    assert row["visitor_sequence"] == 4


def test_a_custom_event_is_never_a_lead(worker: Worker) -> None:
    event = custom(page_url=THANKS, form_data={"email": "jane@example.com"}, outcome="accepted")
    worker.act("kv_clear")
    row = send(worker, event)
    assert row["event_type"] == "custom"
    empty = ("form_data", "form_outcome", "pipedrive_due_at", "pipedrive_sync_status")
    assert [row[name] for name in empty] == [None] * 4
    assert worker.act("kv_entries") == []


def test_a_custom_event_is_no_page_view_of_its_session(worker: Worker) -> None:
    event = custom()
    row = send(worker, event)
    views = "SELECT page_views FROM sessions WHERE id = ?"
    assert worker.query(views, row["session_id"])[0]["page_views"] == 0
    send(worker, some_event(visitor_cookie=event["visitor_cookie"]))
    send(worker, event)
    assert worker.query(views, row["session_id"])[0]["page_views"] == 1


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ({"note": "x" * 4_096}, "left out: over 4096 characters"),
        ("jane@example.com", "left out: no JSON object"),
    ],
)
def test_data_that_is_left_out_is_said_in_the_log_without_its_value(
    worker: Worker, data: object, reason: str
) -> None:
    worker.act("clear_logs")
    row = send(worker, custom(event_data=data))
    assert (row["event_type"], row["event_data"]) == ("custom", None)
    lines = worker.log_lines()
    [line] = [line for line in lines if line["event"] == "event_stored"]
    assert line["event_data"] == reason
    assert "jane" not in json.dumps(lines)


def test_a_new_pixels_custom_event_without_a_name_is_refused(worker: Worker) -> None:
    answer = worker.send(custom(event_name=" ", event_key="a-key-of-its-own"))
    assert answer.status_code == 400
    assert answer.json()["details"] == ["event_name: must be a text of 1 to 64 characters"]


# ---- the sequence and the touch ----------------------------------------------------------------


@pytest.mark.parametrize(("sequence", "stored"), [(1, 1), (2**31 - 1, 2**31 - 1), (0, None)])
def test_the_number_of_an_event_is_stored(
    worker: Worker, sequence: int, stored: int | None
) -> None:
    assert send(worker, some_event(sequence=sequence))["visitor_sequence"] == stored


NO_TOUCH: dict[str, object] = dict.fromkeys(
    [
        *("utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term"),
        *("gclid", "fbclid", "msclkid", "ttclid", "twclid", "li_fat_id", "sc_click_id"),
    ]
)


def test_a_pixel_that_fills_fields_is_told_the_touch_of_the_event(worker: Worker) -> None:
    landing = some_event(page_url="https://shop.example/?utm_campaign=may&utm_term=shoes&gclid=G1")
    worker.send(landing)
    later = some_event(visitor_cookie=landing["visitor_cookie"], fill=True)
    touch = NO_TOUCH | {"utm_campaign": "may", "utm_term": "shoes", "gclid": "G1"}
    assert worker.send(later).json()["touch"] == touch
    assert worker.send(some_event(fill=True)).json()["touch"] == NO_TOUCH


@pytest.mark.parametrize("fill", ["", "true", True])
def test_any_way_to_write_the_attribute_asks_for_the_touch(worker: Worker, fill: object) -> None:
    assert worker.send(some_event(fill=fill)).json()["touch"] == NO_TOUCH


def test_a_page_view_that_is_said_again_is_told_its_touch_and_counts_once(worker: Worker) -> None:
    event = some_event(page_url="https://shop.example/?gclid=G2", event_key="k" * 16, fill=True)
    first, second = [worker.send(event).json() for _ in range(2)]
    assert first["touch"] == second["touch"] == NO_TOUCH | {"gclid": "G2"}
    assert first["event_id"] == second["event_id"]


def test_a_lead_that_is_sent_again_is_told_its_touch_again(worker: Worker) -> None:
    event = form(page_url="https://shop.example/?fbclid=F1", fill=True)
    touches = [worker.send(event, address=some_address()).json()["touch"] for _ in range(2)]
    assert touches == [NO_TOUCH | {"fbclid": "F1"}] * 2


@pytest.mark.parametrize("fill", [None, False, "off", "false"])
def test_nobody_else_is_told(worker: Worker, fill: object) -> None:
    assert "touch" not in worker.send(some_event(fill=fill)).json()
