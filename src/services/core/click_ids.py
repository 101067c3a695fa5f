"""Click IDs and what else ad platforms put into a link, with their networks.

The first seven are columns of their own, since the old Worker stores them so. The others are
members of one JSON column, `click_ids`.
"""

from __future__ import annotations

from collections.abc import Mapping

CLICK_ID_COLUMNS = (
    *("gclid", "fbclid", "msclkid", "ttclid", "twclid", "li_fat_id", "sc_click_id"),
)
# In the order in which they count: of Google's, which only ads have, before Facebook's.
NETWORK_OF_CLICK_ID: Mapping[str, str] = {
    **dict.fromkeys(("gclid", "gbraid", "wbraid"), "google"),
    "fbclid": "facebook",
    "msclkid": "microsoft",
    "ttclid": "tiktok",
    "twclid": "twitter",
    "li_fat_id": "linkedin",
    "sc_click_id": "snapchat",
    **dict.fromkeys(("gad_source", "gad_campaignid", "dclid"), "google"),
    "rdt_cid": "reddit",
    "epik": "pinterest",
    "qclid": "quora",
    "yclid": "yandex",
    "irclid": "impact",
    "oppref": "chatgpt",
}
# The medium of a click without `utm_medium`.
_SEARCH = ("gclid", "msclkid", "gbraid", "wbraid", "gad_source", "gad_campaignid", "yclid")
MEDIUM_OF_CLICK_ID: Mapping[str, str] = {
    **dict.fromkeys(NETWORK_OF_CLICK_ID, "social"),
    **dict.fromkeys((*_SEARCH, "oppref"), "cpc"),
    "dclid": "display",
    "irclid": "affiliate",
}
# The kind of ad, where a click ID stands for a paid one whatever its medium says. Facebook adds
# its own to every link.
AD_OF_CLICK_ID: Mapping[str, str] = {
    **dict.fromkeys(_SEARCH, "search"),
    **dict.fromkeys(("ttclid", "twclid", "li_fat_id", "sc_click_id"), "social"),
    **dict.fromkeys(("rdt_cid", "epik", "qclid"), "social"),
    "oppref": "assistant",
}
OTHER_CLICK_IDS = tuple(name for name in NETWORK_OF_CLICK_ID if name not in CLICK_ID_COLUMNS)
# What describes a click, and makes none.
CLICK_DETAILS = (
    *("gclsrc", "utm_id", "utm_source_platform", "utm_creative_format", "utm_marketing_tactic"),
    *("matchtype", "network", "placement"),
    *("hsa_acc", "hsa_cam", "hsa_src", "hsa_net", "hsa_mt"),
    *("hsa_tgt", "hsa_ver", "hsa_la", "hsa_ol"),
)
# Meta's cookies, which a site may send along: they are of the browser and of no click.
BROWSER_IDS = ("fbc", "fbp")
CLICK_FIELDS = (*OTHER_CLICK_IDS, *CLICK_DETAILS, *BROWSER_IDS)


# What scripts wrote into the columns of rows for an ID that is missing, and the empty text.
_NO_IDS = "|null|undefined||"


def word_of_click(word_of_click_id: Mapping[str, str]) -> str:
    """The SQL of the word for the first click ID of a touch that has one; NULL without one."""
    # A branch for each: OR would be deeper, and D1 limits the depth in reports of many steps.
    branches = [
        f"WHEN {_has(name)} THEN '{word}'"
        for name in NETWORK_OF_CLICK_ID
        if (word := word_of_click_id.get(name))
    ]
    return f"CASE {' '.join(branches)} END"


def _has(name: str) -> str:
    # `instr`, for D1 counts a row that was read for each look-up of IN.
    column = name if name in CLICK_ID_COLUMNS else f"(click_ids ->> '{name}')"
    return f"instr('{_NO_IDS}', '|' || lower({column}) || '|') = 0"
