"""Which parameters of an address are of campaigns and their tools, and say nothing of its page.

Names in lower case. Reports in SQL and what the CRM shows of visited pages read this one table.
"""

from __future__ import annotations

from services.core.click_ids import CLICK_DETAILS, NETWORK_OF_CLICK_ID

# Families by the first four letters of their names: sites do not use them themselves.
TRACKING_FAMILIES = ("utm_", "hsa_", "gad_", "mtm_")

# What sites call their own parameters, too: they are of a click only where there is one.
AD_WORDS = (
    *("campaign_region", "region", "ad_group", "adgroup", "ad_id", "search_query", "keyword"),
    *("matchtype", "network", "placement", "creative"),
    *("campaignid", "adgroupid", "campaign_id", "adset_id"),
)
_OTHER_SPELLINGS = ("sccid", "sc_cid", "scclickid", "irclickid")

# What makes a touch, besides the family of `utm_`.
CLICKS = tuple(
    name
    for name in (*NETWORK_OF_CLICK_ID, *_OTHER_SPELLINGS)
    if not name.startswith(TRACKING_FAMILIES)
)
_DETAILS = tuple(
    name
    for name in CLICK_DETAILS
    if name not in AD_WORDS and not name.startswith(TRACKING_FAMILIES)
)
TRACKING_PARAMETERS = (
    *CLICKS,
    *_DETAILS,
    *("_gl", "_ga", "igshid", "igsh", "mc_cid", "mc_eid", "_hsenc", "_hsmi", "__hstc", "__hssc"),
    *("__hsfp", "_kx", "vero_id", "mkt_tok", "srsltid", "wickedid", "ysclid", "dicbo", "tblci"),
    *("_openstat", "irgwc", "ob_click_id", "tbclid", "mibextid", "ef_id", "s_kwcid", "fbc", "fbp"),
    *("awc", "cjevent", "cjdata", "sscid", "ransiteid", "tduid", "clickid", "obclid", "cto_pld"),
    *("dm_i", "_bhlid", "sfmc_sub", "pk_campaign", "pk_source", "pk_medium", "pk_kwd"),
    *("ck_subscriber_id", "clickref", "msockid", "ranmid", "raneaid", "sv1", "sv_campaign_id"),
)

# Words that addresses with one of them have in them, and few others. To read the pairs of a query
# costs a row for each pair, so that it is done for these only.
STEMS = (
    *("utm", "clid", "gad", "clkid", "braid", "hsa", "mtm", "gclsrc", "click", "fat", "cid"),
    *("oppref", "_gl", "_ga", "igsh", "mc", "_hs", "_kx", "vero", "mkt", "srsltid", "wickedid"),
    *("epik", "dicbo", "tblci", "openstat", "irgwc", "fbc", "fbp", "mibextid", "ef_id"),
    *("awc", "cjevent", "cjdata", "ransite", "tduid", "cto_pld", "dm_i", "bhlid", "pk_"),
    *("ck_sub", "msockid", "ranmid", "raneaid", "sv1", "sv_camp"),
)
