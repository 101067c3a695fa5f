"""The rate limits, counted by real Durable Objects."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from pyodide_bundle import Bundle
from services.access.rate_limiting import shard_name
from tests.harness.worker import (
    PIXEL,
    Worker,
    running_worker,
    some_address,
    some_event,
    some_visitor,
)


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


# So few that a slow machine sends them within a window.
EVENTS, LEADS = 6, 7


@pytest.fixture(scope="module")
def small(local_config: Bundle) -> Iterator[Worker]:
    """A Worker with small limits."""
    limits = {"TRACKING_PER_MINUTE": str(EVENTS), "LEADS_PER_MINUTE": str(LEADS)}
    with running_worker(env_vars=limits) as running:
        yield running


def use_up(worker: Worker, address: str, path: str = "/e") -> None:
    for _ in range(EVENTS):
        assert worker.send(some_event(), path, address).status_code == 200
    assert worker.send(some_event(), path, address).status_code == 429


def test_leads_have_an_allowance_of_their_own_behind_that_of_everything(small: Worker) -> None:
    address = some_address()
    use_up(small, address)
    leads = [small.send(lead(), address=address) for _ in range(LEADS)]
    assert [answer.status_code for answer in leads] == [200] * LEADS
    assert {answer.headers["x-ratelimit-limit"] for answer in leads} == {str(LEADS)}
    remaining = [int(answer.headers["x-ratelimit-remaining"]) for answer in leads]
    assert remaining == list(range(LEADS - 1, -1, -1))
    assert small.event(leads[-1].json()["event_id"])["event_type"] == "form_submit"

    refused = small.send(lead(), address=address)
    assert refused.status_code == 429
    assert 0 < refused.json()["retryAfter"] <= 60
    assert refused.headers["x-ratelimit-limit"] == str(LEADS)
    assert small.send(some_event(), address=address).status_code == 429
    # Another client has its own.
    assert small.send(lead(), address=some_address()).status_code == 200


def test_leads_use_the_allowance_of_everything_first(small: Worker) -> None:
    first = small.send(lead(), address=some_address())
    assert first.headers["x-ratelimit-limit"] == str(EVENTS)
    assert first.headers["x-ratelimit-remaining"] == str(EVENTS - 1)


@pytest.mark.parametrize("path", ["/e", "/api/track/track"])
def test_what_says_that_it_is_a_lead_must_be_one(small: Worker, path: str) -> None:
    address = some_address()
    use_up(small, address, path)
    without_person = some_event(event_type="form_submit", form_data={"message": "hello"})
    custom = some_event(event_type="event", event_name="signup", form_data={"email": "j@x.example"})
    for event in (without_person, custom, lead(page_url="nowhere")):
        assert small.send(event, path, address).status_code == 429
    broken = small.http.post(
        f"{small.url}{path}", content=b"{", headers={"cf-connecting-ip": address}
    )
    assert broken.status_code == 429
    assert small.send(lead(), path, address).status_code == 200


def test_the_image_of_a_page_that_thanks_is_a_lead(small: Worker) -> None:
    address = some_address()
    use_up(small, address)
    thanks = f"{small.url}/e/page.gif?pixel_id={PIXEL}&page_url=https://a.example/thanks"
    email = f"%3Femail%3D{some_visitor()}%40example.com"
    headers = {"cf-connecting-ip": address}
    assert "set-cookie" not in small.http.get(thanks, headers=headers).headers
    assert "set-cookie" in small.http.get(f"{thanks}{email}", headers=headers).headers


def test_a_shard_that_restarts_forgives_the_window_and_goes_on(worker: Worker) -> None:
    address = some_address()
    for _ in range(40):
        worker.send(some_event(), address=address)
    worker.act("evict", name=shard_name(address))

    assert worker.send(some_event(), address=address).status_code == 200
