"""Which values of a touch mean something, and what old pixels' half decoded ones mean.

One reading for links, bodies, stored rows and reports: what is no value in one is none in the
others.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

MAX_VALUE_CHARACTERS = 500

# What scripts, tables and other reports write for a value that is missing.
_NO_VALUES = frozenset(
    ("null", "undefined", "nan", "(none)", "(not set)", "(not provided)", "[object object]")
)
# Old pixels send these words, too.
_FALLBACK_WORDS: Mapping[str, frozenset[str]] = {
    "utm_source": frozenset(("direct", "(direct)")),
    "utm_medium": frozenset(("unknown", "none")),
    "utm_campaign": frozenset(("unknown", "none")),
}
# How templates begin and end that nobody filled in: {campaign}, {{ad.name}}, *|CAMPAIGN_UID|*.
TEMPLATES = (("{", "}"), ("${", "}"), ("[[", "]]"), ("__", "__"), ("%%", "%%"), ("*|", "|*"))

_STARTS = tuple(start for start, _ in TEMPLATES)

# A space of `spring+sale` and `(US)+-+brand`; `C++`, `1+1` and `Disney+` are what they are.
_SPACE_OF_FORMS = re.compile(r"(?<=[^+])\+(?=[^+])(?!(?<=\d\+)\d)")
# A space and nothing else divides words in values; these are not seen at all.
_UNSEEN = re.compile("[\u00ad\u200b\u200e\u200f\u2060\ufeff]")


def words_for_nothing(field: str) -> frozenset[str]:
    """What stands for no value in a field, in lower case."""
    return _NO_VALUES | _FALLBACK_WORDS.get(field, frozenset())


_WORDS_FOR_NOTHING = {field: words_for_nothing(field) for field in _FALLBACK_WORDS}


def meaningful(field: str, value: str) -> str | None:
    """The value with single spaces, or None if it says nothing."""
    if not value.isascii():
        value = _UNSEEN.sub("", value)
    value = " ".join(value.split())
    if value.lower() in _WORDS_FOR_NOTHING.get(field, _NO_VALUES):
        return None
    return None if value.startswith(_STARTS) and _is_template(value) else value or None


def spaces_of_forms(value: str) -> str:
    """A value of an old pixel with its spaces, which are `+` in links.

    A value with spaces was decoded. Of several `+` together nobody knows which were spaces.
    """
    if "+" in value and " " not in value:
        return _SPACE_OF_FORMS.sub(" ", value)
    return value


def _is_template(value: str) -> bool:
    return any(
        value.startswith(start) and value.endswith(end) and len(value) >= len(start + end)
        for start, end in TEMPLATES
    )
