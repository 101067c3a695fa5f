"""The channel of a visit in SQL, by the rules of GA4's default channel grouping.

https://support.google.com/analytics/answer/9756891. Differences: an ad network's click ID is paid
traffic too (except fbclid, which Facebook adds to every link), web mail counts as e-mail, and
video sites count as social.
"""

from __future__ import annotations

# Matched between dots against a source or host: `.facebook.ads.`, `.www.google.de.`.
SEARCH_NAMES = (
    *("google", "googleads", "adwords", "bing", "microsoft", "yahoo", "duckduckgo", "ecosia"),
    *("baidu", "yandex", "qwant", "startpage", "search.brave", "kagi", "ask", "aol", "naver"),
    "seznam",
)
SOCIAL_NAMES = (
    *("facebook", "fb", "instagram", "ig", "meta", "threads", "linkedin", "lnkd", "twitter"),
    *("t.co", "x.com", "tiktok", "pinterest", "reddit", "snapchat", "youtube", "youtu.be", "vimeo"),
    *("whatsapp", "t.me", "telegram", "discord", "quora", "tumblr", "bsky", "mastodon", "vk"),
    *("xing", "weibo", "news.ycombinator"),
)


def _is_one_of(names: tuple[str, ...]) -> str:
    return " OR ".join(f"instr(name, '.{name}.')" for name in names)


# The kind of ad that a click ID stands for. Reads no row of an event without a touch.
AD = """
  CASE
    WHEN touch_origin IS NULL THEN NULL
    WHEN coalesce(gclid, msclkid) IS NOT NULL THEN 'search'
    WHEN coalesce(ttclid, twclid, li_fat_id, sc_click_id) IS NOT NULL THEN 'social'
  END
"""

# Reads `name`, `medium` and `ad`. The first rule that applies gives the channel.
CHANNEL = f"""
  CASE
    WHEN paid AND ({_is_one_of(SEARCH_NAMES)}) THEN 'paid_search'
    WHEN paid AND ({_is_one_of(SOCIAL_NAMES)} OR name = '.x.') THEN 'paid_social'
    WHEN paid THEN iif(ad IS NULL, 'paid_other', 'paid_' || ad)
    WHEN name IN ('.email.', '.e.mail.') OR medium IN ('email', 'e-mail', 'e_mail', 'e mail')
      OR name LIKE '.mail.%' OR name LIKE '.outlook.%' THEN 'email'
    WHEN {_is_one_of(SOCIAL_NAMES)} OR name = '.x.' OR medium IN (
      'social', 'social-network', 'social-media', 'sm', 'social network', 'social media'
    ) THEN 'organic_social'
    WHEN {_is_one_of(SEARCH_NAMES)} OR medium = 'organic' THEN 'organic_search'
    WHEN medium IN ('referral', 'app', 'link') THEN 'referral'
    WHEN name = '.direct.' AND medium IN ('unknown', 'none', '(none)', '(not set)') THEN 'direct'
    ELSE 'other'
  END
"""


def _host(url: str) -> str:
    """The SQL of the host in a column of URLs, without `www.`; NULL without a URL."""
    address = f"replace(substr({url}, instr({url}, '://') + 3), '?', '/')"
    host = f"lower(substr({address}, 1, instr({address} || '/', '/') - 1))"
    return f"iif(substr({host}, 1, 4) = 'www.', substr({host}, 5), {host})"


def count_by_channel(visits: str) -> str:
    """The common table expressions that make `counted`, by channel, of a table of visits.

    The table has the columns `source`, `medium`, `ad`, `first_id` and the counts. For a visit with
    neither source nor click ID, the row of its first event is read for the referring site.
    """
    return f"""
referred AS MATERIALIZED (
  SELECT
    {visits}.*,
    {_host("landing.referrer_url")} AS referrer, {_host("landing.page_url")} AS site
  FROM {visits} LEFT JOIN tracking_events AS landing ON landing.id = iif(
    source = 'direct' AND medium IN ('unknown', 'none') AND ad IS NULL, first_id, NULL
  )
),
foreigners AS MATERIALIZED (
  SELECT *, coalesce(
    referrer <> '' AND referrer <> site
      AND substr(referrer, -length(site) - 1) <> '.' || site
      AND substr(site, -length(referrer) - 1) <> '.' || referrer, 0
  ) AS is_referred
  FROM referred
),
named AS MATERIALIZED (
  SELECT
    visitor_id, session_id, events, submissions, ad,
    iif(is_referred, 'referral', lower(medium)) AS medium,
    '.' || iif(
      is_referred, referrer,
      replace(replace(replace(lower(source), '_', '.'), ' ', '.'), '-', '.')
    ) || '.' AS name
  FROM foreigners
),
judged AS MATERIALIZED (
  SELECT
    *,
    ad IS NOT NULL OR medium LIKE '%cp%' OR medium LIKE 'paid%'
      OR medium IN ('ppc', 'retargeting') AS paid
  FROM named
),
counted AS (
  SELECT {CHANNEL} AS value, visitor_id, session_id, events, submissions FROM judged
)
"""
