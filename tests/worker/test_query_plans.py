"""Every query that runs with each request finds its rows by index."""

from __future__ import annotations

import json
import re

import pytest

from services.pixels import FIND_PIXEL
from services.realtime import HOURLY_BREAKDOWN, RECENT_EVENTS
from services.visits import RECORD_EVENT, RECORD_SESSION, RECORD_VISITOR
from tests.harness.worker import Worker

PARAMETERS = json.dumps({"visitor_cookie": "0123456789abcdef", "pixel_id": "ppp-demo-pixel"})
QUERIES = {
    "visitor": (RECORD_VISITOR, (PARAMETERS,)),
    "session": (RECORD_SESSION, (PARAMETERS,)),
    "event": (RECORD_EVENT, (PARAMETERS,)),
    "pixel": (FIND_PIXEL, ("ppp-demo-pixel",)),
    "hourly breakdown": (HOURLY_BREAKDOWN, ("ppp-demo-pixel", "2026-01-01 00:00:00")),
    "recent events": (RECENT_EVENTS, ("ppp-demo-pixel", "2026-01-01 00:00:00")),
}
TABLE_SCAN = re.compile(r"SCAN (?:tracking_events|sessions|visitors|pixels|projects)\b")


@pytest.mark.parametrize("name", QUERIES)
def test_no_query_of_a_request_scans_a_table(worker: Worker, name: str) -> None:
    statement, values = QUERIES[name]
    plan = [row["detail"] for row in worker.query(f"EXPLAIN QUERY PLAN {statement}", *values)]
    assert plan
    assert not [step for step in plan if TABLE_SCAN.search(step)]
