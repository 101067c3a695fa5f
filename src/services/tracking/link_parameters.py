"""The parameters of a link as links are really built, and which of them are those of campaigns.

Mail programs and editors write `&amp;` for `&`, once or twice. Ad platforms put a second `?` behind
a final address that has one. Redirects encode what is encoded already. Only such damage is mended
as names a campaign: the parameters of the site itself are never guessed at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from urllib.parse import unquote, unquote_plus

from services.core.click_ids import (
    CLICK_DETAILS,
    CLICK_ID_COLUMNS,
    NETWORK_OF_CLICK_ID,
    OTHER_CLICK_IDS,
)
from services.core.text import clean

UTM = ("utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term")
AD = ("campaign_region", "ad_group", "ad_id", "search_query")
# The fields with columns of their own.
FIELDS = (*UTM, *CLICK_ID_COLUMNS, *AD)

# In a link the ad parameters describe a touch, they do not make one: sites have such words, too.
TOUCH_FIELDS = frozenset((*UTM, *NETWORK_OF_CLICK_ID))

# Snapchat's own parameter is ScCid, HubSpot's begin with hsa; older set-ups say region.
_OTHER_NAMES = {
    "sccid": "sc_click_id",
    "sc_cid": "sc_click_id",
    "adgroup": "ad_group",
    "hsa_grp": "ad_group",
    "hsa_ad": "ad_id",
    "keyword": "utm_term",
    "hsa_kw": "utm_term",
}
FIELD_IN_BODY: Mapping[str, str] = {
    **{name: name for name in (*FIELDS, *OTHER_CLICK_IDS, *CLICK_DETAILS)},
    **_OTHER_NAMES,
}
# `region` in a body is the visitor's.
FIELD_OF_PARAMETER: Mapping[str, str] = {**FIELD_IN_BODY, "region": "campaign_region"}
_SEARCHED_WORDS = frozenset(("keyword", "hsa_kw"))
MAX_VALUE_CHARACTERS = 500
# A value is encoded once, and by a redirect or two once more each.
_MAX_FURTHER_ENCODINGS = 2

# `&amp;`, `&amp;amp;`, WordPress's `&#038;`, whose `#` begins no fragment.
_ESCAPED_AMPERSAND = re.compile(r"([?&])(?:amp(?:;|%3b)|#0*38;|#x0*26;)+", re.IGNORECASE)
_NAMES = "|".join(sorted(map(re.escape, FIELD_OF_PARAMETER), key=len, reverse=True))
_SECOND_QUERY = re.compile(rf"(?:\?|%3f)(?=(?:{_NAMES})=)", re.IGNORECASE)
_ENCODED_QUERY = re.compile(rf"(?:{_NAMES})%3d", re.IGNORECASE)
# The parameters of an address in a parameter are those of another page.
_ADDRESS = re.compile(r"(?::|%3a)(?:/|%2f){2}", re.IGNORECASE)
_LONE_PERCENT = re.compile(r"%(?![0-9a-fA-F]{2})")


def unescaped(url: str) -> str:
    """The URL with `&` where HTML's escapes for it were left in."""
    if ";" in url or "amp%3" in url:
        return _ESCAPED_AMPERSAND.sub(r"\1", url)
    return url


def pairs_of(query: str) -> Iterator[str]:
    """The parts of a query between `&`, still encoded.

    A further `?` begins a pair only before a campaign's parameter, and never in an address. A
    campaign's query that was encoded whole gives its pairs, too.
    """
    for pair in query.split("&"):
        if "=" not in pair:
            if _ENCODED_QUERY.match(pair):
                yield from unquote(pair).split("&")
            else:
                yield pair
        elif "?" in pair or "%3" in pair:
            yield from _around_second_query(pair)
        else:
            yield pair


def campaign_fields(query: str) -> dict[str, str]:
    """The campaign's parameters in a query, by field. The first value that is not empty counts."""
    # parse_qsl decodes every pair, ours or not, and takes twice the time on the hot path.
    fields: dict[str, str] = {}
    searched = None
    for pair in pairs_of(query):
        raw_name, _, raw_value = pair.partition("=")
        name = parameter_name(raw_name)
        field = FIELD_OF_PARAMETER.get(name)
        if (
            field
            and field not in fields
            and (value := clean(_decoded_value(raw_value), MAX_VALUE_CHARACTERS))
        ):
            if name in _SEARCHED_WORDS:
                searched = searched or value
            else:
                fields[field] = value
    if searched and not TOUCH_FIELDS.isdisjoint(fields):
        fields.setdefault("utm_term", searched)
    return fields


def query_of_fragment(fragment: str) -> str:
    """Both `#utm_source=…` and the `#/route?utm_source=…` of single-page apps."""
    route, _, query = fragment.partition("?")
    is_query_throughout = "=" in route and not route.startswith(("/", "!"))
    return fragment if is_query_throughout else query


def parameter_name(raw_name: str) -> str:
    """A parameter's name, decoded, in lower case: `UTM%5FSource` is `utm_source`."""
    return _decoded(raw_name).lower()


def without_further_encoding(value: str) -> str:
    """A decoded value without the encodings that it has besides: `50%20off` is `50 off`."""
    for _ in range(_MAX_FURTHER_ENCODINGS):
        if "%" not in value or _LONE_PERCENT.search(value):
            break
        try:
            value = unquote(value, errors="strict")
        except UnicodeDecodeError:
            break
    return value


def _around_second_query(pair: str) -> Iterator[str]:
    start = 0
    for match in _SECOND_QUERY.finditer(pair):
        if _ADDRESS.search(pair, start, match.start()):
            break
        yield pair[start : match.start()]
        start = match.end()
    yield pair[start:]


def _decoded(text: str) -> str:
    return unquote_plus(text) if "%" in text or "+" in text else text


def _decoded_value(text: str) -> str:
    if "%" in text:
        return without_further_encoding(unquote_plus(text))
    return text.replace("+", " ")
