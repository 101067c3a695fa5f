"""`ppp security-check`: what it finds on the Worker, and on a server that is careless."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler

import pytest

import routes
from ops.checks.security_probes import PROTECTED_PATHS
from routes import Route, routes_by_method
from tests.harness.listening import listening
from tests.harness.worker import Row
from tests.ops.asking import ADMIN_KEY, Service
from tests.ops.running import Output, fails, here

STORED = """
SELECT
  (SELECT count(*) FROM tracking_events) AS events, (SELECT count(*) FROM visitors) AS visitors,
  (SELECT count(*) FROM projects) AS projects, (SELECT count(*) FROM pixels) AS pixels,
  (SELECT count(*) FROM pixels WHERE active) AS active
"""


class _Careless(BaseHTTPRequestHandler):
    """Answers everything with what should never be told; only its first event is too many."""

    protocol_version = "HTTP/1.0"
    is_tired = True

    def _answer(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        if self.path == "/e" and _Careless.is_tired:
            _Careless.is_tired = False
            self.send_response(429)
            self.send_header("Retry-After", "1")
            self.end_headers()
            return
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Access-Control-Allow-Origin", "*")
        self.send_header("Access-Control-Allow-Credentials", "true")
        self.send_header("Set-Cookie", "session=1")
        self.send_header("X-Injected", "1")
        self.end_headers()
        self.wfile.write(b'{"error": "Traceback: D1_ERROR in services/tracking/visits.py"}')

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = _answer  # noqa: N815  # http.server's names

    def log_message(self, *_: object) -> None:
        pass


def findings(output: Output) -> dict[str, Row]:
    return {finding["what"]: finding for finding in output.json["findings"]}


@pytest.fixture(scope="module")
def checked(service: Service) -> Output:
    """The Worker, checked once."""
    before = service.worker.query(STORED)
    output = service.ppp("security-check", "--json")
    assert service.worker.query(STORED) == before
    return output


# Before the limit is met.
def test_people_get_a_table_and_a_sum(service: Service) -> None:
    output = service.ppp("security-check", "--no-rate-limit")
    assert output.code == 0, output.out
    *_, last = output.out.splitlines()
    assert last.endswith(" passed, 0 failed, 1 left out")
    assert "the rate limit of events" not in output.out


def test_the_worker_passes_all_of_it(checked: Output) -> None:
    failed = [finding for finding in findings(checked).values() if finding["verdict"] == "fail"]
    assert failed == []
    assert checked.code == 0
    skipped = [
        check_result["what"]
        for check_result in findings(checked).values()
        if check_result["verdict"] == "skip"
    ]
    assert skipped == ["TLS"]


def test_it_says_before_what_it_sends_and_after_how_much_that_was(checked: Output) -> None:
    first, last = checked.err.splitlines()
    assert "about 100 small requests" in first
    number = int(last.split()[0])
    assert len(findings(checked)) < number <= 330
    assert ADMIN_KEY not in checked.out + checked.err


def test_the_limit_that_was_met_is_told_with_its_wait(checked: Output) -> None:
    observed = findings(checked)["the rate limit of events"]["seen"]
    assert observed.startswith("429 after ")
    assert 0 < int(observed.rpartition(" ")[2]) <= 60


def test_a_careless_server_fails(service: Service) -> None:
    with listening(_Careless) as port:
        output = here("security-check", "--url", f"http://127.0.0.1:{port}", "--json")
    assert output.code == 1
    assert output.err.count("too many events before: waiting 1 s as the Worker asks") == 1
    verdicts = {what: finding["verdict"] for what, finding in findings(output).items()}
    fine = {"the Worker after all that", "answers of 500 and above"}
    passed = {what for what, verdict in verdicts.items() if verdict == "pass"}
    assert passed == fine
    internals = next(what for what in verdicts if what.startswith("internals in "))
    assert verdicts[internals] == "fail"


def test_every_route_that_needs_a_key_is_tried() -> None:
    tried = [routes_by_method(path) for path in PROTECTED_PATHS]
    tables = {name: value for name, value in vars(routes).items() if name.isupper()}
    protected = [
        (name, methods)
        for name, table in tables.items()
        for methods in _methods_in(table)
        if any(route.policy.key for route in methods.values())
    ]
    assert len(protected) > 10
    missing = [name for name, methods in protected if methods not in tried]
    assert missing == [], "name an address of each in ops/checks/security_probes.py"


def _methods_in(table: object) -> Iterator[Mapping[str, Route]]:
    """What a table of routes has by method, itself or below its names."""
    if not isinstance(table, dict):
        return
    if table and all(isinstance(route, Route) for route in table.values()):
        yield table
    for below in table.values():
        yield from _methods_in(below)


def test_it_asks_before_it_tries_what_is_not_on_this_machine() -> None:
    elsewhere = ("security-check", "--env", "production")
    output = here(*elsewhere, answer="n\n")
    assert (output.code, output.out.endswith("nothing was changed\n")) == (1, True)
    assert "production: https://pixel.salesmagic.us: about 100 small requests" in output.err
    assert "--yes" in fails(here(*elsewhere, "--json"), 2)


def test_where_nothing_answers_it_is_one_line() -> None:
    assert "did not answer" in fails(here("security-check", "--url", "http://127.0.0.1:9"), 3)
