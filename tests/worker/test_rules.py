"""What a client decided about its visitors' events, in the real Worker and database."""

from __future__ import annotations

import json

import pytest

from tests.harness.keys import READ_KEY
from tests.harness.sync import wait_until
from tests.harness.worker import Answer, Row, Worker, some_event, some_visitor

ADD_PROJECT = "INSERT INTO projects (id, name, configuration) VALUES (?, ?, ?)"
ADD_PIXEL = "INSERT INTO pixels (id, project_id, name, configuration) VALUES (?, ?, ?, ?)"
EVENTS_OF_PIXEL = "SELECT * FROM tracking_events WHERE pixel_id = ? ORDER BY id"
ADDRESSES = """
SELECT event.ip_address AS of_event, visitor.ip_address AS of_visitor
FROM tracking_events AS event JOIN visitors AS visitor ON visitor.id = event.visitor_id
WHERE event.pixel_id = ?
"""
GO_BACK = """
UPDATE sessions SET
  started_at = datetime(started_at, ?1), last_activity = datetime(last_activity, ?1)
WHERE pixel_id = ?2
"""


def new_pixel(worker: Worker, project: object = None, pixel: object = None) -> str:
    """A pixel whose project and itself are configured so."""
    name = f"rules-{some_visitor()}"
    worker.query(ADD_PROJECT, name, name, json.dumps(project))
    worker.query(ADD_PIXEL, name, name, name, json.dumps(pixel))
    return name


def send_with(worker: Worker, event: Row, header: dict[str, str]) -> Answer:
    """Sends an event from a browser that adds a header of its own."""
    headers = {"content-type": "text/plain", **header}
    return worker.fetch("/e", method="POST", headers=headers, body=json.dumps(event))


def rows(worker: Worker, pixel: str) -> list[Row]:
    return worker.query(EVENTS_OF_PIXEL, pixel)


def test_an_event_of_another_domain_is_refused_and_says_why(worker: Worker) -> None:
    pixel = new_pixel(worker, {"allowed_domains": ["shop.example", "*.shop.example"]})
    answer = worker.send(some_event(pixel_id=pixel, page_url="https://evil.example/"))
    assert answer.status_code == 400
    assert answer.json()["error"] == "Domain not allowed"
    assert answer.json()["details"] == ["page_url: is on none of the pixel's allowed_domains"]
    assert answer.headers["access-control-allow-origin"] == "*"
    for host in ("shop.example", "www.shop.example"):
        sent = worker.send(some_event(pixel_id=pixel, page_url=f"https://{host}/"))
        assert sent.status_code == 200
    assert len(rows(worker, pixel)) == 2


COUNT_REFUSED = "SELECT coalesce(sum(refused_senders), 0) AS number FROM failed_requests"
EVIL, SHOP = "https://evil.example", "https://shop.example"


@pytest.mark.parametrize(
    "header",
    [
        {"origin": EVIL},
        {"origin": EVIL, "referer": f"{SHOP}/"},
        {"referer": f"{EVIL}/page"},
        {"origin": "null", "referer": f"{EVIL}/page"},
        {"origin": f"{EVIL}:8443"},
        {"origin": "https://shop.example.evil.example"},
    ],
)
def test_an_event_that_another_site_sends_is_refused_and_counted(
    worker: Worker, header: dict[str, str]
) -> None:
    pixel = new_pixel(worker, {"allowed_domains": ["shop.example"]})
    worker.query("DELETE FROM failed_requests")
    answer = send_with(worker, some_event(pixel_id=pixel, page_url=f"{SHOP}/"), header)
    assert answer.status == 400
    assert answer.json()["details"] == ["origin: is on none of the pixel's allowed_domains"]
    assert rows(worker, pixel) == []


def test_events_of_other_sites_are_counted(keyed: Worker) -> None:
    pixel = new_pixel(keyed, {"allowed_domains": ["shop.example"]})
    event = some_event(pixel_id=pixel, page_url=f"{SHOP}/")
    assert send_with(keyed, event, {"origin": EVIL}).status == 400
    wait_until(lambda: keyed.query(COUNT_REFUSED)[0]["number"] == 1)
    metrics = keyed.fetch("/api/reports/metrics", headers={"x-api-key": READ_KEY}).json()
    assert metrics["metrics"]["errors_last_hour"]["refused_senders"] == 1
    assert metrics["metrics"]["errors_last_hour"]["failed_requests"] == 0


def test_bots_are_counted_by_day_and_kind(keyed: Worker) -> None:
    keyed.query("DELETE FROM refused_requests")
    for user_agent in ("Examplebot/1.0", "Example/1.0"):
        send_with(keyed, some_event(), {"user-agent": user_agent})
    count = "SELECT coalesce(sum(number), 0) AS number FROM refused_requests"
    wait_until(lambda: keyed.query(count)[0]["number"] == 2)
    metrics = keyed.fetch("/api/reports/metrics", headers={"x-api-key": READ_KEY}).json()
    [counts] = metrics["metrics"]["refused_by_day"].values()
    assert counts == {"refused_bots": 1, "refused_likely_bots": 1}


@pytest.mark.parametrize(
    "header",
    [
        {},
        {"origin": SHOP},
        {"origin": "HTTPS://SHOP.example"},
        {"origin": SHOP, "referer": f"{EVIL}/"},
        {"origin": "null"},
        {"origin": "null", "referer": f"{SHOP}/"},
        {"origin": "capacitor://localhost"},
        {"origin": "https://localhost"},
        {"origin": "https://www.shop.example"},
        {"origin": "https://["},
        {"referer": "https://www.shop.example/"},
        {"referer": "http://localhost:8080/"},
        {"referer": f"{SHOP}/contact"},
        {"referer": "about:client"},
    ],
)
def test_an_event_of_the_pixels_own_site_is_taken(worker: Worker, header: dict[str, str]) -> None:
    pixel = new_pixel(worker, {"allowed_domains": ["shop.example"]})
    event = some_event(pixel_id=pixel, page_url=f"{SHOP}/")
    assert send_with(worker, event, header).status == 200


def test_without_allowed_domains_every_site_may_send(worker: Worker) -> None:
    event = some_event(pixel_id=new_pixel(worker))
    assert send_with(worker, event, {"origin": EVIL}).status == 200


def test_an_image_on_another_site_stores_nothing(worker: Worker) -> None:
    pixel = new_pixel(worker, {"allowed_domains": ["shop.example"]})
    path = f"/e/page.gif?pixel_id={pixel}&page_url=https%3A%2F%2Fshop.example%2F"
    for page, number in ((EVIL, 0), (SHOP, 1)):
        answer = worker.fetch(path, headers={"referer": f"{page}/"})
        assert (answer.status, answer.headers["content-type"]) == (200, "image/gif")
        assert len(rows(worker, pixel)) == number


@pytest.mark.parametrize("header", [{"dnt": "1"}, {"sec-gpc": "1"}])
def test_a_visitor_who_declines_leaves_nothing(worker: Worker, header: dict[str, str]) -> None:
    pixel = new_pixel(worker, {"respect_dnt": True})
    event = some_event(pixel_id=pixel, form_data={"email": "ada@example.org"})
    answer = send_with(worker, event, header)
    assert (answer.status, answer.body) == (204, b"")
    assert rows(worker, pixel) == []
    count_visitors = "SELECT count(*) AS count FROM visitors WHERE visitor_cookie = ?"
    assert worker.query(count_visitors, str(event["visitor_cookie"])) == [{"count": 0}]
    worker.send(event)
    assert len(rows(worker, pixel)) == 1


def test_a_project_that_does_not_ask_for_it_takes_the_event(worker: Worker) -> None:
    pixel = new_pixel(worker)
    assert send_with(worker, some_event(pixel_id=pixel), {"dnt": "1"}).status == 200


@pytest.mark.parametrize(
    ("address", "stored"), [("198.51.100.77", "198.51.100.0"), ("2001:db8:7:8::9", "2001:db8:7::")]
)
def test_an_address_is_cut_wherever_it_is_stored(worker: Worker, address: str, stored: str) -> None:
    pixel = new_pixel(worker, {"ip_anonymization": True})
    worker.send(some_event(pixel_id=pixel), address=address)
    assert worker.query(ADDRESSES, pixel) == [{"of_event": stored, "of_visitor": stored}]


def test_a_session_is_as_long_as_the_pixel_says(worker: Worker) -> None:
    pixel = new_pixel(worker, {"session_minutes": 600}, {"session_minutes": 5})
    event = some_event(pixel_id=pixel)
    for minutes_ago in (4, 6):
        worker.send(event)
        worker.query(GO_BACK, f"-{minutes_ago} minutes", pixel)
    worker.send(event)
    first, second, third = [row["session_id"] for row in rows(worker, pixel)]
    assert first == second
    assert third != second


def test_the_image_of_a_visitor_who_declines_is_the_image_and_nothing_is_stored(
    worker: Worker,
) -> None:
    pixel = new_pixel(worker, {"respect_dnt": True})
    path = f"/e/page.gif?pixel_id={pixel}&page_url=https%3A%2F%2Fshop.example%2F"
    answer = worker.fetch(path, headers={"sec-gpc": "1"})
    assert (answer.status, answer.headers["content-type"]) == (200, "image/gif")
    assert "set-cookie" not in answer.headers
    assert rows(worker, pixel) == []
