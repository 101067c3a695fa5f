import asyncio
import json
from collections.abc import Awaitable, Sequence
from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.access.rate_limiting import (
    MAX_ALLOWANCES,
    MAX_COUNTED_CLIENTS,
    SHARDS,
    IsolateRateLimiter,
    Limit,
    RateLimitDecision,
    ShardCounters,
    rate_limited_client,
    shard_name,
)
from services.core.ports import UnavailableError

TRACKING = Limit("tracking", requests=100, window_seconds=60, free=5, lease=10)
STRICT = Limit("management", requests=10, window_seconds=3_600, free=0, lease=1)
CLIENT = "203.0.113.7"
NOW = 1_700_000_000.0
WINDOW_END = (int(NOW) // 60 + 1) * 60


class MemoryShards:
    """The shards' own counters in this process; they fail while `failing` is set."""

    def __init__(self) -> None:
        self.failing = False
        self.asked: list[dict[str, object]] = []
        self._counters: dict[str, ShardCounters] = {}

    async def take(self, shard: str, request: str) -> str:
        await asyncio.sleep(0)
        if self.failing:
            raise UnavailableError("the shard failed")
        self.asked.append(json.loads(request))
        return self._counters.setdefault(shard, ShardCounters()).take(request)

    async def ping(self) -> None:
        if self.failing:
            raise UnavailableError("the shard failed")


def admit(
    limiter: IsolateRateLimiter, limit: Limit = TRACKING, *, times: int = 1, now: float = NOW
) -> list[RateLimitDecision]:
    async def one_by_one() -> list[RateLimitDecision]:
        return [await limiter.admit(limit, CLIENT, now) for _ in range(times)]

    return asyncio.run(one_by_one())


def admitted(verdicts: Sequence[RateLimitDecision]) -> int:
    return sum(decision.allowed for decision in verdicts)


# One isolate


def test_one_isolate_admits_the_limit_and_refuses_the_next_until_the_window_ends() -> None:
    verdicts = admit(IsolateRateLimiter(MemoryShards()), times=103)
    assert [decision.allowed for decision in verdicts] == [True] * 100 + [False] * 3
    assert verdicts[100] == RateLimitDecision(
        allowed=False, limit=100, remaining=0, reset_at=WINDOW_END
    )


def test_what_remains_is_counted_down_to_zero() -> None:
    verdicts = admit(IsolateRateLimiter(MemoryShards()), times=100)
    assert [decision.remaining for decision in verdicts] == list(range(99, -1, -1))
    assert {(decision.limit, decision.reset_at, decision.counted) for decision in verdicts} == {
        (100, WINDOW_END, True)
    }


def test_the_first_requests_of_a_client_ask_no_shard() -> None:
    shards = MemoryShards()
    limiter = IsolateRateLimiter(shards)
    admit(limiter, times=5)
    assert shards.asked == []
    admit(limiter)
    assert shards.asked == [
        {
            "limit": "tracking",
            "requests": 100,
            "window": int(NOW) // 60,
            "client": CLIENT,
            "spent": 5,
            "want": 10,
        }
    ]


def test_a_lease_is_used_up_before_the_next_one() -> None:
    shards = MemoryShards()
    admit(IsolateRateLimiter(shards), times=100)
    assert [ask["spent"] for ask in shards.asked] == [5] + [0] * 9


def test_a_limit_without_free_requests_and_leases_asks_each_time_until_it_is_refused() -> None:
    shards = MemoryShards()
    verdicts = admit(IsolateRateLimiter(shards), STRICT, times=12)
    assert admitted(verdicts) == 10
    assert [ask["want"] for ask in shards.asked] == [1] * 11
    assert [decision.remaining for decision in verdicts] == [*range(9, -1, -1), 0, 0]


def test_a_limit_below_its_free_requests_is_still_the_limit() -> None:
    tiny = Limit("tracking", requests=3, window_seconds=60, free=5, lease=10)
    assert admitted(admit(IsolateRateLimiter(MemoryShards()), tiny, times=9)) == 3


def test_a_new_window_starts_afresh() -> None:
    shards = MemoryShards()
    limiter = IsolateRateLimiter(shards)
    admit(limiter, times=101)
    verdicts = admit(limiter, times=101, now=float(WINDOW_END))
    assert admitted(verdicts) == 100
    assert verdicts[-1].reset_at == WINDOW_END + 60


def test_the_last_moment_of_a_window_still_belongs_to_it() -> None:
    limiter = IsolateRateLimiter(MemoryShards())
    admit(limiter, times=100)
    assert not admit(limiter, now=WINDOW_END - 0.001)[0].allowed


def test_requests_from_both_sides_of_a_windows_end_have_each_their_whole_limit() -> None:
    async def at_the_end() -> Sequence[RateLimitDecision]:
        limiter = IsolateRateLimiter(MemoryShards())
        requests: list[Awaitable[RateLimitDecision]] = [
            limiter.admit(TRACKING, CLIENT, WINDOW_END - number % 2) for number in range(240)
        ]
        return await asyncio.gather(*requests)

    verdicts = asyncio.run(at_the_end())
    assert [admitted(side) for side in (verdicts[::2], verdicts[1::2])] == [100, 100]


def test_the_limits_of_a_client_are_counted_separately() -> None:
    limiter = IsolateRateLimiter(MemoryShards())
    admit(limiter, STRICT, times=11)
    assert admitted(admit(limiter, TRACKING, times=101)) == 100


def test_two_clients_are_counted_apart() -> None:
    limiter = IsolateRateLimiter(MemoryShards())
    admit(limiter, times=101)
    assert asyncio.run(limiter.admit(TRACKING, "203.0.113.8", NOW)).allowed


@pytest.mark.parametrize("limit", [TRACKING, STRICT], ids=lambda limit: limit.name)
def test_requests_at_the_same_moment_share_one_limit(limit: Limit) -> None:
    async def at_once() -> list[RateLimitDecision]:
        limiter = IsolateRateLimiter(MemoryShards())
        requests: list[Awaitable[RateLimitDecision]] = [
            limiter.admit(limit, CLIENT, NOW) for _ in range(2 * limit.requests)
        ]
        return await asyncio.gather(*requests)

    assert admitted(asyncio.run(at_once())) == limit.requests


def would_admit(limiter: IsolateRateLimiter, limit: Limit = STRICT) -> RateLimitDecision:
    return asyncio.run(limiter.would_admit(limit, CLIENT, NOW))


@pytest.mark.parametrize("limit", [TRACKING, STRICT], ids=lambda limit: limit.name)
def test_to_ask_first_counts_nothing(limit: Limit) -> None:
    limiter = IsolateRateLimiter(MemoryShards())
    for used in range(limit.requests):
        assert would_admit(limiter, limit).allowed
        [decision] = admit(limiter, limit)
        assert (decision.allowed, decision.remaining) == (True, limit.requests - used - 1)
    assert not would_admit(limiter, limit).allowed


def test_another_isolate_learns_with_its_first_lease_how_much_is_used() -> None:
    shards = MemoryShards()
    other = IsolateRateLimiter(shards)
    assert would_admit(other).remaining == 10
    admit(IsolateRateLimiter(shards), STRICT, times=10)
    assert not would_admit(other).allowed
    requests_before = len(shards.asked)
    assert not would_admit(other).allowed
    assert len(shards.asked) == requests_before


def test_to_ask_first_is_uncounted_where_the_shard_fails() -> None:
    shards = MemoryShards()
    shards.failing = True
    decision = would_admit(IsolateRateLimiter(shards))
    assert (decision.allowed, decision.counted) == (True, False)


# Several isolates


def test_two_isolates_exceed_the_limit_by_at_most_their_free_requests() -> None:
    shards = MemoryShards()
    first, second = IsolateRateLimiter(shards), IsolateRateLimiter(shards)
    total = admitted([decision for _ in range(150) for decision in admit(first) + admit(second)])
    assert 100 <= total <= 100 + 2 * TRACKING.free


def test_an_isolate_that_comes_late_has_only_its_free_requests() -> None:
    shards = MemoryShards()
    admit(IsolateRateLimiter(shards), times=100)
    assert admitted(admit(IsolateRateLimiter(shards), times=50)) == TRACKING.free


def test_without_free_requests_two_isolates_never_exceed_the_limit() -> None:
    shards = MemoryShards()
    isolates = [IsolateRateLimiter(shards), IsolateRateLimiter(shards)]
    assert admitted([admit(isolates[turn % 2], STRICT)[0] for turn in range(30)]) == 10


LIMITS = st.builds(
    Limit,
    name=st.just("tracking"),
    requests=st.integers(1, 40),
    window_seconds=st.just(60),
    free=st.integers(0, 8),
    lease=st.integers(1, 12),
)


@given(LIMITS, st.lists(st.integers(0, 3), max_size=150))
@settings(deadline=None)
def test_whatever_the_order_isolates_stay_within_the_limit_and_their_free_requests(
    limit: Limit, turns: list[int]
) -> None:
    shards = MemoryShards()
    isolates = [IsolateRateLimiter(shards) for _ in range(4)]

    async def take_turns() -> list[RateLimitDecision]:
        return [await isolates[turn].admit(limit, CLIENT, NOW) for turn in turns]

    total = admitted(asyncio.run(take_turns()))
    assert total <= limit.requests + limit.free * len(set(turns))
    # Leases that wait in one isolate may be missing in another, but nothing else is.
    idle = (limit.lease - 1) * (len(set(turns)) - 1)
    assert total >= min(len(turns), limit.requests - max(idle, 0))


@given(LIMITS, st.lists(st.tuples(st.integers(0, 2), st.booleans()), max_size=120))
@settings(deadline=None)
def test_requests_admitted_during_a_failure_are_counted_afterwards(
    limit: Limit, turns: list[tuple[int, bool]]
) -> None:
    shards = MemoryShards()
    isolates = [IsolateRateLimiter(shards) for _ in range(3)]

    async def take_turns() -> list[RateLimitDecision]:
        verdicts = []
        for turn, shards.failing in turns:
            verdicts.append(await isolates[turn].admit(limit, CLIENT, NOW))
        return verdicts

    verdicts = asyncio.run(take_turns())
    counted = [decision for decision in verdicts if decision.counted]
    assert admitted(counted) <= limit.requests + 3 * limit.free
    assert all(decision.allowed for decision in verdicts if not decision.counted)


# A shard that fails


def test_a_failing_shard_lets_requests_pass_uncounted() -> None:
    shards = MemoryShards()
    shards.failing = True
    verdicts = admit(IsolateRateLimiter(shards), times=7)
    assert [(decision.allowed, decision.counted) for decision in verdicts] == [
        *[(True, True)] * 5,
        *[(True, False)] * 2,
    ]
    assert verdicts[-1].remaining == 0
    assert verdicts[-1].reset_at == WINDOW_END


def test_a_failure_loses_nothing_that_is_to_be_reported() -> None:
    shards = MemoryShards()
    limiter = IsolateRateLimiter(shards)
    shards.failing = True
    admit(limiter, times=9)
    shards.failing = False
    verdicts = admit(limiter, times=100)
    assert shards.asked[0]["spent"] == 5
    assert admitted(verdicts) == 95


def test_a_failure_is_not_an_answer_of_the_limiter() -> None:
    shards = MemoryShards()
    limiter = IsolateRateLimiter(shards)
    shards.failing = True
    assert admit(limiter, STRICT)[0] == RateLimitDecision(
        allowed=True,
        limit=STRICT.requests,
        remaining=0,
        reset_at=(int(NOW) // STRICT.window_seconds + 1) * STRICT.window_seconds,
        counted=False,
    )


def test_a_refusal_holds_until_the_window_ends_without_another_call() -> None:
    shards = MemoryShards()
    limiter = IsolateRateLimiter(shards)
    admit(limiter, times=101)
    requests_before = len(shards.asked)
    shards.failing = True
    assert not admit(limiter)[0].allowed
    assert len(shards.asked) == requests_before


# The shard


def ask(spent: int, want: int, limit: Limit = TRACKING, window: int = 0) -> str:
    return json.dumps(
        {
            "limit": limit.name,
            "requests": limit.requests,
            "window": window,
            "client": CLIENT,
            "spent": spent,
            "want": want,
        }
    )


def test_a_shard_grants_no_more_than_remains() -> None:
    counters = ShardCounters()
    answers = [json.loads(counters.take(ask(spent, 10))) for spent in (5, 80, 0, 40)]
    assert answers == [
        {"granted": 10, "remaining": 85},
        {"granted": 5, "remaining": 0},
        {"granted": 0, "remaining": 0},
        {"granted": 0, "remaining": 0},
    ]


def test_a_shard_counts_each_window_by_itself() -> None:
    counters = ShardCounters()
    counters.take(ask(100, 10))
    assert json.loads(counters.take(ask(0, 10, window=1))) == {"granted": 10, "remaining": 90}
    assert json.loads(counters.take(ask(0, 10))) == {"granted": 0, "remaining": 0}


def test_a_shard_forgets_all_windows_but_the_last_two() -> None:
    counters = ShardCounters()
    for window in range(3):
        counters.take(ask(100, 10, window=window))
    granted = [json.loads(counters.take(ask(0, 1, window=w)))["granted"] for w in (2, 1, 0)]
    assert granted == [0, 0, 1]


def test_however_many_addresses_a_shard_counts_so_many_and_no_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("services.access.rate_limiting.MAX_COUNTED_CLIENTS", 2_000)
    counters = ShardCounters()

    def take(client: object) -> str:
        lease = {"limit": "tracking", "requests": 100, "window": 1, "spent": 0, "want": 1}
        return counters.take(json.dumps({**lease, "client": str(client)}))

    for number in range(50_000):
        take(number)
        if number % 1_000 == 0:
            answer = take(CLIENT)
    assert counters.counted_clients == 2_000
    # Who keeps coming is still counted, whoever else came in between.
    assert json.loads(answer)["remaining"] == 50


def test_a_million_addresses_in_one_window_take_no_more_memory_than_the_bound() -> None:
    counters = ShardCounters()
    rest = '"limit": "tracking", "requests": 100, "window": 1, "spent": 5, "want": 10'
    most = 0
    for number in range(1_000_000):
        counters.take(f'{{"client": "2001:db8:{number >> 16:x}:{number & 0xFFFF:x}::", {rest}}}')
        if number % 10_000 == 0:
            most = max(most, counters.counted_clients)
    assert (most, counters.counted_clients) == (MAX_COUNTED_CLIENTS, MAX_COUNTED_CLIENTS)


def test_windows_of_different_limits_do_not_disturb_each_other() -> None:
    counters = ShardCounters()
    counters.take(ask(0, 10, STRICT))
    counters.take(ask(0, 10, window=1))
    counters.take(ask(0, 10, window=2))
    assert json.loads(counters.take(ask(0, 1, STRICT)))["granted"] == 0


# Addresses


def test_an_ipv6_network_of_64_bits_is_one_client() -> None:
    assert rate_limited_client("2001:db8:1:2::1") == rate_limited_client("2001:DB8:1:2:ffff:0:0:9")
    assert rate_limited_client("2001:db8:1:2::1") != rate_limited_client("2001:db8:1:3::1")


def test_each_ipv4_address_is_a_client() -> None:
    assert rate_limited_client("203.0.113.7") != rate_limited_client("203.0.113.8")


def test_addresses_of_one_ipv6_client_share_its_limit() -> None:
    async def from_two_addresses() -> list[RateLimitDecision]:
        limiter = IsolateRateLimiter(MemoryShards())
        addresses = ["2001:db8::1", "2001:db8::2"]
        return [await limiter.admit(TRACKING, addresses[n % 2], NOW) for n in range(110)]

    assert admitted(asyncio.run(from_two_addresses())) == 100


def test_an_ipv4_network_of_16_bits_has_one_shard() -> None:
    assert len({shard_name(f"198.51.{third}.{third}") for third in range(256)}) == 1


def test_an_ipv6_network_of_48_bits_has_one_shard() -> None:
    assert len({shard_name(f"2001:db8:77:{fourth:x}::{fourth:x}") for fourth in range(256)}) == 1


def test_the_shards_are_few_and_all_in_use() -> None:
    networks = [f"{first}.{second}.0.1" for first in range(1, 100) for second in range(50)]
    assert {shard_name(address) for address in networks} == {f"shard-{n}" for n in range(SHARDS)}


@given(st.ip_addresses())
def test_every_address_of_a_client_is_on_the_clients_shard(
    address: IPv4Address | IPv6Address,
) -> None:
    client = rate_limited_client(str(address))
    assert rate_limited_client(client) == client
    assert shard_name(client) == shard_name(str(address))


@pytest.mark.parametrize(
    "address", ["", "unknown", "1.2.3", "999.1.1.1", ":", "::1%eth0", "a:b:c", "2001:db8::1/64"]
)
def test_an_odd_address_is_a_client_like_any_other(address: str) -> None:
    limiter = IsolateRateLimiter(MemoryShards())

    async def requests() -> list[RateLimitDecision]:
        return [await limiter.admit(TRACKING, address, NOW) for _ in range(101)]

    assert admitted(asyncio.run(requests())) == 100


# Memory


def test_an_isolate_remembers_a_bounded_number_of_clients() -> None:
    shards = MemoryShards()
    limiter = IsolateRateLimiter(shards)

    async def from_many() -> None:
        for number in range(MAX_ALLOWANCES + 1):
            for _ in range(TRACKING.free):
                await limiter.admit(TRACKING, str(IPv4Address(number)), NOW)
        assert shards.asked == []
        # The client seen last is remembered, so that its free requests are used up …
        await limiter.admit(TRACKING, str(IPv4Address(MAX_ALLOWANCES)), NOW)
        assert len(shards.asked) == 1
        # … and the oldest is forgotten, so that it has new ones.
        await limiter.admit(TRACKING, str(IPv4Address(0)), NOW)
        assert len(shards.asked) == 1

    asyncio.run(from_many())


def test_a_client_that_keeps_coming_is_not_forgotten() -> None:
    limiter = IsolateRateLimiter(MemoryShards())

    async def among_many() -> list[RateLimitDecision]:
        verdicts = []
        for number in range(MAX_ALLOWANCES + 10):
            await limiter.admit(TRACKING, str(IPv4Address(number)), NOW)
            if number % 1_000 == 0:
                verdicts.append(await limiter.admit(TRACKING, CLIENT, NOW))
        return verdicts

    remaining = [decision.remaining for decision in asyncio.run(among_many())]
    assert remaining == [99, 98, 97, 96, 95, 94]
