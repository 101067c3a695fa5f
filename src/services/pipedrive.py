"""Calls to Pipedrive's API v2, and what to make of its answers.

Plain requests instead of an SDK (docs/decisions.md). Every call obeys the account's circuit
breaker, its limits and the run's budget, before it is made; whatever comes back is one of:
an answer, GoneError, RejectedError (this request will never do), FailedError (try again later), or
NotNowError (nothing was tried, or Pipedrive wants to be left alone).

https://developers.pipedrive.com/docs/api/v1 (v2 endpoints)
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Literal
from urllib.parse import urlencode

from services.circuit_breaker import CircuitBreaker
from services.pipedrive_accounts import Account
from services.pipedrive_fields import AccountField, read_account_fields
from services.pipedrive_limits import Budget, CallSettings, NotNowError, Operation, Pace
from services.ports import Clock, HttpAnswer, HttpClient, NetworkError, Random, Sleep
from services.text import clean

RETRIES = 2
LONGEST_WAIT_SECONDS = 30
WAITS_IN_A_ROW = 3
DEFAULT_WAIT_SECONDS = 2.0
SEARCH_LIMIT = 10
FIELDS_LIMIT = 500
MOST_FIELD_PAGES = 20
REASON_LENGTH = 200

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


@dataclass(slots=True)
class AccountState:
    """What all runs share about an account: its breaker, and how long it wants to be left alone."""

    breaker: CircuitBreaker
    paused_until: datetime | None = None

    def closed_until(self, now: datetime) -> datetime | None:
        """When calls may be made again, if not now."""
        if self.paused_until and self.paused_until > now:
            return self.paused_until
        return None if self.breaker.allows(now) else self.breaker.open_until


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


@dataclass(slots=True)
class Pipedrive:
    """One account during one run. `calls` counts requests by operation.

    `on_trouble` is told when the breaker opened, and why.
    """

    account: Account
    state: AccountState
    budget: Budget
    settings: CallSettings
    http: HttpClient
    clock: Clock
    sleep: Sleep
    random: Random
    on_trouble: Callable[[str], None]
    pace: Pace = field(init=False)
    calls: dict[Operation, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Starts with nothing called."""
        self.pace = Pace(self.settings)

    async def search(
        self, term: str, by: Literal["email", "name"], until: datetime
    ) -> Sequence[Found]:
        """The persons whose e-mail address or name is exactly this, up to ten.

        Raises:
            RejectedError, FailedError, NotNowError: see the module.
        """
        query = {"term": term, "fields": by, "exact_match": "true", "limit": SEARCH_LIMIT}
        data = await self._call("search", "GET", f"/persons/search?{urlencode(query)}", until)
        items = data.get("items") if isinstance(data, dict) else None
        if not isinstance(items, list):
            raise self._failed("the search answered without items")
        return [found for item in items if (found := _found(item))]

    async def person(self, person_id: int, until: datetime) -> Person | None:
        """A person as it is now, or None if it is gone.

        Raises:
            RejectedError, FailedError, NotNowError: see the module.
        """
        try:
            data = await self._call("person", "GET", f"/persons/{person_id}", until)
        except GoneError:
            return None
        if not isinstance(data, dict):
            raise self._failed("the person was answered without data")
        is_deleted = data.get("is_deleted") is not False
        return Person(person_id, is_deleted, str(data.get("update_time") or ""))

    async def update(
        self, person_id: int, custom_fields: Mapping[str, object], until: datetime
    ) -> None:
        """Writes custom fields of a person, and nothing else.

        Raises:
            GoneError, RejectedError, FailedError, NotNowError: see the module.
        """
        body = json.dumps({"custom_fields": custom_fields})
        await self._call("update", "PATCH", f"/persons/{person_id}", until, body)

    async def fields(self, until: datetime) -> list[AccountField]:
        """Every custom field of a person in this account.

        Raises:
            RejectedError, FailedError, NotNowError: see the module.
        """
        found: list[AccountField] = []
        cursor: str | None = None
        for _ in range(MOST_FIELD_PAGES):
            query = {"limit": FIELDS_LIMIT} | ({"cursor": cursor} if cursor else {})
            answer = await self._answer("fields", "GET", f"/personFields?{urlencode(query)}", until)
            data, more = answer.get("data"), answer.get("additional_data")
            if not isinstance(data, list):
                raise self._failed("the fields were answered without data")
            found += read_account_fields(data)
            cursor = more.get("next_cursor") if isinstance(more, dict) else None
            if not cursor:
                break
        return found

    async def _call(
        self, operation: Operation, method: str, path: str, until: datetime, body: str | None = None
    ) -> object:
        return (await self._answer(operation, method, path, until, body)).get("data")

    async def _answer(
        self, operation: Operation, method: str, path: str, until: datetime, body: str | None = None
    ) -> Mapping[str, object]:
        """One call with its retries; what it answered, as JSON."""
        failures = waits = 0
        while True:
            seconds = await self._admitted(operation, until)
            try:
                answer = await self._send(method, path, body, seconds)
            except NetworkError as error:
                reason = str(error)
            else:
                if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
                    waits += 1
                    self._wait(answer, until, waits)
                    continue
                if answer.status < HTTPStatus.INTERNAL_SERVER_ERROR:
                    return self._judged(operation, answer)
                reason = f"Pipedrive answered {answer.status}"
            failures += 1
            if failures > RETRIES:
                raise self._failed(f"{reason}, {failures} times")
            await self.sleep(self._backoff(failures))

    async def _admitted(self, operation: Operation, until: datetime) -> float:
        """Waits for its turn; gives the seconds that the call may take."""
        self._require_open()
        delay = self.pace.seconds_until(operation, self.clock())
        if delay > 0:
            await self.sleep(delay)
            self._require_open()
        now = self.clock()
        left = (until - now).total_seconds()
        if left <= 0:
            raise FailedError("the lead took longer than it may")
        self.budget.take(now)
        self.calls[operation] = self.calls.get(operation, 0) + 1
        return min(self.settings.timeout_seconds, left)

    def _require_open(self) -> None:
        closed_until = self.state.closed_until(self.clock())
        if closed_until:
            raise NotNowError("Pipedrive is left alone for now", closed_until)

    async def _send(self, method: str, path: str, body: str | None, seconds: float) -> HttpAnswer:
        headers = {"x-api-token": self.account.token, "accept": "application/json"}
        if body is not None:
            headers["content-type"] = "application/json"
        return await self.http.send(method, self.account.url + path, headers, body, seconds)

    def _judged(self, operation: Operation, answer: HttpAnswer) -> Mapping[str, object]:
        status = answer.status
        if trouble := _trouble(operation, answer):
            raise self._tripped(trouble)
        content = _read(answer.text)
        if content is None or status in range(300, 400):
            raise self._failed(f"Pipedrive answered {status} without readable JSON")
        self.state.breaker.succeeded()
        if status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}:
            raise GoneError
        if status >= HTTPStatus.BAD_REQUEST:
            raise _rejected(status, content)
        return content

    def _wait(self, answer: HttpAnswer, until: datetime, waits: int) -> None:
        """Obeys a 429.

        Raises:
            NotNowError: it asks for more than this run can wait.
        """
        now = self.clock()
        seconds = _seconds_to_wait(answer.headers, self.random)
        resume = now + timedelta(seconds=seconds)
        if seconds > LONGEST_WAIT_SECONDS or waits > WAITS_IN_A_ROW or resume >= until:
            self.state.paused_until = resume
            raise NotNowError("Pipedrive asked to wait (429)", resume)
        self.pace.hold(resume)

    def _backoff(self, failures: int) -> float:
        """Half to one and a half of 1, 2, 4 … times the pause, in seconds."""
        pause = self.settings.backoff_ms / 1_000 * float(2 ** (failures - 1))
        return pause * (0.5 + self.random())

    def _failed(self, reason: str) -> FailedError:
        if self.state.breaker.failed(self.clock()):
            self.on_trouble(f"Account {self.account.name}: {reason}")
        return FailedError(reason)

    def _tripped(self, reason: str) -> NotNowError:
        if self.state.breaker.trip(self.clock()):
            self.on_trouble(f"Account {self.account.name}: {reason}")
        return NotNowError(reason, self.state.breaker.open_until)


def _trouble(operation: Operation, answer: HttpAnswer) -> str | None:
    """What an answer says is wrong with the account as a whole, rather than with one lead."""
    status = answer.status
    is_html = "html" in answer.headers.get("content-type", "")
    match status:
        case HTTPStatus.UNAUTHORIZED:
            return "Pipedrive refused the API key (401)"
        case HTTPStatus.FORBIDDEN if is_html:
            return "Pipedrive blocked us with a web page (403)"
        case HTTPStatus.PAYMENT_REQUIRED:
            return "Pipedrive wants to be paid (402)"
        case HTTPStatus.BAD_REQUEST if operation == "search":
            return None
        case _ if status >= HTTPStatus.BAD_REQUEST and operation in {"search", "fields"}:
            return f"Pipedrive answered {status} to the {operation}: are address and token right?"
    return None


def _read(text: str) -> Mapping[str, object] | None:
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
            return float(value)
    return DEFAULT_WAIT_SECONDS + random()
