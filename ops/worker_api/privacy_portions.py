"""Privacy requests, which the Worker answers in portions, one request each."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from ops.terminal.output import format_duration, note
from ops.terminal.progress import spinner
from ops.worker_api.client import Api, Row
from ops.worker_api.paging import follow_cursor
from ops.worker_api.retries import outage_retries

# The sync usually finishes a lead long before its lease ends.
MAX_PAUSE_SECONDS = 15
STAGES = {
    "forms": "looking through the forms",
    "archive": "looking through the archive",
    "visitors": "looking who used the same browsers",
    "logs": "looking through the old log",
    "keys": "looking through KV",
    "found": "deleting events, sessions and visitors",
    "old_log": "deleting rows of the old log and keys",
    "parked_events": "deleting events that wait for their pixel",
    "archive_parts": "deleting archived and received events",
}


def portions(api: Api, path: str, body: Mapping[str, object]) -> Iterator[Row]:
    """Send a privacy request portion by portion and yield each answer; the last one is done.

    Raises:
        OpsError: the Worker refused, or did not answer several times in a row.
    """

    def read_portion(cursor: str | None) -> Row:
        position = {"cursor": cursor} if cursor else {}
        answer: Row = outage_retries()(api.send, "POST", path, {**body, **position})["data"]
        return answer

    with spinner("asking") as show_stage:
        for answer in follow_cursor(read_portion, _next_cursor):
            yield answer
            if answer["done"]:
                return
            show_stage(STAGES.get(answer.get("stage", ""), "reading"))
            if "waits_until" in answer:
                _wait_for_sync(datetime.fromisoformat(answer["waits_until"]))


def _next_cursor(answer: Row) -> str | None:
    return None if answer["done"] else answer["cursor"]


def _wait_for_sync(lease_end: datetime) -> None:
    seconds_left = (lease_end - datetime.now(UTC)).total_seconds()
    pause_seconds = min(MAX_PAUSE_SECONDS, max(1.0, seconds_left))
    note(
        "a lead of this person is being sent to Pipedrive: waiting for it, "
        f"at most {format_duration(max(seconds_left, pause_seconds))}"
    )
    time.sleep(pause_seconds)
