"""What may be written into a custom field, by its type."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import date, time
from typing import TypeGuard

from simulator.fields import Field

VARCHAR_LENGTH = 255
TEXT_LENGTH = 65_000

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_TIME = re.compile(r"\d{2}:\d{2}:\d{2}")
_CURRENCY = re.compile(r"[A-Z]{3}")


def problem(field: Field, value: object) -> str | None:
    """What is wrong with a value for a field; None if it may be written."""
    if value is None:
        return None
    if value == "":
        return "must not be an empty string; omit the key, or send null to clear it"
    rule = _RULES.get(field.field_type)
    if rule is None:
        return f"fields of type {field.field_type} are not simulated"
    return rule(field, value)


def _text_up_to(length: int) -> Callable[[Field, object], str | None]:
    def rule(_: Field, value: object) -> str | None:
        if isinstance(value, str) and len(value) <= length:
            return None
        return f"must be a string of at most {length} characters"

    return rule


def _is_number(value: object) -> bool:
    """JSON's booleans are no numbers, though Python's are."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _double(_: Field, value: object) -> str | None:
    return None if _is_number(value) else "must be a number"


def _date(_: Field, value: object) -> str | None:
    if _reads_as(_DATE, date.fromisoformat, value):
        return None
    return 'must be a date as "YYYY-MM-DD"'


def _time(_: Field, value: object) -> str | None:
    if _has_keys(value, "value") and _reads_as(_TIME, time.fromisoformat, value["value"]):
        return None
    return 'must be an object {"value": "HH:MM:SS"}'


def _enum(field: Field, value: object) -> str | None:
    return None if _is_option(field, value) else "must be the id of one of the field's options"


def _set(field: Field, value: object) -> str | None:
    if isinstance(value, list) and value and all(_is_option(field, option) for option in value):
        return None
    return "must be a list of ids of the field's options, not empty"


def _monetary(_: Field, value: object) -> str | None:
    if (
        _has_keys(value, "value", "currency")
        and _is_number(value["value"])
        and _reads_as(_CURRENCY, str, value["currency"])
    ):
        return None
    return 'must be an object {"value": number, "currency": "USD"}'


def _address(_: Field, value: object) -> str | None:
    if _has_keys(value, "value") and isinstance(value["value"], str) and value["value"]:
        return None
    return 'must be an object {"value": "…"}'


def _is_option(field: Field, value: object) -> bool:
    return type(value) is int and value in dict(field.options)


def _has_keys(value: object, *keys: str) -> TypeGuard[dict[str, object]]:
    return isinstance(value, dict) and value.keys() == set(keys)


def _reads_as(pattern: re.Pattern[str], parse: Callable[[str], object], value: object) -> bool:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        return False
    try:
        parse(value)
    except ValueError:
        return False
    return True


_RULES: dict[str, Callable[[Field, object], str | None]] = {
    "varchar": _text_up_to(VARCHAR_LENGTH),
    "varchar_auto": _text_up_to(VARCHAR_LENGTH),
    "phone": _text_up_to(VARCHAR_LENGTH),
    "text": _text_up_to(TEXT_LENGTH),
    "double": _double,
    "date": _date,
    "time": _time,
    "enum": _enum,
    "set": _set,
    "monetary": _monetary,
    "address": _address,
}
