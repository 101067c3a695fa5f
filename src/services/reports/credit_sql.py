"""`attribution.credit` in SQL: source, medium and campaign, from the columns of a touch.

The columns are those of an event, or a visitor's first touch under the same names. Columns outside
the index are read only for a touch that lacks a source, medium or campaign. As in `credit`, an
empty text is nothing.
"""

from __future__ import annotations

from services.core.click_ids import MEDIUM_OF_CLICK_ID, NETWORK_OF_CLICK_ID, words_of_column

NETWORK_OF_COLUMN = words_of_column(NETWORK_OF_CLICK_ID)
_MEDIUM = words_of_column(MEDIUM_OF_CLICK_ID)

SOURCE = f"""
  coalesce(nullif(utm_source, ''), CASE
    WHEN touch_origin IS NULL THEN NULL
    WHEN gclid <> '' THEN 'google' WHEN fbclid <> '' THEN 'facebook'
    WHEN msclkid <> '' THEN 'microsoft' WHEN ttclid <> '' THEN 'tiktok'
    WHEN twclid <> '' THEN 'twitter' WHEN li_fat_id <> '' THEN 'linkedin'
    WHEN sc_click_id <> '' THEN 'snapchat' ELSE {NETWORK_OF_COLUMN}
  END, 'direct')
"""

MEDIUM = f"""
  coalesce(nullif(utm_medium, ''), CASE
    WHEN touch_origin IS NULL THEN NULL
    WHEN gclid <> '' THEN 'cpc' WHEN fbclid <> '' THEN 'social'
    WHEN msclkid <> '' THEN 'cpc'
    WHEN ttclid <> '' OR twclid <> '' OR li_fat_id <> '' OR sc_click_id <> '' THEN 'social'
    ELSE {_MEDIUM}
  END, 'unknown')
"""

CAMPAIGN = """
  coalesce(
    nullif(utm_campaign, ''), iif(touch_origin IS NULL, NULL, nullif(ad_group, '')), 'none'
  )
"""


def word_key(column: str) -> str:
    """What words are counted by: `Google`, `google ` and `google` are one."""
    return f"lower(trim({column}))"


def word(column: str) -> str:
    """How a group of words is shown: by a spelling that came, in lower case if one did."""
    return f"max(trim({column}))"
