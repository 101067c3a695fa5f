"""What holds at the end of every story, whatever failed in it."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Iterator

from tests.faults.outside import OUTSIDE
from tests.faults.story import Story

# The status of each person's leads in the end.
STATUS = {
    "jane@example.com": "synced",
    "old@example.com": "synced",
    "nobody@example.com": "not_found",
}
EXPIRED = "expired-"
CRASHES = ("failed", "broken_off")


def broken_promises(story: Story, log: str) -> list[str]:
    """Everything that is wrong now, in words."""
    return [
        *story.problems,
        *_lost_or_doubled(story),
        *_wrong_leads(story),
        *_traces_of_erased_persons(story),
        *(f"{key} still waits" for key in OUTSIDE.objects if key.startswith("waiting/")),
        *_crashes(log),
    ]


def _lost_or_doubled(story: Story) -> Iterator[str]:
    """Each event is in D1 or in the archive, once; an expired one is in a verified backup."""
    stored = Counter(
        row["event_key"] for row in OUTSIDE.rows("SELECT event_key FROM tracking_events")
    )
    archived = Counter(_keys_in("archive/"))
    backed_up = {*_keys_in("backups/")}
    for key, email in story.promised.items():
        count = stored[key] + archived[key]
        if key.startswith(EXPIRED):
            if count or key not in backed_up:
                yield f"{key} should have expired: {count} there, backed up: {key in backed_up}"
        elif email in story.erased:
            if count:
                yield f"{key} of somebody who was erased is there"
        elif count != 1:
            yield f"{key} is {stored[key]} times in D1, {archived[key]} times in the archive"


def _keys_in(folder: str) -> Iterator[str]:
    for key, content in OUTSIDE.objects.items():
        if key.startswith(folder) and key.endswith(".ndjson.gz"):
            for line in gzip.decompress(content).decode().splitlines():
                row = json.loads(line)
                if isinstance(row, dict) and row.get("event_key"):
                    yield str(row["event_key"])


def _wrong_leads(story: Story) -> Iterator[str]:
    """Each lead has its one right status, and who is found has what was sent, no more."""
    for key, email in story.promised.items():
        if not email or email in story.erased:
            continue
        rows = OUTSIDE.rows(
            "SELECT pipedrive_sync_status AS status FROM tracking_events WHERE event_key = ?", key
        )
        status = "rejected" if key in story.rejected else STATUS[email]
        if rows and rows[0]["status"] != status:
            yield f"the lead {key} of {email} is {rows[0]['status']}"


def _traces_of_erased_persons(story: Story) -> Iterator[str]:
    """Nobody who was erased is in D1, KV or R2, but for backups, which repeat erasures."""
    tables = OUTSIDE.rows("SELECT name FROM sqlite_master WHERE type = 'table'")
    for email in story.erased:
        for table in tables:
            if email in json.dumps(OUTSIDE.rows(f'SELECT * FROM "{table["name"]}"'), default=str):
                yield f"{email} is in the table {table['name']}"
        for key, (value, _) in OUTSIDE.key_values.items():
            if email in key + value:
                yield f"{email} is in KV, {key}"
        for key, content in OUTSIDE.objects.items():
            text = gzip.decompress(content) if key.endswith(".gz") else content
            if not key.startswith("backups/") and email.encode() in text:
                yield f"{email} is in R2, {key}"


def _crashes(log: str) -> Iterator[str]:
    for line in log.splitlines():
        event = json.loads(line)["event"]
        if event.endswith("_crashed") or event in CRASHES:
            yield f"an error that nobody expected: {line}"
