"""The field map: which of our values goes to which custom field of a Pipedrive account.

A map is a JSON object, {"utm_source": "<key>", …}. Keys are the 40 hex digits that Pipedrive gives
a custom field (`field_code`); they differ from account to account.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.core.click_ids import (
    CLICK_DETAILS,
    CLICK_FIELDS,
    CLICK_ID_COLUMNS,
    OTHER_CLICK_IDS,
)
from services.core.text import read_json, read_long_json

_TOUCH_COLUMNS = (
    *("utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term"),
    *CLICK_ID_COLUMNS,
    *("campaign_region", "ad_group", "ad_id", "search_query"),
)
TOUCH_FIELDS = (*_TOUCH_COLUMNS, *OTHER_CLICK_IDS, *CLICK_DETAILS)
# In the order in which people look for them; every name a map may hold.
FIELD_NAMES = (
    *_TOUCH_COLUMNS,
    *("first_touch_source", "first_touch_medium", "first_touch_campaign"),
    *("last_touch_source", "last_touch_medium", "last_touch_campaign"),
    *("page_url", "page_title", "referrer_url", "visited_pages"),
    *("last_visited_on", "session_duration"),
    *("country", "region", "city", "location", "ip_address"),
    *("device_type", "operating_system", "screen_resolution", "user_agent"),
    *("event_id", "event_type", "visitor_id", "session_id", "pixel_id", "project_id"),
    *CLICK_FIELDS,
)

_KEY = re.compile(r"[0-9a-f]{40}")
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?", re.ASCII)
_MAX_UTF16_UNITS = {"varchar": 255, "varchar_auto": 255, "phone": 255, "text": 65_000}
SEPARATOR = ", "

FieldMap = Mapping[str, str]


class FieldMapError(ValueError):
    """A field map is invalid; `problems` says, for each entry, what is wrong."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class AccountField:
    """One custom field of an account. `options` are the ids of an enum or set by label."""

    key: str
    name: str
    type: str
    options: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class LeadValue:
    """One value of a lead: as text for people, and as a number or a time where it is one.

    A long text is truncated between its `parts`.
    """

    text: str
    number: float | None = None
    moment: datetime | None = None
    parts: tuple[str, ...] = ()


def read_field_map(text: str) -> FieldMap:
    """The field map in a JSON text.

    Raises:
        FieldMapError: it is not a JSON object of known names and keys, or two names share a key.
    """
    try:
        entries = read_json(text)
    except ValueError:
        raise FieldMapError(["must be a JSON object"]) from None
    return field_map(entries)


def field_map(entries: object) -> FieldMap:
    """The field map in untrusted entries.

    Raises:
        FieldMapError: they are not an object of known names and keys, or two names share a key.
    """
    if not isinstance(entries, dict):
        raise FieldMapError(["must be a JSON object"])
    problems = list(_problems(entries))
    if problems:
        raise FieldMapError(problems)
    return entries


def _problems(entries: Mapping[str, object]) -> Iterator[str]:
    if not entries:
        yield "must not be empty"
    names_by_key: dict[str, str] = {}
    for name, key in entries.items():
        if name not in FIELD_NAMES:
            yield f"{name[:40]} is none of our values"
        elif not isinstance(key, str) or not _KEY.fullmatch(key):
            yield f"{name}: a key has 40 digits from 0-9 and a-f"
        elif key in names_by_key:
            yield f"{name}: {names_by_key[key]} has the same key"
        else:
            names_by_key[key] = name


def read_account_fields(data: Sequence[object]) -> Iterator[AccountField]:
    """The custom fields in the `data` of `GET /personFields`; malformed entries are skipped."""
    for entry in data:
        if not isinstance(entry, dict):
            continue
        key = entry.get("field_code")
        if isinstance(key, str) and _KEY.fullmatch(key):
            yield AccountField(
                key=key,
                name=str(entry.get("field_name") or ""),
                type=str(entry.get("field_type") or ""),
                options=_options(entry.get("options")),
            )


def _options(options: object) -> Mapping[str, int]:
    entries = options if isinstance(options, list) else []
    return {
        str(option["label"]).casefold(): option["id"]
        for option in entries
        if isinstance(option, dict) and "label" in option and isinstance(option.get("id"), int)
    }


def format_value(value: LeadValue, field: AccountField) -> object:
    """The JSON value for a field of this type, or None where the type does not fit the value."""
    match field.type:
        case "varchar" | "varchar_auto" | "phone" | "text":
            return _truncate(value, _MAX_UTF16_UNITS[field.type]) or None
        case "double":
            return _format_number(value)
        case "date" | "time":
            return _format_time(value, field.type)
        case "enum" | "set":
            option = field.options.get(value.text.casefold())
            return [option] if option is not None and field.type == "set" else option
        case "address":
            return {"value": value.text} if value.text else None
    return None


def _format_time(value: LeadValue, field_type: str) -> object:
    if value.moment is None:
        return None
    if field_type == "date":
        return value.moment.strftime("%Y-%m-%d")
    return {"value": value.moment.strftime("%H:%M:%S")}


def _format_number(value: LeadValue) -> float | int | None:
    number = value.number
    if number is None:
        # float() also reads 1_000 and the digits of other scripts.
        if not _NUMBER.fullmatch(value.text):
            return None
        number = float(value.text)
    if not math.isfinite(number):
        return None
    return int(number) if number == int(number) else number


def _truncate(value: LeadValue, max_units: int) -> str:
    """The text in at most `max_units` UTF-16 units: whole parts where it has some."""
    if _utf16_units(value.text) <= max_units:
        return value.text
    text = ""
    for part in value.parts:
        extended = f"{text}{SEPARATOR}{part}" if text else part
        if _utf16_units(extended) > max_units:
            break
        text = extended
    return text or _truncate_characters(value.text, max_units)


def _utf16_units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _truncate_characters(text: str, max_units: int) -> str:
    # Half a surrogate pair at the end is dropped.
    return text.encode("utf-16-le", "surrogatepass")[: 2 * max_units].decode("utf-16-le", "ignore")


def fields_as_json(fields: Sequence[AccountField]) -> str:
    """The fields as one JSON text, for the cache."""
    return json.dumps([[field.key, field.name, field.type, field.options] for field in fields])


def _rows(value: object) -> list[Any]:
    if not isinstance(value, list) or not all(isinstance(row, list) for row in value):
        raise TypeError("no list of lists")
    return value


def fields_from_json(text: str) -> list[AccountField]:
    """The fields in a text of `fields_as_json`.

    Raises:
        ValueError, TypeError: it is another text.
    """
    fields = [AccountField(*field) for field in _rows(read_long_json(text))]
    for field in fields:
        if not all(isinstance(word, str) for word in (field.key, field.name, field.type)):
            raise TypeError("key, name, type")
        if not isinstance(field.options, dict) or not all(
            type(option) is int for option in field.options.values()
        ):
            raise TypeError("options")
    return fields
