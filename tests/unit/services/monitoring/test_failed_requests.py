"""Failed requests are counted in few writes, and none is lost while D1 fails."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine, Sequence
from datetime import timedelta
from functools import wraps

from services.core.logs import Log
from services.core.ports import Row, UnavailableError
from services.monitoring.failed_requests import KINDS, FailedRequests
from tests.faults.outside import migrated_database
from tests.unit.memory import MemoryDatabase, Time


class FailingDatabase(MemoryDatabase):
    """D1, which can fail; `numbers` are the counts that it was given."""

    def __init__(self, *, fails: bool = False) -> None:
        super().__init__()
        self.fails = fails
        self.numbers: list[int] = []

    async def batch_rows(
        self, statements: Sequence[str], parameters: str
    ) -> Sequence[Sequence[Row]]:
        if self.fails:
            raise UnavailableError("D1 does not answer")
        self.numbers.append(json.loads(parameters)["counts"]["number"])
        return [[] for _ in statements]


class StoringDatabase(MemoryDatabase):
    """D1 with the tables of all migrations."""

    def __init__(self) -> None:
        super().__init__()
        self.sqlite = migrated_database()

    async def batch_rows(
        self, statements: Sequence[str], parameters: str
    ) -> Sequence[Sequence[Row]]:
        for statement in statements:
            self.sqlite.execute(statement, (parameters,))
        return [[] for _ in statements]


class Pauses:
    """Sleeps that end when the test says so; `seconds` are those that were asked for."""

    def __init__(self, time: Time) -> None:
        self.time = time
        self.seconds: list[float] = []
        self._end = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        self.seconds.append(seconds)
        await self._end.wait()

    async def end(self) -> None:
        self.time.now += timedelta(seconds=5)
        self._end.set()
        await turns()
        self._end.clear()


def played(scenario: Callable[[], Coroutine[None, None, None]]) -> Callable[[], None]:
    """A test that runs in an event loop."""

    @wraps(scenario)
    def run() -> None:
        asyncio.run(scenario())

    return run


async def turns() -> None:
    """Lets every task go on until it waits."""
    for _ in range(5):
        await asyncio.sleep(0)


async def fail_requests(counter: FailedRequests, number: int) -> list[asyncio.Task[None]]:
    """The work after some answers, as far as it goes at once."""
    log = Log("info", "request-1")
    tasks = [asyncio.create_task(counter.count(log)) for _ in range(number)]
    await turns()
    return tasks


@played
async def test_requests_that_fail_within_five_seconds_are_written_together() -> None:
    database, pauses = FailingDatabase(), Pauses(Time())
    counter = FailedRequests(database, pauses.time.clock, pauses.sleep)
    tasks = await fail_requests(counter, 4)
    # No request comes after them.
    assert (database.numbers, pauses.seconds) == ([1], [5])
    await pauses.end()
    assert database.numbers == [1, 3]
    assert all(task.done() for task in tasks)
    assert sum(not task.done() for task in await fail_requests(counter, 2)) == 1
    await pauses.end()
    assert database.numbers == [1, 3, 2]


@played
async def test_one_that_fails_later_writes_for_one_that_still_waits() -> None:
    database, pauses = FailingDatabase(), Pauses(Time())
    counter = FailedRequests(database, pauses.time.clock, pauses.sleep)
    await fail_requests(counter, 2)
    # As if Cloudflare had ended the request that waited.
    pauses.time.now += timedelta(seconds=6)
    await fail_requests(counter, 1)
    assert database.numbers == [1, 2]
    await pauses.end()
    assert database.numbers == [1, 2]


@played
async def test_a_count_that_could_not_be_written_is_written_later() -> None:
    database, pauses = FailingDatabase(fails=True), Pauses(Time())
    counter = FailedRequests(database, pauses.time.clock, pauses.sleep)
    [task, _] = await fail_requests(counter, 2)
    database.fails = False
    await pauses.end()
    assert database.numbers == [2]
    assert task.done()


@played
async def test_a_database_that_is_down_is_asked_three_times_and_loses_no_count() -> None:
    database, pauses = FailingDatabase(fails=True), Pauses(Time())
    counter = FailedRequests(database, pauses.time.clock, pauses.sleep)
    [task] = await fail_requests(counter, 1)
    for _ in range(2):
        await pauses.end()
    assert (task.done(), pauses.seconds) == (True, [5, 5])
    database.fails = False
    pauses.time.now += timedelta(seconds=5)
    await fail_requests(counter, 1)
    assert database.numbers == [2]


@played
async def test_what_is_refused_without_an_error_is_counted_by_day_and_kind() -> None:
    database, pauses = StoringDatabase(), Pauses(Time())
    counter = FailedRequests(database, pauses.time.clock, pauses.sleep)
    log = Log("info", "request-1")
    for kind in (*KINDS, "refused_bots"):
        await counter.count(log, kind)
        pauses.time.now += timedelta(seconds=6)
    rows = database.sqlite.execute("SELECT day, kind, number FROM refused_requests").fetchall()
    day = f"{pauses.time.now:%Y-%m-%d}"
    assert [tuple(row) for row in rows] == [
        (day, "refused_bots", 2),
        (day, "refused_likely_bots", 1),
        (day, "refused_senders", 1),
    ]
    minutes = database.sqlite.execute(
        "SELECT sum(number), sum(refused_senders) FROM failed_requests"
    )
    assert tuple(minutes.fetchone()) == (1, 1)
