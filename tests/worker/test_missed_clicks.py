"""Old events get the click IDs of their pages by the cron, a stretch with each run."""

from __future__ import annotations

import json

import pytest

from services.tracking.missed_clicks import STRETCH_IDS
from tests.harness.keys import READ_KEY
from tests.harness.worker import Row, Worker, some_visitor

CRON = "*/5 * * * *"
NEVER, LONG_AGO = "2099-01-01 00:00:00", "2020-01-01 00:00:00"
OLD = {"utm_source": "direct", "utm_medium": "unknown", "utm_campaign": "none"}
AD = {"utm_source": "google", "gclid": "G0", "touch_origin": "page_url"}
PAGES: list[tuple[str, Row]] = [
    ("?a=1&amp;amp;gbraid=0A", OLD),
    ("?a=1&amp;gclid=G1&amp;utm_campaign=spring", OLD),
    ("#/route?rdt_cid=R1", OLD),
    ("?gclid=G0&irclickid=I1&hsa_la=en", AD),
    ("?gbraid=0A", {"touch_origin": "session", "utm_source": "own"}),
    ("?a=1&amp;utm_source=news", OLD),
    ("", OLD),
]


@pytest.fixture
def pixel(keyed: Worker) -> str:
    """A pixel of its own; all events before its own were looked at."""
    pixel = some_visitor()
    keyed.query("INSERT INTO projects (id, name) VALUES (?1, ?1)", pixel)
    keyed.query("INSERT INTO pixels (id, project_id, name) VALUES (?1, ?1, ?1)", pixel)
    [newest] = keyed.query("SELECT coalesce(max(id), 0) AS id FROM tracking_events")
    begin_behind(keyed, newest["id"], NEVER)
    return pixel


def begin_behind(worker: Worker, event_id: int, until: str | None = None, ago: str = "0") -> None:
    """As if a run, so many minutes ago, had come to an event; without `until` it is over."""
    worker.query("DELETE FROM job_runs WHERE job = 'missed_clicks'")
    worker.query(
        "INSERT INTO job_runs (job, run, started_at, lease_until, finished_at, outcome, summary)"
        " SELECT 'missed_clicks', ?1, at, at, at, 'drained', ?2"
        " FROM (SELECT datetime('now', '-' || ?3 || ' minutes') AS at)",
        *(some_visitor(), json.dumps({"position": str(event_id), "until": until}), ago),
    )


def run(worker: Worker) -> Row:
    """One cron run; returns what the ledger says of the job."""
    assert worker.act("scheduled", cron=CRON)["outcome"] == "ok"
    [row] = worker.query(
        "SELECT outcome, summary FROM job_runs WHERE job = 'missed_clicks'"
        " ORDER BY started_at DESC, id DESC LIMIT 1"
    )
    assert row["outcome"] == "drained"
    summary: Row = json.loads(row["summary"])
    return summary


def store(worker: Worker, pixel: str, query: str, columns: Row) -> None:
    """An event without a key, as the old Worker stored it."""
    fields = {
        "project_id": pixel,
        "pixel_id": pixel,
        "page_url": f"https://shop.example/{query}",
        **columns,
    }
    names, marks = ", ".join(fields), ", ".join("?" * len(fields))
    worker.query(f"INSERT INTO tracking_events ({names}) VALUES ({marks})", *fields.values())


def stored(worker: Worker, pixel: str) -> list[Row]:
    return worker.query("SELECT * FROM tracking_events WHERE pixel_id = ? ORDER BY id", pixel)


def counted(worker: Worker, pixel: str, by: str) -> dict[str, int]:
    path = f"/api/reports/breakdown/{pixel}?by={by}&days=2"
    answer = worker.fetch(path, headers={"x-api-key": READ_KEY})
    return {row["value"]: row["events"] for row in answer.json()["data"]["rows"]}


def test_events_get_the_clicks_of_their_pages_once(keyed: Worker, pixel: str) -> None:
    for query, columns in PAGES:
        store(keyed, pixel, query, columns)
    before = stored(keyed, pixel)
    summary = run(keyed)
    assert (summary["events"], summary["position"]) == (4, str(before[-1]["id"]))

    after = stored(keyed, pixel)
    names = ("utm_source", "utm_campaign", "gclid", "click_ids", "touch_origin")
    assert [tuple(row[name] for name in names) for row in after] == [
        ("direct", "none", None, '{"gbraid":"0A"}', "page_url"),
        ("direct", "spring", "G1", None, "page_url"),
        ("direct", "none", None, '{"rdt_cid":"R1"}', "page_url"),
        ("google", None, "G0", '{"irclid":"I1","hsa_la":"en"}', "page_url"),
        ("own", None, None, None, "session"),
        ("direct", "none", None, None, None),
        ("direct", "none", None, None, None),
    ]
    others = [name for name in before[0] if name not in names]
    assert [[row[name] for name in others] for row in after] == [
        [row[name] for name in others] for row in before
    ]
    clicks = {"google": 3, "reddit": 1}
    assert counted(keyed, pixel, "click_id") == {**clicks, "none": 3}
    assert counted(keyed, pixel, "source") == {**clicks, "own": 1, "direct": 2}

    assert run(keyed) == {**summary, "events": 0}
    begin_behind(keyed, before[0]["id"] - 1, NEVER)
    assert run(keyed)["events"] == 0
    assert stored(keyed, pixel) == after


def test_a_run_reads_one_stretch_and_the_next_one_goes_on(keyed: Worker, pixel: str) -> None:
    keyed.query(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)"
        " INSERT INTO tracking_events (project_id, pixel_id, page_url)"
        " SELECT ?2, ?2, 'https://shop.example/?a=1&amp;gclid=G' || i FROM n",
        *(STRETCH_IDS + 1, pixel),
    )
    assert [run(keyed)["events"] for _ in range(3)] == [STRETCH_IDS, 1, 0]
    assert {row["touch_origin"] for row in stored(keyed, pixel)} == {"page_url"}


def test_the_job_is_over_a_day_after_it_began_and_goes_on_behind_a_gap(
    keyed: Worker, pixel: str
) -> None:
    store(keyed, pixel, "?a=1&amp;gclid=G1", OLD)
    [event] = stored(keyed, pixel)
    begin_behind(keyed, event["id"] - 1, LONG_AGO)
    summary = run(keyed)
    assert (summary["events"], summary["until"]) == (1, LONG_AGO)
    assert run(keyed)["until"] is None

    store(keyed, pixel, "?a=1&amp;gclid=G2", OLD)
    assert run(keyed)["events"] == 0
    begin_behind(keyed, event["id"], ago="61")
    summary = run(keyed)
    assert summary["events"] == 1
    assert summary["until"] > event["timestamp"]
