"""The channel of a visit in SQL, by the rules of `channel_rules` and the project's own.

The project's own rules come first: `channel_rules` in its configuration.
"""

from __future__ import annotations

from services.core.click_ids import AD_OF_CLICK_ID, word_of_click
from services.reports.channel_rules import CHANNEL, DISPLAY_MEDIA, SOURCE_KIND
from services.reports.referring_sites import host, with_referring_sites

# The kind of ad that a click ID stands for. Reads no row of an event without a touch.
AD = f"iif(touch_origin IS NULL, NULL, {word_of_click(AD_OF_CLICK_ID)})"

# As GA4's pattern: `shop` as a word or behind an e, but not workshop or bishop.
CAMPAIGN_KIND = """
  CASE
    WHEN utm_campaign LIKE '%cross-network%' THEN 'cross-network'
    WHEN utm_campaign LIKE '%shopping%' OR '-' || lower(utm_campaign) GLOB '*[^a-df-z]shop*'
    THEN 'shopping'
  END
"""

_CONFIGURATION = "iif(json_valid(projects.configuration), projects.configuration, '{}')"


# The first labels of hosts that say a device, a step on the way or nothing: m.facebook.com.
_SAME_SITE_LABELS = "'.m.mobile.l.lm.old.out.web.touch.amp.new.np.'"


def _source(text: str) -> str:
    """The SQL of a source as it is compared: an address is its host."""
    return f"iif(instr({text}, '://'), {host(text)}, rtrim(lower(trim({text})), '/'))"


def _own_source(text: str) -> str:
    """The same of a project's own rule, also without `www.`."""
    source = _source(text)
    return f"iif(substr({source}, 1, 4) = 'www.', substr({source}, 5), {source})"


def _parent() -> str:
    """The SQL of a host without its first label, if that says a language or the like."""
    label, rest = (
        "substr(source, 1, instr(source, '.') - 1)",
        "substr(source, instr(source, '.') + 1)",
    )
    return f"""iif(instr({rest}, '.') AND (
      instr({_SAME_SITE_LABELS}, '.' || {label} || '.') OR {label} GLOB '[a-z][a-z]'
      OR {label} GLOB '[a-z][a-z]-[a-z][a-z]'
    ), {rest}, NULL)"""


def _word(source: str) -> str:
    """The SQL of a source without `www.`, signs between its words and "ads" at its end."""
    plain = f"replace(replace(replace({source}, '_', ''), ' ', ''), '-', '')"
    return (
        f"CASE WHEN {plain} LIKE '_%ads' THEN substr({plain}, 1, length({plain}) - 3)"
        f" WHEN {plain} LIKE 'www.%' THEN substr({plain}, 5) ELSE {plain} END"
    )


def count_by_channel(visits: str, first_page: str) -> str:
    """The common table expressions that make `counted`, by channel, of a table of visits.

    The table has the columns `source`, `medium`, `campaign_kind`, `ad` and the counts, and
    `first_page` is the SQL of the id of a visit's first event. For a visit with neither source nor
    click ID, the row of its first page is read for the referring site.
    """
    return f"""
own_texts AS MATERIALIZED (
  SELECT
    rule.id AS rule_id, rule.value ->> 'source' AS text,
    lower(trim(rule.value ->> 'medium')) AS own_medium, rule.value ->> 'channel' AS channel
  FROM pixels JOIN projects ON projects.id = pixels.project_id
    CROSS JOIN json_each({_CONFIGURATION}, '$.channel_rules') AS rule
  WHERE pixels.id = ?1 ->> 'pixel_id' AND rule.type = 'object'
),
own_rules AS MATERIALIZED (
  SELECT {_own_source("text")} AS own_source, own_medium, channel
  FROM own_texts ORDER BY rule_id
),
{with_referring_sites(visits, first_page)},
named AS (
  SELECT
    visitor_id, session_id, events, submissions, ad, campaign_kind,
    iif(is_referred, 'referral', lower(trim(medium))) AS medium,
    iif(is_referred, referrer, {_source("foreigners.source")}) AS source,
    iif(is_referred, NULL, {_word("lower(trim(foreigners.source))")}) AS word
  FROM foreigners
),
parented AS MATERIALIZED (SELECT *, {_parent()} AS parent FROM named),
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
  FROM parented
),
counted AS (
  SELECT
    coalesce(own_channel, {CHANNEL}) AS value, visitor_id, session_id, events, submissions
  FROM judged
)
"""
