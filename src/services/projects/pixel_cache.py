"""A cache of pixels and the settings of their projects, in the memory of an isolate."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from services.core.ports import Database, Row
from services.pipedrive.destinations import is_switched_off
from services.projects.configuration import read_configuration
from services.projects.pixel_rules import NO_RULES, PixelRules, read_rules

MAX_CACHED_PIXELS = 1_000

FIND_PIXEL = """
SELECT
  pixels.id, pixels.project_id, pixels.active AND projects.active AS active,
  projects.configuration AS of_project, pixels.configuration AS of_pixel
FROM pixels JOIN projects ON projects.id = pixels.project_id
WHERE pixels.id = ?1
"""


@dataclass(frozen=True, slots=True)
class Pixel:
    """One pixel on one website. It is active only if its project is.

    `synced`: its project's leads go to Pipedrive.
    """

    id: str
    project_id: str
    active: bool
    synced: bool
    rules: PixelRules = NO_RULES


class PixelCache:
    """Finds pixels, and caches for `seconds` each one, or that there is none.

    `lookups` counts the queries to D1 since the isolate started.
    """

    def __init__(self, database: Database, seconds: int) -> None:
        self.lookups = 0
        self._database = database
        self._seconds = seconds
        self._cached: OrderedDict[str, tuple[float, Pixel | None]] = OrderedDict()

    async def find(self, pixel_id: str, now: float) -> Pixel | None:
        """The pixel with this id, or None. `now` is in Unix seconds.

        Raises:
            UnavailableError: the pixel is not cached and D1 failed.
        """
        cached = self._cached.get(pixel_id)
        if cached and now < cached[0]:
            return cached[1]
        self.lookups += 1
        rows = await self._database.rows(FIND_PIXEL, pixel_id)
        pixel = _pixel(rows[0]) if rows else None
        self._cache(pixel_id, pixel, now + self._seconds)
        return pixel

    def _cache(self, pixel_id: str, pixel: Pixel | None, until: float) -> None:
        self._cached[pixel_id] = (until, pixel)
        self._cached.move_to_end(pixel_id)
        if len(self._cached) > MAX_CACHED_PIXELS:
            self._cached.popitem(last=False)


def _pixel(row: Row) -> Pixel:
    project, pixel = read_configuration(row["of_project"]), read_configuration(row["of_pixel"])
    synced = not is_switched_off(project.get("pipedrive_enabled"))
    rules = read_rules(project, pixel)
    return Pixel(row["id"], row["project_id"], bool(row["active"]), synced, rules)
