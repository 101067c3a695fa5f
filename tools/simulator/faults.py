"""What can go wrong between the Worker and Pipedrive, on demand."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event, Lock

from simulator.answers import BLOCKED, INVALID, UNAUTHORIZED, Answer, failure, html_page
from simulator.limits import TOO_MANY_REQUESTS
from simulator.recording import RecordedRequest

OPERATIONS = ("search", "person", "update", "fields")


@dataclass(slots=True, eq=False)
class Fault:
    """One fault, for `times` requests (None: until it is cleared) of an operation (None: of any).

    Kinds that act on the connection:
        timeout: holds the request for `seconds`, closes, and has applied nothing.
        hang_after: applies the request, holds the answer for `seconds`, and closes without it.
        slow: answers correctly, after `seconds`.
        reset: resets the connection.
    Kinds that answer in place of the API, which then has applied nothing:
        server_error, bad_gateway, too_many_requests (with `retry_after` as its header),
        unauthorized, blocked, broken_json, empty, unknown_key (only of an update).

    Raises:
        ValueError: there is no such kind or operation, or a number makes no sense.
    """

    kind: str
    operation: str | None = None
    times: int | None = 1
    """How many are left; counts down."""
    seconds: float = 0.0
    retry_after: int | None = None
    person_id: int | None = None
    """Only requests for this person."""
    reached: Event = field(default_factory=Event, init=False, repr=False)
    """Set when the fault struck; for hang_after, when the request has been applied."""

    def __post_init__(self) -> None:
        """Sees that the fault can strike at all."""
        if self.kind not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}")
        if self.operation not in (None, *OPERATIONS):
            raise ValueError(f"operation must be null or one of {', '.join(OPERATIONS)}")
        if self.kind == "unknown_key" and self.operation not in (None, "update"):
            raise ValueError("unknown_key happens to the operation update only")
        if self.times is not None and self.times < 1:
            raise ValueError("times must be at least 1, or null for until it is cleared")
        if self.seconds < 0 or (self.retry_after or 0) < 0:
            raise ValueError("seconds and retry_after must not be negative")

    def concerns(self, request: RecordedRequest) -> bool:
        """Whether it is this request that is to fail."""
        return (
            self.operation in (None, request.operation)
            and self.person_id in (None, request.person_id)
            and (self.kind != "unknown_key" or request.operation == "update")
        )

    def answer(self, request: RecordedRequest) -> Answer:
        """What is answered in place of the API, for the kinds that do."""
        return ANSWERS[self.kind](self, request)


class Faults:
    """The faults to come: of those that concern a request, the first one added strikes."""

    def __init__(self) -> None:
        """Starts without any."""
        self._faults: list[Fault] = []
        self._lock = Lock()

    def add(self, fault: Fault) -> Fault:
        """Adds one behind the others and returns it."""
        with self._lock:
            self._faults.append(fault)
        return fault

    def clear(self) -> None:
        """Drops all; one that is holding a request goes on to hold it."""
        with self._lock:
            self._faults.clear()

    def active(self) -> list[Fault]:
        """Those with times left."""
        with self._lock:
            return list(self._faults)

    def strike(self, request: RecordedRequest) -> Fault | None:
        """The fault for a request, which has one time less then; None if it may go well."""
        with self._lock:
            fault = next((fault for fault in self._faults if fault.concerns(request)), None)
            if fault is None or fault.times is None:
                return fault
            fault.times -= 1
            if not fault.times:
                self._faults.remove(fault)
            return fault


def _server_error(_: Fault, __: RecordedRequest) -> Answer:
    return failure(500, "Internal server error")


def _bad_gateway(_: Fault, __: RecordedRequest) -> Answer:
    return html_page(502, "502 Bad Gateway")


def _too_many_requests(fault: Fault, _: RecordedRequest) -> Answer:
    headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
    return failure(TOO_MANY_REQUESTS, "Rate limit exceeded", headers=headers)


def _unauthorized(_: Fault, __: RecordedRequest) -> Answer:
    return UNAUTHORIZED


def _blocked(_: Fault, __: RecordedRequest) -> Answer:
    return BLOCKED


def _broken_json(_: Fault, __: RecordedRequest) -> Answer:
    return Answer(200, b'{"success":true,"data":{"id":1,"na')


def _empty(_: Fault, __: RecordedRequest) -> Answer:
    return Answer(200, b"")


def _unknown_key(_: Fault, request: RecordedRequest) -> Answer:
    key = _first_custom_field(request.body)
    return failure(400, f"Validation failed: custom_fields: Unknown key '{key}'", INVALID)


def _first_custom_field(body: str) -> str:
    try:
        return str(next(iter(json.loads(body)["custom_fields"])))
    except (ValueError, TypeError, LookupError, StopIteration):
        return ""


ANSWERS: dict[str, Callable[[Fault, RecordedRequest], Answer]] = {
    "server_error": _server_error,
    "bad_gateway": _bad_gateway,
    "too_many_requests": _too_many_requests,
    "unauthorized": _unauthorized,
    "blocked": _blocked,
    "broken_json": _broken_json,
    "empty": _empty,
    "unknown_key": _unknown_key,
}

KINDS = ("timeout", "hang_after", "slow", "reset", *ANSWERS)
