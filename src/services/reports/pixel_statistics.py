"""Statistics of a pixel over a span of time: totals, sources, pages, days, forms and loss.

All statements read one JSON text (`?1`: `pixel_id`, `from`, `to`, `offsets`) and are one round
trip. They use the index `tracking_events_by_pixel`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from services.archive.batches import COUNT_ARCHIVED_OF_PIXEL
from services.core.pending_leads import FORGED, MAY_BE_FORGED, WITHHELD
from services.core.ports import Database, LocalTime, Row
from services.reports.credit_sql import CAMPAIGN, MEDIUM, SOURCE, word, word_key
from services.reports.page_sql import page
from services.reports.spans import IN_SPAN, Span

MAX_SOURCES = 10
MAX_PAGES = 10
DECIMALS = 4
MAX_SEQUENCE_GAP = 10_000

SUMMARY = f"""
SELECT
  count(*) AS total_events,
  count(DISTINCT visitor_id) AS unique_visitors,
  count(DISTINCT session_id) AS unique_sessions,
  count(DISTINCT {page("page_url")}) AS unique_pages
FROM tracking_events WHERE {IN_SPAN}
"""

# Reads the row of an event only if its touch lacks one of the three, for its click ID and its ad
# group; without MATERIALIZED the rows of all events would be read.
TOP_SOURCES = f"""
WITH credited AS MATERIALIZED (
  SELECT
    visitor_id,
    {SOURCE} AS source,
    {MEDIUM} AS medium,
    {CAMPAIGN} AS campaign
  FROM tracking_events WHERE {IN_SPAN}
)
SELECT
  {word("source")} AS source, {word("medium")} AS medium, {word("campaign")} AS campaign,
  count(*) AS events, count(DISTINCT visitor_id) AS visitors
FROM credited
GROUP BY {word_key("credited.source")}, {word_key("credited.medium")},
  {word_key("credited.campaign")}
ORDER BY events DESC, 1, 2, 3 LIMIT {MAX_SOURCES}
"""

# A custom event is no page view. The title is the newest one.
TOP_PAGES = f"""
SELECT pages.page AS page_url, newest.page_title, pages.views, pages.visitors
FROM (
  SELECT
    {page("page_url")} AS page, count(*) AS views, count(DISTINCT visitor_id) AS visitors,
    max(id) AS newest_id
  FROM tracking_events WHERE {IN_SPAN} AND event_type IS NOT 'custom'
  GROUP BY page ORDER BY views DESC, page LIMIT {MAX_PAGES}
) AS pages
CROSS JOIN tracking_events AS newest ON newest.id = pages.newest_id
ORDER BY pages.views DESC, pages.page
"""

# A day of a zone has one offset or, when its clocks change, two.
DAILY_BREAKDOWN = """
SELECT
  date(timestamp, part.value ->> 'ahead') AS date,
  count(*) AS events,
  count(DISTINCT visitor_id) AS visitors,
  count(DISTINCT session_id) AS sessions
FROM json_each(?1 -> 'offsets') AS part
CROSS JOIN tracking_events ON pixel_id = ?1 ->> 'pixel_id'
  AND timestamp >= part.value ->> 'from' AND timestamp <= part.value ->> 'to'
GROUP BY 1 ORDER BY 1 DESC
"""

# Reads only the rows of form submissions, for their outcomes and what was thought of them.
SUBMISSIONS = f"""
SELECT
  count(*) AS total,
  coalesce(sum(form_outcome = 'submitted'), 0) AS submitted,
  coalesce(sum(form_outcome = 'accepted'), 0) AS accepted,
  coalesce(sum(form_outcome = 'rejected'), 0) AS rejected,
  coalesce(sum(form_outcome IS NULL), 0) AS unknown,
  coalesce(sum({MAY_BE_FORGED}), 0) AS suspicious,
  coalesce(sum(pipedrive_sync_status IS '{WITHHELD}'), 0) AS held,
  coalesce(sum(pipedrive_sync_status IS '{FORGED}'), 0) AS forged
FROM tracking_events WHERE {IN_SPAN} AND event_type = 'form_submit'
"""

# A browser numbers a visitor's events on each origin from 1. Numbers that are missing between the
# lowest and the highest one in the span belong to lost events. A gap of thousands is no loss but a
# forged number.
DELIVERY = f"""
SELECT coalesce(sum(numbered), 0) AS numbered_events, coalesce(sum(missing), 0) AS missing_events
FROM (
  SELECT
    count(*) AS numbered,
    max(visitor_sequence) - min(visitor_sequence) + 1 - count(DISTINCT visitor_sequence) AS missing
  FROM tracking_events WHERE {IN_SPAN} AND visitor_sequence IS NOT NULL
  GROUP BY visitor_id, substr(page_url, 1, 8 + instr(substr(page_url, 9), '/'))
  HAVING missing < {MAX_SEQUENCE_GAP}
)
"""

STATEMENTS = (
    *(SUMMARY, TOP_SOURCES, TOP_PAGES, DAILY_BREAKDOWN, SUBMISSIONS, DELIVERY),
    COUNT_ARCHIVED_OF_PIXEL,
)


async def read_statistics(
    database: Database,
    pixel_id: str,
    span: Span,
    local_time: LocalTime,
    statements: Sequence[str] = STATEMENTS,
) -> Mapping[str, object]:
    """Reads the statistics of one pixel; its days are those of the span's zone.

    Other `statements` are of the same kinds in the same order.

    Raises:
        UnavailableError: D1 failed.
    """
    offsets = span.offsets(local_time)
    parameters = {"pixel_id": pixel_id, **span.parameters(), "offsets": offsets}
    answers = await database.batch_rows(statements, json.dumps(parameters))
    [summary], sources, pages, days, [submissions], [delivery], [archived] = answers
    return {
        "summary": summary,
        "top_sources": sources,
        "top_pages": pages,
        "daily_breakdown": days,
        "submissions": submissions,
        "delivery": {**delivery, "measured_loss": _loss(delivery)},
        "archived": archived,
    }


def _loss(delivery: Row) -> float | None:
    """The share of the numbered events that never arrived; None without numbered events."""
    missing: int = delivery["missing_events"]
    sent = delivery["numbered_events"] + missing
    return round(missing / sent, DECIMALS) if sent else None
