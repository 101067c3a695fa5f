"""The statistics of pixels and projects in the shapes of the old Worker.

Sources are grouped by the source alone, pages have all events, a project has its active pixels,
those with the most events first. Sources, media and campaigns are words where nothing was seen,
as the old Worker stored them. Each reading is one round trip.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from services.archive.batches import COUNT_ARCHIVED_OF_PIXEL, COUNT_ARCHIVED_OF_PROJECT
from services.core.errors import NotFoundError
from services.core.ports import Database, LocalTime, Row
from services.core.stored_time import format_stored_time
from services.reports.credit_sql import CAMPAIGN, MEDIUM, SOURCE, word, word_key
from services.reports.legacy_query import clamped_number
from services.reports.page_sql import page
from services.reports.pixel_statistics import (
    DAILY_BREAKDOWN,
    DELIVERY,
    MAX_PAGES,
    MAX_SOURCES,
    SUBMISSIONS,
    SUMMARY,
    read_statistics,
)
from services.reports.project_statistics import PROJECT_NAME
from services.reports.spans import DEFAULT_DAYS, DEFAULT_ZONE, IN_SPAN, MAX_DAYS, Span

MAX_HOURS = 24

# MATERIALIZED: as in the statistics of this product.
SOURCES_ALONE = f"""
WITH credited AS MATERIALIZED (
  SELECT visitor_id, {SOURCE} AS utm_source FROM tracking_events WHERE {IN_SPAN}
)
SELECT
  {word("utm_source")} AS utm_source, count(*) AS count, count(DISTINCT visitor_id) AS visitors
FROM credited
GROUP BY {word_key("credited.utm_source")}
ORDER BY count DESC, 1 LIMIT {MAX_SOURCES}
"""

PAGES_OF_ALL_EVENTS = f"""
SELECT {page("page_url")} AS page_url, count(*) AS count, count(DISTINCT visitor_id) AS visitors
FROM tracking_events WHERE {IN_SPAN}
GROUP BY 1 ORDER BY count DESC, 1 LIMIT {MAX_PAGES}
"""

PIXEL_STATEMENTS = (
    *(SUMMARY, SOURCES_ALONE, PAGES_OF_ALL_EVENTS, DAILY_BREAKDOWN, SUBMISSIONS, DELIVERY),
    COUNT_ARCHIVED_OF_PIXEL,
)

# CROSS: pixel by pixel, by the index.
LEGACY_PROJECT_SUMMARY = f"""
SELECT
  count(*) AS total_events,
  count(DISTINCT visitor_id) AS unique_visitors,
  count(DISTINCT session_id) AS unique_sessions,
  count(DISTINCT tracking_events.pixel_id) AS active_pixels,
  count(DISTINCT {page("page_url")}) AS unique_pages
FROM pixels CROSS JOIN tracking_events ON tracking_events.pixel_id = pixels.id
  AND timestamp >= ?1 ->> 'from' AND timestamp <= ?1 ->> 'to'
WHERE pixels.project_id = ?1 ->> 'project_id'
"""

ACTIVE_PIXELS = """
SELECT
  active.id AS pixel_id, active.name AS pixel_name,
  count(tracking_events.id) AS events,
  count(DISTINCT visitor_id) AS visitors,
  count(DISTINCT session_id) AS sessions
FROM (
  SELECT id, name FROM pixels WHERE project_id = ?1 ->> 'project_id' AND active
) AS active
LEFT JOIN tracking_events ON tracking_events.pixel_id = active.id
  AND timestamp >= ?1 ->> 'from' AND timestamp <= ?1 ->> 'to'
GROUP BY active.id ORDER BY events DESC, active.name
"""

PROJECT_STATEMENTS = (
    *(PROJECT_NAME, LEGACY_PROJECT_SUMMARY, ACTIVE_PIXELS),
    COUNT_ARCHIVED_OF_PROJECT,
)

CREDITED_RECENT_EVENTS = f"""
SELECT
  id, event_type, event_name, page_url, page_title, referrer_url, touch_origin,
  {SOURCE} AS utm_source, {MEDIUM} AS utm_medium, {CAMPAIGN} AS utm_campaign, country, timestamp
FROM tracking_events
WHERE pixel_id = ?1 AND timestamp > ?2
ORDER BY timestamp DESC, id DESC LIMIT 10
"""


def read_legacy_span(parameters: Mapping[str, str], now: datetime) -> Span:
    """The last `days` times 24 hours: 30 where it is no number, else the nearest of 1 to 365."""
    now = now.replace(microsecond=0)
    days = clamped_number(parameters.get("days"), DEFAULT_DAYS, MAX_DAYS)
    return Span(now - timedelta(days=days), now, days, DEFAULT_ZONE)


async def read_legacy_statistics(
    database: Database, pixel_id: str, span: Span, local_time: LocalTime
) -> Mapping[str, object]:
    """Reads the statistics of one pixel.

    Raises:
        UnavailableError: D1 failed.
    """
    return await read_statistics(database, pixel_id, span, local_time, PIXEL_STATEMENTS)


async def read_legacy_project_statistics(
    database: Database, project_id: str, span: Span
) -> Mapping[str, object]:
    """Read the totals of a project, and those of its active pixels.

    Raises:
        NotFoundError: no active project has this id.
        UnavailableError: D1 failed.
    """
    parameters = {"project_id": project_id, **span.parameters()}
    answers = await database.batch_rows(PROJECT_STATEMENTS, json.dumps(parameters))
    projects, [summary], pixels, [archived] = answers
    if not projects:
        raise NotFoundError("Project not found")
    return {
        "project_name": projects[0]["name"],
        "summary": summary,
        "pixel_breakdown": pixels,
        "archived": archived,
    }


async def credited_recent_events(database: Database, pixel_id: str, now: datetime) -> Sequence[Row]:
    """The newest ten events of the last 24 hours, with words where no source was seen.

    Raises:
        UnavailableError: D1 failed.
    """
    since = format_stored_time(now - timedelta(hours=MAX_HOURS))
    return await database.rows(CREDITED_RECENT_EVENTS, pixel_id, since)
