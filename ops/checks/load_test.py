"""Send page views to a Worker at a fixed rate and measure the answers."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import Counter
from dataclasses import dataclass, field
from http import HTTPStatus

import httpx

from ops.checks.user_agent import BROWSER_USER_AGENT

# Reserved for network benchmarks; each address is a client with its own rate limit.
# https://www.rfc-editor.org/rfc/rfc2544
CLIENT_ADDRESS = "198.18.{high}.{low}"
ADDRESSES = 256 * 256
# Keeps a client below the rate limit of 100 a minute.
EVENTS_PER_CLIENT = 50
TIMEOUT_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Load:
    """How many events are sent. `rate` is in events a second, `connections` a maximum."""

    rate: int
    seconds: int
    connections: int

    @property
    def events(self) -> int:
        """The number of events."""
        return self.rate * self.seconds


@dataclass(slots=True)
class LoadResult:
    """The answers to a load, by status; `errors` are requests without an answer, by exception."""

    elapsed_seconds: float = 0.0
    latencies_ms: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)

    @property
    def stored(self) -> int:
        """The number of stored events."""
        return self.statuses[HTTPStatus.OK]

    @property
    def limited(self) -> int:
        """The number of events over the rate limit."""
        return self.statuses[HTTPStatus.TOO_MANY_REQUESTS]

    @property
    def failed(self) -> int:
        """The number of events that were neither stored nor limited."""
        return self.statuses.total() + self.errors.total() - self.stored - self.limited

    @property
    def per_second(self) -> float:
        """Answers per second, rounded to 0.1."""
        return (
            round(len(self.latencies_ms) / self.elapsed_seconds, 1) if self.elapsed_seconds else 0.0
        )

    def percentile(self, share: int) -> float | None:
        """Return a percentile of the latencies in milliseconds; None without answers."""
        if not self.latencies_ms:
            return None
        ordered = sorted(self.latencies_ms)
        return round(ordered[min(len(ordered) - 1, len(ordered) * share // 100)], 1)


def run_load(url: str, pixel_id: str, load: Load, *, fake_clients: bool) -> LoadResult:
    """Send the load; with `fake_clients` from many addresses, which only a local Worker accepts."""
    return asyncio.run(_run_load(url, pixel_id, load, fake_clients=fake_clients))


async def _run_load(url: str, pixel_id: str, load: Load, *, fake_clients: bool) -> LoadResult:
    result = LoadResult()
    numbers = iter(range(load.events))
    # A second run within a minute must not meet the limits of the first.
    first_client = secrets.randbelow(ADDRESSES)
    limits = httpx.Limits(max_connections=load.connections)
    headers = {"user-agent": BROWSER_USER_AGENT, "content-type": "text/plain;charset=UTF-8"}
    async with httpx.AsyncClient(
        base_url=url,
        headers=headers,
        limits=limits,
        timeout=TIMEOUT_SECONDS,
        trust_env=not fake_clients,
    ) as http:
        started = time.perf_counter()

        async def connection() -> None:
            for number in numbers:
                await asyncio.sleep(started + number / load.rate - time.perf_counter())
                client = {"cf-connecting-ip": _client(first_client, number)} if fake_clients else {}
                await _send(http, _event(pixel_id, number), client, result)

        await asyncio.gather(*(connection() for _ in range(load.connections)))
        result.elapsed_seconds = time.perf_counter() - started
    return result


async def _send(
    http: httpx.AsyncClient,
    event: dict[str, object],
    headers: dict[str, str],
    result: LoadResult,
) -> None:
    started = time.perf_counter()
    try:
        response = await http.post("/e", json=event, headers=headers)
    except httpx.HTTPError as error:
        result.errors[type(error).__name__] += 1
        return
    result.latencies_ms.append((time.perf_counter() - started) * 1_000)
    result.statuses[response.status_code] += 1


def _client(first: int, number: int) -> str:
    client = (first + number // EVENTS_PER_CLIENT) % ADDRESSES
    return CLIENT_ADDRESS.format(high=client // 256, low=client % 256)


def _event(pixel_id: str, number: int) -> dict[str, object]:
    return {
        "pixel_id": pixel_id,
        "event_type": "pageview",
        "event_key": secrets.token_hex(8),
        "visitor_cookie": f"{number % 500:016x}",
        "page_url": f"https://capacity.test/page-{number % 50}?utm_source=capacity",
        "page_title": "A page of the capacity test",
    }
