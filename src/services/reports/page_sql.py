"""A page in SQL: an address without what only campaigns and their tools add to it.

Each click has an ID of its own, so that each would be a page of its own. Parameters of the site
stay, for they may say which page it is (`?p=12`). Of fragments only those of single-page apps stay.
The names are those of `attribution.without_touch`, and links are read as damaged as they are.
"""

from __future__ import annotations

from collections.abc import Sequence

from services.core.tracking_parameters import (
    AD_WORDS,
    CLICKS,
    STEMS,
    TRACKING_FAMILIES,
    TRACKING_PARAMETERS,
)

# A query falls apart at what may stand for `&`; what is left is put together as it was.
_MARKS = ("?", ";", "%26", "%2526", "%3F", "%3f")
_ESCAPES = (
    *(("?amp;", "?"), ("&amp;amp;", "&"), ("&amp;", "&"), ("&amp%3B", "&")),
    *(("%26amp%3B", "%26"), ("%26amp;", "%26")),
)
# HTML's numbers for `&`, whose `#` begins no fragment.
_NUMBERS = (("&#038;", "&"), ("&#38;", "&"), ("&#x26;", "&"))
# A part's name begins behind its mark and ends before `=`, however they were encoded.
_SPELLINGS = (
    *(("%25", "%"), ("%25", "%"), ("%5f", "_"), ("%3d", "="), ("%5b", "="), ("[", "=")),
    *(("%26", ""), ("%3f", ""), ("%20", " ")),
)
_FAMILY_CHARACTERS = 4


def _replaced(expression: str, pairs: Sequence[tuple[str, str]]) -> str:
    for old, new in pairs:
        expression = f"replace({expression}, '{old}', '{new}')"
    return expression


def _is_one_of(names: Sequence[str], name: str) -> str:
    """The SQL of a look-up: `instr` takes a third of the time of IN."""
    return f"instr(' {' '.join(names)} ', ' ' || {name} || ' ')"


_FAMILY = f"substr(name, 1, {_FAMILY_CHARACTERS})"
_IS_TRACKING = (
    f"{_is_one_of(TRACKING_FAMILIES, _FAMILY)} OR {_is_one_of(TRACKING_PARAMETERS, 'name')}"
)
_IS_CLICK = f"{_FAMILY} IN ('utm_', 'gad_') OR {_is_one_of(CLICKS, 'name')}"
# In groups, for D1 takes no expression with a depth of more than 100.
_GROUPS = 6
_MAY_BE_TRACKING = " OR ".join(
    "(" + " OR ".join(f"address LIKE '%{stem}%'" for stem in STEMS[start::_GROUPS]) + ")"
    for start in range(_GROUPS)
)
_SPELLED = _replaced("lower(part.value)", _SPELLINGS)
_MARKED = _replaced("query", [(mark, f"&{mark}") for mark in _MARKS])
_UNMARKED = _replaced("query", [(f"&{mark}", mark) for mark in _MARKS])

# Where the parameters begin: behind `?`, also an encoded one, or `&` in a link that was damaged.
_FIRST_MARK = (
    "min(instr(address || '?', '?'), instr(address || '&', '&'),"
    " instr(lower(address) || '%3f', '%3f'))"
)

_SIGN = "iif(substr(address, mark, 1) = '%', '%3F', substr(address, mark, 1))"

# What follows an encoded sign, `?` or `;` that names no campaign belongs to the value before it
# (`Q%26A`, `brand?p=12`), and goes with it.
# Tables in a row and not in one another, for D1's parser has a small stack. What few queries need
# is behind a condition: this runs for each address.
_WITHOUT_TRACKING = f"""
WITH
escaped AS (
  SELECT substr({_replaced("substr(address, mark)", _ESCAPES)}, 1 + length(sign)) AS query
),
marked AS MATERIALIZED (SELECT iif(query GLOB '*[?;%]*', {_MARKED}, query) AS query FROM escaped),
parts AS (
  SELECT
    part.key, part.value,
    iif(part.value GLOB '*[[%]*', {_SPELLED}, lower(part.value)) AS spelled
  FROM marked CROSS JOIN json_each(
    '[' || replace(json_quote(marked.query), '&', '","') || ']'
  ) AS part
  WHERE part.value <> ''
),
named AS (
  SELECT
    key, value, trim(substr(spelled, 1, instr(spelled || '=', '=') - 1), '?; +') AS name
  FROM parts
),
judged AS MATERIALIZED (
  SELECT
    key, value, {_IS_TRACKING} AS tracks, {_IS_CLICK} AS is_click,
    {_is_one_of(AD_WORDS, "name")} AS is_ad_word,
    value GLOB '[%?;]*' AS goes_on
  FROM named
),
rest AS (
  SELECT group_concat(value, '&') AS query, min(key) AS first_key FROM judged
  WHERE NOT tracks AND NOT (is_ad_word AND EXISTS (SELECT 1 FROM judged WHERE is_click))
    AND NOT (goes_on AND NOT is_ad_word AND coalesce((
      SELECT tracks OR is_ad_word AND EXISTS (SELECT 1 FROM judged WHERE is_click)
      FROM judged AS head
      WHERE head.key < judged.key AND (tracks OR is_ad_word OR NOT goes_on)
      ORDER BY head.key DESC LIMIT 1
    ), 0))
)
SELECT
  iif(first_key = 0, sign, '?') || ltrim(iif(query GLOB '*[?;%]*', {_UNMARKED}, query), '?;')
FROM rest WHERE query <> ''
"""


def _without_tracking(address: str) -> str:
    """The SQL of an address, or of a fragment with a route, without its tracking parameters."""
    return f"""(
  SELECT iif(
    mark <= length(address) AND (substr(address, -1) IN ('?', '&') OR {_MAY_BE_TRACKING}),
    substr(address, 1, mark - 1) || coalesce(({_WITHOUT_TRACKING}), ''), address
  ) FROM (
    SELECT address, mark, {_SIGN} AS sign
    FROM (
      SELECT address, {_FIRST_MARK} AS mark FROM (SELECT {address} AS address)
    )
  )
)"""


def page(url: str) -> str:
    """The SQL of the page in a column of URLs; one without tracking parameters costs little."""
    mended = f"iif(instr({url}, '&#'), {_replaced(url, _NUMBERS)}, {url})"
    head = "iif(instr(whole, '#'), substr(whole, 1, instr(whole, '#') - 1), whole)"
    fragment = "substr(whole, instr(whole || '#', '#') + 1)"
    return f"""iif({url} GLOB '*[?#&]*' OR instr({url}, '%3'), (
  SELECT {_without_tracking(head)}
    || iif({fragment} GLOB '[/!]*', '#' || {_without_tracking(fragment)}, '')
  FROM (SELECT {mended} AS whole)
), {url})"""
