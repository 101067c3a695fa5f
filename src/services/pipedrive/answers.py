from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from services.core.ports import HttpAnswer, Random
from services.core.text import clean
from services.pipedrive.limits import Operation

# The longest that a 429 is believed: the daily budget is a new one by then.
LONGEST_PAUSE_SECONDS = 86_400.0


DEFAULT_WAIT_SECONDS = 2.0


REASON_LENGTH = 200


MAY_PASS = frozenset((HTTPStatus.REQUEST_TIMEOUT, *range(500, 600)))


# Nobody's fault but the settings': the address, the token, the plan.
NOT_ABOUT_A_LEAD: Mapping[Operation, Collection[int]] = {
    "search": frozenset((403, 404, 405, 410)),
    "fields": range(400, 500),
    "person": (),
    "update": (),
}


_UNKNOWN_KEY = re.compile(r"[Uu]nknown key '([0-9a-f]{40})'")


class GoneError(Exception):
    """The person is not there any more."""


class RejectedError(Exception):
    """Pipedrive refused this very request and would refuse it again; says why."""

    def __init__(self, reason: str, unknown_key: str | None = None) -> None:
        super().__init__(reason)
        self.unknown_key = unknown_key


class FailedError(Exception):
    """The call failed in a way that may pass; says how."""


@dataclass(frozen=True, slots=True)
class Found:
    """A person as the search gives it. `emails` are None where the search did not tell them."""

    id: int
    name: str
    emails: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class Person:
    """A person as it is now. `update_time` is RFC 3339 in UTC, so that it sorts as text."""

    id: int
    is_deleted: bool
    update_time: str


def _trouble(operation: Operation, answer: HttpAnswer) -> str | None:
    """What an answer says is wrong with the account as a whole, rather than with one lead."""
    status = answer.status
    is_html = "html" in answer.headers.get("content-type", "").lower()
    match status:
        case HTTPStatus.UNAUTHORIZED:
            return "Pipedrive refused the API key (401)"
        case HTTPStatus.FORBIDDEN if is_html:
            return "Pipedrive blocked us with a web page (403)"
        case HTTPStatus.PAYMENT_REQUIRED:
            return "Pipedrive wants to be paid (402)"
        case _ if status in NOT_ABOUT_A_LEAD[operation]:
            return f"Pipedrive answered {status} to the {operation}: are address and token right?"
    return None


def _is_complete(operation: Operation, status: int, content: Mapping[str, Any]) -> bool:
    """Whether an answer has what the operation asks for; of an update nothing is needed."""
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


def _read(text: str) -> Mapping[str, Any] | None:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


def _found(entry: object) -> Found | None:
    item = entry.get("item") if isinstance(entry, dict) else None
    if not isinstance(item, dict) or not isinstance(item.get("id"), int):
        return None
    emails = item.get("emails")
    known = isinstance(emails, list)
    return Found(
        id=item["id"],
        name=str(item.get("name") or ""),
        emails=frozenset(str(email).casefold() for email in emails or ()) if known else None,
    )


def _rejected(status: int, content: Mapping[str, object]) -> RejectedError:
    said = ": ".join(str(content[key]) for key in ("error", "error_info") if content.get(key))
    unknown = _UNKNOWN_KEY.search(said)
    reason = clean(said, REASON_LENGTH) or "no reason given"
    return RejectedError(
        f"Pipedrive refused the request ({status}): {reason}", unknown.group(1) if unknown else None
    )


def _seconds_to_wait(headers: Mapping[str, str], random: Random) -> float:
    for name in ("retry-after", "x-ratelimit-reset"):
        if (value := headers.get(name, "")).isdecimal():
            return min(float(value), LONGEST_PAUSE_SECONDS)
    return DEFAULT_WAIT_SECONDS + random()
