"""`attribution.credit` in SQL: source, medium and campaign, from the columns of a touch.

The columns are those of an event, or a visitor's first touch under the same names. Columns outside
the index are read only for a touch that lacks a source, medium or campaign.
"""

from __future__ import annotations

SOURCE = """
  coalesce(utm_source, CASE
    WHEN touch_origin IS NULL THEN NULL
    WHEN gclid IS NOT NULL THEN 'google' WHEN fbclid IS NOT NULL THEN 'facebook'
    WHEN msclkid IS NOT NULL THEN 'microsoft' WHEN ttclid IS NOT NULL THEN 'tiktok'
    WHEN twclid IS NOT NULL THEN 'twitter' WHEN li_fat_id IS NOT NULL THEN 'linkedin'
    WHEN sc_click_id IS NOT NULL THEN 'snapchat'
  END, 'direct')
"""

MEDIUM = """
  coalesce(utm_medium, CASE
    WHEN touch_origin IS NULL THEN NULL
    WHEN gclid IS NOT NULL THEN 'cpc' WHEN fbclid IS NOT NULL THEN 'social'
    WHEN msclkid IS NOT NULL THEN 'cpc'
    WHEN coalesce(ttclid, twclid, li_fat_id, sc_click_id) IS NOT NULL THEN 'social'
  END, 'unknown')
"""

CAMPAIGN = "coalesce(utm_campaign, iif(touch_origin IS NULL, NULL, ad_group), 'none')"
