"""What the database holds now, as far as its loss is judged by it."""

from __future__ import annotations

from dataclasses import dataclass

from services.core.ports import Database, UnavailableError
from services.loss.schema import (
    LAST_MIGRATION,
    MIGRATIONS,
    READ_TABLES,
    has_all_tables,
    missing_tables,
)

# The highest event is the highest id ever given: what is archived or erased leaves it as it is.
# `last_run` is that of a job that runs whenever the database is not lost: it tells that a database
# was set back, however many events came since.
READ_CONTENTS = """
SELECT
  (SELECT id FROM database_identity) AS database_id,
  (SELECT generation FROM database_identity) AS generation,
  max(
    coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'tracking_events'), 0),
    coalesce((SELECT max(id) FROM tracking_events), 0)
  ) AS highest_event,
  (SELECT count(*) FROM projects) AS projects,
  (SELECT count(*) FROM pixels) AS pixels,
  (SELECT max(started_at) FROM job_runs WHERE job = 'retention') AS last_run
"""
# The mark is up to five minutes old: so many ids may have been given above its highest one.
MAX_EVENTS_MEANWHILE = 10_000
# No id is given twice: archives, exports and receipts of erasures in R2 and elsewhere name events
# by their ids.
RAISE_EVENT_IDS = (
    """
UPDATE sqlite_sequence SET seq = max(seq, CAST(?1 ->> 'highest' AS INTEGER))
WHERE name = 'tracking_events'
""",
    """
INSERT INTO sqlite_sequence (name, seq)
SELECT 'tracking_events', CAST(?1 ->> 'highest' AS INTEGER)
WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'tracking_events')
""",
)
COUNT_EVENTS = "SELECT count(*) AS events FROM tracking_events"

_MISSING_TABLE = "no such table"


@dataclass(frozen=True, slots=True)
class DatabaseContents:
    """The identity of a database and how much is in it. Without its tables there is no id.

    `last_run` is the time of the last run of the cron, None if it never ran there. `missing` are
    the tables that are gone while others are there. Two copies of a database, as a restore makes
    one, have the same id and each a generation.
    """

    database_id: str | None = None
    highest_event: int = 0
    projects: int = 0
    pixels: int = 0
    last_run: str | None = None
    missing: tuple[str, ...] = ()
    generation: str | None = None


async def read_database_contents(database: Database) -> DatabaseContents:
    """What the database holds, in two round trips.

    Raises:
        UnavailableError: D1 failed.
    """
    missing = await _missing_tables(database)
    try:
        [row] = await database.rows(READ_CONTENTS)
    except UnavailableError as error:
        if is_schema_missing(error):
            return DatabaseContents(missing=missing)
        raise
    return DatabaseContents(**row, missing=missing)


async def _missing_tables(database: Database) -> tuple[str, ...]:
    names = {row["name"] for row in await database.rows(READ_TABLES)}
    if has_all_tables(names):
        return ()
    last = (await database.rows(LAST_MIGRATION))[0]["name"] if MIGRATIONS in names else None
    return tuple(missing_tables(names, last))


def is_schema_missing(error: Exception) -> bool:
    """Whether D1 answers, and only lacks a table that every migrated database has."""
    return _MISSING_TABLE in str(error)
