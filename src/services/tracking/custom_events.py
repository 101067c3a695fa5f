"""Events of a site's own: which type an event has, and the name and data of a custom one.

A new pixel, whose events have a key, names a custom event right or is refused. Senders of old
know no such rules, and nobody can mend them: their event is stored, under a name made fit.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from services.core.text import clean, without_lone_surrogates

EventType = Literal["pageview", "form_submit", "custom"]

EVENT_TYPES: Mapping[str, EventType] = {
    "pageview": "pageview",
    "form_submit": "form_submit",
    "form_submission": "form_submit",
    "event": "custom",
}
MAX_NAME_CHARACTERS = 64
MAX_DATA_CHARACTERS = 4_096
# Of an event whose sender gave it no name that can be stored.
NAMELESS = "event"

# A type of a site's own, which the old Worker stored as it was: `click`, `purchase`.
SITE_TYPE = re.compile(r" *[\w$][\w .:/%()&+#!?$,'=-]{0,63}")
_UNFIT = re.compile(r"[^\w .:/%()&+#!?$,'=-]")


@dataclass(frozen=True, slots=True)
class CustomEvent:
    """The site's own part of a custom event: its name, and a JSON object as text.

    `left_out` is the reason why the object was not stored; it quotes none of it.
    """

    name: str
    data: str | None = None
    left_out: str | None = None


def read_event_type(fields: Mapping[str, object]) -> EventType | None:
    """The type; another name than ours, as sites send it to the old pixel's address, is custom."""
    event_type = fields.get("event_type") or "pageview"
    if isinstance(event_type, str) and event_type in EVENT_TYPES:
        return EVENT_TYPES[event_type]
    if _has_key(fields):
        return "custom" if isinstance(event_type, str) and SITE_TYPE.fullmatch(event_type) else None
    return "custom"


def read_event_name(fields: Mapping[str, object]) -> str | None:
    """The name of a custom event: `event_name`, or a type that is none of ours."""
    named = _is_named_by_us(fields)
    value = fields.get("event_name") if named else fields.get("event_type")
    name = _name(value)
    if _has_key(fields):
        return name
    return name or _fit_name(value) if named else _fit_name(value)


def may_hold_lead(fields: Mapping[str, object]) -> bool:
    """Whether the form of a custom event counts: that of a site's own type, of old only."""
    return not _is_named_by_us(fields) or not (_has_key(fields) or fields.get("event_name"))


def read_custom_event(fields: Mapping[str, object]) -> CustomEvent:
    """The name and the data of a custom event."""
    name = read_event_name(fields) or NAMELESS
    content = fields.get("event_data")
    if content is None:
        return CustomEvent(name)
    if not isinstance(content, dict):
        return CustomEvent(name, left_out="no JSON object")
    try:
        text = json.dumps(content, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    except ValueError:
        return CustomEvent(name, left_out="a number that JSON does not know")
    if len(text) > MAX_DATA_CHARACTERS:
        return CustomEvent(name, left_out=f"over {MAX_DATA_CHARACTERS} characters")
    return CustomEvent(name, without_lone_surrogates(text))


def _has_key(fields: Mapping[str, object]) -> bool:
    return fields.get("event_key") is not None


def _is_named_by_us(fields: Mapping[str, object]) -> bool:
    event_type = fields.get("event_type")
    return isinstance(event_type, str) and event_type in EVENT_TYPES


def _name(value: object) -> str | None:
    name = clean(value, len(value)) if isinstance(value, str) else None
    return name if name and len(name) <= MAX_NAME_CHARACTERS else None


def _fit_name(value: object) -> str:
    """The value as a name. One that may be an e-mail address is left out: names are shown."""
    text = json.dumps(value) if isinstance(value, int | float) else value
    name = clean(text, MAX_NAME_CHARACTERS) if isinstance(text, str) else None
    if name is None or "@" in name:
        return NAMELESS
    name = _UNFIT.sub("_", name)
    return name if SITE_TYPE.fullmatch(name) else f"_{name}"[:MAX_NAME_CHARACTERS]
