"""The rate limits, counted by real Durable Objects."""

from __future__ import annotations

import time

import pytest

from services.access.rate_limiting import shard_name
from tests.harness.worker import PIXEL, Worker, some_address, some_event, some_visitor


@pytest.fixture(autouse=True)
def no_window_ends_during_a_test() -> None:
    """Windows are aligned to the minute: a test starts with enough of one left."""
    if time.time() % 60 > 40:
        time.sleep(61 - time.time() % 60)


def test_a_client_gets_a_hundred_events_a_minute_and_then_429(worker: Worker) -> None:
    address = some_address()
    statuses = [worker.send(some_event(), address=address).status_code for _ in range(100)]
    refused = worker.send(some_event(), address=address)

    assert statuses == [200] * 100
    assert refused.status_code == 429
    wait = refused.json()["retryAfter"]
    assert 0 < wait <= 60
    assert refused.headers["retry-after"] == str(wait)
    assert refused.headers["x-ratelimit-limit"] == "100"
    assert refused.headers["x-ratelimit-remaining"] == "0"
    # A browser's script may read when to come again.
    assert refused.headers["access-control-allow-origin"] == "*"


def test_the_headers_count_down(worker: Worker) -> None:
    address = some_address()
    answers = [worker.send(some_event(), address=address) for _ in range(20)]

    remaining = [int(answer.headers["x-ratelimit-remaining"]) for answer in answers]
    assert remaining == list(range(99, 79, -1))
    resets = {int(answer.headers["x-ratelimit-reset"]) for answer in answers}
    assert all(0 < reset - time.time() <= 60 for reset in resets)


def test_all_addresses_of_an_ipv6_64_are_one_client_and_ipv4_addresses_are_not(
    worker: Worker,
) -> None:
    network = some_address().removesuffix("::1")
    for host in (1, 2):
        worker.send(some_event(), address=f"{network}::{host}")
    third = worker.send(some_event(), address=f"{network}::3")
    assert third.headers["x-ratelimit-remaining"] == "97"

    worker.send(some_event(), address="198.51.100.1")
    neighbour = worker.send(some_event(), address="198.51.100.2")
    assert neighbour.headers["x-ratelimit-remaining"] == "99"


def test_every_address_of_the_endpoint_shares_the_limit(worker: Worker) -> None:
    address = some_address()
    for path in ("/e", "/api/track", "/api/track/track"):
        answer = worker.send(some_event(), path, address)
    assert answer.headers["x-ratelimit-remaining"] == "97"


def test_the_image_counts_and_is_answered_even_over_the_limit(worker: Worker) -> None:
    address = some_address()
    for _ in range(100):
        worker.send(some_event(), address=address)
    answer = worker.http.get(
        f"{worker.url}/api/track/pixel.gif?pixel_id={PIXEL}&page_url=https://a.example/",
        headers={"cf-connecting-ip": address},
    )
    assert answer.status_code == 200
    assert "set-cookie" not in answer.headers


def lead(**fields: object) -> dict[str, object]:
    return some_event(
        event_type="form_submit", form_data={"email": f"{some_visitor()}@example.com"}, **fields
    )


def test_leads_have_an_allowance_of_their_own_behind_that_of_everything(worker: Worker) -> None:
    address = some_address()
    for _ in range(100):
        worker.send(some_event(), address=address)
    assert worker.send(some_event(), address=address).status_code == 429
    leads = [worker.send(lead(), address=address) for _ in range(30)]
    assert [answer.status_code for answer in leads] == [200] * 30
    assert {answer.headers["x-ratelimit-limit"] for answer in leads} == {"30"}
    remaining = [int(answer.headers["x-ratelimit-remaining"]) for answer in leads]
    assert remaining == list(range(29, -1, -1))
    assert worker.event(leads[-1].json()["event_id"])["event_type"] == "form_submit"

    refused = worker.send(lead(), address=address)
    assert refused.status_code == 429
    assert 0 < refused.json()["retryAfter"] <= 60
    assert refused.headers["x-ratelimit-limit"] == "30"
    assert worker.send(some_event(), address=address).status_code == 429


def test_leads_use_the_allowance_of_everything_first(worker: Worker) -> None:
    address = some_address()
    first = worker.send(lead(), address=address)
    assert first.headers["x-ratelimit-limit"] == "100"
    assert first.headers["x-ratelimit-remaining"] == "99"


@pytest.mark.parametrize("path", ["/e", "/api/track", "/api/track/track"])
def test_what_says_that_it_is_a_lead_must_be_one(worker: Worker, path: str) -> None:
    address = some_address()
    for _ in range(100):
        worker.send(some_event(), path, address)
    without_person = some_event(event_type="form_submit", form_data={"message": "hello"})
    custom = some_event(event_type="event", event_name="signup", form_data={"email": "j@x.example"})
    for event in (without_person, custom, lead(page_url="nowhere")):
        assert worker.send(event, path, address).status_code == 429
    broken = worker.http.post(
        f"{worker.url}{path}", content=b"{", headers={"cf-connecting-ip": address}
    )
    assert broken.status_code == 429
    assert worker.send(lead(), path, address).status_code == 200


def test_a_shard_that_restarts_forgives_the_window_and_goes_on(worker: Worker) -> None:
    address = some_address()
    for _ in range(40):
        worker.send(some_event(), address=address)
    worker.act("evict", name=shard_name(address))

    assert worker.send(some_event(), address=address).status_code == 200
