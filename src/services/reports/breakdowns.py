"""Breaks a pixel's events down by one property, with visitors, sessions and submissions, in pages.

There is one statement for each property and attribution. All read one JSON text (`?1`) and use the
index `tracking_events_by_pixel`; docs/decisions.md says what else each of them reads. A second
statement in the same round trip counts the archived events of the span.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.archive.batches import COUNT_ARCHIVED_OF_PIXEL
from services.core.errors import InvalidQueryError
from services.core.page_limit import MAX_PAGE_ROWS, page_limit
from services.core.ports import Database, LocalTime, Row
from services.core.stored_time import format_stored_time, parse_stored_time
from services.core.text import read_json, whole_number
from services.reports.attribution_models import (
    DEFAULT_WINDOW_DAYS,
    IS_SUBMISSION,
    MAX_WINDOW_DAYS,
    SHARES,
    STEPS,
)
from services.reports.channel_sql import AD, CAMPAIGN_KIND, count_by_channel
from services.reports.credit_sql import CAMPAIGN, MEDIUM, NETWORK, SOURCE, meaning, word, word_key
from services.reports.event_order import MOMENT, TIME_CHARACTERS, id_of
from services.reports.page_sql import page
from services.reports.referring_sites import FIRST_PAGE
from services.reports.spans import IN_SPAN, Span, read_span

DECIMALS = 4
SHARE_DECIMALS = 6
MAX_SKIPPED = 10**9

# Only the rows of forms are read.
_SUBMITTED = f"iif(event_type = 'form_submit', {IS_SUBMISSION}, 0)"

_TOUCH_PROPERTIES = {
    "source": SOURCE,
    "medium": MEDIUM,
    "campaign": CAMPAIGN,
    "content": f"coalesce({meaning('utm_content')}, 'none')",
    "term": f"coalesce({meaning('utm_term')}, 'none')",
    "click_id": NETWORK,
}
# What stands for no touch at all.
_FALLBACKS = {"source": "direct", "medium": "unknown"}
_EVENT_PROPERTIES = {
    "country": "coalesce(country, 'unknown')",
    "device": "coalesce(iif(json_valid(device_data), device_data ->> 'type', NULL), 'unknown')",
    "browser": (
        "coalesce(iif(json_valid(browser_data), browser_data ->> 'browser', NULL), 'unknown')"
    ),
}

# Reads `counted`. Rows are sorted by number of events and value. A page begins after all rows with
# more events than the last one of the page before, and as many of the same number as were read.
_COUNTS = """
  sum(events) AS events, count(DISTINCT visitor_id) AS visitors,
  count(DISTINCT session_id) AS sessions, sum(submissions) AS submissions
"""
_PAGE_OF_COUNTS = """
WHERE ?1 ->> 'most_events' IS NULL OR events <= ?1 ->> 'most_events'
ORDER BY events DESC, value LIMIT ?1 ->> 'rows' OFFSET ?1 ->> 'skipped'
"""
_PAGE = f"""
SELECT value, events, visitors, sessions, submissions
FROM (SELECT value, {_COUNTS} FROM counted GROUP BY value)
{_PAGE_OF_COUNTS}
"""
_PAGE_OF_WORDS = f"""
SELECT word AS value, events, visitors, sessions, submissions
FROM (SELECT {word("value")} AS word, {_COUNTS} FROM counted GROUP BY {word_key("value")})
{_PAGE_OF_COUNTS}
"""

# MATERIALIZED: sorting and grouping would otherwise read the row of every event.
_IN_SPAN = f"""
in_span AS MATERIALIZED (
  SELECT
    {MOMENT} AS moment, visitor_id, session_id, {_SUBMITTED} AS submitted,
    touch_origin IS NULL AS is_untouched
  FROM tracking_events WHERE {IN_SPAN}
)
"""

_COUNTED_VISIT = """
  visitor_id, session_id, count(*) AS events, sum(submitted) AS submissions,
  min(moment) AS first_moment
"""
_VISITS = f"""
{_IN_SPAN},
visits AS MATERIALIZED (SELECT {_COUNTED_VISIT} FROM in_span GROUP BY visitor_id, session_id)
"""

# Each visit with its visitor's first touch with the pixel's project, in the columns of an event's.
# What came before that touch has none. Only what is credited to nothing can have come before it, so
# that a visit has two parts at most.
_FIRST_TOUCHES = f"""
{_IN_SPAN},
visits AS MATERIALIZED (
  SELECT {_COUNTED_VISIT}, is_untouched FROM in_span GROUP BY visitor_id, session_id, is_untouched
),
touches_of_visitors AS (
  SELECT
    visits.*,
    first_touches -> (
      SELECT project_id FROM pixels WHERE pixels.id = ?1 ->> 'pixel_id'
    ) AS touch_of_visitor
  FROM visits LEFT JOIN visitors ON visitors.id = visits.visitor_id
),
visitors_of_visits AS (
  SELECT
    *,
    iif(
      is_untouched AND touch_of_visitor ->> 'at' > substr(first_moment, 1, {TIME_CHARACTERS}),
      NULL, touch_of_visitor
    ) AS first_touch
  FROM touches_of_visitors
),
touches AS (
  SELECT
    *,
    first_touch ->> 'origin' AS touch_origin,
    first_touch ->> 'utm_source' AS utm_source, first_touch ->> 'utm_medium' AS utm_medium,
    first_touch ->> 'utm_campaign' AS utm_campaign, first_touch ->> 'utm_content' AS utm_content,
    first_touch ->> 'utm_term' AS utm_term,
    first_touch ->> 'gclid' AS gclid, first_touch ->> 'fbclid' AS fbclid,
    first_touch ->> 'msclkid' AS msclkid, first_touch ->> 'ttclid' AS ttclid,
    first_touch ->> 'twclid' AS twclid, first_touch ->> 'li_fat_id' AS li_fat_id,
    first_touch ->> 'sc_click_id' AS sc_click_id, first_touch -> 'click_ids' AS click_ids
  FROM visitors_of_visits
)
"""


def _by_event(value: str, page: str) -> str:
    return f"""
WITH counted AS MATERIALIZED (
  SELECT {value} AS value, visitor_id, session_id, 1 AS events, {_SUBMITTED} AS submissions
  FROM tracking_events WHERE {IN_SPAN}
)
{page}"""


def _by_first_touch(value: str) -> str:
    return f"""
WITH {_FIRST_TOUCHES},
counted AS (
  SELECT {value} AS value, visitor_id, session_id, events, submissions FROM touches
)
{_PAGE_OF_WORDS}"""


def _without_earlier_visits(by: str, value: str) -> str:
    """The value without what an event is credited to from an earlier visit."""
    return f"iif(touch_origin IS 'visitor', '{_FALLBACKS.get(by, 'none')}', {value})"


def _by_channel(source: str, medium: str, ad: str, campaign_kind: str) -> str:
    return f"""
WITH credited AS MATERIALIZED (
  SELECT
    {MOMENT} AS moment, visitor_id, session_id, {_SUBMITTED} AS submitted,
    {source} AS source, {medium} AS medium, {ad} AS ad, {campaign_kind} AS campaign_kind
  FROM tracking_events WHERE {IN_SPAN}
),
visits AS MATERIALIZED (
  SELECT
    visitor_id, session_id, source, medium, ad, campaign_kind, count(*) AS events,
    sum(submitted) AS submissions, min(moment) AS first_moment
  FROM credited GROUP BY visitor_id, session_id, source, medium, ad, campaign_kind
),
{count_by_channel("visits", FIRST_PAGE)}
{_PAGE}"""


_BY_CHANNEL = _by_channel(SOURCE, MEDIUM, AD, CAMPAIGN_KIND)
_BY_LAST_CHANNEL = _by_channel(
    _without_earlier_visits("source", SOURCE),
    _without_earlier_visits("medium", MEDIUM),
    f"iif(touch_origin IS 'visitor', NULL, {AD})",
    f"iif(touch_origin IS 'visitor', NULL, {CAMPAIGN_KIND})",
)

# A visitor without a touch gets the channel of their first visit in the span.
_BY_FIRST_CHANNEL = f"""
WITH {_FIRST_TOUCHES},
first_visits AS (
  SELECT
    visitor_id, session_id, events, submissions,
    min(first_moment) OVER (PARTITION BY visitor_id) AS first_moment,
    {SOURCE} AS source, {MEDIUM} AS medium, {AD} AS ad, {CAMPAIGN_KIND} AS campaign_kind
  FROM touches
),
{count_by_channel("first_visits", FIRST_PAGE)}
{_PAGE}"""

_BY_LANDING_PAGE = f"""
WITH {_VISITS},
counted AS (
  SELECT
    coalesce({page("page_url")}, 'unknown') AS value, visits.visitor_id, visits.session_id, events,
    submissions
  FROM visits CROSS JOIN tracking_events AS landing ON landing.id = {FIRST_PAGE}
)
{_PAGE}"""


# MATERIALIZED: the expressions of all steps together would be too deep for D1.
def _by_model(value: str, share: str) -> str:
    return f"""
WITH {STEPS},
shared AS MATERIALIZED (SELECT *, {share} AS share FROM steps),
counted AS (
  SELECT {value} AS value, visitor_id, session_id, 1 AS events, share AS submissions
  FROM shared WHERE share > 0
)
{_PAGE_OF_WORDS}"""


# A lead without a touch has the channel of the first page of its session.
def _channel_by_model(share: str) -> str:
    return f"""
WITH {STEPS},
shared AS MATERIALIZED (SELECT *, {share} AS share FROM steps),
shares AS MATERIALIZED (
  SELECT
    visitor_id, session_id, 1 AS events, share AS submissions,
    coalesce(touch_id, (
      SELECT {id_of("min(moment)")} FROM (
        SELECT {MOMENT} AS moment FROM tracking_events AS same
        WHERE same.visitor_id = shared.visitor_id AND same.session_id = shared.session_id
      )
    )) AS first_id,
    {SOURCE} AS source, {MEDIUM} AS medium, {AD} AS ad, {CAMPAIGN_KIND} AS campaign_kind
  FROM shared WHERE share > 0
),
{count_by_channel("shares", "first_id")}
{_PAGE}"""


_EVENT_BREAKDOWNS = {
    **{by: _by_event(value, _PAGE) for by, value in _EVENT_PROPERTIES.items()},
    "landing_page": _BY_LANDING_PAGE,
}
# `last` of what is no touch is `credit`, for scripts that say so.
BREAKDOWNS: Mapping[tuple[str, str], str] = {
    **{(by, "credit"): _by_event(value, _PAGE_OF_WORDS) for by, value in _TOUCH_PROPERTIES.items()},
    **{(by, model): sql for by, sql in _EVENT_BREAKDOWNS.items() for model in ("credit", "last")},
    **{(by, "first"): _by_first_touch(value) for by, value in _TOUCH_PROPERTIES.items()},
    **{
        (by, "last"): _by_event(_without_earlier_visits(by, value), _PAGE_OF_WORDS)
        for by, value in _TOUCH_PROPERTIES.items()
    },
    **{
        (by, model): _by_model(value, share)
        for by, value in _TOUCH_PROPERTIES.items()
        for model, share in SHARES.items()
    },
    ("channel", "credit"): _BY_CHANNEL,
    ("channel", "last"): _BY_LAST_CHANNEL,
    ("channel", "first"): _BY_FIRST_CHANNEL,
    **{("channel", model): _channel_by_model(share) for model, share in SHARES.items()},
}
ATTRIBUTIONS = ("credit", "first", "last", *SHARES)
PROPERTIES = tuple(dict.fromkeys(by for by, _ in BREAKDOWNS))


@dataclass(frozen=True, slots=True)
class BreakdownCursor:
    """Where a page begins: at this number of events, after `skipped` rows of just that number.

    `end` is the end of the first page's span, so that all pages have the same span. A value would
    show persons to who may not see them.
    """

    end: datetime
    events: int
    skipped: int

    def __str__(self) -> str:
        """The cursor as clients read and send it."""
        fields = json.dumps([format_stored_time(self.end), self.events, self.skipped])
        return base64.urlsafe_b64encode(fields.encode()).decode().rstrip("=")


@dataclass(frozen=True, slots=True)
class BreakdownQuery:
    """Which breakdown is requested, and which page of at most `limit` rows."""

    by: str
    attribution: str
    span: Span
    limit: int
    cursor: BreakdownCursor | None
    window_days: int = DEFAULT_WINDOW_DAYS


def read_breakdown_query(
    parameters: Mapping[str, str], now: datetime, local_time: LocalTime
) -> BreakdownQuery:
    """Reads the query of a breakdown.

    Raises:
        InvalidQueryError: a parameter cannot be used.
    """
    by, attribution = parameters.get("by", ""), parameters.get("attribution", "credit")
    if by not in PROPERTIES:
        raise InvalidQueryError(f"by must be one of {', '.join(PROPERTIES)}")
    if attribution not in ATTRIBUTIONS:
        raise InvalidQueryError(f"attribution must be one of {', '.join(ATTRIBUTIONS)}")
    if (by, attribution) not in BREAKDOWNS:
        raise InvalidQueryError(f"attribution must be credit: a touch says nothing of {by}")
    cursor = read_breakdown_cursor(parameters["cursor"]) if parameters.get("cursor") else None
    span = read_span(parameters, cursor.end if cursor else now, local_time)
    window = _read_window(parameters, attribution)
    return BreakdownQuery(by, attribution, span, read_limit(parameters), cursor, window)


def _read_window(parameters: Mapping[str, str], attribution: str) -> int:
    text = parameters.get("window")
    if text is None:
        return DEFAULT_WINDOW_DAYS
    if attribution not in SHARES:
        raise InvalidQueryError(f"window is for attribution {', '.join(SHARES)} only")
    days = whole_number(text, MAX_WINDOW_DAYS)
    if days is None:
        raise InvalidQueryError(f"window must be a whole number from 1 to {MAX_WINDOW_DAYS}")
    return days


def read_limit(parameters: Mapping[str, str]) -> int:
    """Reads `limit`, the number of rows of a page.

    Raises:
        InvalidQueryError: `limit` cannot be used.
    """
    limit = page_limit(parameters)
    if limit is None:
        raise InvalidQueryError(f"limit must be a whole number from 1 to {MAX_PAGE_ROWS}")
    return limit


def read_breakdown_cursor(text: str) -> BreakdownCursor:
    """Reads the text of a BreakdownCursor.

    Raises:
        InvalidQueryError: the text is no such cursor.
    """
    try:
        match read_json(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()):
            case [str(end), int(events), int(skipped)] if end.startswith("20"):
                time = parse_stored_time(end)
                if format_stored_time(time) == end and 0 <= skipped < MAX_SKIPPED:
                    return BreakdownCursor(time, events, skipped)
    except ValueError:
        pass
    raise InvalidQueryError("cursor must be the next_cursor of the page before, as it is")


@dataclass(frozen=True, slots=True)
class BreakdownPage:
    """Rows of a breakdown, and the cursor of the next page, None at the end.

    A row is `{"value", "events", "visitors", "sessions", "submissions", "conversion"}`; the
    conversion is submissions per visitor, None without visitors. Of a model that shares the credit
    for leads, the submissions are shares, and the events the touches that have one. `archived`
    counts the events of the span's days that are in the archive and in no row: `{"events",
    "until"}`.
    """

    rows: Sequence[Row]
    next_cursor: str | None
    archived: Row


async def read_breakdown(
    database: Database, pixel_id: str, query: BreakdownQuery, own_sites: Sequence[str] = ()
) -> BreakdownPage:
    """Reads a page of a breakdown, in one round trip.

    `own_sites` are the hosts that the pixel names as its own; no visit is referred from them.

    Raises:
        UnavailableError: D1 failed.
    """
    cursor = query.cursor
    parameters = {
        "pixel_id": pixel_id,
        **query.span.parameters(),
        "rows": query.limit + 1,
        "most_events": cursor.events if cursor else None,
        "skipped": cursor.skipped if cursor else 0,
        "window": query.window_days,
        "own_sites": [site.removeprefix("*.").removeprefix("www.") for site in own_sites],
    }
    statements = (BREAKDOWNS[query.by, query.attribution], COUNT_ARCHIVED_OF_PIXEL)
    values, [archived] = await database.batch_rows(statements, json.dumps(parameters))
    rows = [_with_conversion(row, query) for row in values[: query.limit]]
    if len(values) <= query.limit:
        return BreakdownPage(rows, None, archived)
    return BreakdownPage(rows, str(_next_cursor(query, rows)), archived)


def _next_cursor(query: BreakdownQuery, rows: Sequence[Row]) -> BreakdownCursor:
    events: int = rows[-1]["events"]
    skipped = sum(row["events"] == events for row in rows)
    if query.cursor and query.cursor.events == events:
        skipped += query.cursor.skipped
    return BreakdownCursor(query.span.end, events, skipped)


def _with_conversion(row: Row, query: BreakdownQuery) -> Row:
    if query.attribution not in SHARES:
        return {**row, "conversion": _conversion(row)}
    # All visitors of a model have a lead.
    return {**row, "submissions": round(row["submissions"], SHARE_DECIMALS), "conversion": None}


def _conversion(row: Row) -> float | None:
    visitors: int = row["visitors"]
    return round(row["submissions"] / visitors, DECIMALS) if visitors else None
