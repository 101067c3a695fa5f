"""The first page of a visit in SQL, and the site that it was referred from.

A visit has its session's first page on the pixel, also where the session began before the report's
span. A site that the pixel names as its own is no referring one, nor the page's own host or one
above or below.
"""

from __future__ import annotations

from services.reports.event_order import id_of

# No session has a longer pause: only what comes so soon may belong to one from before the span.
_MAX_PAUSE = "+1 day"


def host(url: str) -> str:
    """The SQL of the host in a URL, without `www.`, port and dot at its end; NULL without a URL."""
    plain = f"replace(lower({url}), '://www.', '://')"
    address = f"replace(replace(substr({plain}, instr({plain}, '://') + 3), '?', '/'), ':', '/')"
    return f"rtrim(substr({address}, 1, instr({address} || '/', '/') - 1), '.')"


_FIRST_ID = id_of("first_moment")
# The id of the first event in the session of a visit, whose first event in the span is known. Reads
# rows only of what comes soon after the beginning of the span. `+`: a visitor has fewer events
# than a pixel.
FIRST_PAGE = f"""
  iif(first_moment < datetime(?1 ->> 'from', '{_MAX_PAUSE}'), coalesce((
    SELECT earlier.id
    FROM tracking_events AS arrival
    CROSS JOIN sessions
      ON sessions.id = arrival.session_id AND sessions.started_at < ?1 ->> 'from'
    CROSS JOIN tracking_events AS earlier
      ON earlier.visitor_id = arrival.visitor_id AND earlier.session_id = arrival.session_id
        AND +earlier.pixel_id = arrival.pixel_id
    WHERE arrival.id = {_FIRST_ID} ORDER BY earlier.timestamp, earlier.id LIMIT 1
  ), {_FIRST_ID}), {_FIRST_ID})
"""


def with_referring_sites(visits: str, first_page: str) -> str:
    """The common table expressions that make `foreigners` of a table of visits.

    Those without source, medium and ad have `referrer`, a host, and whether it `is_referred` from
    there. The hosts are taken from addresses in a table of its own, for the depth that D1 limits.
    """
    return f"""
referred AS MATERIALIZED (
  SELECT {visits}.*, landing.referrer, landing.site
  FROM {visits} LEFT JOIN (
    SELECT id AS page_id, {host("referrer_url")} AS referrer, {host("page_url")} AS site
    FROM tracking_events
  ) AS landing ON page_id = iif(
    source = 'direct' AND medium IN ('unknown', 'none') AND ad IS NULL, {first_page}, NULL
  )
),
foreigners AS (
  SELECT *, coalesce(min(
    referrer <> '', referrer <> site,
    substr(referrer, -length(site) - 1) <> '.' || site,
    substr(site, -length(referrer) - 1) <> '.' || referrer,
    NOT EXISTS (
      SELECT 1 FROM json_each(?1, '$.own_sites')
      WHERE substr('.' || referrer, -length(value) - 1) = '.' || value
    )
  ), 0) AS is_referred
  FROM referred
)"""
