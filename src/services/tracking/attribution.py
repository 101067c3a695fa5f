"""Attribution: the touch that brought a visit, from one source only, and the credit it earns."""

from collections.abc import Mapping
from dataclasses import dataclass
from string import ascii_lowercase, ascii_uppercase
from typing import Literal

from services.core.click_ids import (
    BROWSER_IDS,
    CLICK_DETAILS,
    CLICK_FIELDS,
    MEDIUM_OF_CLICK_ID,
    NETWORK_OF_CLICK_ID,
)
from services.core.text import clean, read_object
from services.core.tracking_parameters import AD_WORDS, TRACKING_FAMILIES, TRACKING_PARAMETERS
from services.tracking.link_parameters import (
    FIELD_IN_BODY,
    FIELD_OF_PARAMETER,
    FIELDS,
    TOUCH_FIELDS,
    UTM,
    campaign_fields,
    name_and_value,
    pairs_of,
    parts_of_value,
    query_of_link,
    split_link,
    without_further_encoding,
)
from services.tracking.networks import network_of_source
from services.tracking.touch_values import MAX_VALUE_CHARACTERS, meaningful, spaces_of_forms

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
CLICK_IDS = frozenset(
    name for name, field in FIELD_OF_PARAMETER.items() if field in NETWORK_OF_CLICK_ID
)
_MAKES_TOUCH = frozenset(
    name for name, field in FIELD_OF_PARAMETER.items() if field in TOUCH_FIELDS
) - frozenset(AD_WORDS)

_LOWER_CASE = str.maketrans(ascii_uppercase, ascii_lowercase)
_UNIQUE_IDS = NETWORK_OF_CLICK_ID.keys() - {"gad_source", "gad_campaignid"}

# str() refuses integers of thousands of digits, and no ad ID has more than these.
_NUMBER_LIMIT = 10**30


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
    """The touch in the URL's query and fragment; None if it has none. Never raises."""
    if "=" not in url and "%" not in url:
        return None
    fields = campaign_fields(query_of_link(url))
    return None if TOUCH_FIELDS.isdisjoint(fields) else _touch_of(origin, fields)


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
    """Meta's cookies in a body, also as `_fbc`: they are stored whatever the event's touch is."""
    values = (
        (name, _pixel_value(name, body.get(name)) or _pixel_value(name, body.get(f"_{name}")))
        for name in BROWSER_IDS
    )
    return {name: value for name, value in values if value and value.startswith("fb.")}


def compared_parameters(touch: Touch) -> dict[str, object]:
    """What a touch must share with its session's to be all or some of it, as stored, in lower case.

    Not what describes a click, nor the browser's cookies. A click ID alone says which click it is,
    whatever else the site or Google adds beside it.
    """
    stored = touch.stored_fields()
    members = click_ids(stored)
    fields = {name: str(stored[name]) for name in FIELDS if name in stored} | members
    unique = fields.keys() & _UNIQUE_IDS
    if unique and fields.keys().isdisjoint(UTM):
        compared = unique
    else:
        ignored = {*CLICK_DETAILS, *BROWSER_IDS, *(NETWORK_OF_CLICK_ID if unique else ())}
        compared = unique | (fields.keys() - ignored)
    lowered = {name: _lowered(value) for name, value in fields.items() if name in compared}
    columns: dict[str, object] = {
        name: value for name, value in lowered.items() if name not in members
    }
    in_members = {name: value for name, value in lowered.items() if name in members}
    return {**columns, "click_ids": in_members} if in_members else columns


def _lowered(value: str) -> str:
    # A to Z only, as SQLite's.
    return value.lower() if value.isascii() else value.translate(_LOWER_CASE)


def without_touch(url: str) -> str:
    """The URL's page: without the parameters of campaigns and their tools.

    Words that a site may use itself (`keyword`) go only beside what makes a touch.
    """
    page, query, fragment = split_link(url)
    names = {name_and_value(pair)[0] for pair in pairs_of(query_of_link(url))}
    is_touch = not _MAKES_TOUCH.isdisjoint(names)
    if fragment.startswith(("/", "!")):
        route, _, route_query = fragment.partition("?")
        fragment = route + _without_tracking(route_query, is_touch=is_touch)
    hash_mark = "#" if "#" in url and (fragment or url.endswith("#")) else ""
    return f"{page}{_without_tracking(query, is_touch=is_touch)}{hash_mark}{fragment}"


def has_parameters(url: str) -> bool:
    """Whether an address has a parameter of campaigns or their tools, by the reading of links."""
    names = {name_and_value(pair)[0] for pair in pairs_of(query_of_link(url)) if pair}
    return any(name in FIELD_OF_PARAMETER or _is_tracking(name, is_touch=True) for name in names)


def is_touch_parameter(name: str) -> bool:
    """Whether a parameter, by its decoded name, makes or describes a touch."""
    lowered = name.lower()
    return lowered in FIELD_OF_PARAMETER or lowered.startswith("utm_")


def unstored_parameters(url: str) -> list[str]:
    """The names in the URL's query, in lower case and their order, that are stored in no field."""
    names = (name_and_value(pair)[0] for pair in pairs_of(split_link(url)[1]))
    stored_names = {*FIELD_OF_PARAMETER, "_gl"}  # Google's own, between two of a site's domains
    return list(dict.fromkeys(name for name in names if name and name not in stored_names))


def _without_tracking(query: str, *, is_touch: bool) -> str:
    pairs = [
        pair
        for pair in pairs_of(query)
        if pair and not _is_tracking(name_and_value(pair)[0], is_touch=is_touch)
    ]
    return "?" + "&".join(pairs) if pairs else ""


def _is_tracking(name: str, *, is_touch: bool) -> bool:
    if name in TRACKING_PARAMETERS or name.startswith(TRACKING_FAMILIES):
        return True
    return is_touch and name in AD_WORDS


def credit(touch: Mapping[str, object]) -> Attribution:
    """The credit for a touch as `Touch.stored_fields()` gives it, or the columns of an event.

    Without an origin it is direct; a touch that names no source came from none that is known.
    """
    fields = {**touch, **click_ids(touch)}
    click_id = next((name for name in NETWORK_OF_CLICK_ID if _text(fields, name)), None)
    no_source = "none" if touch.get("origin") or touch.get("touch_origin") else "direct"
    return Attribution(
        source=_text(touch, "utm_source") or NETWORK_OF_CLICK_ID.get(click_id or "", no_source),
        medium=_text(touch, "utm_medium") or MEDIUM_OF_CLICK_ID.get(click_id or "", "unknown"),
        campaign=_text(touch, "utm_campaign") or _text(fields, "hsa_cam") or "none",
    )


def _touch_of(origin: TouchOrigin, fields: Mapping[str, str]) -> Touch:
    without_column = {name: value for name, value in fields.items() if name in CLICK_FIELDS}
    columns = {name: value for name, value in fields.items() if name not in CLICK_FIELDS}
    return Touch(origin, **columns, click_ids=without_column or None)


def _touch_of_body(body: Mapping[str, object]) -> Touch | None:
    # An old pixel, whose events have no key, decodes no `+`, and what was encoded twice only once.
    is_half_decoded = body.get("event_key") is None
    fields: dict[str, str] = {}
    under_other_names: dict[str, str] = {}
    for raw_name, raw in body.items():
        name = FIELD_IN_BODY.get(raw_name.lower())
        if name and (value := _pixel_value(name, raw, is_half_decoded=is_half_decoded)):
            (fields if raw_name.lower() == name else under_other_names).setdefault(name, value)
    fields = under_other_names | fields
    for name in fields.keys() & set(UTM):
        fields[name], left_in = parts_of_value(fields[name])
        fields = left_in | fields
    # In a body the ad parameters alone are a touch: nobody but an ad's page sends them.
    if fields.keys() <= set(CLICK_DETAILS):
        return None
    return _touch_of("body", _without_stale_click_ids(fields))


def _pixel_value(name: str, raw: object, *, is_half_decoded: bool = False) -> str | None:
    if type(raw) is int and abs(raw) < _NUMBER_LIMIT:
        raw = str(raw)
    value = clean(raw, MAX_VALUE_CHARACTERS) if isinstance(raw, str) else None
    if value and is_half_decoded:
        decoded = without_further_encoding(spaces_of_forms(value))
        value = clean(decoded, MAX_VALUE_CHARACTERS) or value
    return value and meaningful(name, value)


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
        return network_of_source(fields["utm_source"])
    return next((network for name, network in NETWORK_OF_CLICK_ID.items() if name in fields), None)


def _text(touch: Mapping[str, object], name: str) -> str:
    value = touch.get(name)
    return (isinstance(value, str) and meaningful(name, value)) or ""
