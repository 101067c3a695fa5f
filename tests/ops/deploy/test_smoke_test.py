"""The smoke test, on a real Worker."""

from __future__ import annotations

import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

import ops.deploy.release as ops_release
from ops.deploy.release import Release
from ops.deploy.rollout import describe_regression
from ops.deploy.smoke_test import (
    PIXEL,
    PROJECT,
    SmokeTest,
    UnhealthyError,
    find_pixel,
    read_metrics,
)
from ops.worker_api.client import Api, open_client
from ops.worker_api.worker import Key, choose_worker
from pyodide_bundle import Bundle
from services.tracking.smoke_event import VISITOR
from tests.harness.listening import listening
from tests.harness.worker import Worker, running_worker
from tests.ops.asking import ADMIN_KEY, KEYS
from tests.ops.deployed import local

SLOW_SECONDS = 3
EVENTS = """
SELECT events.page_title, events.event_type, pixels.name AS pixel, projects.configuration
FROM tracking_events AS events
JOIN pixels ON pixels.id = events.pixel_id
JOIN projects ON projects.id = pixels.project_id
JOIN visitors ON visitors.id = events.visitor_id
WHERE visitors.visitor_cookie = ?
"""


class SlowHandler(BaseHTTPRequestHandler):
    """Answers nobody in time."""

    def do_GET(self) -> None:
        """Answer late."""
        time.sleep(SLOW_SECONDS)


@pytest.fixture(scope="module")
def keyed(local_config: Bundle) -> Iterator[Worker]:
    """A Worker of its own: the security check uses up what this address may send to the other."""
    with running_worker(env_vars={"API_KEYS": KEYS}) as running:
        yield running


@pytest.fixture
def api(keyed: Worker) -> Iterator[Api]:
    """The way to it with an admin's key."""
    worker, key = choose_worker(None, keyed.url, local=False), Key("a test", ADMIN_KEY)
    with open_client(worker, key) as http:
        yield Api(worker, key, http)


def test_a_healthy_worker_answers_and_stores_one_page_view_of_our_own(
    keyed: Worker, api: Api
) -> None:
    version = api.http.get("/health").json()["worker_version"]
    before = len(keyed.query(EVENTS, VISITOR))
    SmokeTest(api, version).require_pass()
    assert SmokeTest(api, version).run_read_only() == {}
    events = keyed.query(EVENTS, VISITOR)
    assert len(events) == before + 1
    assert events[-1] == {
        "page_title": PIXEL,
        "event_type": "pageview",
        "pixel": PIXEL,
        "configuration": '{"pipedrive_enabled": false}',
    }


def test_a_slow_answer_ends_the_test(api: Api) -> None:
    slow = SmokeTest(api, max_seconds=0).run_read_only()
    not_run = dict.fromkeys(["script", "image", "tracking"], "not run")
    assert slow == {"health": "slower than 0 s", **not_run}


def test_a_release_gives_up_soon_on_a_version_that_is_slow(
    storage: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ops_release, "run_upload", lambda _command: "a slow version")
    monkeypatch.setattr(ops_release, "PAUSE_SECONDS", 0.1)
    monkeypatch.setattr(ops_release, "MAX_SECONDS", 1)
    start = time.monotonic()
    with listening(SlowHandler) as port:
        worker = choose_worker(None, f"http://127.0.0.1:{port}", local=False)
        with open_client(worker, None) as http:
            release = Release(local(storage), Api(worker, None, http), "old", "3.1.0", 0)
            with pytest.raises(UnhealthyError, match="health: slower than 1 s; script: not run"):
                release.deploy_at_once()
    # A second each for the waiting's last request and the test's first one, and the pauses.
    assert time.monotonic() - start < ops_release.MAX_HEALTH_CHECKS


def test_project_and_pixel_are_made_once(keyed: Worker, api: Api) -> None:
    assert find_pixel(api) == find_pixel(api)
    assert len(keyed.query("SELECT id FROM projects WHERE name = ?", PROJECT)) == 1


def test_a_project_that_somebody_switched_off_does_not_fail_for_ever(
    keyed: Worker, api: Api
) -> None:
    pixel = find_pixel(api)
    [project] = keyed.query("SELECT id FROM projects WHERE name = ?", PROJECT)
    api.send("DELETE", f"/api/manage/pixels/{pixel}")
    api.send("DELETE", f"/api/manage/projects/{project['id']}")
    assert find_pixel(api) == pixel
    assert SmokeTest(api).run() == {}
    assert len(keyed.query("SELECT id FROM projects WHERE name = ?", PROJECT)) == 1


def test_the_metrics_of_a_real_worker_are_those_that_a_rollout_compares(api: Api) -> None:
    metrics = read_metrics(api)
    assert describe_regression(metrics, metrics) is None


def test_a_release_is_proven_on_a_real_worker(
    api: Api, storage: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = api.http.get("/health").json()["worker_version"]
    monkeypatch.setattr(ops_release, "run_upload", lambda _command: version)
    monkeypatch.setattr(ops_release, "PAUSE_SECONDS", 0.01)
    release = Release(local(storage), api, "old-version", "3.1.0 at abc", watch_seconds=0)
    release.deploy_at_once()
    assert release.version == version


def test_another_version_than_the_one_that_was_asked_is_seen(api: Api) -> None:
    smoke = SmokeTest(api, "other-version")
    assert set(smoke.run_read_only()) == {"health"}
    with pytest.raises(
        UnhealthyError, match=r"the new version fails: health: .*, not other-version"
    ):
        smoke.require_pass()


def test_a_worker_that_is_not_there_fails_everything() -> None:
    worker = choose_worker(None, "http://127.0.0.1:1", local=False)
    with open_client(worker, None) as http:
        wrong = SmokeTest(Api(worker, None, http)).run()
    assert set(wrong) == {"health", "script", "image", "tracking", "keys", "numbers", "event"}
