"""What a key without the permission `leads` sees of visitors: no person.

Every answer to such a key passes `anonymous`, so a report cannot forget it; exports, whose lines
SQL makes, pass `shown_line`. What is a campaign's stays: addresses keep host, path, the values of
nine `utm_…` and the names of click IDs, whose values are masked wherever they are. What looks like
a person in what stays is masked as a whole. A bare name looks like any word: it is hidden by its
place, in titles, forms and parameters, also of an address that is written loosely.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from urllib.parse import unquote

from services.core.event_lines import (
    ADDRESS_COLUMNS,
    CHECKED_COLUMNS,
    COLUMNS,
    MASKED_COLUMNS,
    PERSONAL_COLUMNS,
    Event,
    bare_address,
    text_cell,
)
from services.tracking.attribution import CLICK_IDS
from services.tracking.link_parameters import pairs_of

MASK = "***"
# Of addresses that were encoded again and again.
_MAX_DECODINGS = 4
_DATA = "_data"
# What operators chose, and what only continues a list.
_NOT_OF_VISITORS = frozenset(
    ("pixel_id", "pixel_name", "project_id", "project_name", "next_cursor")
)

# An e-mail address or a handle, a user agent, a telephone number (that of a country, of a town, or
# as in America), an IP address. Numbers of campaigns and dates are none of these.
_PERSON = re.compile(
    r"""
    [@\uff20]
    | \b(?:Mozilla|AppleWebKit|Opera)/
    | (?<![\w.:/-]) 00 [\s().-]* (?:\d[\s()./-]*){6,14} \d (?!\w)
    | (?<![\w./-]) \+ [\s().-]* (?:\d[\s()./-]*){6,14} \d (?!\w)
    | \b(?:tel|sms|callto|fax|phone|mobile|whatsapp): \s* \(?\d(?:[\s()./-]*\d){6,14} (?!\w)
    | (?<![\w.:/-]) \(?0 (?:[\s()./-]*\d){8,14} (?!\w)
    | (?<![\w.:-]) \(?\d{3}\)?[\s.-]{1,2}\d{3}[\s.-]\d{4} (?![\w-])
    | (?<![\w.]) \d{1,3}(?:\.\d{1,3}){3} (?![\w.])
    | (?<![\w:]) (?:[0-9a-f]{1,4}:){2,}[0-9a-f:]*(?:::|:[0-9a-f]{1,4}) (?!\w)
    """,
    re.VERBOSE | re.IGNORECASE,
)
# In a path also long numbers and tokens: a UUID, a long word with digits among its letters.
_TOKEN = re.compile(
    r"""
    ^\d{10,}$
    | [0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}
    | (?=[A-Za-z]*\d)(?=\d*[A-Za-z])[A-Za-z0-9]{16,}
    | [A-Za-z0-9]{32,}
    """,
    re.VERBOSE | re.IGNORECASE,
)
# Everything that is masked holds one of these; most texts hold none.
_SUSPICIOUS = re.compile(
    r"""
    [@\uff20%] | (?:ozilla|ebkit|pera)/ | \d(?:[\s()./-]*\d){6} | \d\.\d{1,3}\.
    | :[0-9a-f]{0,4}: | [0-9a-f]{12} | [a-z0-9]{16} | [?\#] | [/\\;&][^/\\;&=]*=
    """,
    re.VERBOSE | re.IGNORECASE,
)
# A browser reads http and https with any slashes or none; old Workers stored such addresses.
_SCHEME = re.compile(r"(https?):[/\\]*|([a-z][a-z0-9+.-]*)://", re.IGNORECASE)
_IGNORED_IN_ADDRESSES = {ord(character): None for character in "\t\n\r"}
_BEFORE_ADDRESSES = "".join(map(chr, range(0x21))) + "\ufeff\xa0"
# One without a scheme: that of a page, or of a site.
_RELATIVE = re.compile(r"[^\s?#]*[/\\.][^\s?#]*[?#]|[/\\]")
_PARAMETER = re.compile(r"[?&;#][^?&;#=]{1,60}=")
_PARAMETERS_OF_A_SEGMENT = re.compile(r"[;&][^;&=]*=.*", re.DOTALL)
_CAMPAIGN = frozenset(
    (
        *("utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term", "utm_id"),
        *("utm_source_platform", "utm_creative_format", "utm_marketing_tactic"),
    )
)
_ANCHOR = re.compile(r"[A-Za-z][A-Za-z_-]{0,39}")
_CELL = re.compile(r'("(?:[^"]|"")*"|[^,]*)(,|$)')


def anonymous(content: object) -> object:
    """The content of an answer without persons; its keys and types stay."""
    match content:
        case dict():
            masked: dict[str, object] = {}
            for name, value in content.items():
                _add(masked, shown_text(name), _shown_member(name, value))
            return masked
        case list():
            return [anonymous(value) for value in content]
        case str():
            return shown_text(content)
        case _:
            return content


def shown_text(text: str) -> str:
    """A text, or the mask if it holds something of a person; an address without its parts."""
    if not _SUSPICIOUS.search(text):
        return text
    address = _as_browsers_read(text)
    if _SCHEME.match(address) or _RELATIVE.match(address):
        return shown_address(address)
    return MASK if _may_show_person(_decoded(text)) else text


def shown_address(url: str) -> str:
    """An address with its host, its path, what it says of a campaign, and nothing of a person."""
    address, _, fragment = _as_browsers_read(url).partition("#")
    page, question_mark, query = address.partition("?")
    start = ""
    if scheme := _SCHEME.match(page):
        page = page[scheme.end() :]
        if scheme[1]:
            page = page.replace("\\", "/")
        authority, slash, path = page.partition("/")
        start = f"{scheme[1] or scheme[2]}://{authority.rpartition('@')[2]}"
        page = f"{slash}{path}"
    masked = _shown_path(f"{page}{question_mark}{query}")
    return f"{start}{masked}{_shown_fragment(fragment)}"


def without_persons(event: Event) -> Mapping[str, object]:
    """What is shown in place of an event's columns; the same in SQL and here is `export_pages`."""
    changes: Event = dict.fromkeys(PERSONAL_COLUMNS)
    for name in CHECKED_COLUMNS:
        value = event.get(name)
        if isinstance(value, str):
            stored = bare_address(value) if name in ADDRESS_COLUMNS else value
            changes[name] = _shown_column(name, stored)
    return changes | {name: MASK for name in MASKED_COLUMNS if event.get(name)}


def shown_line(line: str, *, is_csv: bool) -> str:
    """A line of an export in which SQL has left out what is hidden by its place."""
    if is_csv:
        return _shown_csv(line)
    event = json.loads(line)
    return json.dumps(event | without_persons(event), ensure_ascii=False, separators=(",", ":"))


def is_suspicious(text: str) -> bool:
    """Whether some of a line's texts may change; the others need not be looked at."""
    return _SUSPICIOUS.search(text) is not None


def _shown_member(name: str, value: object) -> object:
    if name in _NOT_OF_VISITORS:
        return value
    if name in PERSONAL_COLUMNS:
        return None
    if name in MASKED_COLUMNS and isinstance(value, str):
        return MASK if value else value
    masked = anonymous(value)
    if name.endswith(_DATA) and isinstance(value, dict):
        hidden = {name: None for name in value if name in PERSONAL_COLUMNS}
        return masked if masked == value | hidden else None
    return masked


def _add(content: dict[str, object], name: str, value: object) -> None:
    """Adds a member; numbers whose names were masked become one."""
    before = content.get(name)
    if isinstance(before, int) and isinstance(value, int):
        value += before
    content[name] = value


def _shown_column(name: str, value: str) -> str | None:
    masked = shown_text(value)
    # What describes a browser is shown as a whole or not at all.
    return None if name.endswith(_DATA) and masked != value else masked


def _shown_csv(line: str) -> str:
    cells = [match[1] for match in _CELL.finditer(line)][: len(COLUMNS)]
    return ",".join(map(_shown_cell, COLUMNS, cells))


def _shown_cell(name: str, cell: str) -> str:
    if name not in CHECKED_COLUMNS or not cell.startswith('"'):
        return cell
    text = cell[1:-1].replace('""', '"')
    if text.startswith("'") and text_cell(text[1:]) == cell:
        text = text[1:]
    masked = _shown_column(name, text)
    if masked == text:
        return cell
    return "" if masked is None else text_cell(masked)


def _decoded(text: str) -> str:
    for _ in range(_MAX_DECODINGS):
        if "%" not in text:
            break
        text = unquote(text)
    return text


def _as_browsers_read(address: str) -> str:
    return address.translate(_IGNORED_IN_ADDRESSES).lstrip(_BEFORE_ADDRESSES)


def _may_show_person(text: str) -> bool:
    """Whether a decoded text shows a person, or has a parameter, whose value may be a name."""
    return bool(_PERSON.search(text) or _PARAMETER.search(text))


def _shown_path(path: str) -> str:
    """A path with its query: segments of persons are masked, parameters of campaigns stay."""
    segments, _, query = path.partition("?")
    masked = "/".join(map(_shown_segment, segments.split("/")))
    pairs = "&".join(filter(None, map(_shown_pair, pairs_of(query))))
    return f"{masked}?{pairs}" if pairs else masked


def _shown_segment(segment: str) -> str:
    segment = _PARAMETERS_OF_A_SEGMENT.sub("", segment)
    text = _decoded(segment)
    return MASK if "=" in text or _PERSON.search(text) or _TOKEN.search(text) else segment


def _shown_pair(pair: str) -> str:
    name, _, value = pair.partition("=")
    parameter = _decoded(name).lower()
    if parameter in CLICK_IDS:
        return f"{name}={MASK}" if value else ""
    if parameter not in _CAMPAIGN:
        return ""
    return f"{name}={MASK if _may_show_person(_decoded(value)) else value}"


def _shown_fragment(fragment: str) -> str:
    """Routes and campaigns in a fragment, and the names of anchors."""
    if fragment.startswith(("/", "!")):
        masked = _shown_path(fragment)
    elif "=" in fragment:
        masked = _shown_path(f"?{fragment.rpartition('?')[2]}")[1:]
    else:
        masked = fragment if _ANCHOR.fullmatch(fragment) else ""
    return f"#{masked}" if masked else ""
