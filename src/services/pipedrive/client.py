"""Calls to Pipedrive's API v2, by plain requests instead of an SDK (docs/decisions.md).

Every call obeys the account's circuit breaker, its limits and the run's budget. It returns an
answer or raises PersonGoneError, RejectedError (never succeeds), TransientError (may succeed later)
or DeferredError (was not made, or Pipedrive asks for a pause).

https://developers.pipedrive.com/docs/api/v1 (v2 endpoints)
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any, Literal
from urllib.parse import urlencode

from services.core.ports import Clock, HttpAnswer, HttpClient, NetworkError, Random, Sleep
from services.pipedrive.accounts import Account
from services.pipedrive.answers import (
    TRANSIENT_STATUSES,
    Person,
    PersonGoneError,
    PersonMatch,
    TransientError,
    account_problem,
    is_complete,
    read_content,
    read_person_match,
    rejection,
)
from services.pipedrive.circuit_breaker import CircuitBreaker
from services.pipedrive.fields import AccountField, read_account_fields
from services.pipedrive.limits import (
    MAX_RATE_LIMIT_WAIT_SECONDS,
    MAX_RATE_LIMIT_WAITS,
    Budget,
    CallSettings,
    DeferredError,
    Operation,
    Pace,
    seconds_to_wait,
)

MAX_RETRIES = 2
SEARCH_PAGE_SIZE = 100
MAX_SEARCH_PAGES = 5
FIELDS_PAGE_SIZE = 500
MAX_FIELD_PAGES = 20


@dataclass(slots=True)
class AccountState:
    """What all runs share about an account: its breaker, and the end of a pause it asked for."""

    breaker: CircuitBreaker
    paused_until: datetime | None = None

    def blocked_until(self, now: datetime) -> datetime | None:
        """When calls may be made again, or None where they may be made now."""
        if self.paused_until and self.paused_until > now:
            return self.paused_until
        return None if self.breaker.allows(now) else self.breaker.open_until


@dataclass(slots=True)
class PipedriveClient:
    """Calls one account during one run. `calls` counts requests by operation.

    `on_breaker_opened` receives the reason when the breaker opens.
    """

    account: Account
    state: AccountState
    budget: Budget
    settings: CallSettings
    http: HttpClient
    clock: Clock
    sleep: Sleep
    random: Random
    on_breaker_opened: Callable[[str], None]
    pace: Pace = field(init=False)
    calls: dict[Operation, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Creates the pace of this run."""
        self.pace = Pace(self.settings)

    async def search(
        self, term: str, by: Literal["email", "name"], deadline: datetime
    ) -> Sequence[PersonMatch]:
        """The persons whose e-mail address or name is exactly `term`.

        Raises:
            RejectedError, TransientError, DeferredError: see the module.
        """
        query = {"term": term, "fields": by, "exact_match": "true", "limit": SEARCH_PAGE_SIZE}
        matches: list[PersonMatch] = []
        cursor: str | None = None
        for _ in range(MAX_SEARCH_PAGES):
            page = urlencode(query | ({"cursor": cursor} if cursor else {}))
            content = await self._call("search", "GET", f"/persons/search?{page}", deadline)
            items = content["data"]["items"]
            matches += [match for item in items if (match := read_person_match(item))]
            cursor = _next_cursor(content)
            if not cursor:
                break
        return matches

    async def person(self, person_id: int, deadline: datetime) -> Person | None:
        """A person as it is now, or None where it does not exist any more.

        Raises:
            RejectedError, TransientError, DeferredError: see the module.
        """
        try:
            data = (await self._call("person", "GET", f"/persons/{person_id}", deadline))["data"]
        except PersonGoneError:
            return None
        is_deleted = data.get("is_deleted") is not False
        times = (str(data.get(name) or "") for name in ("update_time", "add_time"))
        return Person(person_id, is_deleted, *times)

    async def update(
        self, person_id: int, custom_fields: Mapping[str, object], deadline: datetime
    ) -> None:
        """Writes custom fields of a person, and nothing else.

        Raises:
            PersonGoneError, RejectedError, TransientError, DeferredError: see the module.
        """
        body = json.dumps({"custom_fields": custom_fields})
        await self._call("update", "PATCH", f"/persons/{person_id}", deadline, body)

    async def fields(self, deadline: datetime) -> list[AccountField]:
        """Every custom field that persons have in this account.

        Raises:
            RejectedError, TransientError, DeferredError: see the module.
        """
        fields: list[AccountField] = []
        cursor: str | None = None
        for _ in range(MAX_FIELD_PAGES):
            query = {"limit": FIELDS_PAGE_SIZE} | ({"cursor": cursor} if cursor else {})
            content = await self._call(
                "fields", "GET", f"/personFields?{urlencode(query)}", deadline
            )
            fields += read_account_fields(content["data"])
            cursor = _next_cursor(content)
            if not cursor:
                break
        return fields

    async def _call(
        self,
        operation: Operation,
        method: str,
        path: str,
        deadline: datetime,
        body: str | None = None,
    ) -> Mapping[str, Any]:
        """The JSON object that a call answers, complete for its operation, after retries."""
        failures = waits = 0
        while True:
            timeout_seconds = await self._wait_for_turn(operation, deadline)
            try:
                answer = await self._send(method, path, body, timeout_seconds)
            except NetworkError as error:
                reason = str(error)
            else:
                if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
                    waits += 1
                    self._obey_rate_limit(answer, deadline, waits)
                    continue
                if answer.status not in TRANSIENT_STATUSES:
                    return self._checked_content(operation, answer)
                reason = f"Pipedrive answered {answer.status}"
            failures += 1
            if failures > MAX_RETRIES:
                raise self._failure(f"{reason}, {failures} times")
            await self.sleep(self._backoff_seconds(failures))

    async def _wait_for_turn(self, operation: Operation, deadline: datetime) -> float:
        """Waits until a call may be made; returns the seconds that it may take."""
        self._require_open()
        delay = self.pace.seconds_until(operation, self.clock())
        while delay > 0:
            turn = self.clock() + timedelta(seconds=delay)
            if turn >= deadline:
                raise DeferredError("its turn would come too late", turn)
            await self.sleep(delay)
            self._require_open()
            # A 429 to another call may have come in the meantime.
            delay = self.pace.seconds_held(self.clock())
        now = self.clock()
        seconds = (deadline - now).total_seconds()
        if seconds <= 0:
            raise TransientError("the lead took longer than it may")
        self.budget.take(now)
        self.calls[operation] = self.calls.get(operation, 0) + 1
        return min(self.settings.timeout_seconds, seconds)

    def _require_open(self) -> None:
        blocked_until = self.state.blocked_until(self.clock())
        if blocked_until:
            raise DeferredError("Pipedrive is left alone for now", blocked_until)

    async def _send(
        self, method: str, path: str, body: str | None, timeout_seconds: float
    ) -> HttpAnswer:
        headers = {"x-api-token": self.account.token, "accept": "application/json"}
        if body is not None:
            headers["content-type"] = "application/json"
        url = self.account.url + path
        return await self.http.send(method, url, headers, body, timeout_seconds)

    def _checked_content(self, operation: Operation, answer: HttpAnswer) -> Mapping[str, Any]:
        status = answer.status
        if problem := account_problem(operation, answer):
            raise self._outage(problem)
        content = read_content(answer)
        is_refusal = status >= HTTPStatus.BAD_REQUEST
        if content is None or not (is_refusal or is_complete(operation, status, content)):
            raise self._failure(f"Pipedrive answered {status} without what was asked for")
        self.state.breaker.succeeded()
        if status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}:
            raise PersonGoneError
        if is_refusal:
            raise rejection(status, content)
        return content

    def _obey_rate_limit(self, answer: HttpAnswer, deadline: datetime, waits: int) -> None:
        """Holds all calls for as long as a 429 asks.

        Raises:
            DeferredError: it asks for longer than this run can wait.
        """
        seconds = seconds_to_wait(answer.headers, self.random)
        resume = self.clock() + timedelta(seconds=seconds)
        if (
            seconds > MAX_RATE_LIMIT_WAIT_SECONDS
            or waits > MAX_RATE_LIMIT_WAITS
            or resume >= deadline
        ):
            self.state.paused_until = resume
            raise DeferredError("Pipedrive asked to wait (429)", resume)
        self.pace.hold(resume)

    def _backoff_seconds(self, failures: int) -> float:
        """The pause after so many failures: it doubles, with 50 % of jitter either way."""
        pause = self.settings.backoff_ms / 1_000 * float(2 ** (failures - 1))
        return pause * (0.5 + self.random())

    def _failure(self, reason: str) -> TransientError:
        """Counts a failed call at the breaker; the error to raise."""
        if self.state.breaker.failed(self.clock()):
            self.on_breaker_opened(f"Account {self.account.name}: {reason}")
        return TransientError(reason)

    def _outage(self, reason: str) -> DeferredError:
        """Opens the breaker for a problem of the whole account; the error to raise."""
        if self.state.breaker.trip(self.clock()):
            self.on_breaker_opened(f"Account {self.account.name}: {reason}")
        return DeferredError(reason, self.state.breaker.open_until)


def _next_cursor(content: Mapping[str, Any]) -> str | None:
    page = content.get("additional_data")
    return page.get("next_cursor") if isinstance(page, dict) else None
