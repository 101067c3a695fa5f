"""Finds the account's fields for our values, by the names that people gave them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.pipedrive.fields import FIELD_NAMES, AccountField, FieldMap

_WORD = re.compile(r"[^\W_]+")
# People mark the fields of an integration with words like these.
IGNORED = frozenset({"ppp", "pixel", "lead"})
# Only names that can mean nothing else.
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


def _joined(name: str) -> str:
    return "".join(_WORD.findall(name.casefold()))


_NAMES = {
    _joined(spelling): name for name in FIELD_NAMES for spelling in (name, *SYNONYMS.get(name, ()))
}


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A map in our order, our names that several fields could mean, and those that none does."""

    entries: FieldMap
    ambiguous: Mapping[str, Sequence[AccountField]]
    unmatched: Sequence[str]


def suggest(fields: Sequence[AccountField]) -> Suggestion:
    """Matches fields by their names; where two could be meant, none is chosen."""
    candidates: dict[str, list[AccountField]] = {name: [] for name in FIELD_NAMES}
    for field in fields:
        if name := meaning(field.name):
            candidates[name].append(field)
    return Suggestion(
        entries={name: found[0].key for name, found in candidates.items() if len(found) == 1},
        ambiguous={name: found for name, found in candidates.items() if len(found) > 1},
        unmatched=[name for name, found in candidates.items() if not found],
    )


def meaning(field_name: str) -> str | None:
    """Which of our values a field of this name is for.

    Of its spellings with and without the ignored words the longest counts: `Pixel ID` is that.
    """
    spellings = {""}
    for word in _WORD.findall(field_name.casefold()):
        longer = {spelling + word for spelling in spellings}
        spellings = longer | spellings if word in IGNORED else longer
    known = (_NAMES[each] for each in sorted(spellings, key=len, reverse=True) if each in _NAMES)
    return next(known, None)
