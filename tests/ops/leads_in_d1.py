"""Form submissions in every state, written into a storage as the Worker would leave them."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from services.core.stored_time import NEVER_DUE
from services.sync.suspicion import ONLY_EVENT
from tests.harness.prepared import database_file

JANE = json.dumps({"email": "jane@example.com", "first_name": "Jane"})
# As some old pixels sent it: an object's text, encoded again.
TWICE = json.dumps(JANE)
NOBODY = json.dumps({"first_name": "Jane"})

PAGE_VIEW, COMING, OVERDUE, WITHOUT_EMAIL, SYNCED = 1, 2, 3, 4, 5
NOT_FOUND, FAILED, FAILED_WITHOUT_EMAIL, LEASED, OLD_NOT_FOUND, SET_BY_HAND = 6, 7, 8, 9, 10, 11
HELD, HELD_TOO = 12, 13
UNKNOWN = 404

_ROWS: tuple[tuple[int, str, str | None, str | None, str | None, str | None], ...] = (
    # id, form data, status, due in, reason, age
    (COMING, JANE, None, "+5 minutes", None, None),
    (OVERDUE, JANE, None, "-72 minutes", "Pipedrive answered 502", None),
    (WITHOUT_EMAIL, NOBODY, None, NEVER_DUE, None, None),
    (SYNCED, JANE, "synced", None, None, None),
    (NOT_FOUND, JANE, "not_found", None, "no person has this e-mail address", None),
    (FAILED, TWICE, "error", None, "given up after 9 tries: \x1b[31mPipedrive answered 500", None),
    (FAILED_WITHOUT_EMAIL, NOBODY, "error", None, "no e-mail", None),
    (LEASED, JANE, None, "+3 minutes", None, None),
    (OLD_NOT_FOUND, JANE, "not_found", None, "no person has this e-mail address", "-40 days"),
    (SET_BY_HAND, JANE, None, None, None, None),
    (HELD, JANE, "held", None, f"held, because it may be forged: {ONLY_EVENT}", None),
    (HELD_TOO, JANE, "held", None, f"held, because it may be forged: {ONLY_EVENT}", None),
)
INSERT = """
INSERT INTO tracking_events (
  id, project_id, pixel_id, event_type, form_data, pipedrive_sync_status, pipedrive_due_at,
  pipedrive_sync_reason, created_at, pipedrive_retry_count
)
VALUES (
  ?, 'ppp-demo-project', 'ppp-demo-pixel', 'form_submit', ?, ?,
  datetime('now', ?), ?, datetime('now', coalesce(?, '+0 days')), 2
)
"""


def write_leads(storage: Path) -> None:
    """Adds one submission of each kind, and a page view."""
    with closing(sqlite3.connect(database_file(storage))) as database, database:
        database.execute(
            "INSERT INTO tracking_events (id, pixel_id, event_type) VALUES (?, ?, 'pageview')",
            (PAGE_VIEW, "ppp-demo-pixel"),
        )
        database.executemany(INSERT, _ROWS)
        database.executescript(f"""
          UPDATE tracking_events SET pipedrive_due_at = '{NEVER_DUE}' WHERE id = {WITHOUT_EMAIL};
          UPDATE tracking_events SET pipedrive_lease = 'run-1' WHERE id = {LEASED};
          UPDATE tracking_events SET pipedrive_person_id = '42' WHERE id = {SYNCED};
          UPDATE tracking_events SET suspicious = json_array('{ONLY_EVENT}')
          WHERE id IN ({SYNCED}, {HELD}, {HELD_TOO});
          INSERT INTO pipedrive_persons VALUES ('default', 42, {SYNCED}, {SYNCED});
        """)


def write_failed(storage: Path, number: int) -> None:
    """Adds that many submissions that failed."""
    row = (JANE, "error", None, "Pipedrive answered 500", None)
    with closing(sqlite3.connect(database_file(storage))) as database, database:
        database.executemany(INSERT, ((None, *row) for _ in range(number)))


def pending(storage: Path) -> list[int]:
    """The submissions that look as if they had never been tried."""
    with closing(sqlite3.connect(database_file(storage))) as database:
        rows = database.execute("""
          SELECT id FROM tracking_events
          WHERE event_type = 'form_submit' AND pipedrive_sync_status IS NULL
            AND pipedrive_due_at IS NULL AND pipedrive_retry_count = 0
            AND pipedrive_sync_reason IS NULL AND pipedrive_lease IS NULL
          ORDER BY id
        """)
        return [row[0] for row in rows]
