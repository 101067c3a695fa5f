"""The first of the protected numbers, and who may see it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator

import pytest

from pyodide_bundle import Bundle
from tests.harness.keys import ADMIN_KEY, READ_KEY, keys
from tests.harness.worker import PIXEL, Answer, Worker, running_worker, some_address, some_event


@pytest.fixture(scope="module")
def keyed(local_config: Bundle) -> Iterator[Worker]:
    """A Worker with two API keys and one page view."""
    with running_worker(env_vars={"API_KEYS": keys()}) as running:
        running.send(some_event(page_url="https://shop.example/?utm_source=google"))
        yield running


def realtime(worker: Worker, path: str = f"reports/realtime/{PIXEL}", **headers: str) -> Answer:
    return worker.fetch(f"/api/{path}", headers=headers)


@pytest.mark.parametrize(
    "header",
    [
        {"x-api-key": READ_KEY},
        {"authorization": f"Bearer {READ_KEY}"},
        {"authorization": f"bearer {ADMIN_KEY}"},
    ],
)
def test_a_key_in_a_header_opens_the_numbers(keyed: Worker, header: dict[str, str]) -> None:
    assert realtime(keyed, **header).status == 200


@pytest.mark.parametrize(
    "header",
    [
        {},
        {"x-api-key": "guessed"},
        {"x-api-key": READ_KEY + "x"},
        {"authorization": f"Basic {READ_KEY}"},
        {"x-api-key": hashlib.sha256(READ_KEY.encode()).hexdigest()},
    ],
)
def test_anything_else_is_401(keyed: Worker, header: dict[str, str]) -> None:
    answer = realtime(keyed, **header)
    assert answer.status == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert READ_KEY not in answer.body.decode()


def test_a_key_in_the_address_opens_nothing(keyed: Worker) -> None:
    answer = realtime(keyed, f"reports/realtime/{PIXEL}?api_key={READ_KEY}")
    assert answer.status == 401


def test_without_any_configured_key_everything_is_closed(worker: Worker) -> None:
    assert realtime(worker, **{"x-api-key": "x"}).status == 401
    assert realtime(worker, **{"x-api-key": ""}).status == 401


@pytest.mark.parametrize("name", ["reports", "analytics"])
def test_the_last_day_by_hour_and_the_newest_events(keyed: Worker, name: str) -> None:
    answer = realtime(keyed, f"{name}/realtime/{PIXEL}", **{"x-api-key": READ_KEY})
    data = answer.json()["data"]

    assert data["pixel_id"] == PIXEL
    assert [(hour["events"], hour["visitors"]) for hour in data["hourly_breakdown"]] == [(1, 1)]
    [event] = data["recent_events"]
    assert (event["utm_source"], event["event_type"]) == ("google", "pageview")
    assert answer.headers["x-ratelimit-limit"] == "1000"


def test_a_custom_event_is_among_the_newest_by_its_name(keyed: Worker) -> None:
    pixel = "ppp-website-3"
    event = some_event(pixel_id=pixel, event_type="event", event_name="signup")
    keyed.send(event)
    answer = realtime(keyed, f"reports/realtime/{pixel}", **{"x-api-key": READ_KEY})
    [recent] = answer.json()["data"]["recent_events"]
    assert (recent["event_type"], recent["event_name"]) == ("custom", "signup")


def test_a_pixel_that_does_not_exist_is_404(keyed: Worker) -> None:
    answer = realtime(keyed, "reports/realtime/nobody-knows-it", **{"x-api-key": READ_KEY})
    assert (answer.status, answer.json()["error"]) == (404, "Pixel not found")


def test_a_failed_attempt_is_logged_without_the_key_and_limited(keyed: Worker) -> None:
    address = some_address()
    keyed.act("clear_logs")
    answer = realtime(keyed, **{"x-api-key": "guessed-key", "cf-connecting-ip": address})
    [line] = keyed.log_lines()
    assert (line["level"], line["event"]) == ("warn", "key_refused")
    assert line["request_id"] == answer.headers["x-request-id"]
    for private in ("guessed-key", address):
        assert private not in json.dumps(line)
    assert answer.headers["x-ratelimit-remaining"] == "999"


def test_who_guessed_too_often_is_not_told_any_more_whether_a_key_is_right(keyed: Worker) -> None:
    address = some_address()
    guesses = [
        realtime(keyed, **{"x-api-key": f"guess-{number}", "cf-connecting-ip": address})
        for number in range(21)
    ]
    assert [answer.status for answer in guesses] == [401] * 20 + [429]
    keyed.act("clear_logs")
    right = realtime(keyed, **{"x-api-key": READ_KEY, "cf-connecting-ip": address})
    assert right.status == 429
    assert 0 < int(right.headers["retry-after"]) <= 3_600
    assert right.headers["x-ratelimit-limit"] == "20"
    [line] = keyed.log_lines()
    assert (line["event"], line["limit"]) == ("rate_limited", "refused_keys")
    assert realtime(keyed, **{"x-api-key": READ_KEY}).status == 200


def test_a_script_with_a_dead_key_locks_nobody_out_at_its_address(keyed: Worker) -> None:
    address = some_address()
    for _ in range(25):
        dead = realtime(keyed, **{"x-api-key": "a-dead-key", "cf-connecting-ip": address})
        assert dead.status == 401
    right = realtime(keyed, **{"x-api-key": READ_KEY, "cf-connecting-ip": address})
    assert right.status == 200


def test_a_bearer_without_a_key_leaves_the_other_header(keyed: Worker) -> None:
    for scheme in ("Bearer", "Bearer ", "Basic eDp5"):
        assert realtime(keyed, **{"authorization": scheme, "x-api-key": READ_KEY}).status == 200
    assert realtime(keyed, authorization=f"Bearer\t{READ_KEY}").status == 200


def test_neither_a_right_key_nor_none_counts_as_a_guess(keyed: Worker) -> None:
    address = some_address()
    for _ in range(21):
        assert realtime(keyed, **{"cf-connecting-ip": address}).status == 401
        right = realtime(keyed, **{"x-api-key": READ_KEY, "cf-connecting-ip": address})
        assert right.status == 200
