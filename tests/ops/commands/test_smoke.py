"""`ppp smoke`, on a real Worker that is well and on ones that are not."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus

import pytest

from ops.deploy.smoke_test import PIXEL
from pyodide_bundle import Bundle
from services.tracking.smoke_event import VISITOR
from tests.harness.worker import Worker, running_worker
from tests.ops.asking import KEYS, Service
from tests.ops.running import fails, here
from tests.tools.checkout import until

PROBES = ["health", "script", "image", "tracking", "keys", "numbers", "event"]
EVENTS = """
SELECT events.event_type FROM tracking_events AS events
JOIN pixels ON pixels.id = events.pixel_id JOIN visitors ON visitors.id = events.visitor_id
WHERE pixels.name = ? AND visitors.visitor_cookie = ?
"""


@pytest.fixture(scope="module")
def keyed(local_config: Bundle) -> Iterator[Worker]:
    """A Worker of its own, which a test breaks."""
    with running_worker(env_vars={"API_KEYS": KEYS}) as running:
        yield running


@pytest.fixture
def service(keyed: Worker) -> Service:
    return Service(keyed)


def test_a_worker_that_is_well_passes_and_stores_one_page_view(service: Service) -> None:
    before = len(service.worker.query(EVENTS, PIXEL, VISITOR))
    output = service.ppp("smoke")
    assert output.code == 0, output
    *lines, empty, last = output.out.splitlines()
    assert [line.split() for line in lines] == [[probe, "passed"] for probe in PROBES]
    assert (empty, last) == ("", "all passed")
    assert output.err.startswith("local: http://")
    assert len(service.worker.query(EVENTS, PIXEL, VISITOR)) == before + 1


def test_a_script_gets_every_test(service: Service) -> None:
    answer = service.json("smoke")
    assert answer == {
        "environment": "local",
        "fine": True,
        "tests": dict.fromkeys(PROBES, "passed"),
    }


def test_an_unknown_key_fails_what_needs_one(service: Service) -> None:
    output = service.ppp("smoke", key="nobody-knows-it")
    assert output.code == 1
    assert [line[2:9].strip() for line in output.out.splitlines() if line.startswith("!")] == [
        *("numbers", "event"),
    ]
    assert output.out.endswith("\n2 of 7 failed\n")


def test_where_nothing_answers_every_test_fails() -> None:
    output = here("smoke", "--url", "http://127.0.0.1:9", env={"PPP_API_KEY": "a-key"})
    assert output.code == 1
    assert output.out.endswith("\n7 of 7 failed\n")
    assert "Traceback" not in output.err


def test_without_a_target_nothing_is_tested() -> None:
    assert "say which Worker" in fails(here("smoke"), 2)


def test_a_broken_database_fails_the_tests_of_events_and_numbers(service: Service) -> None:
    service.worker.act("drop_tables")
    # An isolate remembers for five seconds how it was.
    until(
        lambda: (
            service.worker.http.get(f"{service.worker.url}/health").status_code
            == HTTPStatus.SERVICE_UNAVAILABLE
        )
    )
    output = service.ppp("smoke", "--json")
    assert (output.code, output.json["fine"]) == (1, False)
    tests = output.json["tests"]
    assert "503" in tests["health"]
    assert "500" in tests["numbers"] or "503" in tests["numbers"]
    # An isolate remembers for a minute that nobody knows the pixel of `tracking`.
    assert {name for name, text in tests.items() if text == "passed"} - {"tracking"} == {
        *("script", "image", "keys"),
    }
