"""The channels: GA4's default channel group, in its order and with its names, as one table.

https://support.google.com/analytics/answer/9756891. Differences: an ad's click ID is paid traffic
(but fbclid, which Facebook adds to every link), and AI assistants come before search engines.
docs/attribution.md prints the table.
"""

from __future__ import annotations

from dataclasses import dataclass

from services.core.channels import UNASSIGNED
from services.reports.traffic_sources import ASSISTANTS, MAIL, SEARCH, SHOPPING, SOCIAL, VIDEO

# Changes with the rules or the lists, so that numbers of two days can be compared or not.
CLASSIFIER_VERSION = 5


@dataclass(frozen=True, slots=True)
class ChannelRule:
    """A channel, when a visit belongs to it, and the same as SQL.

    The SQL reads `source`, `medium`, `kind` (of the source), `campaign_kind`, `ad` and `paid`.
    """

    channel: str
    meaning: str
    condition: str


def _listed(names: str) -> str:
    """The words of a table as the operand of SQL's IN."""
    return "(" + ", ".join(f"'{name}'" for name in names.split()) + ")"


_EMAIL_WORDS = "('email', 'e-mail', 'e_mail', 'e mail')"
_SOCIAL_MEDIA = (
    "('social', 'social-network', 'social-media', 'sm', 'social network', 'social media')"
)
# `{{site_source_name}}` of Meta's ads: Audience Network, Messenger, Threads. Unpaid, nobody knows.
_META_PLACES = "('an', 'msg', 'th')"
DISPLAY_MEDIA = "('display', 'banner', 'expandable', 'interstitial', 'cpm')"

_NO_DISPLAY = f"medium NOT IN {DISPLAY_MEDIA}"

# The kind of a source: `source` is what came, `word` the same without `www.`, signs and "ads" at
# its end, `parent` a host without the first label, where that only says a language or a device.
SOURCE_KIND = f"""
  CASE
    WHEN source IN {_listed(ASSISTANTS)} OR word IN {_listed(ASSISTANTS)}
      OR parent IN {_listed(ASSISTANTS)} THEN 'assistant'
    WHEN source IN {_listed(SEARCH)} OR word IN {_listed(SEARCH)}
      OR (parent LIKE 'search.%' OR source LIKE 'm.%') AND parent IN {_listed(SEARCH)} THEN 'search'
    WHEN source IN {_listed(VIDEO)} OR word IN {_listed(VIDEO)}
      OR parent IN {_listed(VIDEO)} THEN 'video'
    WHEN source IN {_listed(SHOPPING)} OR word IN {_listed(SHOPPING)}
      OR parent IN {_listed(SHOPPING)} THEN 'shopping'
    WHEN source IN {_listed(MAIL)} OR parent IN {_listed(MAIL)} THEN 'mail'
    WHEN source IN {_listed(SOCIAL)} OR word IN {_listed(SOCIAL)}
      OR parent IN {_listed(SOCIAL)} THEN 'social'
  END
"""

CHANNEL_RULES = (
    ChannelRule(
        "Cross-network",
        "the campaign contains `cross-network`",
        "campaign_kind = 'cross-network'",
    ),
    ChannelRule(
        "Paid Shopping",
        "paid, and the source is a shop, or the campaign contains `shopping` or the word `shop`",
        "paid AND (kind = 'shopping' OR campaign_kind = 'shopping')",
    ),
    ChannelRule(
        "Paid Search",
        "paid, and the source is a search engine; or a search ad's click ID"
        " from a source that is in no list, unless the medium is one of Display",
        f"paid AND (kind = 'search' OR kind IS NULL AND ad = 'search' AND {_NO_DISPLAY})",
    ),
    ChannelRule(
        "Paid Social",
        "paid, and the source is a social site or one of Meta's words `an`, `msg`, `th`;"
        " or a social ad's click ID from a source that is in no list,"
        " unless the medium is one of Display",
        f"paid AND (kind = 'social' OR source IN {_META_PLACES}"
        f" OR kind IS NULL AND ad = 'social' AND {_NO_DISPLAY})",
    ),
    ChannelRule("Paid Video", "paid, and the source is a video site", "paid AND kind = 'video'"),
    ChannelRule(
        "Display",
        "the medium is `display`, `banner`, `expandable`, `interstitial` or `cpm`",
        f"medium IN {DISPLAY_MEDIA}",
    ),
    ChannelRule("Paid Other", "any other paid", "paid"),
    ChannelRule(
        "AI Assistant",
        "the source is an AI assistant (ChatGPT, Perplexity, Claude, Gemini, Copilot and others),"
        " or the medium is `ai-assistant`",
        "kind = 'assistant' OR medium IN ('ai-assistant', 'ai_assistant', 'ai assistant')",
    ),
    ChannelRule(
        "Organic Shopping",
        "the source is a shop, or the campaign contains `shopping` or the word `shop`",
        "kind = 'shopping' OR campaign_kind = 'shopping'",
    ),
    ChannelRule(
        "Organic Social",
        "the source is a social site, or the medium is `social`, `social-network`, `social-media`,"
        " `sm` or one of these with a space",
        f"kind = 'social' OR medium IN {_SOCIAL_MEDIA}",
    ),
    ChannelRule(
        "Organic Video",
        "the source is a video site, or the medium contains `video`",
        "kind = 'video' OR medium LIKE '%video%'",
    ),
    ChannelRule(
        "Organic Search",
        "the source is a search engine, or the medium is `organic`",
        "kind = 'search' OR medium = 'organic'",
    ),
    ChannelRule(
        "Email",
        "the source or the medium is `email`, `e-mail`, `e_mail` or `e mail`,"
        " or the referring site is a mail service",
        f"source IN {_EMAIL_WORDS} OR medium IN {_EMAIL_WORDS} OR kind = 'mail'",
    ),
    ChannelRule(
        "Affiliates",
        "the medium is `affiliate` or `affiliates`",
        "medium IN ('affiliate', 'affiliates')",
    ),
    ChannelRule(
        "Referral",
        "the medium is `referral`, `app` or `link`, or the visit came from another site",
        "medium IN ('referral', 'app', 'link')",
    ),
    ChannelRule("Audio", "the medium is `audio`", "medium = 'audio'"),
    ChannelRule("SMS", "the source or the medium is `sms`", "source = 'sms' OR medium = 'sms'"),
    ChannelRule(
        "Mobile Push",
        "the medium ends in `push` or contains `mobile` or `notification`,"
        " or the source is `firebase`",
        "medium LIKE '%push' OR medium LIKE '%mobile%' OR medium LIKE '%notification%'"
        " OR source = 'firebase'",
    ),
    ChannelRule(
        "Direct",
        "no source, no medium and no referring site",
        "source IN ('direct', '(direct)') AND medium IN ('unknown', 'none', '(none)', '(not set)')",
    ),
)

CHANNEL = (
    "CASE\n"
    + "".join(f"  WHEN {rule.condition} THEN '{rule.channel}'\n" for rule in CHANNEL_RULES)
    + f"  ELSE '{UNASSIGNED}'\nEND"
)
