"""Events as pixels report them: untrusted input, checked and typed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from services.core.errors import InvalidInputError
from services.core.text import clean, read_json
from services.core.web_addresses import read_web_address
from services.projects.entry_kinds import PIXEL_ID
from services.tracking.attribution import Touch, browser_ids, resolve_touch
from services.tracking.custom_events import (
    EVENT_TYPES,
    MAX_NAME_CHARACTERS,
    CustomEvent,
    EventType,
    may_hold_lead,
    read_custom_event,
    read_event_name,
    read_event_type,
)
from services.tracking.form_data import Lead, read_lead, read_lead_from_url
from services.tracking.form_purposes import serves_account, serves_known_people
from services.tracking.page_addresses import (
    site_of,
    thanks_for_form,
    without_personal_values,
)

Outcome = Literal["submitted", "accepted", "rejected"]

# 16 hex digits after `pxl_`, as old pixels (v2) write them; some new ones had no `pxl_`.
VISITOR_COOKIE = re.compile(r"(?:pxl_)?[0-9a-f]{16}")
EVENT_KEY = re.compile(r"[A-Za-z0-9_-]{8,64}")
# A frame that is filled by script: its own address says nothing of the page.
FRAME_ADDRESS = re.compile(r"about:|blob:", re.IGNORECASE)
BLOB_ADDRESS = re.compile(r"blob:(https?://[^\s/]+)", re.IGNORECASE)
WEB_ADDRESS = re.compile(r"https?://[^\s/\\]", re.IGNORECASE)
# Android's apps are referrers by their package: android-app://com.google.android.gm/.
REFERRER_ADDRESS = re.compile(r"(?:https?|android-app)://[^\s/\\]", re.IGNORECASE)
# A browser leaves breaks out of an address.
_BREAK = re.compile(r"[\t\n\r]")

OUTCOMES: Mapping[object, Outcome] = {
    "submitted": "submitted",
    "accepted": "accepted",
    "rejected": "rejected",
}
MAX_URL_CHARACTERS = 4_096
MAX_TITLE_CHARACTERS = 1_000
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
class Event:
    """One event as the pixel reported it. `touch` is its own one, None where it brought none.

    `sequence` is its number among the visitor's events on this pixel. `outcome` is what became of
    a form. `lead_in_address` marks a page view that is a submission only because its address holds
    a lead. `fill` asks for the stored touch in the answer. `browser_ids` are Meta's cookies.
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
    browser_ids: Mapping[str, str] | None = None


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
        InvalidEventError: `pixel_id` or `page_url` is missing or wrong, or of an event with a key
            its `event_type` or the `event_name` of a custom one.
    """
    pixel_id, page_url, event_type = _required(fields)
    referrer_url = _web_address(fields.get("referrer_url"), REFERRER_ADDRESS)
    lead, in_address = _lead(fields, page_url, event_type)
    event_type = "form_submit" if lead else event_type
    is_form = event_type == "form_submit" and not in_address
    outcome = _outcome(fields.get("outcome")) if is_form else None
    is_new_pixels = is_form and fields.get("event_key") is not None
    if is_new_pixels and serves_known_people(fields.get("form_text"), page_url):
        lead, outcome = None, "rejected"
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
        outcome=outcome,
        custom=read_custom_event(fields) if event_type == "custom" else None,
        lead_in_address=in_address,
        fill=fields.get("fill") not in (None, False, "off", "false"),
        browser_ids=browser_ids(fields) or None,
    )


def _required(fields: Mapping[str, object]) -> tuple[str, str, EventType]:
    pixel_id = _matching(PIXEL_ID, fields.get("pixel_id"))
    page_url = _web_address(fields.get("page_url"))
    event_type = read_event_type(fields)
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
    if event_type == "custom" and read_event_name(fields) is None:
        details.append(f"event_name: must be a text of 1 to {MAX_NAME_CHARACTERS} characters")
    if pixel_id is None or page_url is None or event_type is None or details:
        raise InvalidEventError("Validation failed", details)
    return pixel_id, page_url, event_type


def _lead(
    fields: Mapping[str, object], page_url: str, event_type: EventType
) -> tuple[Lead | None, bool]:
    """The lead, and whether nothing but the address of a page view says that there is one."""
    is_named = event_type == "custom"
    if is_named and not may_hold_lead(fields):
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


def _outcome(value: object) -> Outcome | None:
    return OUTCOMES.get(value) if isinstance(value, str) else None


def _sequence(value: object) -> int | None:
    return value if type(value) is int and 1 <= value <= MAX_SEQUENCE else None


def _matching(pattern: re.Pattern[str], value: object) -> str | None:
    return value if isinstance(value, str) and pattern.fullmatch(value) else None


def _text(value: object, limit: int) -> str | None:
    return clean(value, limit) if isinstance(value, str) else None


def _web_address(value: object, pattern: re.Pattern[str] = WEB_ADDRESS) -> str | None:
    if not isinstance(value, str):
        return None
    # The limit of the body bounds an address here; it is cut when it is stored, after its
    # parameters were read.
    address = clean(value if value.isprintable() else _BREAK.sub("", value), len(value))
    if not address:
        return None
    read = read_web_address(address)
    return read or (address if pattern.match(address) else None)


def _size(value: object) -> Size | None:
    if not isinstance(value, dict):
        return None
    width, height = _pixels(value.get("width")), _pixels(value.get("height"))
    return Size(width, height) if width and height else None


def _pixels(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if 0 < value <= MAX_SCREEN_PIXELS else None
