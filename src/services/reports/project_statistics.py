"""Statistics of a project's pixels over a span of time, in total and for each pixel.

Pixels are found by the UNIQUE index on projects and names, their events by the index
`tracking_events_by_pixel`, archived days by the key of `archive_batches`. All statements read one
JSON text (`?1`) and are one round trip.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from services.archive.batches import COUNT_ARCHIVED_OF_PROJECT
from services.core.errors import NotFoundError
from services.core.ports import Database
from services.reports.page_sql import page
from services.reports.spans import Span

PROJECT_NAME = "SELECT name FROM projects WHERE id = ?1 ->> 'project_id' AND active"

# CROSS: pixel by pixel, by the index.
PROJECT_SUMMARY = f"""
SELECT
  count(*) AS total_events,
  count(DISTINCT visitor_id) AS unique_visitors,
  count(DISTINCT session_id) AS unique_sessions,
  count(DISTINCT {page("page_url")}) AS unique_pages
FROM pixels CROSS JOIN tracking_events ON tracking_events.pixel_id = pixels.id
  AND timestamp >= ?1 ->> 'from' AND timestamp <= ?1 ->> 'to'
WHERE pixels.project_id = ?1 ->> 'project_id'
"""

PIXEL_BREAKDOWN = """
SELECT
  page.id AS pixel_id, page.name AS pixel_name, coalesce(page.active, 0) AS active,
  count(tracking_events.id) AS events,
  count(DISTINCT visitor_id) AS visitors,
  count(DISTINCT session_id) AS sessions
FROM (
  SELECT id, name, active FROM pixels
  WHERE project_id = ?1 ->> 'project_id' AND name >= ?1 ->> 'cursor'
  ORDER BY name LIMIT ?1 ->> 'most'
) AS page
LEFT JOIN tracking_events ON tracking_events.pixel_id = page.id
  AND timestamp >= ?1 ->> 'from' AND timestamp <= ?1 ->> 'to'
GROUP BY page.name ORDER BY page.name
"""

NEXT_PIXEL = """
SELECT name FROM pixels
WHERE project_id = ?1 ->> 'project_id' AND name >= ?1 ->> 'cursor'
ORDER BY name LIMIT 1 OFFSET ?1 ->> 'most'
"""

STATEMENTS = (PROJECT_NAME, PROJECT_SUMMARY, PIXEL_BREAKDOWN, NEXT_PIXEL, COUNT_ARCHIVED_OF_PROJECT)


@dataclass(frozen=True, slots=True)
class PixelPageQuery:
    """Which pixels of a project are listed: at most `limit`, from the name `cursor` on."""

    limit: int
    cursor: str


async def read_project_statistics(
    database: Database, project_id: str, span: Span, page: PixelPageQuery
) -> Mapping[str, object]:
    """Reads the totals of a project over a span, and those of a page of its pixels by name.

    Inactive pixels count too. `next_cursor` is the name at which the next page begins, None at the
    end.

    Raises:
        NotFoundError: no active project has this id.
        UnavailableError: D1 failed.
    """
    parameters = {
        "project_id": project_id,
        **span.parameters(),
        "most": page.limit,
        "cursor": page.cursor,
    }
    answers = await database.batch_rows(STATEMENTS, json.dumps(parameters))
    projects, [summary], pixels, next_pixels, [archived] = answers
    if not projects:
        raise NotFoundError("Project not found")
    return {
        "project_name": projects[0]["name"],
        "summary": summary,
        "pixel_breakdown": pixels,
        "next_cursor": next_pixels[0]["name"] if next_pixels else None,
        "archived": archived,
    }
