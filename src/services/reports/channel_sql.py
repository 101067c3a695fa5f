"""Through which channel a visit came, by the rules of GA4's default channel grouping, in SQL.

https://support.google.com/analytics/answer/9756891. Adapted to what is stored: an ad network's
click ID is paid traffic as well (fbclid is not: Facebook adds it to every link), mail services
count as e-mail, and sites for videos as social ones.
"""

from __future__ import annotations

# A name is a source or a host between dots: `.facebook.ads.`, `.www.google.de.`.
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


# Which kind of ad a click ID tells of. An event without a touch is not looked up for one.
AD = """
  CASE
    WHEN touch_origin IS NULL THEN NULL
    WHEN coalesce(gclid, msclkid) IS NOT NULL THEN 'search'
    WHEN coalesce(ttclid, twclid, li_fat_id, sc_click_id) IS NOT NULL THEN 'social'
  END
"""

# Of `name`, `medium` and `ad`. The first rule that applies is the channel.
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
    """The host in a column of URLs, without `www.`; NULL where there is none."""
    address = f"replace(substr({url}, instr({url}, '://') + 3), '?', '/')"
    host = f"lower(substr({address}, 1, instr({address} || '/', '/') - 1))"
    return f"iif(substr({host}, 1, 4) = 'www.', substr({host}, 5), {host})"


def count_by_channel(visits: str) -> str:
    """The expressions WITH that make `counted` of a table of visits, by channel.

    The table has `source`, `medium`, `ad`, `first_id`, and what is counted. Only what has neither
    source nor click ID is looked up by its first event: for the site that it came from.
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
