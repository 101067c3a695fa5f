"""An event answered 200 is in the database, whatever happens to the process."""

from __future__ import annotations

import json
import shutil
import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from paths import LOCAL_CONFIG
from tests.harness.direct import count, running_directly
from tests.harness.prepared import database_file
from tests.harness.worker import BROWSER, some_address, some_event

SENDERS = 8
SECONDS_OF_LOAD = 3


@pytest.fixture
def storage(migrated_storage: Path, tmp_path: Path) -> Path:
    """A migrated database of this test's own."""
    return shutil.copytree(migrated_storage, tmp_path / "storage")


def test_sigkill_under_load_loses_no_acknowledged_event_and_doubles_none(
    bundle: Path, storage: Path
) -> None:
    config = json.loads(LOCAL_CONFIG.read_text(encoding="utf-8"))
    acknowledged: list[tuple[int, str]] = []
    sent: list[dict[str, object]] = []
    stop = threading.Event()

    def keep_sending(client: httpx.Client, url: str) -> None:
        while not stop.is_set():
            key = f"key-{len(sent)}-{threading.get_ident()}"
            event = some_event(event_key=key)
            sent.append(event)
            headers = {"cf-connecting-ip": some_address(), "user-agent": BROWSER}
            try:
                answer = client.post(f"{url}/e", content=json.dumps(event), headers=headers)
            except httpx.HTTPError:
                return
            if answer.status_code == 200:
                acknowledged.append((answer.json()["event_id"], key))

    with (
        running_directly(bundle, "entry.py", config, storage, {}) as worker,
        httpx.Client(timeout=120) as client,
        ThreadPoolExecutor(SENDERS) as senders,
    ):
        for _ in range(SENDERS):
            senders.submit(keep_sending, client, worker.url)
        time.sleep(SECONDS_OF_LOAD)
        worker.kill()
        stop.set()

    assert len(acknowledged) > SENDERS
    with sqlite3.connect(database_file(storage)) as database:
        rows = database.execute("SELECT id, event_key FROM tracking_events").fetchall()
    database.close()
    assert set(acknowledged) <= set(rows)
    assert len({key for _, key in rows}) == len(rows)

    # The pixel sends again what it heard nothing of: everything is there once.
    with (
        running_directly(bundle, "entry.py", config, storage, {}) as worker,
        httpx.Client(timeout=120) as client,
    ):
        for event in sent:
            headers = {"cf-connecting-ip": some_address(), "user-agent": BROWSER}
            answer = client.post(f"{worker.url}/e", content=json.dumps(event), headers=headers)
            assert answer.status_code == 200
    assert count(storage, "SELECT count(*) FROM tracking_events") == len(sent)


def test_the_rate_limiter_writes_nothing_to_its_storage(bundle: Path, storage: Path) -> None:
    config = json.loads(LOCAL_CONFIG.read_text(encoding="utf-8"))
    with (
        running_directly(bundle, "entry.py", config, storage, {}) as worker,
        httpx.Client(timeout=120) as client,
    ):
        for _ in range(20):
            headers = {"cf-connecting-ip": "192.0.2.1", "user-agent": BROWSER}
            answer = client.post(
                f"{worker.url}/e", content=json.dumps(some_event()), headers=headers
            )
            assert answer.headers["x-ratelimit-limit"] == "100"

    for file in storage.glob("v3/do/**/*.sqlite"):
        with sqlite3.connect(file) as database:
            tables = database.execute(
                "SELECT name FROM sqlite_master WHERE name NOT LIKE '\\_cf\\_%' ESCAPE '\\'"
            ).fetchall()
        database.close()
        assert tables == []
