"""The share of recent events with a source, and URL parameters that were not stored.

It reads the events of every pixel in the last 48 hours by the index `tracking_events_by_pixel`.
All statements read one JSON text (`?1`) and are one round trip.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from services.archive.batches import COUNT_ARCHIVED_SINCE
from services.core.click_ids import NETWORK_OF_CLICK_ID, word_of_click
from services.core.ports import Database, Row
from services.core.stored_time import format_stored_time
from services.tracking.attribution import unstored_parameters

HOURS = 48
MAX_PAGES = 500
MAX_EXAMPLES = 50
DECIMALS = 4

# CROSS: pixel by pixel, by the index.
_LATEST = """
  FROM pixels CROSS JOIN tracking_events
  WHERE tracking_events.pixel_id = pixels.id AND tracking_events.timestamp >= ?1 ->> 'since'
"""

# Reads only the rows of events with a touch, for their click IDs. Inherited touches count too.
CREDITED = f"""
WITH latest AS MATERIALIZED (
  SELECT
    touch_origin IS NOT NULL AND (
      utm_source IS NOT NULL OR utm_medium IS NOT NULL OR utm_campaign IS NOT NULL
      OR coalesce(utm_content, utm_term) IS NOT NULL
    ) AS utm,
    touch_origin IS NOT NULL AND {word_of_click(NETWORK_OF_CLICK_ID)} IS NOT NULL AS click_id
  {_LATEST}
)
SELECT
  count(*) AS total_events,
  coalesce(sum(utm), 0) AS with_utm,
  coalesce(sum(click_id), 0) AS with_click_id,
  coalesce(sum(utm OR click_id), 0) AS with_either
FROM latest
"""

# Reads the index only. Pages with the most events come first, to show the most common faults.
PAGES = f"""
SELECT page_url, tracking_events.pixel_id, count(*) AS events
{_LATEST} AND instr(page_url, '=')
GROUP BY page_url, tracking_events.pixel_id
ORDER BY events DESC, page_url, tracking_events.pixel_id LIMIT {MAX_PAGES}
"""

# A project may archive its events after one day.
STATEMENTS = (CREDITED, PAGES, COUNT_ARCHIVED_SINCE)


@dataclass(frozen=True, slots=True)
class PageParameters:
    """A page's URL, its number of events, and the names of its parameters that are not stored."""

    page_url: str
    pixel_id: str
    events: int
    parameters: list[str]


async def read_utm_analysis(database: Database, now: datetime) -> Mapping[str, object]:
    """Reads the shares of events with a source in the last 48 hours, to four decimals.

    Of the five hundred URLs with the most events, `unstored` lists the first fifty that have
    parameters which are not stored, with the names of these.

    Raises:
        UnavailableError: D1 failed.
    """
    since = format_stored_time(now - timedelta(hours=HOURS))
    answers = await database.batch_rows(STATEMENTS, json.dumps({"since": since}))
    [credited], pages, [archived] = answers
    total: int = credited["total_events"]
    shares = {
        f"share_{name}": round(credited[name] / total, DECIMALS) if total else None
        for name in ("with_utm", "with_click_id", "with_either")
    }
    unstored = [page for page in map(_page_parameters, pages) if page.parameters]
    return {
        "hours": HOURS,
        "summary": {**credited, **shares},
        "unstored_parameters": _count_by_parameter(unstored),
        "unstored": [asdict(page) for page in unstored[:MAX_EXAMPLES]],
        "archived": archived,
    }


def _page_parameters(row: Row) -> PageParameters:
    names = unstored_parameters(row["page_url"])
    return PageParameters(row["page_url"], row["pixel_id"], row["events"], names)


def _count_by_parameter(pages: Iterable[PageParameters]) -> list[dict[str, object]]:
    """The number of events of each parameter, the largest first."""
    events: Counter[str] = Counter()
    for page in pages:
        events.update(dict.fromkeys(page.parameters, page.events))
    ordered = sorted(events.items(), key=lambda item: (-item[1], item[0]))
    return [{"name": name, "events": number} for name, number in ordered[:MAX_EXAMPLES]]
