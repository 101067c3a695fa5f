"""The tables that a migrated database has: one that is gone is a loss, whatever else is there."""

from __future__ import annotations

from collections.abc import Collection, Sequence

READ_TABLES = "SELECT name FROM sqlite_master WHERE type = 'table'"
LAST_MIGRATION = "SELECT max(name) AS name FROM d1_migrations"
MIGRATIONS = "d1_migrations"
# Each with the migration that made it: before that nobody misses it.
TABLES = {
    MIGRATIONS: "0000",
    "archive_batches": "0023",
    "backups": "0022",
    "database_identity": "0026",
    "failed_requests": "0025",
    "job_runs": "0020",
    "pipedrive_accounts": "0020",
    "pipedrive_persons": "0020",
    "pixels": "0001",
    "privacy_requests": "0024",
    "projects": "0001",
    "refused_requests": "0056",
    "row_changes": "0022",
    "shared_views": "0057",
    "sessions": "0001",
    "system_logs": "0005",
    "tracking_events": "0001",
    "visitors": "0001",
}


def has_all_tables(names: Collection[str]) -> bool:
    """Whether none of the tables is missing, made or not yet made."""
    return TABLES.keys() <= set(names)


def missing_tables(names: Collection[str], last_migration: str | None) -> Sequence[str]:
    """Which tables are gone of a database with these, after this migration.

    None are where there are no tables at all, or none of ours: that is no migrated database.
    Without a known migration each one counts.
    """
    missing = sorted(
        name
        for name, made_by in TABLES.items()
        if name not in names and (last_migration is None or made_by <= last_migration)
    )
    return [] if len(missing) == len(TABLES) else missing
