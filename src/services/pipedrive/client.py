"""Calls to Pipedrive's API v2, and what to make of its answers.

Plain requests instead of an SDK (docs/decisions.md). Every call obeys the account's circuit
breaker, its limits and the run's budget, before it is made; whatever comes back is one of:
an answer, GoneError, RejectedError (this request will never do), FailedError (try again later), or
NotNowError (nothing was tried, or Pipedrive wants to be left alone).

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
    MAY_PASS,
    FailedError,
    Found,
    GoneError,
    Person,
    _found,
    _is_complete,
    _read,
    _rejected,
    _seconds_to_wait,
    _trouble,
)
from services.pipedrive.circuit_breaker import CircuitBreaker
from services.pipedrive.fields import AccountField, read_account_fields
from services.pipedrive.limits import Budget, CallSettings, NotNowError, Operation, Pace

RETRIES = 2
LONGEST_WAIT_SECONDS = 30
WAITS_IN_A_ROW = 3
SEARCH_LIMIT = 10
FIELDS_LIMIT = 500
MAX_FIELD_PAGES = 20


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
        answer = await self._answer("search", "GET", f"/persons/search?{urlencode(query)}", until)
        return [found for item in answer["data"]["items"] if (found := _found(item))]

    async def person(self, person_id: int, until: datetime) -> Person | None:
        """A person as it is now, or None if it is gone.

        Raises:
            RejectedError, FailedError, NotNowError: see the module.
        """
        try:
            data = (await self._answer("person", "GET", f"/persons/{person_id}", until))["data"]
        except GoneError:
            return None
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
        await self._answer("update", "PATCH", f"/persons/{person_id}", until, body)

    async def fields(self, until: datetime) -> list[AccountField]:
        """Every custom field of a person in this account.

        Raises:
            RejectedError, FailedError, NotNowError: see the module.
        """
        found: list[AccountField] = []
        cursor: str | None = None
        for _ in range(MAX_FIELD_PAGES):
            query = {"limit": FIELDS_LIMIT} | ({"cursor": cursor} if cursor else {})
            answer = await self._answer("fields", "GET", f"/personFields?{urlencode(query)}", until)
            more = answer.get("additional_data")
            found += read_account_fields(answer["data"])
            cursor = more.get("next_cursor") if isinstance(more, dict) else None
            if not cursor:
                break
        return found

    async def _answer(
        self, operation: Operation, method: str, path: str, until: datetime, body: str | None = None
    ) -> Mapping[str, Any]:
        """One call with its retries; what it answered, as JSON that has what was asked for."""
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
                if answer.status not in MAY_PASS:
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
        while delay > 0:
            turn = self.clock() + timedelta(seconds=delay)
            if turn >= until:
                raise NotNowError("its turn would come too late", turn)
            await self.sleep(delay)
            self._require_open()
            # Another call may have been told to wait in the meantime.
            delay = self.pace.seconds_held(self.clock())
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

    def _judged(self, operation: Operation, answer: HttpAnswer) -> Mapping[str, Any]:
        status = answer.status
        if trouble := _trouble(operation, answer):
            raise self._tripped(trouble)
        content = _read(answer.text)
        is_refusal = status >= HTTPStatus.BAD_REQUEST
        if content is None or not (is_refusal or _is_complete(operation, status, content)):
            raise self._failed(f"Pipedrive answered {status} without what was asked for")
        self.state.breaker.succeeded()
        if status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}:
            raise GoneError
        if is_refusal:
            raise _rejected(status, content)
        return content

    def _wait(self, answer: HttpAnswer, until: datetime, waits: int) -> None:
        """Obeys a 429.

        Raises:
            NotNowError: it asks for more than this run can wait.
        """
        seconds = _seconds_to_wait(answer.headers, self.random)
        resume = self.clock() + timedelta(seconds=seconds)
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
