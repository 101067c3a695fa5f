"""Events as pixels report them: untrusted input, checked and typed."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from services.core.errors import InvalidInputError
from services.core.text import clean, read_json, without_lone_surrogates
from services.tracking.attribution import Touch, resolve_touch
from services.tracking.form_data import Lead, read_lead, read_lead_from_url
from services.tracking.page_addresses import (
    serves_account,
    site_of,
    thanks_for_form,
    without_personal_values,
)

EventType = Literal["pageview", "form_submit", "custom"]
Outcome = Literal["submitted", "accepted", "rejected"]

PIXEL_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")
# 16 hex digits after `pxl_`, as old pixels (v2) write them; some new ones had no `pxl_`.
VISITOR_COOKIE = re.compile(r"(?:pxl_)?[0-9a-f]{16}")
# A type of a site's own, which the old Worker stored as it was: `click`, `purchase`.
SITE_TYPE = re.compile(r" *[\w$][\w .:/%()&+#!?$,'=-]{0,63}")
EVENT_KEY = re.compile(r"[A-Za-z0-9_-]{8,64}")
# A frame that is filled by script: its own address says nothing of the page.
FRAME_ADDRESS = re.compile(r"about:|blob:", re.IGNORECASE)
BLOB_ADDRESS = re.compile(r"blob:(https?://[^\s/]+)", re.IGNORECASE)
WEB_ADDRESS = re.compile(r"https?://[^\s/]", re.IGNORECASE)

EVENT_TYPES: Mapping[str, EventType] = {
    "pageview": "pageview",
    "form_submit": "form_submit",
    "form_submission": "form_submit",
    "event": "custom",
}
OUTCOMES: Mapping[object, Outcome] = {
    "submitted": "submitted",
    "accepted": "accepted",
    "rejected": "rejected",
}
MAX_URL_CHARACTERS = 4_096
MAX_TITLE_CHARACTERS = 1_000
MAX_NAME_CHARACTERS = 64
MAX_DATA_CHARACTERS = 4_096
MAX_SCREEN_PIXELS = 100_000
MAX_SEQUENCE = 2**31 - 1


class InvalidEventError(InvalidInputError):
    """The body or query is not an event; `details` says of each field what it must be."""


@dataclass(frozen=True, slots=True)
class Size:
    """Width and height in CSS pixels."""

    width: int
    height: int


@dataclass(frozen=True, slots=True)
class CustomEvent:
    """The site's own part of a custom event: its name, and a JSON object as text.

    `left_out` is the reason why the object was not stored; it quotes none of it.
    """

    name: str
    data: str | None = None
    left_out: str | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """One event as the pixel reported it. `touch` is its own one, None where it brought none.

    `sequence` is its number among the visitor's events on this pixel. `outcome` is what became of
    a form. `lead_in_address` marks a page view that is a submission only because its address holds
    a lead. `fill` asks for the stored touch in the answer.
    """

    pixel_id: str
    visitor_cookie: str
    event_key: str | None
    event_type: EventType
    page_url: str
    referrer_url: str | None
    page_title: str | None
    touch: Touch | None
    lead: Lead | None
    viewport: Size | None
    screen: Size | None
    sequence: int | None = None
    outcome: Outcome | None = None
    custom: CustomEvent | None = None
    lead_in_address: bool = False
    fill: bool = False


def read_event(body: str, new_visitor: str, embedding_page: str | None = None) -> Event:
    """Reads an event from a request's body, of an old pixel or a new one.

    `new_visitor` is the cookie of a visitor who brought none of ours. `embedding_page` is what the
    browser says of the page, which a frame without an address of its own cannot say.

    Raises:
        InvalidEventError: it is not JSON, or a field that an event needs is missing or wrong.
    """
    try:
        fields = read_json(body)
    except ValueError:
        fields = None
    if not isinstance(fields, dict):
        raise InvalidEventError(
            "Invalid request format - expected JSON", ["the body must be one JSON object"]
        )
    return check_event(_with_page_of_frame(fields, embedding_page), new_visitor)


def check_event(fields: Mapping[str, object], new_visitor: str) -> Event:
    """Checks and cleans the fields of an event.

    An event without a required field is refused; any other invalid field is dropped, so that an
    unusual browser loses no lead.

    Raises:
        InvalidEventError: `pixel_id`, `page_url` or `event_type` is missing or wrong, or the
            `event_name` of a custom event.
    """
    pixel_id, page_url, event_type = _required(fields)
    referrer_url = _web_address(fields.get("referrer_url"))
    lead, in_address = _lead(fields, page_url, event_type)
    event_type = "form_submit" if lead else event_type
    is_form = event_type == "form_submit" and not in_address
    return Event(
        pixel_id=pixel_id,
        visitor_cookie=_matching(VISITOR_COOKIE, fields.get("visitor_cookie")) or new_visitor,
        event_key=_matching(EVENT_KEY, fields.get("event_key")),
        event_type=event_type,
        page_url=_stored_address(page_url),
        referrer_url=_stored_address(referrer_url) if referrer_url else None,
        page_title=_title(fields),
        touch=resolve_touch(page_url, fields, referrer_url),
        lead=lead,
        viewport=_size(fields.get("viewport")),
        screen=_size(fields.get("screen")),
        sequence=_sequence(fields.get("sequence")),
        outcome=_outcome(fields.get("outcome")) if is_form else None,
        custom=_custom(fields) if event_type == "custom" else None,
        lead_in_address=in_address,
        fill=fields.get("fill") not in (None, False, "off", "false"),
    )


def _required(fields: Mapping[str, object]) -> tuple[str, str, EventType]:
    pixel_id = _matching(PIXEL_ID, fields.get("pixel_id"))
    page_url = _web_address(fields.get("page_url"))
    event_type = _event_type(fields)
    details = []
    if pixel_id is None:
        details.append("pixel_id: must be 8 to 64 letters, digits, '-' or '_'")
    if page_url is None:
        details.append("page_url: must be an http or https address")
    if event_type is None:
        details.append(
            f"event_type: must be one of {', '.join(EVENT_TYPES)},"
            f" or a name of at most {MAX_NAME_CHARACTERS} letters, digits, spaces and "
            "_.:/%()&+#!?$,'=-"
        )
    if event_type == "custom" and _event_name(fields) is None:
        details.append(f"event_name: must be a text of 1 to {MAX_NAME_CHARACTERS} characters")
    if pixel_id is None or page_url is None or event_type is None or details:
        raise InvalidEventError("Validation failed", details)
    return pixel_id, page_url, event_type


def _lead(
    fields: Mapping[str, object], page_url: str, event_type: EventType
) -> tuple[Lead | None, bool]:
    """The lead, and whether nothing but the address of a page view says that there is one."""
    is_named = event_type == "custom"
    if is_named and fields.get("event_type") in EVENT_TYPES:
        return None, False
    # A new pixel, whose events have a key, judges by the form itself.
    if fields.get("event_key") is None and serves_account(page_url):
        return None, False
    if lead := read_lead(fields.get("form_data")):
        return lead, False
    if is_named:
        return None, False
    # Old thank-you pages carry the form's values in their address; so do the links in a mailing,
    # whose reader has sent nothing.
    lead = read_lead_from_url(page_url)
    if lead is None or not thanks_for_form(page_url, _title(fields)):
        return None, False
    return lead, event_type == "pageview"


def _with_page_of_frame(
    fields: dict[str, object], embedding_page: str | None
) -> Mapping[str, object]:
    """The fields with the embedding page's address for that of a frame without one."""
    page_url = fields.get("page_url")
    if not isinstance(page_url, str) or not FRAME_ADDRESS.match(page_url):
        return fields
    page, referrer = _web_address(embedding_page), _web_address(fields.get("referrer_url"))
    if page is None or (referrer and site_of(referrer) == site_of(page)):
        # The referrer of such a frame is the embedding page, and not cut to its origin.
        page = referrer or page
    if page is None and (match := BLOB_ADDRESS.match(page_url)):
        page = match[1]
    return {**fields, "page_url": page or page_url, "referrer_url": None}


def _stored_address(address: str) -> str:
    return without_personal_values(address)[:MAX_URL_CHARACTERS]


def _title(fields: Mapping[str, object]) -> str | None:
    return _text(fields.get("page_title"), MAX_TITLE_CHARACTERS)


def _event_type(fields: Mapping[str, object]) -> EventType | None:
    """The type; another name than ours, as sites send it to the old pixel's address, is custom."""
    event_type = fields.get("event_type") or "pageview"
    if not isinstance(event_type, str):
        return None
    return EVENT_TYPES.get(event_type) or ("custom" if SITE_TYPE.fullmatch(event_type) else None)


def _event_name(fields: Mapping[str, object]) -> str | None:
    """The name of a custom event: `event_name`, or a type that is none of ours."""
    event_type = fields.get("event_type")
    return _name(fields.get("event_name") if event_type in EVENT_TYPES else event_type)


def _name(value: object) -> str | None:
    name = _text(value, len(value)) if isinstance(value, str) else None
    return name if name and len(name) <= MAX_NAME_CHARACTERS else None


def _custom(fields: Mapping[str, object]) -> CustomEvent:
    name = _event_name(fields) or ""
    data = fields.get("event_data")
    if data is None:
        return CustomEvent(name)
    if not isinstance(data, dict):
        return CustomEvent(name, left_out="no JSON object")
    try:
        text = json.dumps(data, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    except ValueError:
        return CustomEvent(name, left_out="a number that JSON does not know")
    if len(text) > MAX_DATA_CHARACTERS:
        return CustomEvent(name, left_out=f"over {MAX_DATA_CHARACTERS} characters")
    return CustomEvent(name, without_lone_surrogates(text))


def _outcome(value: object) -> Outcome | None:
    return OUTCOMES.get(value) if isinstance(value, str) else None


def _sequence(value: object) -> int | None:
    return value if type(value) is int and 1 <= value <= MAX_SEQUENCE else None


def _matching(pattern: re.Pattern[str], value: object) -> str | None:
    return value if isinstance(value, str) and pattern.fullmatch(value) else None


def _text(value: object, limit: int) -> str | None:
    return clean(value, limit) if isinstance(value, str) else None


def _web_address(value: object) -> str | None:
    # The limit of the body bounds an address here; it is cut when it is stored, after its
    # parameters were read.
    address = _text(value, len(value)) if isinstance(value, str) else None
    return address if address and WEB_ADDRESS.match(address) else None


def _size(value: object) -> Size | None:
    if not isinstance(value, dict):
        return None
    width, height = _pixels(value.get("width")), _pixels(value.get("height"))
    return Size(width, height) if width and height else None


def _pixels(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if 0 < value <= MAX_SCREEN_PIXELS else None
