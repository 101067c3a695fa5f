"""What the database holds now, as far as its loss is judged by it."""

from __future__ import annotations

from dataclasses import dataclass

from services.core.ports import Database, UnavailableError

# The highest event is the highest id ever given: what is archived or erased leaves it as it is.
READ_CONTENTS = """
SELECT
  (SELECT id FROM database_identity) AS database_id,
  max(
    coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'tracking_events'), 0),
    coalesce((SELECT max(id) FROM tracking_events), 0)
  ) AS highest_event,
  (SELECT count(*) FROM projects) AS projects,
  (SELECT count(*) FROM pixels) AS pixels
"""
COUNT_EVENTS = "SELECT count(*) AS events FROM tracking_events"

_MISSING_TABLE = "no such table"


@dataclass(frozen=True, slots=True)
class DatabaseContents:
    """The identity of a database and how much is in it. Without its tables there is no id."""

    database_id: str | None = None
    highest_event: int = 0
    projects: int = 0
    pixels: int = 0


async def read_database_contents(database: Database) -> DatabaseContents:
    """What the database holds, in one round trip.

    Raises:
        UnavailableError: D1 failed.
    """
    try:
        [row] = await database.rows(READ_CONTENTS)
    except UnavailableError as error:
        if is_schema_missing(error):
            return DatabaseContents()
        raise
    return DatabaseContents(**row)


def is_schema_missing(error: Exception) -> bool:
    """Whether D1 answers, and only lacks a table that every migrated database has."""
    return _MISSING_TABLE in str(error)
