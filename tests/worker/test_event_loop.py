"""The isolate's event loop: with another Pyodide it is used as it is, and no turn is lost."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from paths import LOCAL_CONFIG
from tests.harness.direct import count, migrate, running_directly
from tests.harness.prepared import WITHOUT_SNAPSHOT, worker_bundle
from tests.harness.worker import BROWSER, some_event

REQUESTS = 40
COUNT_EVENTS = "SELECT count(*) FROM tracking_events"
ANOTHER_PYODIDE = """
import bindings.event_loop
bindings.event_loop.TURN_METHODS = ("what_it_lacks",)
from entry import RateLimiter, on_fetch, on_scheduled
"""
# Two callbacks of one turn, the first of which ends it, as the CPU limit does.
ENDED_TURNS = """
import asyncio
from entry import RateLimiter, on_scheduled, isolate_loop
from entry import on_fetch as answer

def end():
    raise KeyboardInterrupt

def on_fetch(request, env, ctx):
    loop = isolate_loop()
    if "end-the-turn" in request.url:
        asyncio.get_event_loop().call_soon(end)
    return answer(request, env, ctx)
"""


@pytest.mark.parametrize("source", [ANOTHER_PYODIDE, ENDED_TURNS], ids=["stock loop", "ended"])
def test_every_event_is_answered_and_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    # A snapshot holds the Worker's own main module.
    monkeypatch.setenv(WITHOUT_SNAPSHOT, "1")
    with _running(tmp_path, source) as http, ThreadPoolExecutor(8) as clients:
        answers = list(clients.map(lambda number: _send(http, number), range(REQUESTS)))
    assert answers == [200] * REQUESTS
    assert count(tmp_path / "storage", COUNT_EVENTS) == REQUESTS


def _send(http: httpx.Client, number: int) -> int:
    query = "?end-the-turn" if number % 4 == 0 else ""
    return http.post(f"/e{query}", content=json.dumps(some_event())).status_code


@contextmanager
def _running(folder: Path, source: str) -> Iterator[httpx.Client]:
    bundle, storage = folder / "bundle", folder / "storage"
    shutil.copytree(worker_bundle(), bundle)
    (bundle / "changed_main.py").write_text(source, encoding="utf-8")
    migrate(storage)
    config = json.loads(LOCAL_CONFIG.read_text(encoding="utf-8"))
    with (
        running_directly(bundle, "changed_main.py", config, storage, {}) as worker,
        httpx.Client(base_url=worker.url, timeout=120, headers={"user-agent": BROWSER}) as http,
    ):
        yield http
