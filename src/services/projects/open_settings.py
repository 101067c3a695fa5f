"""What a key with the role `read` sees of projects and pixels: nothing that opens something else.

Webhook addresses are passwords, and configurations of old hold tokens under any name. So of a
configuration the settings of this product are shown, where their value is one, and of the rest the
names, numbers and flags.
"""

from __future__ import annotations

import json
import re

from services.core.text import read_json
from services.projects.configuration import PROJECT_SHAPE

MASK = "***"
_MAX_DEPTH = 16
_USER = re.compile(r"//[^/?#]*@")
# In names of numbers, too: a PIN is one.
_SECRET_NAME = re.compile(
    r"key|token|secret|passw|pwd|pin\b|auth|credential|signature|private|hook", re.IGNORECASE
)


def without_secrets(content: object) -> object:
    """The content of an answer without secrets; its keys stay, and the types of its fields."""
    match content:
        case dict():
            return {name: _shown_field(name, value) for name, value in content.items()}
        case list():
            return [without_secrets(value) for value in content]
        case _:
            return content


def _shown_field(name: str, value: object) -> object:
    match name, value:
        case "webhook_url", str():
            return MASK
        case "website_url", str():
            return re.split(r"[?#]", _USER.sub("//", value))[0]
        case "configuration", str():
            return _shown_text(value)
        case "configuration", _:
            return _shown_value(value)
        case _:
            return without_secrets(value)


def _shown_text(configuration: str) -> str:
    """A configuration as the old addresses answer it: JSON text, in production also other text."""
    if not configuration.strip():
        return configuration
    try:
        content = read_json(configuration)
    except ValueError:
        return MASK
    return json.dumps(_shown_value(content), separators=(",", ":"), ensure_ascii=False)


def _shown_value(value: object, depth: int = 0) -> object:
    match value:
        case dict() if depth < _MAX_DEPTH:
            return {name: _shown_setting(name, member, depth) for name, member in value.items()}
        case list() if depth < _MAX_DEPTH:
            return [_shown_value(member, depth + 1) for member in value]
        case bool() | int() | float() | None:
            return value
        case _:
            return MASK if value else value


def _shown_setting(name: str, value: object, depth: int) -> object:
    if name in PROJECT_SHAPE:
        try:
            PROJECT_SHAPE[name](value)
        except ValueError:
            pass
        else:
            return value
    if _SECRET_NAME.search(name) and isinstance(value, int | float) and not isinstance(value, bool):
        return MASK
    return _shown_value(value, depth + 1)
