"""Whether two databases hold the same is seen, also where one of them has moved on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from ops.backup.manifests import Manifest
from ops.restore.live_comparison import compare
from ops.restore.staging_database import StagingDatabase, open_staging
from ops.restore.table_checksums import ResultSets, TableChecksum, differences, query_staging

MANY = 1_000
NUMBERS = f"""(
  WITH RECURSIVE numbers AS (SELECT 1 AS value UNION ALL SELECT value + 1 FROM numbers
  WHERE value < {MANY}) SELECT value FROM numbers
)"""
MANIFEST = Manifest(
    id="20261121T020000Z-full",
    kind="full",
    migration="0022_add_backups.sql",
    previous=None,
    started_at="2026-11-21T02:00:00Z",
    finished_at="2026-11-21T02:00:00Z",
    marker={"event": MANY, "change": 0, "log": 0},
    totals={},
    parts=(),
)


@dataclass(frozen=True, slots=True)
class OnThisMachine:
    """A database that answers as D1 does: SQLite with the same schema."""

    content: StagingDatabase

    def ask(self, *statements: str) -> ResultSets:
        return query_staging(self.content, statements)


def filled_staging() -> StagingDatabase:
    staging = open_staging(Path(":memory:"))
    staging.migrate()
    for trigger in staging.triggers:
        staging.database.execute(trigger)
    staging.database.executescript(f"""
      INSERT INTO visitors (id, visitor_cookie)
      SELECT 'v' || value, 'c' || value FROM {NUMBERS};
      INSERT INTO sessions (id, visitor_id, session_cookie)
      SELECT 's' || value, 'v' || value, value FROM {NUMBERS};
      INSERT INTO tracking_events (id, session_id, visitor_id, page_title, created_at, timestamp)
      SELECT value, 's' || value, 'v' || value, 'title ' || value, '', '' FROM {NUMBERS};
      UPDATE visitors SET first_seen = '', last_seen = '';
      UPDATE sessions SET started_at = '', last_activity = '';
      UPDATE database_identity SET id = 'id', generation = 'generation';
      DROP TRIGGER projects_updated_at;
      DROP TRIGGER pixels_updated_at;
      UPDATE projects SET created_at = '', updated_at = '';
      UPDATE pixels SET created_at = '', updated_at = '';
      DELETE FROM row_changes;
    """)
    return staging


def differences_to(other: StagingDatabase) -> Mapping[str, object]:
    expected = filled_staging()
    questions = [TableChecksum(table) for table in expected.tables.values()]
    return differences(expected, OnThisMachine(other), questions)


def test_the_same_rows_are_the_same() -> None:
    assert differences_to(filled_staging()) == {}


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        ("DELETE FROM tracking_events WHERE id = 7", "has 999 rows, not 1,000"),
        ("UPDATE tracking_events SET page_title = 'title' WHERE id = 7", "page_title: sum"),
        ("UPDATE tracking_events SET page_title = NULL WHERE id = 7", "page_title: values"),
        ("UPDATE tracking_events SET referrer_url = '' WHERE id = 7", "referrer_url: values"),
        (
            "UPDATE tracking_events SET page_title = upper(page_title)",
            "200 of 200 rows compared whole are different",
        ),
    ],
)
def test_what_is_different_is_named(change: str, difference: str) -> None:
    other = filled_staging()
    other.database.execute(change)
    by_table = differences_to(other)
    assert list(by_table) == ["tracking_events"]
    assert difference in str(by_table)


def test_one_letter_in_a_small_table_is_seen() -> None:
    other = filled_staging()
    other.database.execute("UPDATE pixels SET name = 'websitE1' WHERE name = 'website1'")
    assert "1 of 3 rows" in str(differences_to(other)["pixels"])


def verdicts(living: StagingDatabase) -> dict[str, str]:
    compared = compare(filled_staging(), OnThisMachine(living), MANIFEST)
    return {table.table: table.verdict for table in compared if table.verdict != "same"}


def moved_on() -> StagingDatabase:
    """Its next hour: an event of an old visitor, one that changed, one that went."""
    living = filled_staging()
    living.database.executescript(f"""
      INSERT INTO tracking_events (id, session_id, visitor_id) VALUES ({MANY + 1}, 's3', 'v3');
      UPDATE sessions SET page_views = 9 WHERE id = 's3';
      UPDATE visitors SET visit_count = 9 WHERE id = 'v3';
      UPDATE tracking_events SET pipedrive_sync_status = 'synced' WHERE id = 5;
      DELETE FROM tracking_events WHERE id = 6;
      DELETE FROM sessions WHERE id = 's6';
      DELETE FROM visitors WHERE id = 'v6';
      UPDATE projects SET name = 'new name';
    """)
    return living


def test_what_moved_on_since_the_backup_is_no_difference() -> None:
    assert verdicts(moved_on()) == {"projects": "moved on"}


@pytest.mark.parametrize(
    ("change", "table"),
    [
        ("UPDATE sessions SET page_views = 9 WHERE id = 's8'", "sessions"),
        ("UPDATE visitors SET visit_count = 10 WHERE id = 'v8'", "visitors"),
        ("DELETE FROM tracking_events WHERE id = 8; DELETE FROM row_changes", "tracking_events"),
    ],
)
def test_what_differs_without_having_changed_since_is_one(change: str, table: str) -> None:
    living = moved_on()
    living.database.executescript(change)
    assert verdicts(living)[table] == "DIFFERENT"
