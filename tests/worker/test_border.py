"""The hot path's border: whoever reads a tracking request, it is answered and stored the same."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from paths import LOCAL_CONFIG
from tests.harness.direct import count, migrate, running_directly
from tests.harness.prepared import WITHOUT_SNAPSHOT, worker_bundle
from tests.harness.worker import BROWSER, some_event

REQUESTS = 40
COUNT_EVENTS = "SELECT count(*) FROM tracking_events"
MODULE = "bindings/border.js"
# Requests to these addresses are the test's own.
MAIN = """
import js
import bindings.border
from bindings.border import Border, _OpenRequest
from entry import RateLimiter, on_scheduled, isolate_border
from entry import on_fetch as answer
from services.tracking.visits import Visits

carried = []
ended = []
begin, batch = Border._begin, Visits.batch

def counted_begin(self, *arguments):
    carried.append(1)
    return begin(self, *arguments)

def stopped_batch(self, event, *arguments, **options):
    if "stop-at-once" in event.page_url:
        raise KeyboardInterrupt
    return batch(self, event, *arguments, **options)

async def never_resumed():
    try:
        await js.Promise.new(lambda *_: None)
    finally:
        ended.append(1)

def lose(border):
    for number in range(bindings.border.MAX_OPEN):
        coroutine = never_resumed()
        coroutine.send(None)
        border._open[-number] = _OpenRequest(coroutine, None)

Border._begin = counted_begin
Visits.batch = stopped_batch

def on_fetch(request, env, ctx):
    if request.url.endswith("/carried"):
        return js.Response.new(f"{len(carried)} {len(ended)} {len(isolate_border(env)._open)}")
    if request.url.endswith("/lose"):
        lose(isolate_border(env))
        return js.Response.new("")
    if "/sql" in request.url:
        return env.DB.exec(js.decodeURIComponent(request.url.split("?")[1])).then(
            lambda _: js.Response.new("")
        )
    return answer(request, env, ctx)
"""
NO_HELPER = "import sys\nsys.modules['_pyodide_entrypoint_helper'] = None\n"
THROWS = "export function install() { throw new Error('not here'); }"


@dataclass(frozen=True, slots=True)
class Running:
    """A Worker with the test's own addresses."""

    http: httpx.Client
    storage: Path

    def send(self, **fields: object) -> int:
        """Sends an event; returns the status of the answer."""
        return self.http.post("/e", content=json.dumps(some_event(**fields))).status_code

    def counts(self) -> tuple[int, int, int]:
        """How many requests were carried, how many lost ones ended, how many are open."""
        carried, ended, unfinished = self.http.get("/carried").text.split()
        return int(carried), int(ended), int(unfinished)


# The bundle is made as the configuration of this machine says.
pytestmark = pytest.mark.usefixtures("local_config")


@pytest.fixture(autouse=True)
def _without_snapshot(monkeypatch: pytest.MonkeyPatch) -> None:
    # A snapshot holds the Worker's own main module.
    monkeypatch.setenv(WITHOUT_SNAPSHOT, "1")


@contextmanager
def running(
    folder: Path, *, source: str = MAIN, module: str | None = "as it is"
) -> Iterator[Running]:
    """A Worker with another main module, and another border.js or none."""
    bundle, storage = folder / "bundle", folder / "storage"
    shutil.copytree(worker_bundle(), bundle)
    (bundle / "changed_main.py").write_text(source, encoding="utf-8")
    if module is None:
        (bundle / MODULE).unlink()
    elif module != "as it is":
        (bundle / MODULE).write_text(module, encoding="utf-8")
    migrate(storage)
    config = json.loads(LOCAL_CONFIG.read_text(encoding="utf-8"))
    limits = {"TRACKING_PER_MINUTE": "100000"}
    with (
        running_directly(bundle, "changed_main.py", config, storage, limits) as worker,
        httpx.Client(base_url=worker.url, timeout=120, headers={"user-agent": BROWSER}) as http,
    ):
        yield Running(http, storage)


def test_sixteen_first_requests_at_once_are_stored_and_later_ones_are_carried(
    tmp_path: Path,
) -> None:
    with running(tmp_path) as worker, ThreadPoolExecutor(16) as clients:
        first = list(clients.map(lambda _: worker.send(), range(16)))
        later = list(clients.map(lambda _: worker.send(), range(REQUESTS)))
        carried, _, unfinished = worker.counts()
    assert first + later == [200] * (16 + REQUESTS)
    assert count(tmp_path / "storage", COUNT_EVENTS) == 16 + REQUESTS
    assert carried >= REQUESTS
    assert unfinished == 0


@pytest.mark.parametrize(
    ("source", "module"),
    [(MAIN, None), (MAIN, THROWS), (MAIN + NO_HELPER, "as it is")],
    ids=["no module", "a module that throws", "another runtime"],
)
def test_without_the_border_every_event_is_answered_and_stored(
    tmp_path: Path, source: str, module: str | None
) -> None:
    with (
        running(tmp_path, source=source, module=module) as worker,
        ThreadPoolExecutor(8) as clients,
    ):
        answers = list(clients.map(lambda _: worker.send(), range(REQUESTS)))
        carried, _, _ = worker.counts()
    assert answers == [200] * REQUESTS
    assert count(tmp_path / "storage", COUNT_EVENTS) == REQUESTS
    assert carried == 0


def test_both_ways_answer_the_same(tmp_path: Path) -> None:
    with running(tmp_path / "border") as worker, running(tmp_path / "python", module=None) as other:
        for running_worker in (worker, other):
            # The first request loads the module.
            running_worker.send()
        answers = [_answers(running_worker.http) for running_worker in (worker, other)]
        carried = worker.counts()[0], other.counts()[0]
    assert answers[0] == answers[1]
    assert carried[0] >= 10
    assert carried[1] == 0


def _answers(http: httpx.Client) -> list[object]:
    event = some_event(visitor_cookie="pxl_0123456789abcdef", event_key="a" * 16)
    text = json.dumps(event)
    lead = {**event, "event_key": "b" * 16, "event_type": "form_submit"}
    lead["form_data"] = {"email": "jane@example.com", "name": "Jané ✓ \U0001f600"}
    requests: list[tuple[str, object, Mapping[str, str]]] = [
        ("/e", text, {}),
        ("/e?x=1&y=%2F", text, {"cf-ray": "8f00ba4-FRA", "cf-connecting-ip": "2001:db8::1"}),
        ("/api/track", text, {}),
        ("/api/track/track", json.dumps(lead, ensure_ascii=False).encode(), {}),
        ("/e", json.dumps(lead), {"cf-connecting-ip": "192.0.2.7"}),
        ("/e/", text, {}),
        ("/e", "no JSON", {}),
        ("/e", "", {}),
        ("/e", b"\xff\xfe{}", {}),
        ("/e", text, {"user-agent": "Googlebot/2.1"}),
        ("/e", text, {"user-agent": ""}),
        ("/e", text, {"sec-ch-ua": '"HeadlessChrome";v="140"'}),
        ("/e", text, {"dnt": "1"}),
        ("/e", text, {"sec-gpc": "1"}),
        ("/e", json.dumps({**event, "page_url": None}), {"referer": "https://shop.example/a"}),
        ("/e", json.dumps({**event, "pixel_id": "unknown"}), {}),
        ("/e", "x" * 16_385, {}),
        ("/e", [text.encode()], {}),
        ("/e", [b"x" * 16_385], {}),
    ]
    return [
        _comparable(http.post(path, content=content, headers=headers))  # type: ignore[arg-type]  # of text, bytes and a list httpx takes all
        for path, content, headers in requests
    ]


def _comparable(response: httpx.Response) -> tuple[int, object, dict[str, str]]:
    """An answer without what is another one each time."""
    body = response.json() if response.content else None
    if isinstance(body, dict):
        for name in ("visitor_id", "session_id", "processing_time"):
            if name in body:
                body[name] = "some"
    headers = dict(response.headers)
    headers.pop("date", None)
    headers.pop("x-ratelimit-reset", None)
    if len(headers["x-request-id"]) == 32:
        headers["x-request-id"] = "some"
    return response.status_code, body, headers


def test_an_event_that_d1_does_not_take_waits_and_the_next_one_is_stored(tmp_path: Path) -> None:
    with running(tmp_path) as worker:
        assert [worker.send() for _ in range(3)] == [200] * 3
        worker.http.get("/sql?ALTER TABLE sessions RENAME TO sessions_away")
        assert worker.send() == 503
        worker.http.get("/sql?ALTER TABLE sessions_away RENAME TO sessions")
        assert worker.send() == 200
        _, _, unfinished = worker.counts()
    assert unfinished == 0
    assert count(tmp_path / "storage", COUNT_EVENTS) == 4
    assert list((tmp_path / "storage" / "v3" / "r2").rglob("blobs/*"))


def test_a_request_that_is_cut_off_takes_no_other_with_it(tmp_path: Path) -> None:
    stopped = "https://shop.example/stop-at-once"
    with running(tmp_path) as worker, ThreadPoolExecutor(8) as clients:
        assert worker.send() == 200
        answers = list(
            clients.map(
                lambda number: worker.send(**({} if number % 4 else {"page_url": stopped})),
                range(REQUESTS),
            )
        )
        _, _, unfinished = worker.counts()
    assert answers == [200 if number % 4 else 500 for number in range(REQUESTS)]
    assert count(tmp_path / "storage", COUNT_EVENTS) == 1 + REQUESTS * 3 // 4
    assert unfinished == 0


def test_requests_that_nobody_resumes_are_bounded_and_cost_no_event(tmp_path: Path) -> None:
    bounds = "bindings.border.MAX_OPEN = 2\nbindings.border.OPEN_SECONDS = 0.5\n"
    with running(tmp_path, source=MAIN + bounds) as worker, ThreadPoolExecutor(8) as clients:
        worker.send()
        worker.http.get("/lose")
        answers = list(clients.map(lambda _: worker.send(), range(REQUESTS)))
        _, ended, unfinished = worker.counts()
    assert answers == [200] * REQUESTS
    assert count(tmp_path / "storage", COUNT_EVENTS) == 1 + REQUESTS
    assert (ended, unfinished) == (2, 0)
