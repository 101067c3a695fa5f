"""E-mail addresses as people type them, in the one spelling in which they are stored.

That spelling is in lower case, without invisible characters, and with the domain in ASCII:
`Jane@münchen.example` and `jane@xn--mnchen-3ya.example` are one person.
"""

from __future__ import annotations

import re
import unicodedata

MAX_EMAIL_CHARACTERS = 254

_EMAIL = re.compile(r'[^\s@<>()\[\],;:\\"/\ufffd]+@(?:[\w-]+\.)+[\w-]+')
# Format characters and fillers: zero-width spaces, marks of direction, soft hyphens, variants.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
_FULL_STOPS = re.compile("[\u3002\uff0e\uff61]")
# What a copied address brings along: `mailto:jane@example.com`, `Jane Doe <jane@example.com>`,
# `….com.`
_WRAPPING = re.compile(
    r"(?:[^<>@]*<)?\s*(?:mailto:\s*)?[<('\"\s]*(.*?)[>)'\"\s.,;]*", re.IGNORECASE | re.DOTALL
)


def read_email(text: str) -> str | None:
    """The address in the spelling of stored ones; None if the text is no e-mail address."""
    if "@" not in text and "\uff20" not in text and "\ufe6b" not in text:
        return None
    if not text.isascii():
        text = _without_variants(text)
    match = _WRAPPING.fullmatch(text.strip())
    email = match[1].lower() if match else ""
    if len(email) > MAX_EMAIL_CHARACTERS or not _EMAIL.fullmatch(email):
        return None
    return email if email.isascii() else _with_ascii_domain(email)


def spellings(email: str) -> tuple[str, ...]:
    """A stored address, and with its domain in Unicode if that is another spelling."""
    local, _, domain = email.rpartition("@")
    if "xn--" not in domain:
        return (email,)
    return tuple(dict.fromkeys((email, f"{local}@{'.'.join(map(_unicode, domain.split('.')))}")))


def ascii_domain(domain: str) -> str:
    """A domain in lower case and ASCII, as it is looked up: `xn--mnchen-3ya.example`."""
    if domain.isascii():
        return domain.lower()
    return ".".join(map(_ascii, _without_variants(domain).split(".")))


def visible(text: str) -> str:
    """The text without the characters that are never part of an address, composed."""
    return text if text.isascii() else _without_variants(text)


def _without_variants(text: str) -> str:
    # Character by character: the lower case of a final Σ would be another letter.
    composed = unicodedata.normalize("NFKC", _INVISIBLE.sub("", text))
    lowered = "".join(map(str.lower, _FULL_STOPS.sub(".", composed)))
    return _INVISIBLE.sub("", unicodedata.normalize("NFKC", lowered))


def _with_ascii_domain(email: str) -> str | None:
    local, _, domain = email.rpartition("@")
    ascii_email = f"{local}@{ascii_domain(domain)}"
    return ascii_email if len(ascii_email) <= MAX_EMAIL_CHARACTERS else None


def _ascii(label: str) -> str:
    if label.isascii():
        return label
    import idna  # noqa: PLC0415  # few addresses need it, and to import it takes time

    try:
        return idna.alabel(label).decode()
    except idna.IDNAError:
        # Browsers go to domains that the standard forbids, such as those of emoji.
        return f"xn--{label.encode('punycode').decode()}"


def _unicode(label: str) -> str:
    if not label.startswith("xn--"):
        return label
    import idna  # noqa: PLC0415  # few addresses need it, as in _ascii

    try:
        return idna.ulabel(label)
    except idna.IDNAError:
        try:
            return label.removeprefix("xn--").encode().decode("punycode")
        except ValueError:
            return label
