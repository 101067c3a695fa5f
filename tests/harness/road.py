"""The road from a browser to the Worker: a real proxy, on which things go wrong when told so.

A page loads the pixel from the road's address, so its events come this way too:

    with running_road(worker.url) as road:
        ...  # a page with <script src="{road.url}/p.js" ...>
        road.refuse(503, seconds=2)
"""

from __future__ import annotations

import http.client
import math
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler
from urllib.parse import urlsplit

from tests.harness.listening import listening
from tests.harness.worker import some_address

EVENTS = "/e"
DROPPED = 0
NO_BODY = (204, 304)
HOP_BY_HOP_HEADERS = {"connection", "keep-alive", "transfer-encoding", "content-length", "host"}
CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "Retry-After",
}


@dataclass(frozen=True, slots=True)
class ForwardedRequest:
    """A request that came along, and the status of its answer: 0 if it was dropped."""

    method: str
    path: str
    body: str
    status: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent back."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass
class Road:
    """What lies between a browser and the Worker. Everything passes until it is told otherwise."""

    worker_url: str
    address: str = field(default_factory=some_address)
    """Whom the Worker takes the browser for: its limits are by address."""
    has_address_for_each_site: bool = False
    """Whether each site's visitors have an address of their own, however late their events come."""
    url: str = ""
    requests: list[ForwardedRequest] = field(default_factory=list)
    _refusal: Answer | None = None
    _refused_path: str = EVENTS
    _refused_until: float = 0.0
    _refused_requests: float = 0.0
    _delay: float = 0.0
    _cut: bool = False
    _addresses: defaultdict[str, str] = field(default_factory=lambda: defaultdict(some_address))

    @property
    def events(self) -> list[ForwardedRequest]:
        """The events that were sent, whatever became of them."""
        return [
            request
            for request in self.requests
            if (request.method, request.path) == ("POST", EVENTS)
        ]

    def count(self, status: int) -> int:
        """How many events were answered so."""
        return sum(request.status == status for request in self.events)

    def refuse(
        self,
        status: int = 503,
        seconds: float = math.inf,
        retry_after: int | None = None,
        *,
        requests: float = math.inf,
        path: str = EVENTS,
    ) -> None:
        """Answers events, or what goes to another path, with this status.

        It does so for some seconds or requests, or until told otherwise.
        """
        retry = {} if retry_after is None else {"Retry-After": str(retry_after)}
        self._refusal = Answer(status, CORS | retry)
        self._refused_path, self._refused_requests = path, requests
        self._refused_until = time.monotonic() + seconds

    def slow_down(self, milliseconds: int) -> None:
        """Lets events and their preflights wait on their way to the Worker."""
        self._delay = milliseconds / 1000

    def cut(self) -> None:
        """Drops every connection, as if the browser were offline."""
        self._cut = True

    def clear(self) -> None:
        """Lets everything pass again."""
        self._refused_until = self._delay = 0.0
        self._cut = False

    def carry(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Takes one request along; remembers it with its answer."""
        if self._delay and method in {"POST", "OPTIONS"}:
            time.sleep(self._delay)
        answer = self._answer(method, path, headers, body)
        self.requests.append(
            ForwardedRequest(method, path, body.decode("utf-8", "replace"), answer.status)
        )
        return answer

    def _answer(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        if self._cut:
            return Answer(DROPPED, {})
        if self._refusal and self._is_refused(method, path):
            self._refused_requests -= 1
            return self._refusal
        return self._ask_worker(method, path, headers, body)

    def _is_refused(self, method: str, path: str) -> bool:
        path_only = path.partition("?")[0]
        return (
            path_only == self._refused_path
            and (path_only != EVENTS or method == "POST")
            and time.monotonic() < self._refused_until
            and self._refused_requests > 0
        )

    def _ask_worker(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> Answer:
        passed_on = _end_to_end(headers)
        passed_on["cf-connecting-ip"] = (
            self._addresses[passed_on.get("origin", "")]
            if self.has_address_for_each_site
            else self.address
        )
        connection = http.client.HTTPConnection(urlsplit(self.worker_url).netloc, timeout=120)
        try:
            connection.request(method, path, body or None, passed_on)
            response = connection.getresponse()
            return Answer(
                response.status, _end_to_end(dict(response.headers.items())), response.read()
            )
        except (OSError, http.client.HTTPException):
            # Nobody is there, or went in the middle of the answer.
            return Answer(DROPPED, {})
        finally:
            connection.close()


def _end_to_end(headers: Mapping[str, str]) -> dict[str, str]:
    lower_case = {name.lower(): value for name, value in headers.items()}
    return {name: lower_case[name] for name in lower_case if name not in HOP_BY_HOP_HEADERS}


class _Traveller(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, road: Road, *args: object) -> None:
        self._road = road
        super().__init__(*args)  # type: ignore[arg-type]  # passed through as they came

    def do_GET(self) -> None:
        self._travel()

    def do_POST(self) -> None:
        self._travel()

    def do_OPTIONS(self) -> None:
        self._travel()

    def _travel(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        answer = self._road.carry(self.command, self.path, dict(self.headers.items()), body)
        if answer.status == DROPPED:
            self.close_connection = True
            return
        self.send_response_only(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.status not in NO_BODY:
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def running_road(worker_url: str) -> Iterator[Road]:
    """A road to the Worker, for a client of its own; nothing gets through after the block."""
    road = Road(worker_url)
    with listening(partial(_Traveller, road)) as port:
        road.url = f"http://127.0.0.1:{port}"
        try:
            yield road
        finally:
            road.cut()  # connections that a browser still holds open outlive the server
