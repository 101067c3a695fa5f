"""The person whom a request for privacy is about, and what of an event's row is about them.

By their visitor cookie everything of that visitor is theirs. By their e-mail address a form is
theirs if it gives the address as its sender's own, in whatever spelling of fields; an event that
only mentions the address goes with them, but its visitor is somebody else.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args
from urllib.parse import unquote

from services.core.errors import InvalidFieldsError, unknown_fields
from services.core.ports import Row
from services.tracking.events import VISITOR_COOKIE
from services.tracking.form_data import decoded, own_addresses, read_email, read_lead_from_url

AskedBy = Literal["email", "visitor_cookie"]

# Of an address, what no encoder of JSON writes differently, nor one of URLs but for the @.
_KEPT = re.compile(r"[a-z0-9._-]*@[a-z0-9._-]*")


@dataclass(frozen=True, slots=True)
class DataSubject:
    """One person, by one of the two. Neither is ever shown or logged."""

    asked_by: AskedBy
    value: str = field(repr=False)

    def check(self, request_id: str) -> str:
        """A digest that tells whether a later portion of a request is about the same person."""
        said = f"{request_id} {self.asked_by} {self.value}"
        return hashlib.sha256(said.encode()).hexdigest()

    @property
    def clue(self) -> str:
        """A text in lower case that is in every JSON text with the address."""
        found = _KEPT.search(self.value)
        return found[0] if found else ""

    @property
    def url_clue(self) -> str:
        """The same in the address of a page; there either of the two is."""
        return self.clue.replace("@", "%40")

    def sent(self, row: Row) -> bool:
        """Whether the person filled in this form, or came with the address in the page's."""
        return self.asked_by == "email" and self.value in _senders(row)

    def is_in(self, *texts: str | None) -> bool:
        """Whether one of the texts has the e-mail address, whole, as it is or encoded."""
        if self.asked_by != "email":
            return False
        # A full stop may end a sentence as well.
        whole = re.compile(rf"(?<![\w.+-]){re.escape(self.value)}(?![\w-]|\.\w)")
        return any(whole.search(_plain(text)) for text in texts if text)

    def is_mentioned(self, row: Row) -> bool:
        """Whether the event has the address anywhere."""
        texts = ("form_data", "event_data", "page_url", "referrer_url", "page_title")
        return self.is_in(*(row[name] for name in texts))

    def is_strangers(self, row: Row) -> bool:
        """Whether somebody with another address filled in this form."""
        senders = _senders(row)
        return self.asked_by == "email" and bool(senders) and self.value not in senders


def read_subject(sent: Mapping[str, object], others: frozenset[str]) -> DataSubject:
    """The person in the body of a request, which may have `others` besides.

    Raises:
        InvalidFieldsError: it names none, or two, or what it says is no address or cookie.
    """
    problems = unknown_fields(sent, ("email", "visitor_cookie", *sorted(others)))
    named = [name for name in get_args(AskedBy) if sent.get(name) is not None]
    if len(named) != 1:
        problems.append("say whom: either email or visitor_cookie, and not both")
    subjects = [_read(name, sent[name], problems) for name in named]
    if problems:
        raise InvalidFieldsError(problems)
    return subjects[0]


def _cookie(text: str) -> str | None:
    cookie = text.strip().lower()
    return cookie if VISITOR_COOKIE.fullmatch(cookie) else None


def _read(name: AskedBy, value: object, problems: list[str]) -> DataSubject:
    if name == "email":
        read, needed = read_email, "an e-mail address, such as jane@example.com"
    else:
        read, needed = _cookie, "16 hex digits, or pxl_ and 16 hex digits"
    found = read(value) if isinstance(value, str) else None
    if found is None:
        problems.append(f"{name}: must be {needed}")
    return DataSubject(name, found or "")


def _senders(row: Row) -> frozenset[str]:
    """Whose form it is: the addresses in it, or the one in the page's where it has none."""
    senders = own_addresses(row["form_data"])
    lead = None if senders else read_lead_from_url(row["page_url"] or "")
    return frozenset([lead.email]) if lead and lead.email else senders


def _plain(text: str) -> str:
    """The text without JSON's and the web's encodings, in lower case."""
    form = decoded(text)
    said = text if form is None else json.dumps(form, ensure_ascii=False)
    return unquote(said).lower()
