"""The archive as tests see it: Workers with old events, and somebody who is sent them."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from typing import Any

from services.loss.high_water_mark import KEY as HIGH_WATER_MARK
from tests.harness.listening import listening
from tests.harness.worker import PROJECT, Row, Worker, claim_full_backup, some_visitor

CRON = "*/5 * * * *"
DAYS = 180
STORE = """
INSERT INTO tracking_events (project_id, pixel_id, visitor_id, event_key, page_url, timestamp)
WITH RECURSIVE numbers (number) AS (
  SELECT 0 UNION ALL SELECT number + 1 FROM numbers WHERE number + 1 < ?2
)
SELECT
  'ppp-demo-project', ?1, ?1, ?3 || '-' || number, 'https://shop.example/' || number,
  datetime(?3, (number / 40) || ' seconds')
FROM numbers RETURNING id
"""
PENDING = "UPDATE tracking_events SET event_type = 'form_submit', pipedrive_due_at = ? WHERE id = ?"


def day(days_ago: int) -> str:
    return f"{datetime.now(UTC) - timedelta(days=days_ago):%Y-%m-%d}"


OLD, OLDER = day(DAYS + 1), day(DAYS + 2)


# ---- somebody else's archive -----------------------------------------------------------------


@dataclass
class Receiver:
    """What was sent to an endpoint, and how it answers: a status, and which ids it acknowledges."""

    batches: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    acknowledge: Callable[[list[int]], object] = list
    port: int = 0

    def forget(self) -> None:
        self.batches.clear()
        self.keys.clear()
        self.statuses.clear()
        self.acknowledge = list


@contextmanager
def receiving() -> Iterator[Receiver]:
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            batch = json.loads(self.rfile.read(int(self.headers["content-length"])))
            receiver.batches.append(batch)
            receiver.keys.append(self.headers["authorization"])
            status = receiver.statuses.pop(0) if receiver.statuses else 200
            ids = receiver.acknowledge([event["id"] for event in batch["events"]])
            body = json.dumps({"success": True, "data": {"acknowledged": ids}}).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its name there
            """Says nothing."""

    with listening(Handler) as receiver.port:
        yield receiver


def clean(worker: Worker) -> None:
    for table in ("tracking_events", "archive_batches", "job_runs"):
        worker.query(f"DELETE FROM {table}")
    worker.query("DELETE FROM pixels WHERE id LIKE 'archived-%'")
    worker.query("UPDATE projects SET configuration = '{}'")
    # Pixels are gone on purpose: the database is not lost.
    worker.forget(HIGH_WATER_MARK, *worker.stored_keys("backups/"))
    claim_full_backup(worker)
    if keys := [*worker.stored_keys("archive/"), *worker.stored_keys("received/")]:
        worker.forget(*keys)


def some_pixel(worker: Worker, project: str = PROJECT) -> str:
    pixel = f"archived-{some_visitor()}"
    worker.query(
        "INSERT INTO pixels (id, project_id, name) VALUES (?, ?, ?)", pixel, project, pixel
    )
    return pixel


def store(worker: Worker, pixel: str, on: str, events: int = 1) -> list[int]:
    return [row["id"] for row in worker.query(STORE, pixel, events, on)]


def run(worker: Worker) -> Row:
    """One cron run; what the archive said of it."""
    worker.act("clear_logs")
    assert worker.act("scheduled", cron=CRON)["outcome"] == "ok"
    [line] = [line for line in worker.log_lines() if line["event"] == "archive_run"]
    return line


def logged(worker: Worker, event: str) -> list[Row]:
    return [line for line in worker.log_lines() if line["event"] == event]


def stored_ids(worker: Worker) -> list[int]:
    """The ids that are still in the database."""
    return [row["id"] for row in worker.query("SELECT id FROM tracking_events ORDER BY id")]


def archived(worker: Worker) -> list[int]:
    """The ids in the parts that count, each checked with its manifest."""
    ids = []
    for row in worker.query("SELECT * FROM archive_batches ORDER BY pixel_id, day, batch"):
        prefix = f"archive/{row['pixel_id']}/{row['day']}/{row['batch']}"
        content, manifest = worker.stored(f"{prefix}.ndjson.gz"), worker.stored(f"{prefix}.json")
        assert content
        assert manifest
        text = gzip.decompress(content).decode()
        events = [json.loads(line) for line in text.splitlines()]
        assert json.loads(manifest) == {
            "format": 1,
            "pixel_id": row["pixel_id"],
            "day": row["day"],
            "batch": row["batch"],
            "count": len(events),
            "first_id": events[0]["id"],
            "last_id": events[-1]["id"],
            "sha256": hashlib.sha256(content).hexdigest(),
            "bytes": len(content),
            "events_sha256": hashlib.sha256(text.encode()).hexdigest(),
        }
        assert (row["events"], row["sha256"]) == (len(events), hashlib.sha256(content).hexdigest())
        assert {event["timestamp"][:10] for event in events} == {row["day"]}
        ids += [event["id"] for event in events]
    assert len(set(ids)) == len(ids)
    return sorted(ids)
