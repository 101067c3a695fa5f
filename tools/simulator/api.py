"""The four operations under /api/v2, behind the token and the limits."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from simulator.account import Account, Person
from simulator.answers import BLOCKED, UNAUTHORIZED, Answer, ApiError, success
from simulator.fields import Field
from simulator.limits import Limits
from simulator.queries import invalid, page_of, parameters
from simulator.recording import RecordedRequest
from simulator.search import search_persons
from simulator.updates import read_update

PREFIX = "/api/v2"
MAX_CUSTOM_FIELDS = 15

_ROUTES = (
    ("search", "GET", re.compile(rf"{PREFIX}/persons/search")),
    ("person", "GET", re.compile(rf"{PREFIX}/persons/([^/]+)")),
    ("update", "PATCH", re.compile(rf"{PREFIX}/persons/([^/]+)")),
    ("fields", "GET", re.compile(rf"{PREFIX}/personFields")),
)

_SUBFIELDS = {
    "address": ("locality", "country", "postal_code", "formatted_address"),
    "monetary": ("currency",),
}


def recognise(method: str, path: str) -> tuple[str | None, int | None]:
    """Which operation a request is, and of which person; None where there is none."""
    for operation, its_method, pattern in _ROUTES:
        match = pattern.fullmatch(path)
        if match and method == its_method:
            return operation, _number(match[1]) if match.lastindex else None
    return None, None


@dataclass(frozen=True, slots=True)
class Api:
    """Answers requests as the account's API would."""

    account: Account
    limits: Limits
    token: str

    def answer(self, request: RecordedRequest) -> Answer:
        """Lets a request in, or not, and answers it."""
        if self.limits.is_blocking():
            return BLOCKED
        try:
            return self._refusal(request) or self._operation(request)(request)
        except ApiError as error:
            return error.answer

    def finish(self, request: RecordedRequest, answer: Answer) -> Answer:
        """What goes out: the answer with the headers of the limits, which count it."""
        self.limits.note_answer(answer.status)
        headers = self.limits.headers(request.operation, answer.status)
        return replace(answer, headers={**headers, **answer.headers})

    def _refusal(self, request: RecordedRequest) -> Answer | None:
        if re.search(r"(^|&)api_token=", request.query):
            raise invalid("api_token in the query leaks into logs: send the header x-api-token")
        sent = request.headers.get("x-api-token", "")
        if not secrets.compare_digest(sent.encode(), self.token.encode()):
            return UNAUTHORIZED
        return self.limits.admit(request.operation)

    def _operation(self, request: RecordedRequest) -> Callable[[RecordedRequest], Answer]:
        match request.operation:
            case "search":
                return self._search
            case "person":
                return self._person
            case "update":
                return self._update
            case "fields":
                return self._fields
        if any(pattern.fullmatch(request.path) for _, _, pattern in _ROUTES):
            raise ApiError(405, "Method not allowed, or not simulated")
        raise ApiError(404, "Not found, or not simulated")

    def _search(self, request: RecordedRequest) -> Answer:
        return search_persons(self.account, request.query)

    def _person(self, request: RecordedRequest) -> Answer:
        query = parameters(request.query, frozenset({"custom_fields"}))
        person = self.account.existing(_person_id(request))
        if person is None:
            raise _not_found()
        return success(self._shape(person, query.get("custom_fields")))

    def _update(self, request: RecordedRequest) -> Answer:
        parameters(request.query)
        person_id = _person_id(request)
        update = read_update(self.account, request.headers, request.body)
        person = self.account.update(person_id, update)
        if person is None:
            # Whether a deleted person answers 404 or 410 is open; both mean that it is gone.
            raise _not_found()
        return success(self._shape(person))

    def _fields(self, request: RecordedRequest) -> Answer:
        query = parameters(request.query, frozenset({"limit", "cursor"}))
        page = page_of(tuple(self.account.fields), query)
        return success(
            list(map(_field_shape, page.items)),
            additional_data={"next_cursor": page.next_cursor},
        )

    def _shape(self, person: Person, requested: str | None = None) -> dict[str, object]:
        codes = _requested_codes(requested, self.account.custom_fields())
        first_name, _, last_name = person.name.partition(" ")
        return {
            "id": person.id,
            "name": person.name,
            "first_name": first_name,
            "last_name": last_name or None,
            "owner_id": 1,
            "org_id": None,
            "add_time": person.add_time,
            "update_time": person.update_time,
            "emails": _contacts(person.emails),
            "phones": _contacts(person.phones),
            "is_deleted": person.is_deleted,
            "visible_to": 3,
            "label_ids": [],
            "picture_id": None,
            "custom_fields": {code: person.custom_fields.get(code) for code in codes},
        }


def _number(text: str) -> int | None:
    return int(text) if re.fullmatch(r"[0-9]{1,18}", text) else None


def _person_id(request: RecordedRequest) -> int:
    if request.person_id is None:
        raise invalid("id: must be an integer")
    return request.person_id


def _not_found() -> ApiError:
    return ApiError(404, "Person not found", "ERR_NOT_FOUND")


def _requested_codes(requested: str | None, codes: Iterable[str]) -> list[str]:
    if requested is None:
        return list(codes)
    listed = requested.split(",")
    if len(listed) > MAX_CUSTOM_FIELDS:
        raise invalid(f"custom_fields: at most {MAX_CUSTOM_FIELDS} keys")
    return [code for code in codes if code in listed]


def _contacts(values: list[str]) -> list[dict[str, object]]:
    return [
        {"value": value, "primary": position == 0, "label": "work"}
        for position, value in enumerate(values)
    ]


def _field_shape(field: Field) -> dict[str, object]:
    options = [{"id": option_id, "label": label} for option_id, label in field.options]
    return {
        "field_name": field.field_name,
        "field_code": field.field_code,
        "description": None,
        "field_type": field.field_type,
        "options": options if field.field_type in ("enum", "set") else None,
        "subfields": _subfields(field),
        "is_custom_field": field.is_custom_field,
        "is_optional_response_field": False,
    }


def _subfields(field: Field) -> list[dict[str, str]] | None:
    subfields = _SUBFIELDS.get(field.field_type)
    if subfields is None:
        return None
    return [
        {"field_code": code, "field_name": code.replace("_", " "), "field_type": "varchar"}
        for code in subfields
    ]
