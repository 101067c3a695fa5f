"""Pipedrive's answers: read from JSON, and what an error among them is about."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from services.core.email_addresses import read_email
from services.core.ports import HttpAnswer
from services.core.text import clean
from services.pipedrive.limits import Operation

MAX_REASON_CHARACTERS = 200

TRANSIENT_STATUSES = frozenset((HTTPStatus.REQUEST_TIMEOUT, *range(500, 600)))
# Caused by the settings, not by a lead: the address, the token, the plan.
ACCOUNT_ERROR_STATUSES: Mapping[Operation, Collection[int]] = {
    "search": frozenset((403, 404, 405, 410)),
    "fields": range(400, 500),
    "person": (),
    "update": (),
}

_UNKNOWN_KEY = re.compile(r"[Uu]nknown key '([0-9a-f]{40})'")


class PersonGoneError(Exception):
    """The person does not exist any more."""


class RejectedError(Exception):
    """Pipedrive refused this request and would refuse it again; the message says why."""

    def __init__(self, reason: str, unknown_key: str | None = None) -> None:
        super().__init__(reason)
        self.unknown_key = unknown_key


class TransientError(Exception):
    """The call failed and may succeed later; the message says how it failed."""


@dataclass(frozen=True, slots=True)
class PersonMatch:
    """A person in the result of a search, with e-mail addresses as this product stores them.

    `emails` are None where the result lacks them.
    """

    id: int
    name: str
    emails: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class Person:
    """A person as it is now. The times are RFC 3339 in UTC, so that they sort as text."""

    id: int
    is_deleted: bool
    update_time: str
    add_time: str = ""


def read_content(answer: HttpAnswer) -> Mapping[str, Any] | None:
    """The JSON object in an answer's body, or None where it is anything else."""
    try:
        content = json.loads(answer.text)
    except (ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


def read_person_match(entry: object) -> PersonMatch | None:
    """One entry of a search's `items`, or None where it is malformed."""
    item = entry.get("item") if isinstance(entry, dict) else None
    if not isinstance(item, dict) or not isinstance(item.get("id"), int):
        return None
    emails = item.get("emails")
    return PersonMatch(
        id=item["id"],
        name=str(item.get("name") or ""),
        emails=(
            frozenset(read_email(str(email)) or str(email).casefold() for email in emails)
            if isinstance(emails, list)
            else None
        ),
    )


def is_complete(operation: Operation, status: int, content: Mapping[str, Any]) -> bool:
    """Whether an answer has what the operation asks for; an update needs nothing."""
    data = content.get("data")
    if status >= HTTPStatus.MULTIPLE_CHOICES or content.get("success") is False:
        return False
    match operation:
        case "search":
            return isinstance(data, dict) and isinstance(data.get("items"), list)
        case "person":
            return isinstance(data, dict)
        case "fields":
            return isinstance(data, list)
        case "update":
            return True


def account_problem(operation: Operation, answer: HttpAnswer) -> str | None:
    """What is wrong with the whole account, or None where the answer is about one lead."""
    status = answer.status
    is_html = "html" in answer.headers.get("content-type", "").lower()
    match status:
        case HTTPStatus.UNAUTHORIZED:
            return "Pipedrive refused the API key (401)"
        case HTTPStatus.FORBIDDEN if is_html:
            return "Pipedrive blocked us with a web page (403)"
        case HTTPStatus.PAYMENT_REQUIRED:
            return "Pipedrive wants to be paid (402)"
        case _ if status in ACCOUNT_ERROR_STATUSES[operation]:
            return f"Pipedrive answered {status} to the {operation}: are address and token right?"
    return None


def rejection(status: int, content: Mapping[str, object]) -> RejectedError:
    """The error for a 4xx, with Pipedrive's reason and the key that it does not know."""
    text = ": ".join(str(content[name]) for name in ("error", "error_info") if content.get(name))
    unknown_key = _UNKNOWN_KEY.search(text)
    reason = clean(text, MAX_REASON_CHARACTERS) or "no reason given"
    return RejectedError(
        f"Pipedrive refused the request ({status}): {reason}",
        unknown_key.group(1) if unknown_key else None,
    )
