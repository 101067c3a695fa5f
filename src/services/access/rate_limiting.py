"""Rate limits: how many requests a client may send in a window of time.

The truth is counted in Durable Objects, in memory, sharded by the client's network. A call to one
costs more than everything else the Worker computes for an event, so an isolate does not ask for
every request: the first few of a client in a window are free, later ones come from leases. A
client can exceed its limit by at most `free` requests for each isolate that it reaches.
"""

from __future__ import annotations

import json
import zlib
from collections import OrderedDict
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address

from services.core.ports import LimiterShards, UnavailableError

SHARDS = 64
MAX_ALLOWANCES = 5_000
COUNTED_WINDOWS = 2  # the present one, and the one before it for late requests
# Of one limit and window in one shard: some 10 MiB, and two windows of several limits fit. Nobody
# gains by it: whoever has so many addresses has as many allowances.
MAX_COUNTED_CLIENTS = 50_000


@dataclass(frozen=True, slots=True)
class Limit:
    """One class of limits: `requests` in each window of `window_seconds`.

    `free` is what an isolate admits before it asks, `lease` what it asks for at a time.
    """

    name: str
    requests: int
    window_seconds: int
    free: int
    lease: int


@dataclass(frozen=True, slots=True)
class RateLimitDecision:
    """Whether a request is admitted, and the client's limit. `reset_at` is in Unix seconds."""

    limit: int
    remaining: int
    reset_at: int
    allowed: bool = True
    counted: bool = True


@dataclass(slots=True)
class _Allowance:
    available: int
    remaining: int
    unreported: int
    used_up: bool = False


class ShardCounters:
    """The Durable Object's side: how many requests each client has used in a window."""

    def __init__(self) -> None:
        """Starts with nothing counted; a shard that restarts forgives the present window."""
        self._windows: dict[str, dict[int, OrderedDict[str, int]]] = {}

    @property
    def counted_clients(self) -> int:
        """How many clients are counted, each once for a limit and window."""
        return sum(len(counts) for windows in self._windows.values() for counts in windows.values())

    def take(self, request: str) -> str:
        """Answers a request for a lease, both as JSON.

        The request holds `limit`, `requests`, `window`, `client`, `spent` (already admitted, not
        yet reported) and `want`; the answer `granted` and `remaining`. It counts in the window of
        the requests it is for, however late it comes. Of too many clients the idle are forgotten.
        """
        ask = json.loads(request)
        used = self._counts(ask["limit"], ask["window"])
        # Whoever asks is the last to be forgotten.
        total = used.pop(ask["client"], 0) + ask["spent"]
        granted = max(0, min(ask["want"], ask["requests"] - total))
        used[ask["client"]] = total + granted
        if len(used) > MAX_COUNTED_CLIENTS:
            used.popitem(last=False)
        remaining = max(0, ask["requests"] - total - granted)
        return json.dumps({"granted": granted, "remaining": remaining})

    def _counts(self, limit: str, window: int) -> OrderedDict[str, int]:
        windows = self._windows.setdefault(limit, {})
        counts = windows.setdefault(window, OrderedDict())
        for expired in sorted(windows)[:-COUNTED_WINDOWS]:
            del windows[expired]
        return counts


class IsolateRateLimiter:
    """The isolate's side: admits requests out of what it was granted, and asks for more."""

    def __init__(self, shards: LimiterShards) -> None:
        """Takes the Durable Objects to ask."""
        self._shards = shards
        self._allowances: OrderedDict[tuple[str, str, int], _Allowance] = OrderedDict()

    async def admit(self, limit: Limit, address: str, now: float) -> RateLimitDecision:
        """Decides on one request from an IP address at a time in Unix seconds.

        When the shard fails, the request is admitted with `counted` false: the caller decides.
        """
        return await self._decide(limit, address, now, requests=1)

    async def would_admit(self, limit: Limit, address: str, now: float) -> RateLimitDecision:
        """Decides as `admit` does, without counting a request."""
        return await self._decide(limit, address, now, requests=0)

    async def _decide(
        self, limit: Limit, address: str, now: float, requests: int
    ) -> RateLimitDecision:
        window = int(now // limit.window_seconds)
        allowance = self._allowance(limit, rate_limited_client(address), window)
        reset_at = (window + 1) * limit.window_seconds
        if allowance.available == 0 and not allowance.used_up:
            want = limit.lease * requests
            try:
                await self._lease(limit, address, window, allowance, want)
            except UnavailableError:
                return RateLimitDecision(limit.requests, 0, reset_at, counted=False)
        if allowance.available < requests or (allowance.available == 0 and allowance.used_up):
            return RateLimitDecision(limit.requests, 0, reset_at, allowed=False)
        allowance.available -= requests
        return RateLimitDecision(
            limit.requests, allowance.remaining + allowance.available, reset_at
        )

    def _allowance(self, limit: Limit, client: str, window: int) -> _Allowance:
        # By window: requests from both sides of its end may be under way at once.
        key = (limit.name, client, window)
        allowance = self._allowances.get(key)
        if allowance is None:
            free = min(limit.free, limit.requests)
            allowance = _Allowance(free, limit.requests - free, unreported=free)
            self._allowances[key] = allowance
            if len(self._allowances) > MAX_ALLOWANCES:
                self._allowances.popitem(last=False)
        else:
            self._allowances.move_to_end(key)
        return allowance

    async def _lease(
        self, limit: Limit, address: str, window: int, allowance: _Allowance, want: int
    ) -> None:
        spent, allowance.unreported = allowance.unreported, 0
        request = {
            "limit": limit.name,
            "requests": limit.requests,
            "window": window,
            "client": rate_limited_client(address),
            "spent": spent,
            "want": want,
        }
        try:
            answer = json.loads(await self._shards.take(shard_name(address), json.dumps(request)))
        except UnavailableError:
            allowance.unreported += spent
            raise
        allowance.available += answer["granted"]
        allowance.remaining = answer["remaining"]
        allowance.used_up = answer["granted"] == 0 and answer["remaining"] == 0


def rate_limited_client(address: str) -> str:
    """The client behind an address: an IPv4 address, an IPv6 /64; anything else as it is."""
    if ":" not in address:
        return address
    try:
        full = IPv6Address(address)
    except AddressValueError:
        return address
    return str(full.ipv4_mapped or IPv6Address(int(full) >> 64 << 64))


def shard_name(address: str) -> str:
    """The name of the shard that counts an address: by IPv4 /16 or IPv6 /48."""
    return f"shard-{zlib.crc32(_network(rate_limited_client(address)).encode()) % SHARDS}"


def _network(client: str) -> str:
    try:
        if ":" in client:
            return str(int(IPv6Address(client)) >> 80)
        return str(int(IPv4Address(client)) >> 16)
    except AddressValueError:
        return client
