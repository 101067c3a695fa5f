"""What a CRM shows or exports is plain text, whoever sent it: no formula and nothing invisible."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace

from services.core.text import FORMULA_SIGNS
from services.core.web_addresses import read_web_address
from services.pipedrive.fields import SEPARATOR, LeadValue

ADDRESSES = frozenset(("page_url", "referrer_url"))
_BREAK = re.compile(r"[\t\n\r]")
_INVISIBLE = frozenset(("Cc", "Cf", "Co", "Cs", "Zl", "Zp"))
_BREAKS = frozenset(("Zl", "Zp"))


def plain_value(name: str, value: LeadValue | None) -> LeadValue | None:
    """The value as plain text, or None where nothing is left of it or it is no address."""
    if value is None:
        return None
    if name in ADDRESSES:
        address = _address(value.text)
        return replace(value, text=address) if address else None
    if value.parts:
        parts = tuple(filter(None, map(_address, value.parts)))
        return replace(value, text=SEPARATOR.join(parts), parts=parts) if parts else None
    text = visible(value.text).lstrip(f"{FORMULA_SIGNS} ")
    return replace(value, text=text) if text else None


def visible(text: str) -> str:
    """The text without characters that control or format it; breaks become spaces."""
    if text.isascii() and text.isprintable():
        return text.strip()
    return "".join(map(_visible_character, text)).strip()


def _address(text: str) -> str | None:
    # A browser leaves breaks out of an address.
    address = read_web_address(visible(_BREAK.sub("", text)))
    return address.replace(" ", "%20") if address else None


def _visible_character(character: str) -> str:
    if character in "\t\n\r" or unicodedata.category(character) in _BREAKS:
        return " "
    return "" if unicodedata.category(character) in _INVISIBLE else character
