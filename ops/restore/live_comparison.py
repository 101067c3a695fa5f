"""What a restored database is against the living one, which has moved on since the backup.

Rows that came or changed later are known (`row_changes`, and the ids above the backup's marker):
what is left must be the same in both. Small tables may change at any time; for them it is only
said whether they did.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ops.backup.manifests import Manifest
from ops.restore.staging_database import SEQUENCE, Staging
from ops.restore.table_checksums import CanAnswer, Questions, differences

# Rows as they were when the backup was made, by table.
_EVENTS_SINCE = "tracking_events WHERE id > {event}"
_CHANGED_SINCE = "row_changes WHERE seq > {change} AND table_name"
_UNMOVED = {
    "tracking_events": f"""
      id <= {{event}}
      AND id NOT IN (SELECT CAST(key AS INTEGER) FROM {_CHANGED_SINCE} = 'tracking_events')
    """,
    "sessions": f"""
      id NOT IN (
        SELECT session_id FROM {_EVENTS_SINCE} AND session_id IS NOT NULL
        UNION SELECT key FROM {_CHANGED_SINCE} = 'sessions'
      )
    """,
    "visitors": f"""
      id NOT IN (
        SELECT visitor_id FROM {_EVENTS_SINCE} AND visitor_id IS NOT NULL
        UNION SELECT key FROM {_CHANGED_SINCE} = 'visitors'
      )
    """,
}
_MOVED = f"""
SELECT table_name, key FROM {_CHANGED_SINCE} IN ('tracking_events', 'sessions', 'visitors')
UNION SELECT 'sessions', session_id FROM {_EVENTS_SINCE} AND session_id IS NOT NULL
UNION SELECT 'visitors', visitor_id FROM {_EVENTS_SINCE} AND visitor_id IS NOT NULL
"""


@dataclass(frozen=True, slots=True)
class Compared:
    """One table: its rows in the backup and now, and what does not fit, if anything.

    `must_fit` says that what changed since is known, so that the rest has to be the same.
    """

    table: str
    backed_up: int
    living: int
    must_fit: bool
    differences: Sequence[str]

    @property
    def verdict(self) -> str:
        """In a word or two."""
        if not self.differences:
            return "same"
        return "DIFFERENT" if self.must_fit else "moved on"


def compare(staging: Staging, living: CanAnswer, backup: Manifest) -> Sequence[Compared]:
    """Compares every table with that of the living database.

    Raises:
        NoAnswerError: it does not answer, or is on another schema.
    """
    tables = [each for name, each in staging.tables.items() if name != SEQUENCE]
    selected = ", ".join(
        f'(SELECT count(*) FROM "{each.name}") AS "{each.name}"' for each in tables
    )
    marker = dict(backup.marker)
    moved, [counts] = living.ask(_MOVED.format(**marker), f"SELECT {selected}")
    _note_moved(staging, moved, marker["change"])
    questions = [
        Questions(each, _UNMOVED.get(each.name, "true").format(**marker)) for each in tables
    ]
    found = differences(staging, living, questions)
    backed_up = staging.counts()
    return [
        Compared(
            each.name,
            backed_up[each.name],
            counts[each.name],
            each.name in _UNMOVED,
            found.get(each.name, ()),
        )
        for each in tables
    ]


def _note_moved(staging: Staging, moved: Sequence[Mapping[str, object]], change: int) -> None:
    """Lets the same conditions find the same rows here."""
    staging.clear("row_changes")
    staging.database.executemany(
        "INSERT INTO row_changes (seq, table_name, key, deleted) VALUES (?, ?, ?, 0)",
        (
            (change + number, row["table_name"], row["key"])
            for number, row in enumerate(moved, start=1)
        ),
    )
