"""The channel of a visit in SQL, by the rules of `channel_rules` and the project's own.

The project's own rules come first: `channel_rules` in its configuration.
"""

from __future__ import annotations

from services.core.click_ids import AD_OF_CLICK_ID, words_of_column
from services.reports.channel_rules import CHANNEL, DISPLAY_MEDIA, SOURCE_KIND
from services.reports.referring_sites import with_referring_sites

# The kind of ad that a click ID stands for. Reads no row of an event without a touch.
AD = f"""
  CASE
    WHEN touch_origin IS NULL THEN NULL
    WHEN coalesce(gclid, msclkid) IS NOT NULL THEN 'search'
    WHEN coalesce(ttclid, twclid, li_fat_id, sc_click_id) IS NOT NULL THEN 'social'
    ELSE {words_of_column(AD_OF_CLICK_ID)}
  END
"""

# As GA4's pattern: `shop` as a word or behind an e, but not workshop or bishop.
CAMPAIGN_KIND = """
  CASE
    WHEN utm_campaign LIKE '%cross-network%' THEN 'cross-network'
    WHEN utm_campaign LIKE '%shopping%' OR '-' || lower(utm_campaign) GLOB '*[^a-df-z]shop*'
    THEN 'shopping'
  END
"""

_CONFIGURATION = "iif(json_valid(projects.configuration), projects.configuration, '{}')"


def _word(source: str) -> str:
    """The SQL of a source without `www.`, signs between its words and "ads" at its end."""
    plain = f"replace(replace(replace({source}, '_', ''), ' ', ''), '-', '')"
    return (
        f"CASE WHEN {plain} LIKE '_%ads' THEN substr({plain}, 1, length({plain}) - 3)"
        f" WHEN {plain} LIKE 'www.%' THEN substr({plain}, 5) ELSE {plain} END"
    )


def count_by_channel(visits: str) -> str:
    """The common table expressions that make `counted`, by channel, of a table of visits.

    The table has the columns `source`, `medium`, `campaign_kind`, `ad`, `first_id` and the counts.
    For a visit with neither source nor click ID, the rows of its first event and of its session are
    read for the referring site.
    """
    return f"""
own_rules AS MATERIALIZED (
  SELECT
    lower(trim(rule.value ->> 'source')) AS own_source,
    lower(trim(rule.value ->> 'medium')) AS own_medium, rule.value ->> 'channel' AS channel
  FROM pixels JOIN projects ON projects.id = pixels.project_id
    CROSS JOIN json_each({_CONFIGURATION}, '$.channel_rules') AS rule
  WHERE pixels.id = ?1 ->> 'pixel_id' AND rule.type = 'object'
  ORDER BY rule.id
),
{with_referring_sites(visits)},
named AS (
  SELECT
    visitor_id, session_id, events, submissions, ad, campaign_kind,
    iif(is_referred, 'referral', lower(trim(medium))) AS medium,
    iif(is_referred, referrer, lower(trim(foreigners.source))) AS source,
    iif(is_referred, NULL, {_word("lower(trim(foreigners.source))")}) AS word
  FROM foreigners
),
judged AS MATERIALIZED (
  SELECT
    *,
    ad IS NOT NULL AND medium NOT IN {DISPLAY_MEDIA} OR medium LIKE '%cp%'
      OR medium LIKE 'paid%' OR medium IN ('ppc', 'retargeting') AS paid,
    {SOURCE_KIND} AS kind,
    (
      SELECT channel FROM own_rules
      WHERE coalesce(own_source = source, 1) AND coalesce(own_medium = medium, 1) LIMIT 1
    ) AS own_channel
  FROM (
    SELECT *, iif(
      instr(substr(source, instr(source, '.') + 1), '.'),
      substr(source, instr(source, '.') + 1), NULL
    ) AS parent
    FROM named
  )
),
counted AS (
  SELECT
    coalesce(own_channel, {CHANNEL}) AS value, visitor_id, session_id, events, submissions
  FROM judged
)
"""
