"""What a pixel saw over a span of time: how many, from where, on which pages, and what was lost.

All statements read one JSON text (`?1`: `pixel_id`, `from`, `to`) and are one round trip. They
count by the index `tracking_events_by_pixel`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from services.ports import Database, Row
from services.visits import TIME_TEXT

MOST_SOURCES = 10
MOST_PAGES = 10
DECIMALS = 4
LARGEST_GAP = 10_000

_IN_SPAN = """
  pixel_id = ?1 ->> 'pixel_id' AND timestamp >= ?1 ->> 'from' AND timestamp <= ?1 ->> 'to'
"""

SUMMARY = f"""
SELECT
  count(*) AS total_events,
  count(DISTINCT visitor_id) AS unique_visitors,
  count(DISTINCT session_id) AS unique_sessions,
  count(DISTINCT page_url) AS unique_pages
FROM tracking_events WHERE {_IN_SPAN}
"""  # noqa: S608  # a constant

# The words are those of `attribution.credit`. Only an event with a touch that lacks one of the
# three is looked up, for its click ID and its ad group; MATERIALIZED keeps the others from it.
TOP_SOURCES = f"""
WITH credited AS MATERIALIZED (
  SELECT
    visitor_id,
    coalesce(utm_source, CASE
      WHEN touch_origin IS NULL THEN NULL
      WHEN gclid IS NOT NULL THEN 'google' WHEN fbclid IS NOT NULL THEN 'facebook'
      WHEN msclkid IS NOT NULL THEN 'microsoft' WHEN ttclid IS NOT NULL THEN 'tiktok'
      WHEN twclid IS NOT NULL THEN 'twitter' WHEN li_fat_id IS NOT NULL THEN 'linkedin'
      WHEN sc_click_id IS NOT NULL THEN 'snapchat'
    END, 'direct') AS source,
    coalesce(utm_medium, CASE
      WHEN touch_origin IS NULL THEN NULL
      WHEN gclid IS NOT NULL THEN 'cpc' WHEN fbclid IS NOT NULL THEN 'social'
      WHEN msclkid IS NOT NULL THEN 'cpc'
      WHEN coalesce(ttclid, twclid, li_fat_id, sc_click_id) IS NOT NULL THEN 'social'
    END, 'unknown') AS medium,
    coalesce(utm_campaign, iif(touch_origin IS NULL, NULL, ad_group), 'none') AS campaign
  FROM tracking_events WHERE {_IN_SPAN}
)
SELECT source, medium, campaign, count(*) AS events, count(DISTINCT visitor_id) AS visitors
FROM credited
GROUP BY source, medium, campaign
ORDER BY events DESC, source, medium, campaign LIMIT {MOST_SOURCES}
"""  # noqa: S608  # constants only

# What happens on a page is no view of it. The title is the newest one.
TOP_PAGES = f"""
SELECT pages.page_url, newest.page_title, pages.views, pages.visitors
FROM (
  SELECT
    page_url, count(*) AS views, count(DISTINCT visitor_id) AS visitors, max(id) AS newest_id
  FROM tracking_events WHERE {_IN_SPAN} AND event_type IS NOT 'custom'
  GROUP BY page_url ORDER BY views DESC, page_url LIMIT {MOST_PAGES}
) AS pages
CROSS JOIN tracking_events AS newest ON newest.id = pages.newest_id
ORDER BY pages.views DESC, pages.page_url
"""  # noqa: S608  # constants only

DAILY_BREAKDOWN = f"""
SELECT
  substr(timestamp, 1, 10) AS date,
  count(*) AS events,
  count(DISTINCT visitor_id) AS visitors,
  count(DISTINCT session_id) AS sessions
FROM tracking_events WHERE {_IN_SPAN}
GROUP BY date ORDER BY date DESC
"""  # noqa: S608  # a constant

# Only form submissions are looked up, for their outcomes.
SUBMISSIONS = f"""
SELECT
  count(*) AS total,
  coalesce(sum(form_outcome = 'submitted'), 0) AS submitted,
  coalesce(sum(form_outcome = 'accepted'), 0) AS accepted,
  coalesce(sum(form_outcome = 'rejected'), 0) AS rejected,
  coalesce(sum(form_outcome IS NULL), 0) AS unknown
FROM tracking_events WHERE {_IN_SPAN} AND event_type = 'form_submit'
"""  # noqa: S608  # a constant

# A browser numbers a visitor's events on a pixel, on each origin from 1. Between the lowest and the
# highest number in the span every number was given to an event; those that are not here were lost.
# A gap of thousands is none: somebody invented that number.
DELIVERY = f"""
SELECT coalesce(sum(numbered), 0) AS numbered_events, coalesce(sum(missing), 0) AS missing_events
FROM (
  SELECT
    count(*) AS numbered,
    max(visitor_sequence) - min(visitor_sequence) + 1 - count(DISTINCT visitor_sequence) AS missing
  FROM tracking_events WHERE {_IN_SPAN} AND visitor_sequence IS NOT NULL
  GROUP BY visitor_id, substr(page_url, 1, 8 + instr(substr(page_url, 9), '/'))
  HAVING missing < {LARGEST_GAP}
)
"""  # noqa: S608  # constants only

STATEMENTS = (SUMMARY, TOP_SOURCES, TOP_PAGES, DAILY_BREAKDOWN, SUBMISSIONS, DELIVERY)


@dataclass(frozen=True, slots=True)
class Span:
    """A span of time, both ends included, in whole seconds."""

    start: datetime
    end: datetime


async def read_statistics(database: Database, pixel_id: str, span: Span) -> Mapping[str, object]:
    """The statistics of one pixel over a span.

    Raises:
        UnavailableError: D1 failed.
    """
    parameters = {
        "pixel_id": pixel_id,
        "from": span.start.strftime(TIME_TEXT),
        "to": span.end.strftime(TIME_TEXT),
    }
    answers = await database.batch_rows(STATEMENTS, json.dumps(parameters))
    [summary], sources, pages, days, [submissions], [delivery] = answers
    return {
        "summary": summary,
        "top_sources": sources,
        "top_pages": pages,
        "daily_breakdown": days,
        "submissions": submissions,
        "delivery": {**delivery, "measured_loss": _loss(delivery)},
    }


def _loss(delivery: Row) -> float | None:
    """The share of the numbered events that never arrived; None where none had a number."""
    missing: int = delivery["missing_events"]
    given = delivery["numbered_events"] + missing
    return round(missing / given, DECIMALS) if given else None
