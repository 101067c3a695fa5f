"""The data subject of a privacy request, and whether an event's row is about them.

A visitor cookie identifies one visitor, whose every event is the person's. An e-mail address
identifies the forms that give it as the sender's own, under any name of the field. An event that
only mentions the address belongs to the person too, but its visitor may be somebody else.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, get_args
from urllib.parse import unquote

from services.core.email_addresses import read_email, spellings, visible
from services.core.errors import InvalidFieldsError, unknown_fields
from services.core.ports import Row
from services.tracking.events import VISITOR_COOKIE
from services.tracking.form_data import decoded, own_addresses, read_lead_from_url

IdentifierKind = Literal["email", "visitor_cookie"]

# The part of an address that is the same in JSON, and except for the @ in URLs.
_UNENCODED_PART = re.compile(r"[a-z0-9._-]*@[a-z0-9._-]*")


@dataclass(frozen=True, slots=True)
class DataSubject:
    """A person, identified by an e-mail address or a visitor cookie; neither is ever logged.

    `projects` are the ids of those in which they are searched for, with their `pixels`; None is
    all.
    """

    asked_by: IdentifierKind
    value: str = field(repr=False)
    projects: frozenset[str] | None = None
    pixels: frozenset[str] = frozenset()

    def covers(self, row: Row) -> bool:
        """Whether an event is of one of the projects in which the person is searched for."""
        return self.projects is None or row["pixel_id"] in self.pixels

    def check(self, request_id: str) -> str:
        """A digest by which a later portion of a request recognizes person and projects."""
        within = "" if self.projects is None else " " + " ".join(sorted(self.projects))
        text = f"{request_id} {self.asked_by} {self.value}{within}"
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def clue(self) -> str:
        """A lower-case text that every JSON text with the address contains, in either spelling."""
        address = self.value
        if len(spellings(address)) > 1:
            address = address[: address.index("@") + 1]
        match = _UNENCODED_PART.search(address)
        return match[0] if match else ""

    @property
    def url_clue(self) -> str:
        """The clue as URLs encode it; a URL with the address contains one of the two."""
        return self.clue.replace("@", "%40")

    def is_sender_of(self, row: Row) -> bool:
        """Whether the person filled in this form, or opened the page with their address."""
        is_theirs = self.asked_by == "email" and self.value in _sender_addresses(row)
        return is_theirs and self.covers(row)

    def is_in(self, *texts: str | None) -> bool:
        """Whether a text contains the whole e-mail address, in any spelling or encoding."""
        if self.asked_by != "email":
            return False
        # A full stop after the address may be the end of a sentence.
        addresses = "|".join(map(re.escape, spellings(self.value)))
        address = re.compile(rf"(?<![\w.+-])(?:{addresses})(?![\w-]|\.\w)")
        return any(address.search(_decoded_text(text)) for text in texts if text)

    def is_mentioned_in(self, row: Row) -> bool:
        """Whether any text of the event contains the address."""
        texts = ("form_data", "event_data", "page_url", "referrer_url", "page_title")
        return self.covers(row) and self.is_in(*(row[name] for name in texts))

    def is_other_sender(self, row: Row) -> bool:
        """Whether a person with a different address filled in this form."""
        senders = _sender_addresses(row)
        return self.asked_by == "email" and bool(senders) and self.value not in senders


def read_subject(
    body: Mapping[str, object],
    other_fields: frozenset[str],
    projects: frozenset[str] | None = None,
) -> DataSubject:
    """Reads the person from the body of a request, which may have `other_fields` too.

    They are searched for in these projects, or in all.

    Raises:
        InvalidFieldsError: the body has an unknown field, or not exactly one valid identifier.
    """
    problems = unknown_fields(body, ("email", "visitor_cookie", *sorted(other_fields)))
    named = [name for name in get_args(IdentifierKind) if body.get(name) is not None]
    if len(named) != 1:
        problems.append("say whom: either email or visitor_cookie, and not both")
    subjects = [_read_identifier(name, body[name], problems) for name in named]
    if problems:
        raise InvalidFieldsError(problems)
    return replace(subjects[0], projects=projects)


def _read_cookie(text: str) -> str | None:
    cookie = text.strip().lower()
    return cookie if VISITOR_COOKIE.fullmatch(cookie) else None


def _read_identifier(name: IdentifierKind, value: object, problems: list[str]) -> DataSubject:
    if name == "email":
        read, requirement = read_email, "an e-mail address, such as jane@example.com"
    else:
        read, requirement = _read_cookie, "16 hex digits, or pxl_ and 16 hex digits"
    identifier = read(value) if isinstance(value, str) else None
    if identifier is None:
        problems.append(f"{name}: must be {requirement}")
    return DataSubject(name, identifier or "")


def _sender_addresses(row: Row) -> frozenset[str]:
    """The addresses that a form gives as its sender's, or else the one in the page's URL."""
    senders = own_addresses(row["form_data"])
    lead = None if senders else read_lead_from_url(row["page_url"] or "")
    return frozenset([lead.email]) if lead and lead.email else senders


def _decoded_text(text: str) -> str:
    """The text in lower case, without invisible characters and the escapes of JSON and URLs."""
    form = decoded(text)
    unescaped = text if form is None else json.dumps(form, ensure_ascii=False)
    return visible(unquote(unescaped)).lower()
