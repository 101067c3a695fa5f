"""The events of a pixel by one of their properties, with what came of them, in pages.

There is one statement for each property and credit. All read one JSON text (`?1`) and count by the
index `tracking_events_by_pixel`; docs/decisions.md says what else each of them reads. In the same
round trip a second statement says what of the time is archived.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.archive.batches import COUNT_ARCHIVED_OF_PIXEL
from services.core.errors import InvalidQueryError
from services.core.ports import Database, LocalTime, Row
from services.core.stored_time import format_stored_time, parse_stored_time
from services.core.text import read_json, whole_number
from services.reports.channel_sql import AD, count_by_channel
from services.reports.credit_sql import CAMPAIGN, MEDIUM, SOURCE
from services.reports.spans import IN_SPAN, Span, read_span

DEFAULT_ROWS = "100"
MAX_ROWS = 500
DECIMALS = 4

# A form that its own site refused is no submission. Only forms are looked up, for their outcome.
_SUBMITTED = "iif(event_type = 'form_submit', form_outcome IS NOT 'rejected', 0)"

_NETWORK = """
  CASE
    WHEN gclid IS NOT NULL THEN 'google' WHEN fbclid IS NOT NULL THEN 'facebook'
    WHEN msclkid IS NOT NULL THEN 'microsoft' WHEN ttclid IS NOT NULL THEN 'tiktok'
    WHEN twclid IS NOT NULL THEN 'twitter' WHEN li_fat_id IS NOT NULL THEN 'linkedin'
    WHEN sc_click_id IS NOT NULL THEN 'snapchat' ELSE 'none'
  END
"""

_OF_A_TOUCH = {
    "source": SOURCE,
    "medium": MEDIUM,
    "campaign": CAMPAIGN,
    "content": "coalesce(utm_content, 'none')",
    "term": "coalesce(utm_term, 'none')",
    "click_id": _NETWORK,
}
_OF_AN_EVENT = {
    "country": "coalesce(country, 'unknown')",
    "device": "coalesce(iif(json_valid(device_data), device_data ->> 'type', NULL), 'unknown')",
    "browser": (
        "coalesce(iif(json_valid(browser_data), browser_data ->> 'browser', NULL), 'unknown')"
    ),
}

# Takes `counted`. Rows are in the order of their events and values, and the cursor is one of them.
_PAGE = """
SELECT value, events, visitors, sessions, submissions
FROM (
  SELECT
    value, sum(events) AS events, count(DISTINCT visitor_id) AS visitors,
    count(DISTINCT session_id) AS sessions, sum(submissions) AS submissions
  FROM counted GROUP BY value
)
WHERE ?1 ->> 'after_events' IS NULL OR events < ?1 ->> 'after_events'
  OR events = ?1 ->> 'after_events' AND value > ?1 ->> 'after_value'
ORDER BY events DESC, value LIMIT ?1 ->> 'rows'
"""

# MATERIALIZED: what sorts and groups would otherwise look up the outcome of every event.
_IN_SPAN = f"""
in_span AS MATERIALIZED (
  SELECT id, visitor_id, session_id, {_SUBMITTED} AS submitted
  FROM tracking_events WHERE {IN_SPAN}
)
"""

_VISITS = f"""
{_IN_SPAN},
visits AS MATERIALIZED (
  SELECT
    visitor_id, session_id, count(*) AS events, sum(submitted) AS submissions,
    min(id) AS first_id
  FROM in_span GROUP BY visitor_id, session_id
)
"""

# Each visit with its visitor's first touch, under the names that an event's touch has.
_FIRST_TOUCHES = f"""
{_VISITS},
touches AS (
  SELECT
    visits.*,
    first_touch ->> 'origin' AS touch_origin, first_touch ->> 'ad_group' AS ad_group,
    first_touch ->> 'utm_source' AS utm_source, first_touch ->> 'utm_medium' AS utm_medium,
    first_touch ->> 'utm_campaign' AS utm_campaign, first_touch ->> 'utm_content' AS utm_content,
    first_touch ->> 'utm_term' AS utm_term,
    first_touch ->> 'gclid' AS gclid, first_touch ->> 'fbclid' AS fbclid,
    first_touch ->> 'msclkid' AS msclkid, first_touch ->> 'ttclid' AS ttclid,
    first_touch ->> 'twclid' AS twclid, first_touch ->> 'li_fat_id' AS li_fat_id,
    first_touch ->> 'sc_click_id' AS sc_click_id
  FROM visits LEFT JOIN visitors ON visitors.id = visits.visitor_id
)
"""


def _by_event(value: str) -> str:
    return f"""
WITH counted AS MATERIALIZED (
  SELECT {value} AS value, visitor_id, session_id, 1 AS events, {_SUBMITTED} AS submissions
  FROM tracking_events WHERE {IN_SPAN}
)
{_PAGE}"""


def _by_first_touch(value: str) -> str:
    return f"""
WITH {_FIRST_TOUCHES},
counted AS (
  SELECT {value} AS value, visitor_id, session_id, events, submissions FROM touches
)
{_PAGE}"""


_BY_CHANNEL = f"""
WITH credited AS MATERIALIZED (
  SELECT
    id, visitor_id, session_id, {_SUBMITTED} AS submitted,
    {SOURCE} AS source, {MEDIUM} AS medium, {AD} AS ad
  FROM tracking_events WHERE {IN_SPAN}
),
visits AS MATERIALIZED (
  SELECT
    visitor_id, session_id, source, medium, ad, count(*) AS events,
    sum(submitted) AS submissions, min(id) AS first_id
  FROM credited GROUP BY visitor_id, session_id, source, medium, ad
),
{count_by_channel("visits")}
{_PAGE}"""

# A visitor without a touch came from where the first visit in the span came from.
_BY_FIRST_CHANNEL = f"""
WITH {_FIRST_TOUCHES},
first_visits AS MATERIALIZED (
  SELECT
    visitor_id, session_id, events, submissions,
    min(first_id) OVER (PARTITION BY visitor_id) AS first_id,
    {SOURCE} AS source, {MEDIUM} AS medium, {AD} AS ad
  FROM touches
),
{count_by_channel("first_visits")}
{_PAGE}"""

# The page without its query and fragment, which campaigns change.
_BY_LANDING_PAGE = f"""
WITH {_VISITS},
landed AS (
  SELECT visits.*, substr(page_url, 1, instr(page_url || '?', '?') - 1) AS page
  FROM visits CROSS JOIN tracking_events AS landing ON landing.id = first_id
),
counted AS (
  SELECT
    coalesce(substr(page, 1, instr(page || '#', '#') - 1), 'unknown') AS value,
    visitor_id, session_id, events, submissions
  FROM landed
)
{_PAGE}"""

BREAKDOWNS: Mapping[tuple[str, str], str] = {
    **{(by, "last"): _by_event(value) for by, value in (_OF_A_TOUCH | _OF_AN_EVENT).items()},
    **{(by, "first"): _by_first_touch(value) for by, value in _OF_A_TOUCH.items()},
    ("channel", "last"): _BY_CHANNEL,
    ("channel", "first"): _BY_FIRST_CHANNEL,
    ("landing_page", "last"): _BY_LANDING_PAGE,
}
PROPERTIES = tuple(dict.fromkeys(by for by, _ in BREAKDOWNS))


@dataclass(frozen=True, slots=True)
class After:
    """Where a page begins: behind a row with so many events and this value.

    `end` is the end of the first page's span: all pages are about the same time.
    """

    end: datetime
    events: int
    value: str

    def cursor(self) -> str:
        """The place as text for an address; `read_after` reads it."""
        place = json.dumps([format_stored_time(self.end), self.events, self.value])
        return base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")


@dataclass(frozen=True, slots=True)
class Breakdown:
    """Which breakdown is asked for, and which page of at most `most` rows."""

    by: str
    attribution: str
    span: Span
    most: int
    after: After | None


def read_breakdown(
    parameters: Mapping[str, str], now: datetime, local_time: LocalTime
) -> Breakdown:
    """The breakdown that a query asks for.

    Raises:
        InvalidQueryError: a parameter cannot be used.
    """
    by, attribution = parameters.get("by", ""), parameters.get("attribution", "last")
    if by not in PROPERTIES:
        raise InvalidQueryError(f"by must be one of {', '.join(PROPERTIES)}")
    if attribution not in {"last", "first"}:
        raise InvalidQueryError("attribution must be last or first")
    if (by, attribution) not in BREAKDOWNS:
        raise InvalidQueryError(f"attribution must be last: a touch says nothing of {by}")
    after = read_after(parameters["cursor"]) if parameters.get("cursor") else None
    span = read_span(parameters, after.end if after else now, local_time)
    return Breakdown(by, attribution, span, read_limit(parameters), after)


def read_limit(parameters: Mapping[str, str]) -> int:
    """How many rows a page has.

    Raises:
        InvalidQueryError: `limit` cannot be used.
    """
    limit = whole_number(parameters.get("limit", DEFAULT_ROWS), MAX_ROWS)
    if limit is None:
        raise InvalidQueryError(f"limit must be a whole number from 1 to {MAX_ROWS}")
    return limit


def read_after(cursor: str) -> After:
    """The place that `After.cursor` wrote.

    Raises:
        InvalidQueryError: it wrote no such text.
    """
    try:
        match read_json(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()):
            case [str(end), int(events), str(value)] if end.startswith("20"):
                time = parse_stored_time(end)
                if format_stored_time(time) == end:
                    return After(time, events, value)
    except ValueError:
        pass
    raise InvalidQueryError("cursor must be the next_cursor of the page before, as it is")


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows, the cursor of the next page, None at the end, and what no page counts.

    A row is `{"value", "events", "visitors", "sessions", "submissions", "conversion"}`, the last
    one submissions per visitor, None where there is no visitor. `archived` are the events of the
    span's days that are in the archive, `{"events", "until"}`.
    """

    rows: Sequence[Row]
    next_cursor: str | None
    archived: Row


async def read_page(database: Database, pixel_id: str, breakdown: Breakdown) -> Page:
    """A page of a breakdown, in one round trip.

    Raises:
        UnavailableError: D1 failed.
    """
    after = breakdown.after
    parameters = {
        "pixel_id": pixel_id,
        **breakdown.span.parameters(),
        "rows": breakdown.most + 1,
        "after_events": after.events if after else None,
        "after_value": after.value if after else None,
    }
    statements = (BREAKDOWNS[breakdown.by, breakdown.attribution], COUNT_ARCHIVED_OF_PIXEL)
    found, [archived] = await database.batch_rows(statements, json.dumps(parameters))
    rows = [{**row, "conversion": _conversion(row)} for row in found[: breakdown.most]]
    if len(found) <= breakdown.most:
        return Page(rows, None, archived)
    last = found[breakdown.most - 1]
    after_it = After(breakdown.span.end, last["events"], last["value"])
    return Page(rows, after_it.cursor(), archived)


def _conversion(row: Row) -> float | None:
    visitors: int = row["visitors"]
    return round(row["submissions"] / visitors, DECIMALS) if visitors else None
