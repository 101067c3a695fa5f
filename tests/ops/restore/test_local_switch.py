"""`ppp restore --local`, to the letter: on a checkout in which a `make dev` ran, nothing added."""

from __future__ import annotations

import json
import shutil
import signal
from pathlib import Path

import httpx
import pytest

from pyodide_bundle import Bundle
from tests.tools.checkout import Checkout, new_checkout

# The Worker starts three times, which takes minutes on a busy machine.

EVENTS = 3


def send_event(url: str, number: int) -> None:
    event = {
        "pixel_id": "ppp-demo-pixel",
        "visitor_cookie": f"{number:016}",
        "event_type": "pageview",
        "page_url": "http://127.0.0.1:8788/",
    }
    headers = {"content-type": "text/plain", "user-agent": "Mozilla/5.0 Chrome/142.0.0.0"}
    answer = httpx.post(f"{url}/e", content=json.dumps(event), headers=headers, timeout=300)
    assert answer.status_code == 200


def count_events(checkout: Checkout) -> int:
    """The events that the Worker itself counts."""
    output = checkout.ppp("stats", "live", "ppp-demo-pixel", "--local", "--json")
    return sum(hour["events"] for hour in output.json["hourly_breakdown"])


@pytest.fixture
def checkout(local_config: Bundle, tmp_path: Path) -> Checkout:
    return new_checkout(tmp_path / "checkout")


def test_a_deleted_database_is_served_again(checkout: Checkout) -> None:
    with checkout.dev() as dev:
        state = dev.state()
        for number in range(EVENTS):
            send_event(f"http://localhost:{state['port']}", number)
        backup = checkout.ppp("backup", "--local", "--json").json["id"]
        assert dev.end(signal.SIGTERM) == 128 + signal.SIGTERM
    shutil.rmtree(checkout.root / ".wrangler" / "state" / "v3" / "d1")

    restored = checkout.ppp("restore", "--local", "--yes")
    assert restored.code == 0, restored
    assert "(`make dev` is not running)" in restored.out
    # A run of the cron may have made an hourly one behind it.
    assert restored.out.split("chosen: ")[1].split()[0] >= backup
    assert "it serves this database from its next start on" in restored.out

    with checkout.dev() as dev:
        dev.state()
        assert count_events(checkout) == EVENTS
        drill = checkout.ppp("drill", "--local", "--json")
    assert drill.json["problems"] == [], drill
    assert drill.json["tables"]["tracking_events"]["backup"] == EVENTS
