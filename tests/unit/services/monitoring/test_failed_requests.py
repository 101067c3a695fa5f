"""Failed requests are counted in few writes, and none is lost while D1 fails."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from datetime import timedelta

from services.core.logs import Log
from services.core.ports import Row, UnavailableError
from services.monitoring.failed_requests import FailedRequests
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


def fail_requests(counter: FailedRequests, number: int) -> None:
    for _ in range(number):
        asyncio.run(counter.count(Log("info", "request-1")))


def test_requests_that_fail_within_five_seconds_are_written_together() -> None:
    time, database = Time(), FailingDatabase()
    counter = FailedRequests(database, time.clock)
    fail_requests(counter, 3)
    assert database.numbers == [1]
    time.now += timedelta(seconds=5)
    fail_requests(counter, 1)
    assert database.numbers == [1, 3]


def test_a_count_that_could_not_be_written_is_written_later() -> None:
    time, database = Time(), FailingDatabase(fails=True)
    counter = FailedRequests(database, time.clock)
    fail_requests(counter, 2)
    database.fails = False
    time.now += timedelta(seconds=5)
    fail_requests(counter, 1)
    assert database.numbers == [3]
