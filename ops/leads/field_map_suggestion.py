"""Suggests a field map: matches the account's fields with our values by their names."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.pipedrive.fields import FIELD_NAMES, AccountField, FieldMap

_WORD = re.compile(r"[^\W_]+")
# Words with which people mark the fields of an integration.
IGNORED_WORDS = frozenset({"ppp", "pixel", "lead"})
# Only unambiguous names.
SYNONYMS = {
    "referrer_url": ("referrer", "referer", "referer url"),
    "operating_system": ("os",),
    "screen_resolution": ("resolution",),
    "gclid": ("google click id",),
    "fbclid": ("facebook click id",),
    "msclkid": ("microsoft click id", "bing click id"),
    "ttclid": ("tiktok click id",),
    "twclid": ("twitter click id", "x click id"),
    "li_fat_id": ("linkedin click id",),
    "sc_click_id": ("snapchat click id",),
    "last_visited_on": ("last visited",),
    "visited_pages": ("pages visited",),
    "ip_address": ("ip",),
}


def _normalized(name: str) -> str:
    return "".join(_WORD.findall(name.casefold()))


_NAME_BY_SPELLING = {
    _normalized(spelling): name
    for name in FIELD_NAMES
    for spelling in (name, *SYNONYMS.get(name, ()))
}


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A suggested map, the values that several fields match, and those that none matches."""

    entries: FieldMap
    ambiguous: Mapping[str, Sequence[AccountField]]
    unmatched: Sequence[str]


def suggest(fields: Sequence[AccountField]) -> Suggestion:
    """Match fields by their names; a value with several matches gets none."""
    candidates: dict[str, list[AccountField]] = {name: [] for name in FIELD_NAMES}
    for field in fields:
        if name := value_name(field.name):
            candidates[name].append(field)
    return Suggestion(
        entries={name: matches[0].key for name, matches in candidates.items() if len(matches) == 1},
        ambiguous={name: matches for name, matches in candidates.items() if len(matches) > 1},
        unmatched=[name for name, matches in candidates.items() if not matches],
    )


def value_name(field_name: str) -> str | None:
    """Return the value that a field of this name holds, or None.

    The longest of its spellings with and without the ignored words counts, as for `Pixel ID`.
    """
    spellings = {""}
    for word in _WORD.findall(field_name.casefold()):
        longer = {spelling + word for spelling in spellings}
        spellings = longer | spellings if word in IGNORED_WORDS else longer
    matches = (
        _NAME_BY_SPELLING[spelling]
        for spelling in sorted(spellings, key=len, reverse=True)
        if spelling in _NAME_BY_SPELLING
    )
    return next(matches, None)
