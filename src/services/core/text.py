"""Text of strangers, made safe to store."""

import json
import re
from collections.abc import Mapping

# Breaks become spaces, so that two lines do not grow into one word.
_BREAK = re.compile(r"[\t\n\r]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_LONE_SURROGATE = re.compile(r"[\ud800-\udfff]")

# CPython on WebAssembly has no RecursionError for JSON: some 6,000 levels overflow the stack
# and take the whole isolate down. What nests deeper than this has at least as many brackets.
_MAX_BRACKETS = 500


def clean(value: str, limit: int) -> str | None:
    """The value as one line of at most `limit` characters that UTF-8 can hold, or None if blank."""
    if not value.isprintable():
        value = _CONTROL.sub("", _BREAK.sub(" ", value))
        value = without_lone_surrogates(value)
    return value.strip()[:limit].rstrip() or None


def without_lone_surrogates(value: str) -> str:
    """The value with a replacement character for each half of a pair that UTF-8 cannot hold."""
    return _LONE_SURROGATE.sub("\ufffd", value)


def whole_number(text: str, most: int) -> int | None:
    """The whole number from 1 to `most` (at most 999) that the text says, or None."""
    number = int(text) if re.fullmatch("[0-9]{1,3}", text) else 0
    return number if 1 <= number <= most else None


def read_whole_number(name: str, text: str, maximum: int, problems: list[str]) -> int:
    """Read a parameter that is a whole number from 1 to `maximum` (at most 99,999).

    A problem with it is appended to `problems`; the result is then 1.
    """
    number = int(text) if re.fullmatch("[0-9]{1,5}", text) else 0
    if 1 <= number <= maximum:
        return number
    problems.append(f"{name}: must be a whole number from 1 to {maximum:,}")
    return 1


# Whole strings, so that what is left of a text has only the brackets of its structure. One without
# an end reaches to the end of the text.
_STRING = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)
_MAX_DEPTH = 16


def read_json(text: str) -> object:
    """What the JSON text says.

    Raises:
        ValueError: it is not JSON, or has more brackets than any honest sender needs.
    """
    if text.count("[") + text.count("{") > _MAX_BRACKETS:
        raise ValueError("too many brackets in the JSON")
    value: object = json.loads(text)
    return value


def read_long_json(text: str) -> object:
    """What a long JSON text of many values says, with at most 16 levels of brackets.

    Raises:
        ValueError: it is not JSON, or it nests deeper, or it has a number that JSON does not know.
    """
    depth = 0
    for bracket in re.findall(r"[\[\]{}]", _STRING.sub("", text)):
        depth += 1 if bracket in "[{" else -1
        if depth > _MAX_DEPTH:
            raise ValueError("too many levels of brackets in the JSON")
    value: object = json.loads(text, parse_constant=_refuse_constant)
    return value


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is no JSON")


def read_object(text: str | None) -> Mapping[str, object]:
    """What the JSON text of an object says; empty where there is no such text."""
    try:
        content = read_json(text or "{}")
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}
