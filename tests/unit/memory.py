"""Stand-ins in memory for what services need from outside (`services.core.ports`)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from services.core.ports import (
    Batch,
    HttpAnswer,
    KeyPage,
    NetworkError,
    NotStoredError,
    OnCost,
    Row,
    UnavailableError,
)
from services.pipedrive.accounts import Account
from services.pipedrive.circuit_breaker import CircuitBreaker
from services.pipedrive.client import AccountState, PipedriveClient
from services.pipedrive.limits import Budget, CallSettings

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
TOKEN = "0123456789abcdef" * 2  # opens nothing
ACCOUNT = Account("acme", "https://acme.example/api/v2", TOKEN)
CALLS = CallSettings(
    timeout_seconds=5,
    backoff_ms=500,
    requests_per_window=20,
    searches_per_window=10,
    window_ms=2_200,
)


def key(number: int) -> str:
    """A key of a Pipedrive field."""
    return f"{number:040x}"


@dataclass(slots=True)
class Time:
    """A clock that moves only while somebody sleeps."""

    now: datetime = NOW
    pauses: list[float] = field(default_factory=list)

    def clock(self) -> datetime:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += timedelta(seconds=seconds)


class MemoryKeyValues:
    """KV with pages of some size. It fails after `operations`, if that is a number."""

    def __init__(self, page_size: int = 1_000) -> None:
        self.values: dict[str, str] = {}
        self.seconds: dict[str, int] = {}
        self.operations: int | None = None
        self._page_size = page_size

    async def get(self, key: str) -> str | None:
        self._operate()
        return self.values.get(key)

    async def put(self, key: str, value: str, seconds: int) -> None:
        self._operate()
        assert seconds >= 60
        self.values[key], self.seconds[key] = value, seconds

    async def delete(self, key: str) -> None:
        self._operate()
        self.values.pop(key, None)

    async def page(self, prefix: str, cursor: str | None) -> KeyPage:
        self._operate()
        names = [name for name in self.values if name.startswith(prefix)]
        after = sorted(name for name in names if name > (cursor or ""))
        page = after[: self._page_size]
        return KeyPage(page, page[-1] if len(after) > len(page) else None)

    def _operate(self) -> None:
        if self.operations == 0:
            raise UnavailableError("KV failed")
        if self.operations:
            self.operations -= 1


class MemoryDatabase:
    """D1 as far as it takes a batch: it keeps what it was asked and answers what it is given."""

    def __init__(self, answer: str = "{}", rows: Sequence[Sequence[Row]] = ()) -> None:
        self.parameters: list[Mapping[str, object]] = []
        self._answer = answer
        self._rows = rows

    async def batch(
        self, statements: Sequence[str], parameters: str, on_cost: OnCost | None = None
    ) -> str:
        assert statements
        self.parameters.append(json.loads(parameters))
        if on_cost:
            on_cost(0, 0)
        return self._answer

    async def batches(self, batches: Sequence[Batch]) -> Sequence[str | None]:
        answers: list[str | None] = []
        before = len(self.parameters)
        for batch in batches:
            try:
                answers.append(await self.batch(batch.statements, batch.parameters))
            except NotStoredError:
                answers.append(None)
            except UnavailableError:
                del self.parameters[before:]
                raise
        return answers

    async def rows(self, statement: str, *values: str | int) -> Sequence[Row]:
        raise AssertionError("not asked row by row", statement, values)

    async def batch_rows(
        self, statements: Sequence[str], parameters: str
    ) -> Sequence[Sequence[Row]]:
        self.parameters.append(json.loads(parameters))
        assert len(statements) == len(self._rows)
        return self._rows


@dataclass(frozen=True, slots=True)
class Sent:
    """A request, and when it was sent."""

    at: datetime
    method: str
    url: str
    headers: Mapping[str, str]
    body: str | None
    seconds: float


Reply = HttpAnswer | NetworkError


class MemoryHttp:
    """Servers that answer at once what a function says."""

    def __init__(self, time: Time, reply: Callable[[Sent], Reply]) -> None:
        self.sent: list[Sent] = []
        self._time = time
        self._reply = reply

    async def send(
        self, method: str, url: str, headers: Mapping[str, str], body: str | None, seconds: float
    ) -> HttpAnswer:
        sent = Sent(self._time.now, method, url, headers, body, seconds)
        self.sent.append(sent)
        reply = self._reply(sent)
        if isinstance(reply, NetworkError):
            raise reply
        return reply


def scripted(replies: Iterable[Reply]) -> Callable[[Sent], Reply]:
    """Replies in their order; what is asked beyond them fails the test."""
    waiting = iter(replies)

    def reply(sent: Sent) -> Reply:
        answer = next(waiting, None)
        assert answer is not None, f"an unexpected request: {sent}"
        return answer

    return reply


def answered(content: object, status: int = 200, **headers: str) -> HttpAnswer:
    """An answer in JSON; an underscore in a header's name stands for a hyphen."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return HttpAnswer(
        status, json.dumps(content), {"content-type": "application/json; charset=utf-8"} | named
    )


class Lab:
    """A `PipedriveClient` with all that is around it in memory."""

    def __init__(
        self,
        reply: Callable[[Sent], Reply],
        calls: CallSettings = CALLS,
        requests: int = 1_000,
        random: float = 0.5,
    ) -> None:
        self.time = Time()
        self.http = MemoryHttp(self.time, reply)
        self.breaker_reasons: list[str] = []
        self.state = AccountState(CircuitBreaker(open_seconds=60))
        self.budget = Budget(NOW + timedelta(minutes=10), requests)
        self.api = PipedriveClient(
            account=ACCOUNT,
            state=self.state,
            budget=self.budget,
            settings=calls,
            http=self.http,
            clock=self.time.clock,
            sleep=self.time.sleep,
            random=lambda: random,
            on_breaker_opened=self.breaker_reasons.append,
        )

    def soon(self, seconds: float = 30) -> datetime:
        """The time until which a lead may take."""
        return self.time.now + timedelta(seconds=seconds)


class MemoryBucket:
    """R2, whose objects may be damaged when they are read."""

    def __init__(
        self, damage: Callable[[str, bytes], bytes | None] = lambda _key, content: content
    ) -> None:
        self.objects: dict[str, bytes] = {}
        self._damage = damage

    async def get(self, key: str) -> bytes | None:
        content = self.objects.get(key)
        return None if content is None else self._damage(key, content)

    async def get_each(self, keys: Sequence[str]) -> Sequence[bytes | None]:
        return [await self.get(key) for key in keys]

    async def put(self, key: str, content: bytes) -> None:
        self.objects[key] = content

    async def delete(self, keys: Sequence[str]) -> None:
        for key in keys:
            self.objects.pop(key, None)

    async def page(self, prefix: str, cursor: str | None) -> KeyPage:
        names = sorted(name for name in self.objects if name.startswith(prefix))
        return KeyPage([name for name in names if name > (cursor or "")], None)
