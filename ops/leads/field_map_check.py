"""Compares a field map with the fields that an account really has."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from services.core.text import read_json
from services.pipedrive.fields import (
    FIELD_NAMES,
    AccountField,
    FieldMap,
    FieldMapError,
    field_map,
    read_field_map,
)

FieldVerdict = Literal["ok", "too short", "missing", "wrong type"]

SHORT_TEXTS = ("varchar", "varchar_auto", "phone")
LONG_VALUES = ("page_url", "referrer_url", "visited_pages", "user_agent", "search_query")
NUMBERS = ("event_id", "session_duration", "ad_id")
MOMENTS = ("last_visited_on",)
CHOICES = (
    *("device_type", "country", "event_type", "operating_system"),
    *(name for name in FIELD_NAMES if name.endswith(("_source", "_medium"))),
)
# The values that a field of each Pipedrive type accepts; other types accept none.
ACCEPTED_VALUES: Mapping[str, Sequence[str]] = {
    **dict.fromkeys((*SHORT_TEXTS, "text"), FIELD_NAMES),
    **dict.fromkeys(("date", "time"), MOMENTS),
    **dict.fromkeys(("enum", "set"), CHOICES),
    "double": NUMBERS,
    "address": ("location",),
}


@dataclass(frozen=True, slots=True)
class FieldCheck:
    """The check of one entry of a map. `field` is None if the account has no such field."""

    name: str
    key: str
    field: AccountField | None
    verdict: FieldVerdict
    note: str = ""

    @property
    def fails(self) -> bool:
        """Whether the value cannot be written to the account."""
        return self.verdict in {"missing", "wrong type"}


@dataclass(frozen=True, slots=True)
class ParsedFieldMap:
    """The usable entries of a map, its problems, and the value names that it does not have."""

    entries: FieldMap
    problems: Sequence[str]
    unmapped: Sequence[str]


def parse_field_map(text: str) -> ParsedFieldMap:
    """Parse a field map, and keep its usable entries."""
    entries = _read_entries(text)
    usable = {name: key for name, key in entries.items() if _is_usable(name, key)}
    return ParsedFieldMap(
        usable, _read_problems(text), [name for name in FIELD_NAMES if name not in entries]
    )


def check_fields(entries: FieldMap, fields: Sequence[AccountField]) -> Sequence[FieldCheck]:
    """Check each entry against the fields of an account."""
    by_key = {field.key: field for field in fields}
    return [_check_entry(name, key, by_key.get(key)) for name, key in entries.items()]


def _read_problems(text: str) -> Sequence[str]:
    try:
        read_field_map(text)
    except FieldMapError as error:
        return error.problems
    return ()


def _read_entries(text: str) -> FieldMap:
    try:
        entries = read_json(text)
    except ValueError:
        return {}
    return entries if isinstance(entries, dict) else {}


def _is_usable(name: str, key: object) -> bool:
    try:
        field_map({name: key})
    except FieldMapError:
        return False
    return True


def _check_entry(name: str, key: str, field: AccountField | None) -> FieldCheck:
    if field is None:
        return FieldCheck(name, key, None, "missing", "the account has no field with this key")
    if name not in ACCEPTED_VALUES.get(field.type, ()):
        return FieldCheck(name, key, field, "wrong type", f"{_needs(name)}, not {field.type}")
    if name in LONG_VALUES and field.type in SHORT_TEXTS:
        advice = "cut after 255 characters; a field of type text holds 65,000"
        return FieldCheck(name, key, field, "too short", advice)
    if field.type in {"enum", "set"}:
        options = ", ".join(json.dumps(option, ensure_ascii=False) for option in field.options)
        return FieldCheck(name, key, field, "ok", f"only these options arrive: {options or 'none'}")
    return FieldCheck(name, key, field, "ok")


def _needs(name: str) -> str:
    types = [field_type for field_type, names in ACCEPTED_VALUES.items() if name in names]
    return f"needs a field of type {', '.join(types[:-1])} or {types[-1]}"
