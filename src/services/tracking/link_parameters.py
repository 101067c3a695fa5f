"""The parameters of a link as links are really built, and which of them are those of campaigns.

Mail programs and editors write `&amp;` for `&`, once or twice. Ad platforms put a second `?` behind
a final address that has one. Redirects encode what is encoded already, also `?`, `&` and `=`. Only
such damage is mended as names a campaign: the parameters of the site itself are never guessed at.
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
from services.tracking.touch_values import MAX_VALUE_CHARACTERS, meaningful

UTM = ("utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term")
AD = ("campaign_region", "ad_group", "ad_id", "search_query")
# The fields with columns of their own.
FIELDS = (*UTM, *CLICK_ID_COLUMNS, *AD)

# In a link the ad parameters describe a touch, they do not make one: sites have such words, too.
TOUCH_FIELDS = frozenset((*UTM, *NETWORK_OF_CLICK_ID))

# Snapchat's own parameter is ScCid, HubSpot's begin with hsa; older set-ups say region.
_OTHER_NAMES = {
    **dict.fromkeys(("sccid", "sc_cid", "scclickid"), "sc_click_id"),
    "irclickid": "irclid",
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
# A value is encoded once, and by a redirect or two once more each.
_MAX_FURTHER_ENCODINGS = 2

# `&amp;`, `&amp;amp;`, WordPress's `&#038;`, whose `#` begins no fragment.
_ESCAPED_AMPERSAND = re.compile(r"([?&])(?:amp(?:;|%3b)|#0*38;|#x0*26;)+", re.IGNORECASE)

# A sign that was encoded, once or again and again: `%26`, `%2526`.
_ENCODED = "%(?:25)*"
_NAMES = "|".join(
    re.escape(name).replace("_", f"(?:_|{_ENCODED}5f)")
    for name in sorted(FIELD_OF_PARAMETER, key=len, reverse=True)
)
# What stands between two parameters, or was meant to: `?`, `%26amp;`, `;`, `& `. A sign before a
# plain `&` belongs to the value: `why?&utm_medium=…`.
_MARK = rf"[?;]|{_ENCODED}(?:26|3b|3f)|\\u0026"
_ADDED = rf"(?:amp|\#0*38|\#x0*26)?(?:[ +]|{_ENCODED}20)*"
_BRACKETS = rf"(?:\[\w*\]|{_ENCODED}5b\w*{_ENCODED}5d)"
_EQUALS = rf"(?:=|(?P<encoded_equals>{_ENCODED}3d))"
_BEFORE_CAMPAIGN = (
    rf"(?:&|{_MARK}){_ADDED}(?:(?:{_MARK}){_ADDED}){{0,5}}+"
    rf"(?=(?P<name>{_NAMES})(?:[ +]|{_ENCODED}20|{_BRACKETS})*{_EQUALS})"
)
# Few links have one of these, and the names above are many.
_MAY_BE_DAMAGED = re.compile(r"[?;\\]|%(?:2[56]|3[bf])|&(?:amp|[ +]|%20)", re.IGNORECASE)
_JOINT = re.compile(_BEFORE_CAMPAIGN, re.IGNORECASE)
_SEPARATOR = re.compile(f"{_BEFORE_CAMPAIGN}|&", re.IGNORECASE)
_ENCODED_EQUALS = re.compile(f"({_ENCODED})3d", re.IGNORECASE)
_END_OF_NAME = re.compile(r"\s*(?:\[\w*\]\s*)?$")
# The parameters of an address in a parameter are those of another page.
_ADDRESS = re.compile(rf"(?::|{_ENCODED}3a)(?:/|{_ENCODED}2f){{2}}", re.IGNORECASE)
_PAGE_OF_SITE = re.compile(rf"[^=]*=(?:/|{_ENCODED}2f)", re.IGNORECASE)
_LONE_PERCENT = re.compile(r"%(?![0-9a-fA-F]{2})")


# Where a page's own address ends at the latest, in whatever way its parameters are joined to it.
_END_OF_PAGE = re.compile(rf"[?#&;]|{_ENCODED}(?:23|26|3b|3f)|\\u0026", re.IGNORECASE)


def unescaped(url: str) -> str:
    """The URL with `&` where HTML's escapes for it were left in."""
    if ";" in url or "amp%3" in url:
        return _ESCAPED_AMPERSAND.sub(r"\1", url)
    return url


def split_link(url: str) -> tuple[str, str, str]:
    """The page, the query and the fragment of a link; `/page&utm_source=…` has a query, too."""
    address, _, fragment = unescaped(url).partition("#")
    page, _, query = address.partition("?")
    if "=" in page or "%3" in page:
        start = page.find("://") + 3
        joint = _JOINT.search(page, start)
        if joint and not _ADDRESS.search(page, start, joint.start()):
            return page[: joint.start()], f"{page[joint.end() :]}&{query}", fragment
    return page, query, fragment


def bare_page(url: str) -> str:
    """The address of a page without all that may be a parameter, in whatever way it is joined.

    No reading of a link finds anything in it.
    """
    end = _END_OF_PAGE.search(url)
    return url[: end.start()] if end else url


def query_of_link(url: str) -> str:
    """All parameters of a link, those of its fragment last: `#utm_source=…`, `#/route?…`."""
    _, query, fragment = split_link(url)
    if "=" not in fragment and "%" not in fragment:
        return query
    return f"{query}&{fragment.replace('#', '&').lstrip('/!')}"


def pairs_of(query: str) -> Iterator[str]:
    """The parts of a query between `&`, still encoded.

    Another sign, or one that was encoded, separates only before a campaign's parameter. In an
    address none does; an address with a campaign of its own keeps the `utm_…` behind it, too.
    """
    if not _MAY_BE_DAMAGED.search(query):
        yield from query.split("&")
        return
    start = 0
    is_of_address = False
    for match in _SEPARATOR.finditer(query):
        is_utm = (match["name"] or "").lower().startswith("utm")
        if match[0].startswith("&"):
            is_inside = is_of_address and is_utm
        else:
            is_inside = _is_in_address(query[start : match.start()], match["encoded_equals"])
            is_of_address = is_of_address or (is_inside and is_utm)
        if not is_inside:
            yield query[start : match.start()]
            start = match.end()
    yield query[start:]


def name_and_value(pair: str) -> tuple[str, str]:
    """A parameter's name, decoded and in lower case, and its value, still encoded."""
    raw_name, _, raw_value = pair.partition("=")
    equals = _ENCODED_EQUALS.search(raw_name) if "%" in raw_name else None
    if equals is None:
        return parameter_name(raw_name), raw_value
    # The whole query was encoded, with the `&` behind the value.
    value = pair[equals.end() :].partition(f"{equals[1]}26")[0]
    for _ in range(1 + equals[1].count("25")):
        value = unquote(value)
    return parameter_name(raw_name[: equals.start()]), value


def campaign_fields(query: str) -> dict[str, str]:
    """The campaign's parameters in a query, by field.

    The first value that is not empty counts; one under the field's own name before all others.
    """
    # parse_qsl decodes every pair, ours or not, and takes twice the time on the hot path.
    fields: dict[str, str] = {}
    under_other_names: dict[str, str] = {}
    searched = None
    for pair in pairs_of(query):
        name, raw_value = name_and_value(pair) if pair else ("", "")
        field = FIELD_OF_PARAMETER.get(name)
        if field is None or field in fields or not (value := _campaign_value(field, raw_value)):
            continue
        if name == field:
            fields[field] = value
        elif name in _SEARCHED_WORDS:
            searched = searched or value
        else:
            under_other_names.setdefault(field, value)
    fields = under_other_names | fields
    if searched and not TOUCH_FIELDS.isdisjoint(fields):
        fields.setdefault("utm_term", searched)
    return fields


def parts_of_value(value: str) -> tuple[str, dict[str, str]]:
    """A decoded value, and the parameters that were left in it: `brand?gclid=G1`."""
    joint = _JOINT.search(value)
    if joint is None or _ADDRESS.search(value, 0, joint.start()):
        return value, {}
    return value[: joint.start()], campaign_fields(value[joint.end() :])


def parameter_name(raw_name: str) -> str:
    """A parameter's name, decoded, in lower case: `UTM%5FSource` and `utm_source[]`."""
    name = _decoded(raw_name).lower()
    return name if name.isidentifier() else _END_OF_NAME.sub("", name).strip()


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


def _is_in_address(text: str, encoded_equals: str | None) -> bool:
    if _ADDRESS.search(text):
        return True
    # The whole value may be the address of a page of this site: next=%2Fpage%3Futm_source%3Dnews.
    return encoded_equals is not None and _PAGE_OF_SITE.match(text) is not None


def _campaign_value(field: str, raw_value: str) -> str | None:
    text = clean(_decoded_value(raw_value), MAX_VALUE_CHARACTERS)
    return text and meaningful(field, text)


def _decoded(text: str) -> str:
    if "%" not in text and "+" not in text:
        return text
    try:
        return unquote_plus(text, errors="strict")
    except UnicodeDecodeError:
        # Of an old page, in the encoding of Windows.
        return unquote_plus(text, encoding="cp1252", errors="replace")


def _decoded_value(text: str) -> str:
    return without_further_encoding(_decoded(text)) if "%" in text else text.replace("+", " ")
