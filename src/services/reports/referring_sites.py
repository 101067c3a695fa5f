"""The referring site of a visit in SQL, and whether it is one of the client's own.

The session's first page says where a visit came from, also where the session began before the span
of the report or on another pixel. A site of the client's own is no referral: one on the page's
registrable domain, or one that a pixel of the report names.
"""

from __future__ import annotations

_CONFIGURATION = "iif(json_valid({table}.configuration), {table}.configuration, '{{}}')"


def host(url: str) -> str:
    """The SQL of the host in a column of URLs, without `www.` and port; NULL without a URL."""
    address = f"replace(substr({url}, instr({url}, '://') + 3), '?', '/')"
    authority = f"lower(substr({address}, 1, instr({address} || '/', '/') - 1))"
    name = f"rtrim(substr({authority}, 1, instr({authority} || ':', ':') - 1), '.')"
    return f"iif(substr({name}, 1, 4) = 'www.', substr({name}, 5), {name})"


def _behind_last_label(name: str) -> str:
    """What stands before the last label of a host, with the dot."""
    return f"rtrim({name}, replace({name}, '.', ''))"


def _registrable(name: str) -> str:
    """The SQL of the domain that somebody registered, of a column of hosts."""
    before_last = _behind_last_label(name)
    before_two = _behind_last_label(f"rtrim({before_last}, '.')")
    before_three = _behind_last_label(f"rtrim({before_two}, '.')")
    last, two, three = (
        f"substr({name}, length({before}) + 1)"
        for before in (before_last, before_two, before_three)
    )
    return (
        f"iif({two} IN (SELECT value FROM suffixes) OR '*.' || {last} IN"
        f" (SELECT value FROM suffixes), {three}, {two})"
    )


def _named_domains(table: str) -> str:
    return (
        f"SELECT ltrim(lower(domain.value), '*.') FROM {table} CROSS JOIN"
        f" json_each({_CONFIGURATION.format(table=table)}, '$.allowed_domains') AS domain"
    )


_WEBSITE = "iif(instr(website_url, '://'), website_url, 'https://' || website_url)"


def with_referring_sites(visits: str) -> str:
    """The common table expressions that make `foreigners` of a table of visits.

    Those without source, medium and ad have `referrer`, a host, and whether it `is_referred` from
    there.
    """
    return f"""
suffixes AS MATERIALIZED (SELECT value FROM json_each(?1, '$.suffixes')),
own_sites AS MATERIALIZED (
  SELECT own_host FROM (
    SELECT {host(_WEBSITE)} AS own_host FROM pixels WHERE id = ?1 ->> 'pixel_id'
    UNION ALL
    {_named_domains("pixels")} WHERE pixels.id = ?1 ->> 'pixel_id'
    UNION ALL
    {_named_domains("projects")}
    WHERE projects.id = (SELECT project_id FROM pixels WHERE pixels.id = ?1 ->> 'pixel_id')
  ) WHERE own_host <> ''
),
arrived AS (
  SELECT
    {visits}.*, arrival.id AS arrival_id, arrival.page_url, arrival.referrer_url,
    iif(sessions.started_at < arrival.timestamp, (
      SELECT same.id FROM tracking_events AS same
      WHERE same.visitor_id = sessions.visitor_id AND same.session_id = sessions.id
      ORDER BY same.timestamp, same.id LIMIT 1
    ), NULL) AS landing_id
  FROM {visits} LEFT JOIN tracking_events AS arrival ON arrival.id = iif(
    source = 'direct' AND medium IN ('unknown', 'none') AND ad IS NULL, first_id, NULL
  )
  LEFT JOIN sessions ON sessions.id = arrival.session_id
),
referred AS MATERIALIZED (
  SELECT
    arrived.*,
    {host("iif(landing.id IS NULL, arrived.referrer_url, landing.referrer_url)")} AS referrer,
    {host("coalesce(landing.page_url, arrived.page_url)")} AS site
  FROM arrived LEFT JOIN tracking_events AS landing
    ON landing.id = nullif(landing_id, arrival_id)
),
foreigners AS (
  SELECT *, coalesce(
    referrer <> '' AND {_registrable("referrer")} <> {_registrable("site")}
      AND NOT EXISTS (
        SELECT 1 FROM own_sites
        WHERE referrer = own_host OR substr(referrer, -length(own_host) - 1) = '.' || own_host
      ), 0
  ) AS is_referred
  FROM referred
)"""
