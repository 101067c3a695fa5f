"""A KV namespace and a rate limiter that take each call and do not answer: tracking goes on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from paths import LOCAL_CONFIG
from tests.harness.direct import Direct, count, migrate, running_directly
from tests.harness.worker import BROWSER, some_event, some_visitor

# Far less than the minute after which the parts answer.
PATIENCE_SECONDS = 20
COUNT = "SELECT count(*) FROM tracking_events"


@pytest.fixture
def hung(bundle: Path, tmp_path: Path) -> Iterator[tuple[Direct, Path]]:
    """A Worker whose parts hang, and the folder of its storage."""
    storage = tmp_path / "storage"
    migrate(storage)
    config = json.loads(LOCAL_CONFIG.read_text(encoding="utf-8"))
    with running_directly(bundle, "entry.py", config, storage, {}, hangs=True) as worker:
        yield worker, storage


def test_events_and_leads_are_stored_while_kv_and_the_limiter_hang(
    hung: tuple[Direct, Path],
) -> None:
    worker, storage = hung
    visitor = some_visitor()
    lead = {"event_type": "form_submit", "form_data": {"email": "jane@example.com"}}
    events = [some_event(visitor_cookie=visitor, event_key=some_visitor()) for _ in range(7)]
    # One client: the limiter is asked from its sixth request on.
    headers = {"cf-connecting-ip": "192.0.2.7", "user-agent": BROWSER}
    with httpx.Client(timeout=PATIENCE_SECONDS, headers=headers) as http:
        statuses = [
            http.post(f"{worker.url}/e", content=json.dumps(event)).status_code
            for event in (*events, events[0] | lead | {"event_key": some_visitor()})
        ]
        health = http.get(f"{worker.url}/health")
    worker.kill()
    assert statuses == [200] * 8
    assert count(storage, COUNT) == 8
    assert (
        count(storage, "SELECT count(*) FROM tracking_events WHERE pipedrive_due_at NOT NULL") == 1
    )
    assert health.status_code == 503
    checks = health.json()["checks"]
    assert {name: check["status"] for name, check in checks.items()} == {
        "database": "healthy",
        "kv": "unhealthy",
        "rate_limiter": "unhealthy",
    }
