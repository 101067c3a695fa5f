import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.core.ports import UnavailableError
from services.sync.timers import (
    MAX_DELETES,
    MAX_KEYS,
    MAX_OLD_DELETES,
    TIMER_TTL_SECONDS,
    DueTimers,
    Timers,
    delete_old_timers,
)
from tests.unit.memory import NOW, MemoryKeyValues

MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2099, 1, 1))  # noqa: DTZ001  # UTC below
TIMERS = st.lists(
    st.tuples(st.integers(1, 10**12 - 1), MOMENTS.map(lambda moment: moment.replace(tzinfo=UTC))),
    max_size=20,
    unique_by=lambda timer: timer[0],
)


def set_all(timers: Timers, *due_events: tuple[int, datetime]) -> None:
    async def set_in_order() -> None:
        for event_id, due in due_events:
            await timers.set(event_id, due)

    asyncio.run(set_in_order())


def pages(timers: Timers, now: datetime = NOW) -> list[DueTimers]:
    async def gather() -> list[DueTimers]:
        return [page async for page in timers.due(now)]

    return asyncio.run(gather())


def due_ids(timers: Timers, now: datetime = NOW) -> list[int]:
    return [event_id for page in pages(timers, now) for event_id in page.event_ids]


def crowded(number: int, page_size: int = 1_000) -> MemoryKeyValues:
    """KV with many timers that are due."""
    key_values = MemoryKeyValues(page_size)
    due = NOW - timedelta(hours=1)
    set_all(Timers(key_values), *((event_id, due) for event_id in range(1, number + 1)))
    return key_values


def test_a_timer_is_a_key_with_nothing_but_a_time_and_an_event() -> None:
    key_values = MemoryKeyValues()
    set_all(Timers(key_values), (42, NOW))
    assert key_values.values == {"sync:20260501T120000Z:000000000042": "42"}
    assert set(key_values.seconds.values()) == {TIMER_TTL_SECONDS}


@pytest.mark.parametrize(
    ("due", "goes_off"),
    [
        (NOW - timedelta(days=2), True),
        (NOW - timedelta(seconds=1), True),
        (NOW, True),
        (NOW + timedelta(seconds=1), False),
        (NOW + timedelta(days=2), False),
    ],
)
def test_a_timer_goes_off_when_it_is_due_and_not_before(due: datetime, *, goes_off: bool) -> None:
    timers = Timers(MemoryKeyValues())
    set_all(timers, (42, due))
    assert due_ids(timers) == ([42] if goes_off else [])


@given(TIMERS, st.integers(0, 20), st.integers(1, 7))
def test_what_is_due_comes_in_the_order_of_its_times(
    due_events: list[tuple[int, datetime]], due: int, page_size: int
) -> None:
    in_order = sorted(due_events, key=lambda timer: (timer[1].replace(microsecond=0), timer[0]))
    now = in_order[min(due, len(due_events) - 1)][1] if due_events else NOW
    timers = Timers(MemoryKeyValues(page_size))
    set_all(timers, *due_events)
    assert due_ids(timers, now) == [
        event_id for event_id, moment in in_order if moment.replace(microsecond=0) <= now
    ]


def test_pages_are_asked_for_only_as_long_as_all_of_one_is_due() -> None:
    key_values = crowded(5, page_size=2)
    timers = Timers(key_values)
    set_all(timers, *((event_id, NOW + timedelta(hours=1)) for event_id in range(100, 110)))
    assert [len(page.event_ids) for page in pages(timers)] == [2, 2, 1]
    assert timers.lists == 3


def test_one_run_takes_ten_thousand_timers_at_most() -> None:
    timers = Timers(crowded(MAX_KEYS + 1_500))
    assert due_ids(timers) == list(range(1, MAX_KEYS + 1))
    assert timers.lists == 10
    assert due_ids(timers) == []


@pytest.mark.parametrize(
    "name", ["sync:", "sync:!", "sync:2020", "sync:20200101T000000Z:", "sync:20200101T000000Z:x:1"]
)
def test_an_unknown_key_before_the_timers_is_deleted_with_them(name: str) -> None:
    key_values = crowded(1)
    key_values.values[name] = ""
    timers = Timers(key_values)
    [page] = pages(timers)
    assert page.event_ids == [1]
    asyncio.run(timers.delete(page))
    assert key_values.values == {}


@pytest.mark.parametrize("name", ["sync:tomorrow", "sync:99991231T235959Z:1", "other:1"])
def test_an_unknown_key_behind_the_timers_stays(name: str) -> None:
    key_values = crowded(1)
    key_values.values[name] = ""
    timers = Timers(key_values)
    for page in pages(timers):
        asyncio.run(timers.delete(page))
    assert key_values.values == {name: ""}


def test_a_run_deletes_only_as_many_as_cloudflare_allows() -> None:
    key_values = crowded(1_000, page_size=500)
    timers = Timers(key_values)
    for page in pages(timers):
        asyncio.run(timers.delete(page))
    assert timers.deletes == MAX_DELETES
    assert due_ids(Timers(key_values)) == list(range(MAX_DELETES + 1, 1_001))


def test_a_failure_to_delete_is_no_error() -> None:
    key_values = crowded(5)
    timers = Timers(key_values)
    [page] = pages(timers)
    key_values.operations = 2
    asyncio.run(timers.delete(page))
    assert timers.deletes == 2
    assert len(key_values.values) == 3


def test_a_failure_to_set_or_to_list_is_raised() -> None:
    key_values = crowded(3, page_size=2)
    timers = Timers(key_values)
    key_values.operations = 1
    with pytest.raises(UnavailableError):
        pages(timers)
    with pytest.raises(UnavailableError):
        set_all(timers, (1, NOW))


def test_the_timers_of_the_old_worker_are_deleted_and_nothing_else() -> None:
    kept = {"sync:20260501T120000Z:000000000042", "submission:sync", "alerts", "health"}
    kept |= {"pixel:acme", "rate_limit:203.0.113.7", "pipedrive-fields:default"}
    kept |= {"idempotency:idemp_1a2b3c", "pipedrive_sync", "pending:44", "a:pipedrive_sync:1:2"}
    old = {"pipedrive_sync:42:1761900000000", "pipedrive_sync:43:1761900000001"}
    key_values = MemoryKeyValues(page_size=1)
    key_values.values.update(dict.fromkeys(kept | old, "1"))
    for _ in range(3):
        asyncio.run(delete_old_timers(key_values))
    assert set(key_values.values) == kept


def test_a_run_deletes_a_portion_of_them() -> None:
    key_values = MemoryKeyValues()
    key_values.values.update({f"pipedrive_sync:{number}:1761900": "1" for number in range(60)})
    assert asyncio.run(delete_old_timers(key_values)) == MAX_OLD_DELETES
    assert asyncio.run(delete_old_timers(key_values)) == 60 - MAX_OLD_DELETES
    assert asyncio.run(delete_old_timers(key_values)) == 0
