"""Attribution: the touch that brought a visit, from one source only, and the credit it earns."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from services.core.click_ids import (
    BROWSER_IDS,
    CLICK_DETAILS,
    CLICK_FIELDS,
    MEDIUM_OF_CLICK_ID,
    NETWORK_OF_CLICK_ID,
)
from services.core.text import clean, read_object
from services.tracking.link_parameters import (
    FIELD_IN_BODY,
    FIELD_OF_PARAMETER,
    FIELDS,
    MAX_VALUE_CHARACTERS,
    TOUCH_FIELDS,
    campaign_fields,
    pairs_of,
    parameter_name,
    query_of_fragment,
    unescaped,
    without_further_encoding,
)

TouchOrigin = Literal["page_url", "body", "referrer"]


@dataclass(frozen=True, slots=True)
class Touch:
    """The campaign parameters of one visit from one source; two touches are never merged."""

    origin: TouchOrigin
    utm_source: str | None = None
    utm_medium: str | None = None
    utm_campaign: str | None = None
    utm_content: str | None = None
    utm_term: str | None = None
    gclid: str | None = None
    fbclid: str | None = None
    msclkid: str | None = None
    ttclid: str | None = None
    twclid: str | None = None
    li_fat_id: str | None = None
    sc_click_id: str | None = None
    campaign_region: str | None = None
    ad_group: str | None = None
    ad_id: str | None = None
    search_query: str | None = None
    click_ids: Mapping[str, str] | None = None

    def stored_fields(self) -> dict[str, object]:
        """The origin and the parameters that are set, as stored: {"origin": …, "gclid": …}."""
        values = ((name, getattr(self, name)) for name in ("origin", *FIELDS, "click_ids"))
        return {name: value for name, value in values if value is not None}


@dataclass(frozen=True, slots=True)
class Attribution:
    """The credit for a visit; no field is empty."""

    source: str
    medium: str
    campaign: str


# Their names in addresses, in lower case.
CLICK_IDS = frozenset((*NETWORK_OF_CLICK_ID, "sccid"))

# A space of `spring+sale`; `C++` and `1+1` are what they are.
_SPACE_OF_FORMS = re.compile(r"(?<=[^\W\d_])\+(?=\w)|(?<=\w)\+(?=[^\W\d_])")

# Old pixels send these words for parameters that are missing.
_PLACEHOLDERS = frozenset(("null", "undefined"))
_FALLBACK_WORDS = {
    "utm_source": _PLACEHOLDERS | {"direct"},
    "utm_medium": _PLACEHOLDERS | {"unknown", "none"},
    "utm_campaign": _PLACEHOLDERS | {"unknown", "none"},
}
# str() refuses integers of thousands of digits, and no ad ID has more than these.
_NUMBER_LIMIT = 10**30

# A source that begins with a network's name: facebook_ads, m.facebook.com, Google Ads, t.co.
_NETWORK_OF_SOURCE = re.compile(
    r"""
    (?:(?:www|m|l|lm|ads)\.)?
    (?:(?P<google>google|adwords|youtube)
      |(?P<facebook>facebook|fb|instagram|ig|meta)
      |(?P<microsoft>bing|microsoft)
      |(?P<tiktok>tik[ _-]?tok)
      |(?P<twitter>twitter|t\.co|x(?=$|\.com|[ _-]?ads?$))
      |(?P<linkedin>linked[ _-]?in)
      |(?P<snapchat>snapchat)
    )
    (?:ads?)?(?![a-z])
    """,
    re.VERBOSE | re.IGNORECASE,
)


def resolve_touch(
    page_url: str, body: Mapping[str, object], referrer_url: str | None
) -> Touch | None:
    """The touch of one event, whole, from the first of page URL, body and referrer that has one.

    That of a referrer counts only if the referrer is a page of the same client (`referrers`).
    Whatever the three hold, nothing is raised and no two of them are mixed.
    """
    touch = read_touch(page_url, "page_url") or _touch_of_body(body)
    if touch is None and referrer_url:
        return read_touch(referrer_url, "referrer")
    return touch


def read_touch(url: str, origin: TouchOrigin) -> Touch | None:
    """The touch in the URL's query, else in its fragment; None if it has none. Never raises."""
    if "=" not in url:
        return None
    address, _, fragment = unescaped(url).partition("#")
    query = address.partition("?")[2]
    return _touch(origin, campaign_fields(query)) or _touch(
        origin, campaign_fields(query_of_fragment(fragment))
    )


def stored_touch(row: Mapping[str, object]) -> dict[str, str]:
    """The touch that a stored event is credited to, field by field; an empty one is direct.

    The placeholders that the old Worker stored for missing parameters are left out.
    """
    without_column = {
        name: value for name, value in click_ids(row).items() if name not in BROWSER_IDS
    }
    values = ((name, _pixel_value(name, row.get(name))) for name in FIELDS)
    fields = {name: value for name, value in values if value} | without_column
    # The old Worker stored ad parameters that belong to no touch.
    is_touch = row.get("touch_origin") or not TOUCH_FIELDS.isdisjoint(fields)
    return fields if is_touch else {}


def click_ids(touch: Mapping[str, object]) -> dict[str, str]:
    """What the column `click_ids` holds, in a stored row or in a touch."""
    stored = touch.get("click_ids")
    members = read_object(stored) if isinstance(stored, str) else stored
    if not isinstance(members, Mapping):
        return {}
    return {
        name: value
        for name, value in members.items()
        if name in CLICK_FIELDS and isinstance(value, str)
    }


def browser_ids(body: Mapping[str, object]) -> dict[str, str]:
    """Meta's cookies in a body: they are stored with an event whatever its touch is."""
    values = ((name, _pixel_value(name, body.get(name))) for name in BROWSER_IDS)
    return {name: value for name, value in values if value and value.startswith("fb.")}


def without_touch(url: str) -> str:
    """The URL without the parameters that make or describe a touch, in query and `#/route?…`."""
    address, hash_mark, fragment = unescaped(url).partition("#")
    if fragment.startswith(("/", "!")):
        fragment = _without_parameters(fragment)
    return _without_parameters(address) + hash_mark + fragment


def is_touch_parameter(name: str) -> bool:
    """Whether a parameter, by its decoded name, makes or describes a touch."""
    lowered = name.lower()
    return lowered in FIELD_OF_PARAMETER or lowered.startswith("utm_")


def unstored_parameters(url: str) -> list[str]:
    """The names in the URL's query, in lower case and their order, that are stored in no field."""
    query = unescaped(url).partition("#")[0].partition("?")[2]
    names = (parameter_name(pair.partition("=")[0]) for pair in pairs_of(query))
    stored_names = {*FIELD_OF_PARAMETER, "_gl"}  # Google's own, between two of a site's domains
    return list(dict.fromkeys(name for name in names if name and name not in stored_names))


def _without_parameters(address: str) -> str:
    page, _, query = address.partition("?")
    pairs = [
        pair
        for pair in pairs_of(query)
        if pair and parameter_name(pair.partition("=")[0]) not in FIELD_OF_PARAMETER
    ]
    return page + ("?" + "&".join(pairs) if pairs else "")


def credit(touch: Mapping[str, object]) -> Attribution:
    """The credit for a touch as `Touch.stored_fields()` gives it; an empty one is direct."""
    fields = {**touch, **click_ids(touch)}
    click_id = next((name for name in NETWORK_OF_CLICK_ID if _text(fields, name)), None)
    return Attribution(
        source=_text(touch, "utm_source") or NETWORK_OF_CLICK_ID.get(click_id or "", "direct"),
        medium=_text(touch, "utm_medium") or MEDIUM_OF_CLICK_ID.get(click_id or "", "unknown"),
        campaign=_text(touch, "utm_campaign") or _text(touch, "ad_group") or "none",
    )


def _touch(origin: TouchOrigin, fields: dict[str, str]) -> Touch | None:
    return None if TOUCH_FIELDS.isdisjoint(fields) else _touch_of(origin, fields)


def _touch_of(origin: TouchOrigin, fields: Mapping[str, str]) -> Touch:
    without_column = {name: value for name, value in fields.items() if name in CLICK_FIELDS}
    columns = {name: value for name, value in fields.items() if name not in CLICK_FIELDS}
    return Touch(origin, **columns, click_ids=without_column or None)


def _touch_of_body(body: Mapping[str, object]) -> Touch | None:
    # An old pixel, whose events have no key, decodes no `+`, and what was encoded twice only once.
    is_half_decoded = body.get("event_key") is None
    fields: dict[str, str] = {}
    for raw_name, raw in body.items():
        name = FIELD_IN_BODY.get(raw_name.lower())
        if name and name not in fields and (value := _pixel_value(name, raw)):
            fields[name] = _decoded_wholly(value) if is_half_decoded else value
    # In a body the ad parameters alone are a touch: nobody but an ad's page sends them.
    if fields.keys() <= set(CLICK_DETAILS):
        return None
    return _touch_of("body", _without_stale_click_ids(fields))


def _decoded_wholly(value: str) -> str:
    if "+" in value and " " not in value:
        value = _SPACE_OF_FORMS.sub(" ", value)
    return clean(without_further_encoding(value), MAX_VALUE_CHARACTERS) or value


def _pixel_value(name: str, raw: object) -> str | None:
    if type(raw) is int and abs(raw) < _NUMBER_LIMIT:
        raw = str(raw)
    value = clean(raw, MAX_VALUE_CHARACTERS) if isinstance(raw, str) else None
    is_fallback = value is None or value.lower() in _FALLBACK_WORDS.get(name, _PLACEHOLDERS)
    return None if is_fallback else value


def _without_stale_click_ids(fields: dict[str, str]) -> dict[str, str]:
    """Without the click IDs that old pixels kept in the browser from another visit."""
    network = _network(fields)
    if network is None:
        return fields
    return {
        name: value
        for name, value in fields.items()
        if NETWORK_OF_CLICK_ID.get(name, network) == network
    }


def _network(fields: dict[str, str]) -> str | None:
    if "utm_source" in fields:
        match = _NETWORK_OF_SOURCE.match(fields["utm_source"])
        return match.lastgroup if match else None
    return next((network for name, network in NETWORK_OF_CLICK_ID.items() if name in fields), None)


def _text(touch: Mapping[str, object], name: str) -> str:
    value = touch.get(name)
    return value if isinstance(value, str) else ""
