"""A page in SQL: an address without what only campaigns and their tools add to it.

Each click has an ID of its own, so that each would be a page of its own. Parameters of the site
stay, for they may say which page it is (`?p=12`). Of fragments only those of single-page apps stay.
"""

from __future__ import annotations

# Names that sites do not use themselves, in lower case, and the first letters of families of names.
TRACKING_PARAMETERS = (
    *("gclid", "gbraid", "wbraid", "gclsrc", "dclid", "fbclid", "msclkid", "ttclid", "twclid"),
    *("li_fat_id", "sc_click_id", "sccid", "sc_cid", "rdt_cid", "epik", "qclid", "yclid"),
    *("irclid", "oppref", "_gl", "_ga", "igshid", "igsh", "mc_cid", "mc_eid", "_hsenc", "_hsmi"),
    *("_kx", "vero_id", "mkt_tok", "srsltid"),
)
TRACKING_FAMILIES = ("utm_", "hsa_", "gad_", "mtm_")

# What addresses with one of them have in it, and few others. To read the pairs of a query costs a
# row for each pair, so that it is done for these only.
STEMS = (
    *("utm_", "clid", "gad_", "braid", "hsa_", "mtm_", "gclsrc", "clkid", "fat_id", "click_id"),
    *("cid", "epik", "oppref", "_gl", "_ga", "igsh", "mc_eid", "_hs", "_kx", "vero_id", "mkt_tok"),
    "srsltid",
)

# `instr` takes a third of the time of IN and GLOB.
_IS_TRACKING = f"""
  instr(' {" ".join(TRACKING_FAMILIES)} ', ' ' || lower(substr(value, 1, 4)) || ' ')
  OR instr(
    ' {" ".join(TRACKING_PARAMETERS)} ',
    ' ' || lower(substr(value, 1, instr(value || '=', '=') - 1)) || ' '
  )
"""


def _without_tracking(address: str) -> str:
    """The SQL of an address, or of a fragment with a route, without its tracking parameters."""
    query = f"replace(substr({address}, instr({address}, '?') + 1), '&amp;', '&')"
    may_be_tracking = " OR ".join(f"{address} LIKE '%{stem}%'" for stem in STEMS)
    return f"""iif(instr({address}, '?') AND ({may_be_tracking}),
  substr({address}, 1, instr({address}, '?') - 1) || coalesce((
    SELECT '?' || group_concat(value, '&')
    FROM json_each('[' || replace(json_quote({query}), '&', '","') || ']')
    WHERE value <> '' AND NOT ({_IS_TRACKING})
  ), ''), {address})"""


def page(url: str) -> str:
    """The SQL of the page in a column of URLs; one without tracking parameters costs little."""
    head = f"substr({url}, 1, instr({url}, '#') - 1)"
    fragment = f"substr({url}, instr({url}, '#') + 1)"
    return f"""iif(instr({url}, '#'),
  {_without_tracking(head)}
  || iif({fragment} GLOB '[/!]*', '#' || {_without_tracking(fragment)}, ''),
  {_without_tracking(url)})"""
