"""The road on which the browser tests let things go wrong, before a small server."""

import time
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler

import httpx
import pytest

from tests.harness.listening import listening
from tests.harness.road import ForwardedRequest, Road, running_road

EVENT = '{"event_type":"pageview"}'


class Server(BaseHTTPRequestHandler):
    """Answers with what it was told."""

    def __init__(self, received_headers: list[dict[str, str]], *args: object) -> None:
        self._told = received_headers
        super().__init__(*args)  # type: ignore[arg-type]  # passed through as they came

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        self._told.append({name.lower(): value for name, value in self.headers.items()})
        self.send_response(200)
        self.send_header("X-From", "server")
        self.end_headers()
        self.wfile.write(self.command.encode() + b" " + self.path.encode() + b" " + body)

    def do_POST(self) -> None:
        self.do_GET()

    def do_OPTIONS(self) -> None:
        self.do_GET()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def received_headers() -> list[dict[str, str]]:
    """The headers of each request that reached the server."""
    return []


@pytest.fixture
def road(received_headers: list[dict[str, str]]) -> Iterator[Road]:
    with (
        listening(partial(Server, received_headers)) as port,
        running_road(f"http://127.0.0.1:{port}") as running,
    ):
        yield running


@pytest.fixture
def browser(road: Road) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=road.url, timeout=60) as client:
        yield client


def send(browser: httpx.Client) -> httpx.Response:
    return browser.post("/e", content=EVENT)


def test_everything_passes_and_is_remembered(road: Road, browser: httpx.Client) -> None:
    script = browser.get("/p.js?v=3")
    assert (script.text, script.headers["x-from"]) == ("GET /p.js?v=3 ", "server")
    assert send(browser).text == f"POST /e {EVENT}"
    assert road.requests == [
        ForwardedRequest("GET", "/p.js?v=3", "", 200),
        ForwardedRequest("POST", "/e", EVENT, 200),
    ]
    assert road.events == [ForwardedRequest("POST", "/e", EVENT, 200)]


def test_the_client_has_an_address_of_its_own(
    road: Road, browser: httpx.Client, received_headers: list[dict[str, str]]
) -> None:
    browser.post("/e", content=EVENT, headers={"user-agent": "Somebody/1", "origin": "null"})
    [headers] = received_headers
    assert headers["cf-connecting-ip"] == road.address
    assert (headers["user-agent"], headers["origin"]) == ("Somebody/1", "null")


def test_each_site_has_an_address_of_its_own_where_that_is_asked_for(
    road: Road, browser: httpx.Client, received_headers: list[dict[str, str]]
) -> None:
    road.has_address_for_each_site = True
    for origin in ("http://a.test", "http://b.test", "http://a.test"):
        browser.post("/e", content=EVENT, headers={"origin": origin})
    first, other, again = [headers["cf-connecting-ip"] for headers in received_headers]
    assert first == again != other


def test_refused_events_do_not_get_through_and_can_be_read_by_the_page(
    road: Road, browser: httpx.Client, received_headers: list[dict[str, str]]
) -> None:
    road.refuse(429, retry_after=7)
    answer = send(browser)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "Retry-After" in answer.headers["access-control-expose-headers"]
    assert received_headers == []
    assert road.count(429) == 1
    assert browser.get("/p.js").status_code == 200


def test_a_refusal_is_over_after_its_seconds(road: Road, browser: httpx.Client) -> None:
    road.refuse(503, seconds=0.2)
    assert send(browser).status_code == 503
    time.sleep(0.25)
    assert send(browser).status_code == 200


def test_a_slow_road_is_slow_for_events_and_preflights_only(
    road: Road, browser: httpx.Client
) -> None:
    road.slow_down(200)
    seconds = []
    for method, path in (("GET", "/p.js"), ("OPTIONS", "/e"), ("POST", "/e")):
        started = time.monotonic()
        browser.request(method, path)
        seconds.append(time.monotonic() - started >= 0.2)
    assert seconds == [False, True, True]


def test_a_road_that_is_cut_answers_nothing(
    road: Road, browser: httpx.Client, received_headers: list[dict[str, str]]
) -> None:
    road.cut()
    with pytest.raises(httpx.TransportError):
        send(browser)
    assert received_headers == []
    assert road.count(0) >= 1


def test_a_cleared_road_is_as_it_was(road: Road, browser: httpx.Client) -> None:
    road.refuse()
    road.slow_down(60_000)
    road.cut()
    road.clear()
    assert send(browser).status_code == 200


def test_nothing_gets_through_after_its_end(received_headers: list[dict[str, str]]) -> None:
    with listening(partial(Server, received_headers)) as port, httpx.Client() as browser:
        with running_road(f"http://127.0.0.1:{port}") as road:
            browser.post(f"{road.url}/e")
        with pytest.raises(httpx.TransportError):  # on the connection that is still open
            browser.post(f"{road.url}/e")
    assert len(received_headers) == 1
