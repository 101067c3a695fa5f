"""An event that the database does not take keeps no request about a person waiting."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import pytest

from tests.faults.isolate import Isolate
from tests.faults.outside import OUTSIDE, new_outside
from tests.faults.story import SETTINGS, Story
from tests.harness.keys import ADMIN_KEY

UNTAKEN = "jane@client.example"
STORED = "joe@client.example"


@pytest.fixture
def isolate() -> Isolate:
    """Joe's form is stored; the database takes no event of Jane's page, and she waits in R2."""
    new_outside()
    story = Story()
    story.submit("1" * 16, "event-joe-1", STORED)
    OUTSIDE.database.execute(
        "CREATE TRIGGER refuse BEFORE INSERT ON tracking_events"
        " WHEN NEW.page_url LIKE '%/broken' BEGIN SELECT RAISE(ABORT, 'refused'); END"
    )
    isolate = Isolate(**SETTINGS)
    event = {
        "pixel_id": "ppp-website-1",
        "event_type": "form_submit",
        "event_key": "event-jane-1",
        "visitor_cookie": f"pxl_{'2' * 16}",
        "page_url": "https://shop.example/broken",
        "form_data": {"email": UNTAKEN, "first_name": "Jane"},
    }
    assert isolate.request("/e", "POST", event)[0] == HTTPStatus.SERVICE_UNAVAILABLE
    assert len(waiting_keys()) == 1
    return isolate


def waiting_keys() -> list[str]:
    return [key for key in OUTSIDE.objects if key.startswith("waiting/")]


def requested(isolate: Isolate, kind: str, email: str) -> list[dict[str, Any]]:
    """The answers of a request about a person, until it is done."""
    body: dict[str, object] = {"email": email, **({"confirm": True} if kind == "erase" else {})}
    answers: list[dict[str, Any]] = []
    while not answers or not answers[-1]["done"]:
        headers = {"x-api-key": ADMIN_KEY}
        status, answer = isolate.request(f"/api/privacy/{kind}", "POST", body, headers)
        assert status == HTTPStatus.OK, answer
        answers.append(answer["data"])
        body["cursor"] = answer["data"]["cursor"]
        OUTSIDE.pass_time(minutes=5 if answers[-1].get("waits_until") else 0)
    return answers


@pytest.mark.parametrize("kind", ["find", "export", "erase"])
def test_a_request_about_somebody_else_is_done(kind: str, isolate: Isolate) -> None:
    requested(isolate, kind, STORED)
    assert len(waiting_keys()) == 1
    remaining = OUTSIDE.rows("SELECT 1 FROM tracking_events WHERE form_data LIKE '%joe@%'")
    assert bool(remaining) == (kind != "erase")


def test_the_person_of_the_event_is_found_exported_and_erased(isolate: Isolate) -> None:
    [key] = waiting_keys()
    found = requested(isolate, "find", UNTAKEN)[-1]["found"]
    assert found["parked_events"] == {"count": 1, "ids": [key]}
    rows = [row for page in requested(isolate, "export", UNTAKEN) for row in page["rows"]]
    assert [row["event"]["event_key"] for row in rows] == ["event-jane-1"]
    requested(isolate, "erase", UNTAKEN)
    assert waiting_keys() == []
    OUTSIDE.database.execute("DROP TRIGGER refuse")
    isolate.run_cron()
    assert OUTSIDE.rows("SELECT 1 FROM tracking_events WHERE event_key = 'event-jane-1'") == []


def test_what_the_database_takes_is_stored_before_the_search(isolate: Isolate) -> None:
    Story().submit_while_database_is_away("3" * 16, "event-late-1", "late@client.example")
    assert len(waiting_keys()) == 2
    found = requested(isolate, "find", "late@client.example")[-1]["found"]
    assert (found["tracking_events"]["count"], found["parked_events"]["count"]) == (1, 0)


@pytest.mark.parametrize(("minutes", "rows"), [(1, 1), (8, 1), (12, 2)])
def test_an_old_pixels_form_that_waited_and_was_sent_again_within_the_window_is_one_lead(
    minutes: int, rows: int
) -> None:
    new_outside()
    form = {
        "pixel_id": "ppp-website-1",
        "event_type": "form_submit",
        "visitor_cookie": f"pxl_{'4' * 16}",
        "page_url": "https://shop.example/contact",
        "form_data": {"email": "jane@client.example"},
    }
    isolate = Isolate(**SETTINGS)
    OUTSIDE.calls.broken = ("D1",)
    assert isolate.request("/api/track", "POST", form)[0] == HTTPStatus.SERVICE_UNAVAILABLE
    OUTSIDE.calls.broken = ()
    OUTSIDE.pass_time(minutes=minutes)
    assert isolate.request("/api/track", "POST", form)[0] == HTTPStatus.OK
    isolate.run_cron()
    assert waiting_keys() == []
    assert len(OUTSIDE.rows("SELECT 1 FROM tracking_events")) == rows


@pytest.mark.parametrize("outcome", ["rejected", "accepted"])
def test_what_waited_of_a_form_does_not_undo_what_its_pixel_said_later(outcome: str) -> None:
    new_outside()
    isolate = Isolate(**SETTINGS)
    form = {
        "pixel_id": "ppp-website-1",
        "event_type": "form_submit",
        "event_key": "event-form-1",
        "visitor_cookie": f"pxl_{'5' * 16}",
        "page_url": "https://shop.example/contact",
        "form_data": {"email": "jane@client.example"},
    }
    earlier = {"rejected": "accepted", "accepted": "rejected"}[outcome]
    OUTSIDE.calls.broken = ("D1",)
    assert isolate.request("/e", "POST", form | {"outcome": earlier})[0] == 503
    OUTSIDE.calls.broken = ()
    OUTSIDE.pass_time(minutes=1)
    assert isolate.request("/e", "POST", form | {"outcome": outcome})[0] == 200
    isolate.run_cron()
    assert waiting_keys() == []
    [row] = OUTSIDE.rows("SELECT form_outcome AS outcome FROM tracking_events")
    assert row["outcome"] == outcome
