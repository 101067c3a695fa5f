"""The page and what it calls: the state to show, a person to add, a fault to provoke."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from simulator.account import Account, Person
from simulator.answers import HTML, Answer, json_answer
from simulator.faults import KINDS, OPERATIONS, Fault, Faults
from simulator.fields import Field
from simulator.recording import RecordedRequest

PAGE = Path(__file__).with_name("page.html")
SHOWN_REQUESTS = 20
# Read once: the difference of two clocks is never twice the same, and the page would redraw.
_CLOCK_START = time.time() - time.monotonic()
MAX_TEXT = 255

_PAGE_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
        "connect-src 'self'; img-src data:; frame-ancestors 'none'"
    )
}

_FAULT_TYPES: dict[str, tuple[type, ...]] = {
    "kind": (str,),
    "operation": (str, type(None)),
    "times": (int, type(None)),
    "seconds": (int, float),
    "retry_after": (int, type(None)),
    "person_id": (int, type(None)),
}


class ControlError(Exception):
    """The page, or who acts like it, asked for something that cannot be done."""


@dataclass(frozen=True, slots=True)
class Control:
    """Answers the page's own requests; none of them is recorded."""

    account: Account
    faults: Faults
    requests: Callable[[], Sequence[RecordedRequest]]

    @staticmethod
    def owns(path: str) -> bool:
        """Whether a path is the page's, not the API's."""
        return path in ("/", "/favicon.ico") or path.startswith("/simulator/")

    def answer(self, request: RecordedRequest) -> Answer:
        """Answers one request."""
        try:
            return self._answer(request)
        except (ControlError, ValueError) as error:
            return json_answer(400, {"error": str(error)})

    def _answer(self, request: RecordedRequest) -> Answer:
        match request.method, request.path:
            case "GET", "/":
                return Answer(200, PAGE.read_bytes(), HTML, _PAGE_HEADERS)
            case "GET", "/simulator/state":
                return json_answer(200, self._state(), {"Cache-Control": "no-store"})
            case "POST", "/simulator/persons":
                return self._add_person(_sent(request))
            case "POST", "/simulator/faults":
                return self._add_fault(_sent(request))
            case "DELETE", "/simulator/faults":
                _require_json(request)
                self.faults.clear()
                return json_answer(200, {"cleared": True})
        return json_answer(404, {"error": "there is no such page"})

    def _add_person(self, sent: Mapping[str, object]) -> Answer:
        _refuse_unknown(sent, ("name", "email"))
        name, email = _text(sent, "name"), _text(sent, "email")
        if "@" not in email:
            raise ControlError("email must be an e-mail address")
        return json_answer(201, {"id": self.account.add_person(name, [email])})

    def _add_fault(self, sent: Mapping[str, object]) -> Answer:
        _refuse_unknown(sent, tuple(_FAULT_TYPES))
        for name, value in sent.items():
            if isinstance(value, bool) or not isinstance(value, _FAULT_TYPES[name]):
                raise ControlError(f"{name} is not of its type")
        if "kind" not in sent:
            raise ControlError("kind is missing")
        fault = self.faults.add(Fault(**sent))  # type: ignore[arg-type]  # checked above
        return json_answer(201, _fault_shape(fault))

    def _state(self) -> dict[str, object]:
        fields = self.account.custom_fields()
        return {
            "persons": [_person_shape(person, fields) for person in self.account.persons()[::-1]],
            "requests": [
                _request_shape(request) for request in self.requests()[: -SHOWN_REQUESTS - 1 : -1]
            ],
            "faults": [_fault_shape(fault) for fault in self.faults.active()],
            "kinds": KINDS,
            "operations": OPERATIONS,
        }


def _require_json(request: RecordedRequest) -> None:
    """Another site's page cannot send this type without a preflight, which is never granted."""
    if request.headers.get("content-type", "").split(";")[0].strip() != "application/json":
        raise ControlError("content-type must be application/json")


def _sent(request: RecordedRequest) -> dict[str, object]:
    _require_json(request)
    try:
        sent = json.loads(request.body)
    except (ValueError, RecursionError):
        raise ControlError("the body is not JSON") from None
    if not isinstance(sent, dict):
        raise ControlError("the body must be a JSON object")
    return sent


def _refuse_unknown(sent: Mapping[str, object], allowed: tuple[str, ...]) -> None:
    for name in sent:
        if name not in allowed:
            raise ControlError(f"{name} is unknown; there is {', '.join(allowed)}")


def _text(sent: Mapping[str, object], name: str) -> str:
    text = sent.get(name)
    if not isinstance(text, str) or not text.strip() or len(text) > MAX_TEXT:
        raise ControlError(f"{name} must be a text of 1 to {MAX_TEXT} characters")
    return text.strip()


def _fault_shape(fault: Fault) -> dict[str, object]:
    return {name: getattr(fault, name) for name in _FAULT_TYPES}


def _request_shape(request: RecordedRequest) -> dict[str, object]:
    query = f"?{request.query}" if request.query else ""
    return {
        "at": round(_CLOCK_START + request.at, 2),
        "method": request.method,
        "path": request.path + query,
        "operation": request.operation,
        "status": request.status,
    }


def _person_shape(person: Person, fields: Mapping[str, Field]) -> dict[str, object]:
    return {
        "id": person.id,
        "name": person.name,
        "emails": person.emails,
        "is_deleted": person.is_deleted,
        "is_erased": person.is_erased,
        "written": person.writes[-1].time if person.writes else None,
        "writes": len(person.writes),
        "fields": [
            {
                "code": code,
                "name": field.field_name,
                "value": _display_value(field, person.custom_fields[code]),
                "changed": code in person.changed,
            }
            for code, field in fields.items()
            if code in person.custom_fields
        ],
    }


def _display_value(field: Field, value: object) -> str:
    options = dict(field.options)
    match value:
        case {"value": amount, "currency": currency}:
            return f"{amount} {currency}"
        case {"value": text}:
            return str(text)
        case list():
            return ", ".join(options.get(option, str(option)) for option in value)
        case int() if options:
            return options.get(value, str(value))
    return str(value)
