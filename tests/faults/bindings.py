"""The bindings of an isolate on this machine: what `src/bindings` is at Cloudflare.

`install` puts them where `wiring` imports them from, so that the app is wired as in production.
"""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from types import ModuleType
from typing import Any, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

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
from simulator.api import recognise
from simulator.recording import RecordedRequest
from tests.faults.outside import OUTSIDE

Answer = TypeVar("Answer")

ALERTS = "https://alerts.example/"


class D1:
    """The database."""

    def __init__(self, _binding: object = None) -> None:
        pass

    def rows_read(self) -> int:
        return 0

    async def size_bytes(self) -> int:
        return 4096

    async def batch(
        self, statements: Sequence[str], parameters: str, on_cost: OnCost | None = None
    ) -> str:
        rows = _call(
            "D1", lambda: _transaction([(statement, (parameters,)) for statement in statements])
        )[-1]
        if on_cost:
            on_cost(0, 0)
        if not rows:
            raise NotStoredError("D1 stored nothing")
        return str(rows[0]["answer"])

    async def batches(self, batches: Sequence[Batch]) -> Sequence[str | None]:
        bound = [
            (statement, (batch.parameters,)) for batch in batches for statement in batch.statements
        ]
        results = iter(_call("D1", lambda: _transaction(bound)))
        last = [[next(results) for _ in batch.statements][-1] for batch in batches]
        return [rows[0]["answer"] if rows else None for rows in last]

    async def rows(self, statement: str, *values: str | int) -> Sequence[Row]:
        return _call("D1", lambda: _transaction([(statement, values)]))[0]

    async def batch_rows(
        self, statements: Sequence[str], parameters: str
    ) -> Sequence[Sequence[Row]]:
        return _call(
            "D1", lambda: _transaction([(statement, (parameters,)) for statement in statements])
        )


def _transaction(bound: Sequence[tuple[str, Sequence[Any]]]) -> list[list[Row]]:
    database = OUTSIDE.database
    database.execute("BEGIN")
    try:
        results: list[list[Row]] = [
            [dict(row) for row in database.execute(sql, values)] for sql, values in bound
        ]
    except sqlite3.Error as error:
        database.execute("ROLLBACK")
        raise UnavailableError(f"D1 failed: {error}") from error
    database.execute("COMMIT")
    return results


class Kv:
    """The KV namespace."""

    def __init__(self, _binding: object = None) -> None:
        pass

    async def get(self, key: str) -> str | None:
        def run() -> str | None:
            value, until = OUTSIDE.key_values.get(key, (None, OUTSIDE.now))
            return value if until > OUTSIDE.now else None

        return _call("KV", run)

    async def put(self, key: str, value: str, seconds: int) -> None:
        assert seconds >= 60
        until = OUTSIDE.now + timedelta(seconds=seconds)
        _call("KV", lambda: OUTSIDE.key_values.update({key: (value, until)}))

    async def delete(self, key: str) -> None:
        _call("KV", lambda: OUTSIDE.key_values.pop(key, None))

    async def page(self, prefix: str, cursor: str | None) -> KeyPage:
        return _call("KV", lambda: _page([*OUTSIDE.key_values], prefix, cursor))


class R2:
    """The bucket."""

    def __init__(self, _binding: object = None) -> None:
        pass

    async def get(self, key: str) -> bytes | None:
        return _call("R2", lambda: OUTSIDE.objects.get(key))

    async def get_each(self, keys: Sequence[str]) -> Sequence[bytes | None]:
        return [await self.get(key) for key in keys]

    async def put(self, key: str, content: bytes) -> None:
        _call("R2", lambda: OUTSIDE.objects.update({key: bytes(content)}))

    async def delete(self, keys: Sequence[str]) -> None:
        _call("R2", lambda: [OUTSIDE.objects.pop(key, None) for key in keys])

    async def page(self, prefix: str, cursor: str | None) -> KeyPage:
        return _call("R2", lambda: _page([*OUTSIDE.objects], prefix, cursor))


def _page(keys: Sequence[str], prefix: str, cursor: str | None) -> KeyPage:
    names = sorted(key for key in keys if key.startswith(prefix) and key > (cursor or ""))
    return KeyPage(names[:1_000], names[999] if len(names) > 1_000 else None)


class Shards:
    """The Durable Objects."""

    def __init__(self, _namespace: object = None) -> None:
        pass

    async def take(self, shard: str, request: str) -> str:
        return _call("limiter", lambda: OUTSIDE.shards[shard].take(request))

    async def ping(self) -> None:
        _call("limiter", lambda: None)


class Fetch:
    """Pipedrive and the webhook of alerts."""

    async def send(
        self, method: str, url: str, headers: Mapping[str, str], body: str | None, seconds: float
    ) -> HttpAnswer:
        def run() -> HttpAnswer:
            if url.startswith(ALERTS):
                OUTSIDE.alerts.append(body or "")
                return HttpAnswer(200, "ok", {})
            path, _, query = url.removeprefix("https://crm.example").partition("?")
            names = {name.lower(): value for name, value in headers.items()}
            request = RecordedRequest(method, path, query, names, body or "", 0)
            request.operation, request.person_id = recognise(method, path)
            answer = OUTSIDE.crm.answer(request)
            content = {"content-type": answer.content_type, **answer.headers}
            return HttpAnswer(answer.status, answer.content.decode(), content)

        assert seconds > 0
        return OUTSIDE.calls.make("HTTP", run, NetworkError("the connection failed"))


def _call(name: str, run: Callable[[], Answer]) -> Answer:
    return OUTSIDE.calls.make(name, run, UnavailableError(f"{name} failed"))


def now() -> datetime:
    """The time."""
    return OUTSIDE.now


async def sleep(seconds: float) -> None:
    """Lets the time pass."""
    OUTSIDE.now += timedelta(seconds=seconds)


def local_time(moment: datetime, zone: str) -> datetime:
    """The wall clock of a zone."""
    try:
        return moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError(f"{zone!r} is no time zone") from None


def new_id() -> str:
    """32 hex digits."""
    return f"{OUTSIDE.random.getrandbits(128):032x}"


def random() -> float:
    """A number from 0 to below 1."""
    return OUTSIDE.random.random()


MODULES: Mapping[str, Mapping[str, object]] = {
    "clock": {"now": now, "sleep": sleep, "local_time": local_time},
    "d1": {"D1": D1},
    "fetch": {"Fetch": Fetch},
    "interpreter": {"new_id": new_id, "random": random, "memory_mib": lambda: 40},
    "kv": {"Kv": Kv},
    "limiter": {"Shards": Shards},
    "r2": {"R2": R2},
}


def install() -> None:
    """Puts these bindings in the place of Cloudflare's."""
    for name, contents in MODULES.items():
        module = ModuleType(f"bindings.{name}")
        vars(module).update(contents)
        sys.modules[f"bindings.{name}"] = module
    # For settings that are no text, of which these isolates have none.
    sys.modules["js"] = ModuleType("js")
