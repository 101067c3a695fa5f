"""Clients that hang up: at any point of a request, it is no error of ours."""

from __future__ import annotations

import json
import socket
import struct
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from pyodide_bundle import Bundle
from tests.harness.keys import ADMIN_KEY, keys
from tests.harness.worker import (
    BROWSER,
    PIXEL,
    PROJECT,
    Worker,
    running_worker,
    some_address,
    some_event,
    some_visitor,
)

ROWS = 3_000
ADD_ROWS = """
WITH RECURSIVE numbers (number) AS (
  SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE number < ?2
)
INSERT INTO tracking_events (project_id, pixel_id, event_type, page_url, page_title)
SELECT ?3, ?1, 'pageview', 'https://shop.example/' || number, hex(zeroblob(250)) FROM numbers
"""
TRACKING = ("/e", "/api/track", "/api/track/track")
POSTS = (*TRACKING, "/api/projects", f"/api/projects/{PROJECT}/pixels", "/api/archive")
GETS = (
    f"/api/track/pixel.gif?pixel_id={PIXEL}&page_url=https://shop.example/",
    "/health",
    f"/api/analytics/export/{PIXEL}?format=csv&limit=10000",
    f"/api/analytics/export/{PIXEL}?limit=10000",
    f"/api/reports/export/{PIXEL}?limit=10000",
    f"/api/reports/stats/{PIXEL}",
    "/api/analytics/metrics",
)
# An end without a farewell, as of a browser that is killed.
RESET_AT_ONCE = struct.pack("ii", 1, 0)


@pytest.fixture(scope="module")
def deserted(local_config: Bundle) -> Iterator[Worker]:
    """A Worker with events to export."""
    limits = {"MANAGEMENT_PER_HOUR": "100000", "LOG_LEVEL": "info"}
    with running_worker(env_vars={"API_KEYS": keys(), **limits}) as running:
        running.query(ADD_ROWS, PIXEL, ROWS, PROJECT)
        yield running


def hang_up(
    worker: Worker, request: str, *, after_seconds: float = 0.1, bytes_read: int = 0
) -> bytes:
    """Sends what is given of a request, reads so much of the answer, and ends the connection."""
    url = urlsplit(worker.url)
    with socket.create_connection((url.hostname or "", url.port or 80), timeout=60) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_ONCE)
        connection.sendall(request.encode())
        received = b""
        while len(received) < bytes_read:
            received += connection.recv(bytes_read - len(received))
        time.sleep(after_seconds)
    return received


def head(method: str, path: str, *headers: str) -> str:
    """The head of a request with a key, up to and including its empty line."""
    lines = [
        f"{method} {path} HTTP/1.1",
        "Host: pixel.example",
        f"User-Agent: {BROWSER}",
        f"CF-Connecting-IP: {some_address()}",
        f"X-API-Key: {ADMIN_KEY}",
        *headers,
    ]
    return "\r\n".join((*lines, "", ""))


def require_silence(worker: Worker) -> None:
    """Nothing was logged as an error, by us or by workerd, and nothing counts to the alarm."""
    assert worker.send(some_event()).status_code == 200
    time.sleep(0.5)
    loud = [
        entry
        for entry in worker.act("logs")
        if entry["level"] in ("error", "warn") or '"error"' in entry["message"]
    ]
    assert loud == []
    assert worker.query("SELECT * FROM failed_requests") == []


@pytest.fixture(autouse=True)
def silent(deserted: Worker) -> Iterator[None]:
    """Every test begins with an empty log, and must end in silence."""
    deserted.query("DELETE FROM failed_requests")
    deserted.act("clear_logs")
    yield
    require_silence(deserted)


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize("headers", ["Content-Length: 9000", "Transfer-Encoding: chunked"])
def test_after_the_headers(deserted: Worker, path: str, headers: str) -> None:
    for _ in range(3):
        hang_up(deserted, head("POST", path, headers))


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize(
    "headers",
    ["Content-Length: 9000", "Content-Length: 9000000", "Transfer-Encoding: chunked"],
)
def test_in_the_middle_of_the_body(deserted: Worker, path: str, headers: str) -> None:
    body = '1a\r\n{"pixel_id": "ppp-demo-pix'
    for _ in range(3):
        hang_up(deserted, head("POST", path, headers) + body)


def test_in_the_middle_of_the_headers(deserted: Worker) -> None:
    for path in POSTS:
        hang_up(deserted, head("POST", path)[:-10])


@pytest.mark.parametrize("path", TRACKING)
@pytest.mark.parametrize("seconds", [0, 0.002, 0.01, 0.05])
def test_before_the_answer_to_an_event_which_may_be_stored(
    deserted: Worker, path: str, seconds: float
) -> None:
    for _ in range(3):
        visitor = some_visitor()
        body = json.dumps(some_event(visitor_cookie=visitor, event_type="form_submit"))
        headers = ("Content-Type: text/plain", f"Content-Length: {len(body)}")
        hang_up(deserted, head("POST", path, *headers) + body, after_seconds=seconds)


@pytest.mark.parametrize("path", ["/api/projects", f"/api/projects/{PROJECT}/pixels"])
def test_before_the_answer_to_a_change(deserted: Worker, path: str) -> None:
    for seconds in (0, 0.01):
        body = json.dumps({"name": some_visitor()})
        headers = ("Content-Type: application/json", f"Content-Length: {len(body)}")
        hang_up(deserted, head("POST", path, *headers) + body, after_seconds=seconds)


@pytest.mark.parametrize("path", GETS)
def test_before_and_in_the_answer(deserted: Worker, path: str) -> None:
    for seconds in (0, 0.01, 0.1):
        hang_up(deserted, head("GET", path), after_seconds=seconds)
    received = hang_up(deserted, head("GET", path), bytes_read=100)
    assert received.startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("form", ["format=csv", "format=json"])
def test_deep_in_an_export(deserted: Worker, form: str) -> None:
    path = f"/api/analytics/export/{PIXEL}?{form}&limit=10000"
    received = hang_up(deserted, head("GET", path), bytes_read=100_000)
    assert len(received) == 100_000
