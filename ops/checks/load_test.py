"""A bounded load of page views on one Worker, and what became of it."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import Counter
from dataclasses import dataclass, field
from http import HTTPStatus

import httpx

# Reserved for tests of networks; each stands for a client with a limit of its own.
# https://www.rfc-editor.org/rfc/rfc2544
PRETENDED = "198.18.{high}.{low}"
CLIENTS = 256 * 256
# No more of them than leave each below the limit of 100 a minute.
EVENTS_OF_A_CLIENT = 50
SECONDS = 30
BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0"


@dataclass(frozen=True, slots=True)
class Load:
    """So many events a second, for so many seconds, over at most so many connections."""

    rate: int
    seconds: int
    connections: int

    @property
    def events(self) -> int:
        """How many events that are."""
        return self.rate * self.seconds


@dataclass(slots=True)
class Measured:
    """What was answered. `latencies` are in milliseconds, of what was answered at all."""

    took: float = 0.0
    latencies: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)

    @property
    def stored(self) -> int:
        """Events that were stored."""
        return self.statuses[HTTPStatus.OK]

    @property
    def limited(self) -> int:
        """Events that met the rate limit."""
        return self.statuses[HTTPStatus.TOO_MANY_REQUESTS]

    @property
    def failed(self) -> int:
        """Events that were neither."""
        return self.statuses.total() + self.errors.total() - self.stored - self.limited

    @property
    def per_second(self) -> float:
        """Answers a second."""
        return round(len(self.latencies) / self.took, 1) if self.took else 0.0

    def percentile(self, share: int) -> float | None:
        """The milliseconds that so many of a hundred answers did not exceed."""
        if not self.latencies:
            return None
        ordered = sorted(self.latencies)
        return round(ordered[min(len(ordered) - 1, len(ordered) * share // 100)], 1)


def measure(url: str, pixel_id: str, load: Load, *, pretend: bool) -> Measured:
    """Sends the load. With `pretend`, as from many clients, which only a local Worker believes."""
    return asyncio.run(_measure(url, pixel_id, load, pretend=pretend))


async def _measure(url: str, pixel_id: str, load: Load, *, pretend: bool) -> Measured:
    measured = Measured()
    numbers = iter(range(load.events))
    # Another run within the minute is other clients.
    first_client = secrets.randbelow(CLIENTS)
    limits = httpx.Limits(max_connections=load.connections)
    headers = {"user-agent": BROWSER, "content-type": "text/plain;charset=UTF-8"}
    async with httpx.AsyncClient(
        base_url=url, headers=headers, limits=limits, timeout=SECONDS, trust_env=not pretend
    ) as http:
        started = time.perf_counter()

        async def connection() -> None:
            for number in numbers:
                await asyncio.sleep(started + number / load.rate - time.perf_counter())
                client = {"cf-connecting-ip": _client(first_client, number)} if pretend else {}
                await _send(http, _event(pixel_id, number), client, measured)

        await asyncio.gather(*(connection() for _ in range(load.connections)))
        measured.took = time.perf_counter() - started
    return measured


async def _send(
    http: httpx.AsyncClient,
    event: dict[str, object],
    headers: dict[str, str],
    measured: Measured,
) -> None:
    sent = time.perf_counter()
    try:
        response = await http.post("/e", json=event, headers=headers)
    except httpx.HTTPError as error:
        measured.errors[type(error).__name__] += 1
        return
    measured.latencies.append((time.perf_counter() - sent) * 1_000)
    measured.statuses[response.status_code] += 1


def _client(first: int, number: int) -> str:
    client = (first + number // EVENTS_OF_A_CLIENT) % CLIENTS
    return PRETENDED.format(high=client // 256, low=client % 256)


def _event(pixel_id: str, number: int) -> dict[str, object]:
    return {
        "pixel_id": pixel_id,
        "event_type": "pageview",
        "event_key": secrets.token_hex(8),
        "visitor_cookie": f"{number % 500:016x}",
        "page_url": f"https://capacity.test/page-{number % 50}?utm_source=capacity",
        "page_title": "A page of the capacity test",
    }
