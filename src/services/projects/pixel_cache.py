"""A cache of pixels and the settings of their projects, in the memory of an isolate."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass

from services.core.ports import Database, Row
from services.loss.guard import DatabaseGuard
from services.pipedrive.destinations import is_switched_off
from services.projects.configuration import read_configuration
from services.projects.pixel_rules import NO_RULES, PixelRules, read_rules

MAX_CACHED_PIXELS = 1_000

# One row in any case: which database answers, and how many pixels it has if this one is missing.
FIND_PIXEL = """
SELECT
  database_identity.id AS database_id, database_identity.generation,
  pixels.id, pixels.project_id, pixels.active AND projects.active AS active,
  projects.configuration AS of_project, pixels.configuration AS of_pixel, pixels.website_url,
  iif(projects.id IS NULL, (SELECT count(*) FROM pixels), NULL) AS pixels
FROM database_identity
LEFT JOIN pixels ON pixels.id = ?1
LEFT JOIN projects ON projects.id = pixels.project_id
"""
FIND_ACTIVE_PIXELS = """
SELECT pixels.id FROM pixels JOIN projects ON projects.id = pixels.project_id
WHERE pixels.active AND projects.active
"""


@dataclass(frozen=True, slots=True)
class Pixel:
    """One pixel on one website. It is active only if its project is.

    `synced`: its project's leads go to Pipedrive. `database_id`: the database that has it.
    `website_url` is what somebody wrote.
    """

    id: str
    project_id: str
    active: bool
    synced: bool
    rules: PixelRules = NO_RULES
    database_id: str = ""
    website_url: str = ""


class PixelCache:
    """Finds pixels, and caches for `seconds` each one, or that there is none.

    `lookups` counts the queries to D1 since the isolate started.
    """

    def __init__(self, database: Database, guard: DatabaseGuard, seconds: int) -> None:
        self.lookups = 0
        self._database = database
        self._guard = guard
        self._seconds = seconds
        self._cached: OrderedDict[str, tuple[float, Pixel | None]] = OrderedDict()

    async def find(self, pixel_id: str, now: float) -> Pixel | None:
        """The pixel with this id, or None. `now` is in Unix seconds.

        Raises:
            UnavailableError: the pixel is not cached and D1 failed.
            LostDatabaseError: the database is not the one that is meant.
        """
        cached = self._cached.get(pixel_id)
        if cached and now < cached[0]:
            return cached[1]
        self.lookups += 1
        rows = await self._database.rows(FIND_PIXEL, pixel_id)
        row = rows[0] if rows else _NO_DATABASE
        await self._guard.require_database(
            *(row["database_id"], row["generation"], row["pixels"], now),
        )
        pixel = None if row["project_id"] is None else _pixel(row)
        self._cache(pixel_id, pixel, now + self._seconds)
        return pixel

    async def active_ids(self) -> Collection[str]:
        """The ids of all active pixels, as the database has them now.

        Raises:
            UnavailableError: D1 failed.
        """
        self.lookups += 1
        rows = await self._database.rows(FIND_ACTIVE_PIXELS)
        return {row["id"] for row in rows}

    def forget(self, pixel_id: str) -> None:
        """Forgets a pixel: the database that had it may be gone."""
        self._cached.pop(pixel_id, None)

    def _cache(self, pixel_id: str, pixel: Pixel | None, until: float) -> None:
        self._cached[pixel_id] = (until, pixel)
        self._cached.move_to_end(pixel_id)
        if len(self._cached) > MAX_CACHED_PIXELS:
            self._cached.popitem(last=False)


# A database without an identity is none that was migrated.
_NO_DATABASE: Row = {"database_id": None, "generation": None, "pixels": 0, "project_id": None}


def _pixel(row: Row) -> Pixel:
    project, pixel = read_configuration(row["of_project"]), read_configuration(row["of_pixel"])
    synced = not is_switched_off(project.get("pipedrive_enabled"))
    rules = read_rules(project, pixel)
    return Pixel(
        *(row["id"], row["project_id"], bool(row["active"]), synced, rules),
        database_id=row["database_id"],
        website_url=row["website_url"] or "",
    )
