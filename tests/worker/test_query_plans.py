"""Every query that runs with each request finds its rows by index."""

from __future__ import annotations

import json
import re

import pytest

from services.metrics import BY_STATUS, LAST_RUN, PENDING, RECENT_ACTIVITY
from services.outbox import (
    BEGIN_RUN,
    CLAIM_PERSONS,
    LEASE_DUE,
    LEASE_TIMED,
    READ_LEASED,
    RENEW_RUN,
    SETTLE,
    SETTLE_PERSONS,
)
from services.pixels import FIND_PIXEL
from services.realtime import HOURLY_BREAKDOWN, RECENT_EVENTS
from services.visits import RECORD_EVENT, RECORD_SESSION, RECORD_VISITOR
from tests.harness.worker import Worker

PARAMETERS = json.dumps({"visitor_cookie": "0123456789abcdef", "pixel_id": "ppp-demo-pixel"})
SYNC = json.dumps({"now": "2026-01-01 00:00:00", "run": "r", "lease": "l", "most": 50})
SYNC_STATEMENTS = {
    "begin a run": BEGIN_RUN,
    "settle": SETTLE,
    "settle persons": SETTLE_PERSONS,
    "renew a run": RENEW_RUN,
    "lease by timer": LEASE_TIMED,
    "lease what is due": LEASE_DUE,
    "read what is leased": READ_LEASED,
    "claim persons": CLAIM_PERSONS,
}
QUERIES: dict[str, tuple[str, tuple[object, ...]]] = {
    "visitor": (RECORD_VISITOR, (PARAMETERS,)),
    "session": (RECORD_SESSION, (PARAMETERS,)),
    "event": (RECORD_EVENT, (PARAMETERS,)),
    "pixel": (FIND_PIXEL, ("ppp-demo-pixel",)),
    "hourly breakdown": (HOURLY_BREAKDOWN, ("ppp-demo-pixel", "2026-01-01 00:00:00")),
    "recent events": (RECENT_EVENTS, ("ppp-demo-pixel", "2026-01-01 00:00:00")),
    "activity of the last hour": (RECENT_ACTIVITY, ("2026-01-01 00:00:00",)),
    "what is pending": (PENDING, ("2026-01-01 00:00:00",)),
    "submissions by status": (BY_STATUS, ()),
    "last run": (LAST_RUN, ("pipedrive_sync",)),
    **{name: (statement, (SYNC,)) for name, statement in SYNC_STATEMENTS.items()},
}
# A covering scan of the pixels, of which there are few, is how the last hour is found.
TABLE_SCAN = re.compile(
    r"SCAN (?:tracking_events|events|seen|earlier|sessions|visitors|projects|pipedrive_persons"
    r"|job_runs|pixels(?! USING COVERING INDEX))\b"
)


@pytest.mark.parametrize("name", QUERIES)
def test_no_query_of_a_request_scans_a_table(worker: Worker, name: str) -> None:
    statement, values = QUERIES[name]
    plan = [row["detail"] for row in worker.query(f"EXPLAIN QUERY PLAN {statement}", *values)]
    assert plan
    assert not [step for step in plan if TABLE_SCAN.search(step)]
