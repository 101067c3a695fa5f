"""Compares a restored database with the live one, which has changed since the backup.

Rows that were added or changed since are known (`row_changes`, and the ids above the backup's
marker); all others must be the same in both. Small tables may change at any time, so that a
difference in them is only reported.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ops.backup.manifests import Manifest
from ops.restore.staging_database import SEQUENCE, StagingDatabase
from ops.restore.table_checksums import Queryable, TableChecksum, differences

# Conditions for the rows that have not changed since the backup, by table.
_EVENTS_SINCE = "tracking_events WHERE id > {event}"
_CHANGED_SINCE = "row_changes WHERE seq > {change} AND table_name"
_UNCHANGED = {
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
_CHANGED_KEYS = f"""
SELECT table_name, key FROM {_CHANGED_SINCE} IN ('tracking_events', 'sessions', 'visitors')
UNION SELECT 'sessions', session_id FROM {_EVENTS_SINCE} AND session_id IS NOT NULL
UNION SELECT 'visitors', visitor_id FROM {_EVENTS_SINCE} AND visitor_id IS NOT NULL
"""


@dataclass(frozen=True, slots=True)
class TableComparison:
    """The comparison of one table: its row counts, and the differences of its unchanged rows.

    `must_match` is whether the changed rows are known, so that any difference is an error.
    """

    table: str
    backup_rows: int
    live_rows: int
    must_match: bool
    differences: Sequence[str]

    @property
    def verdict(self) -> str:
        """The result in a word or two."""
        if not self.differences:
            return "same"
        return "DIFFERENT" if self.must_match else "moved on"


def compare(
    staging: StagingDatabase, live: Queryable, backup: Manifest
) -> Sequence[TableComparison]:
    """Compare every table with that of the live database.

    Raises:
        NoAnswerError: it does not answer, or has another schema.
    """
    tables = [table for name, table in staging.tables.items() if name != SEQUENCE]
    selected = ", ".join(
        f'(SELECT count(*) FROM "{table.name}") AS "{table.name}"' for table in tables
    )
    marker = dict(backup.marker)
    changed, [counts] = live.ask(_CHANGED_KEYS.format(**marker), f"SELECT {selected}")
    _record_changes(staging, changed, marker["change"])
    checksums = [
        TableChecksum(table, _UNCHANGED.get(table.name, "true").format(**marker))
        for table in tables
    ]
    different = differences(staging, live, checksums)
    backup_rows = staging.row_counts()
    return [
        TableComparison(
            table.name,
            backup_rows[table.name],
            counts[table.name],
            table.name in _UNCHANGED,
            different.get(table.name, ()),
        )
        for table in tables
    ]


def _record_changes(
    staging: StagingDatabase, changed: Sequence[Mapping[str, object]], change: int
) -> None:
    """Write the changed keys into the staging database, for the same conditions."""
    staging.clear("row_changes")
    staging.database.executemany(
        "INSERT INTO row_changes (seq, table_name, key, deleted) VALUES (?, ?, ?, 0)",
        (
            (change + number, row["table_name"], row["key"])
            for number, row in enumerate(changed, start=1)
        ),
    )
