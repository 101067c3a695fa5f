"""`attribution.credit` in SQL: source, medium and campaign, from the columns of a touch.

The columns are those of an event, or a visitor's first touch under the same names. Columns outside
the index are read only for a touch that lacks a source, medium or campaign. As in `credit`, a word
that stands for nothing is nothing, in old rows, too.
"""

from __future__ import annotations

from services.core.click_ids import MEDIUM_OF_CLICK_ID, NETWORK_OF_CLICK_ID, word_of_click
from services.tracking.touch_values import TEMPLATES, words_for_nothing


def meaning(field: str) -> str:
    """The SQL of a field's value as `meaningful` reads it: NULL if it says nothing."""
    no_values = "|".join(sorted(words_for_nothing(field)))
    templates = " OR ".join(f"{field} GLOB '{_literal(start)}*{end}'" for start, end in TEMPLATES)
    return (
        f"CASE WHEN {field} IS NULL OR instr('|{no_values}||', '|' || lower(trim({field})) || '|')"
        f" OR {templates}"
        f" THEN NULL ELSE {field} END"
    )


def _literal(start: str) -> str:
    return start.replace("[", "[[]")


NETWORK = f"coalesce({word_of_click(NETWORK_OF_CLICK_ID)}, 'none')"
SOURCE = f"""
  coalesce(
    {meaning("utm_source")},
    iif(touch_origin IS NULL, NULL, {word_of_click(NETWORK_OF_CLICK_ID)}), 'direct'
  )
"""
MEDIUM = f"""
  coalesce(
    {meaning("utm_medium")},
    iif(touch_origin IS NULL, NULL, {word_of_click(MEDIUM_OF_CLICK_ID)}), 'unknown'
  )
"""
CAMPAIGN = f"""
  coalesce(
    {meaning("utm_campaign")},
    iif(touch_origin IS NULL, NULL, {meaning("ad_group")}), 'none'
  )
"""


def word_key(column: str) -> str:
    """What words are counted by: `Google`, `google ` and `google` are one."""
    return f"lower(trim({column}))"


def word(column: str) -> str:
    """How a group of words is shown: by a spelling that came, in lower case if one did."""
    return f"max(trim({column}))"
