"""`attribution.credit` in SQL: source, medium and campaign, from the columns of a touch.

The columns are those of an event, or a visitor's first touch under the same names. Columns outside
the index are read only for a touch that lacks a source, medium or campaign. As in `credit`, a word
that stands for nothing is nothing, in old rows, too.
"""

from __future__ import annotations

import re

from services.core.click_ids import MEDIUM_OF_CLICK_ID, NETWORK_OF_CLICK_ID, word_of_click
from services.tracking.touch_values import TEMPLATES, words_for_nothing


def meaning(field: str) -> str:
    """The SQL of a field's value as `meaningful` reads it: NULL if it says nothing."""
    no_values = "|".join(sorted(words_for_nothing(field)))
    is_word = f"instr('|{no_values}||', '|' || lower(trim({field})) || '|')"
    # `max` rather than OR, which would be deeper: D1 limits the depth in reports of many steps.
    templates = ", ".join(
        f"{field} GLOB '{_literal(start)}*{_literal(end)}'" for start, end in TEMPLATES
    )
    return f"iif({field} IS NULL OR {is_word} OR max({templates}), NULL, {field})"


def _literal(text: str) -> str:
    """The text as a pattern that only it matches."""
    return re.sub(r"[\[*?]", r"[\g<0>]", text)


NETWORK = f"coalesce({word_of_click(NETWORK_OF_CLICK_ID)}, 'none')"
SOURCE = f"""
  coalesce(
    {meaning("utm_source")},
    iif(touch_origin IS NULL, 'direct', {word_of_click(NETWORK_OF_CLICK_ID)}), 'none'
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
    iif(touch_origin IS NULL, NULL, {meaning("(click_ids ->> 'hsa_cam')")}), 'none'
  )
"""


def word_key(column: str) -> str:
    """What words are counted by: `Google`, `google ` and `google` are one."""
    return f"lower(trim({column}))"


def word(column: str) -> str:
    """How a group of words is shown: by a spelling that came, in lower case if one did."""
    return f"max(trim({column}))"
