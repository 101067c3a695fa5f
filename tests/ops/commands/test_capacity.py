"""`ppp capacity`, on a real Worker."""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler

import pytest

from ops.checks.load_test import LoadResult
from tests.harness.listening import listening
from tests.ops.asking import ADMIN_KEY, READ_KEY, Service
from tests.ops.running import fails, here

LOAD = ("--rate", 20, "--seconds", 2, "--connections", 4)
MARKED = "SELECT id, active FROM pixels WHERE name = 'ppp capacity test'"


def test_a_load_is_measured_on_a_pixel_that_is_switched_off_again(service: Service) -> None:
    output = service.json("capacity", *LOAD)
    assert (output["stored"], output["limited"], output["failed"]) == (40, 0, 0)
    assert output["statuses"] == {"200": 40}
    milliseconds = output["milliseconds"]
    assert 0 < milliseconds["p50"] <= milliseconds["p95"] <= milliseconds["p99"]
    # It is sent over two seconds, however quick the Worker is.
    assert output["per_second"] <= 21
    assert service.worker.query(MARKED) == [{"id": output["pixel_id"], "active": 0}]
    sql = "SELECT count(*) AS events FROM tracking_events WHERE pixel_id = ?"
    before = service.worker.query(sql, output["pixel_id"])[0]["events"]
    again = service.ppp("capacity", *LOAD)
    assert again.code == 0
    assert "40 stored, 0 met the rate limit, 0 failed" in again.out
    assert "their events stay" in again.err
    assert service.worker.query(sql, output["pixel_id"]) == [{"events": before + 40}]
    assert len(service.worker.query(MARKED)) == 1


class _Production(BaseHTTPRequestHandler):
    """Says what production's Worker says of itself; everything else is an error."""

    def do_GET(self) -> None:
        assert self.path == "/health"
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"environment": "production", "checks": {}}')

    def log_message(self, *_: object) -> None:
        pass


def test_production_is_refused_whatever_it_is_called() -> None:
    with listening(_Production) as port:
        url = f"http://127.0.0.1:{port}"
        output = here("capacity", "--url", url, *LOAD, env={"PPP_API_KEY": ADMIN_KEY})
    assert "production is not for load" in fails(output, 2)
    assert "No such option" in fails(here("capacity", "--env", "production"), 2)


@pytest.mark.parametrize(
    ("option", "value"), [("--rate", 1_001), ("--seconds", 121), ("--connections", 201)]
)
def test_a_load_has_bounds(option: str, value: int) -> None:
    assert "not in the range" in fails(here("capacity", "--local", option, value), 2)


def test_a_key_that_only_reads_cannot_make_the_pixel(service: Service) -> None:
    assert "role admin" in fails(service.ppp("capacity", *LOAD, key=READ_KEY), 3)


def test_what_is_limited_or_fails_is_counted_apart() -> None:
    result = LoadResult(elapsed_seconds=2.0, latencies_ms=[1.0, 2.0, 3.0, 4.0])
    result.statuses.update({200: 1, 429: 2, 503: 1})
    result.errors["ReadTimeout"] += 3
    assert (result.stored, result.limited, result.failed) == (1, 2, 4)
    assert (result.per_second, result.percentile(50), result.percentile(99)) == (
        2.0,
        3.0,
        4.0,
    )
    assert LoadResult().percentile(50) is None


class _NoWorker(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def test_what_is_not_the_worker_gets_no_load() -> None:
    with listening(_NoWorker) as port:
        url = f"http://127.0.0.1:{port}"
        output = here("capacity", "--url", url, *LOAD, env={"PPP_API_KEY": ADMIN_KEY})
    assert "not as PPP Pixel does" in fails(output, 3)
