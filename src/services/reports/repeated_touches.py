"""Which touches repeat the one before them, in SQL: one ad is one touch.

In one session a touch is none if it says nothing new: a page that was loaded again, or parameters,
all or some of them, that a site carries from page to page. Neither is one with the click ID of the
click before, unless it contradicts it. A click ID alone says its network, too. Each field is
compared with the last value that it had in the session, in one pass over the touches: a part of a
touch hides nothing of it from the next one.
"""

from __future__ import annotations

from collections.abc import Iterable

from services.core.click_ids import (
    BROWSER_IDS,
    CLICK_DETAILS,
    CLICK_ID_COLUMNS,
    MEDIUM_OF_CLICK_ID,
    NETWORK_OF_CLICK_ID,
    word_of_click,
)
from services.reports.event_order import MOMENT, MOMENT_CHARACTERS

# A browser has Meta's cookies from its second page on, and details make no touch.
_NO_IDS = ", ".join(f"'$.{name}'" for name in (*BROWSER_IDS, *CLICK_DETAILS))
_CLICKS = {
    **{name: name for name in CLICK_ID_COLUMNS},
    "click_ids": f"nullif(json_remove(click_ids, {_NO_IDS}), '{{}}')",
}
_SOURCE_AND_NAMES = {
    "source": f"coalesce(nullif(utm_source, ''), {word_of_click(NETWORK_OF_CLICK_ID)})",
    "medium": f"coalesce(nullif(utm_medium, ''), {word_of_click(MEDIUM_OF_CLICK_ID)})",
    **{name: name for name in ("utm_campaign", "utm_content", "utm_term", "ad_group")},
}
_VALUES = {
    name: f"nullif(lower(trim({value})), '')"
    for name, value in (_SOURCE_AND_NAMES | _CLICKS).items()
}

# Of the values before the one at hand the last one is the greatest behind its moment.
_NOW = ", ".join(f"{value} AS now_{name}" for name, value in _VALUES.items())
_BEFORE = ", ".join(f"max(moment || now_{name}) OVER before AS last_{name}" for name in _VALUES)


def _any(conditions: Iterable[str]) -> str:
    # Calls rather than chains of operators, whose depth D1 limits.
    return f"max({', '.join(conditions)})"


def _is_same(name: str) -> str:
    """Whether a value is the last one; NULL if one of the two is missing."""
    return f"now_{name} = substr(last_{name}, {MOMENT_CHARACTERS + 1})"


_CONTRADICTS = _any(f"coalesce(NOT {_is_same(name)}, 0)" for name in _VALUES)
_IS_NEW = _any(f"iif(last_{name} IS NULL, now_{name} IS NOT NULL, 0)" for name in _VALUES)
_IS_SAME_CLICK = _any(f"coalesce({_is_same(name)}, 0)" for name in _CLICKS)
# The first one may have nothing but what is not compared.
_TOUCH = (
    f"iif(touches_before = 0 OR {_CONTRADICTS} OR {_IS_NEW} AND NOT {_IS_SAME_CLICK}, touch, NULL)"
)


def without_repeats(touches: str) -> str:
    """The touches of a table, NULL where one repeats what was there.

    The table has the columns of a touch, and `visitor_id`, `session_id`, `timestamp`, `id` and
    `touch`.
    """
    return f"""
SELECT visitor_id, {_TOUCH} AS touch
FROM (
  SELECT visitor_id, touch, {", ".join(f"now_{name}" for name in _VALUES)}, {_BEFORE},
    count(*) OVER before AS touches_before
  FROM (
    SELECT visitor_id, session_id, timestamp, id, touch, {MOMENT} AS moment, {_NOW} FROM {touches}
  )
  WINDOW before AS (
    PARTITION BY visitor_id, session_id ORDER BY timestamp, id
    ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
  )
)"""
