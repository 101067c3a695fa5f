"""The events of a pixel in the last 24 hours."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from services.core.ports import Database, Row
from services.core.stored_time import format_stored_time

HOURLY_BREAKDOWN = """
SELECT
  substr(timestamp, 1, 13) || ':00:00' AS hour,
  count(*) AS events,
  count(DISTINCT visitor_id) AS visitors
FROM tracking_events
WHERE pixel_id = ?1 AND timestamp > ?2
GROUP BY hour ORDER BY hour DESC
"""

RECENT_EVENTS = """
SELECT
  id, event_type, event_name, page_url, page_title, referrer_url, touch_origin,
  utm_source, utm_medium, utm_campaign, country, timestamp
FROM tracking_events
WHERE pixel_id = ?1 AND timestamp > ?2
ORDER BY timestamp DESC, id DESC LIMIT 10
"""


async def hourly_breakdown(database: Database, pixel_id: str, now: datetime) -> Sequence[Row]:
    """Counts events and visitors by hour, newest first; hours without events are left out.

    Raises:
        UnavailableError: D1 failed.
    """
    return await database.rows(HOURLY_BREAKDOWN, pixel_id, _day_before(now))


async def recent_events(database: Database, pixel_id: str, now: datetime) -> Sequence[Row]:
    """The newest ten events, without personal data.

    Raises:
        UnavailableError: D1 failed.
    """
    return await database.rows(RECENT_EVENTS, pixel_id, _day_before(now))


def _day_before(now: datetime) -> str:
    return format_stored_time(now - timedelta(hours=24))
