"""Untrusted text and JSON, made safe to store."""

import json
import re
from collections.abc import Mapping

# Breaks become spaces, so that two lines do not grow into one word.
_BREAK = re.compile(r"[\t\n\r]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_LONE_SURROGATE = re.compile(r"[\ud800-\udfff]")

# A spreadsheet takes a text that begins with one of these for a formula: `=`, `+`, `-`, `@`, their
# full-width and small forms of East Asian keyboards, and the minus of mathematics.
# https://owasp.org/www-community/attacks/CSV_Injection
FORMULA_SIGNS = "=+-@\uff1d\uff0b\uff0d\uff20\u2212\ufe62\ufe63\ufe66\ufe6b"

# CPython on WebAssembly has no RecursionError for JSON: some 6,000 levels overflow the stack
# and kill the isolate. Text that nests deeper than this has at least as many brackets.
_MAX_BRACKETS = 500
# Complete string literals: without them a text has only the brackets of its structure. A literal
# without an end reaches to the end of the text.
_STRING = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)
_MAX_DEPTH = 16


def clean(value: str, limit: int) -> str | None:
    """The value as one line of at most `limit` characters that UTF-8 can hold, or None if blank."""
    if not value.isprintable():
        value = _CONTROL.sub("", _BREAK.sub(" ", value))
        value = without_lone_surrogates(value)
    return value.strip()[:limit].rstrip() or None


def without_lone_surrogates(value: str) -> str:
    """The value with a replacement character for each half of a pair that UTF-8 cannot hold."""
    return _LONE_SURROGATE.sub("\ufffd", value)


def whole_number(text: str, maximum: int, max_digits: int = 3) -> int | None:
    """The whole number from 1 to `maximum` that the text holds in so many digits, or None."""
    number = int(text) if re.fullmatch(f"[0-9]{{1,{max_digits}}}", text) else 0
    return number if 1 <= number <= maximum else None


def read_whole_number(name: str, text: str, maximum: int, problems: list[str]) -> int:
    """The whole number from 1 to `maximum` (at most 99,999) in a parameter's text.

    A problem with it is appended to `problems`; the result is then 1.
    """
    number = whole_number(text, maximum, max_digits=5)
    if number is None:
        problems.append(f"{name}: must be a whole number from 1 to {maximum:,}")
    return number or 1


def read_json(text: str) -> object:
    """The value of a JSON text, also behind the mark that some editors put in front of a text.

    Raises:
        ValueError: it is not JSON, or has more brackets than any honest sender needs.
    """
    text = text.removeprefix("\ufeff")
    if _brackets(text) > _MAX_BRACKETS and _brackets(_STRING.sub("", text)) > _MAX_BRACKETS:
        raise ValueError("too many brackets in the JSON")
    value: object = json.loads(text)
    return value


def _brackets(text: str) -> int:
    return text.count("[") + text.count("{")


def read_long_json(text: str) -> object:
    """The value of a long JSON text with many values and at most 16 levels of brackets.

    Raises:
        ValueError: it is not JSON, nests deeper, or has a number that JSON does not allow.
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


def read_object(text: object) -> Mapping[str, object]:
    """The members of a JSON object; empty where the text is none, or the column holds bytes."""
    if text is not None and not isinstance(text, str):
        return {}
    try:
        content = read_json(text or "{}")
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}
