"""A run of the archive where R2 gives back something else than was written."""

import asyncio
import json
from collections.abc import Sequence
from datetime import datetime

import pytest

from services.archive.archive_run import (
    FIND_DUE_PIXELS,
    MAX_PART_BYTES,
    READ_PART,
    ArchiveRun,
    ArchiveSettings,
)
from services.archive.batches import RECORD_BATCH
from services.core.backed_up import BackedUpRows
from services.core.job_runs import BEGIN_RUN
from services.core.logs import Log
from services.core.ports import Row
from tests.unit.memory import MemoryBucket, MemoryDatabase, Time

POSITION = {"before": "2026-05-01", "day": "2026-04-01"}
LINES = ['{"id":1}', '{"id":2}']


class OldEvents(MemoryDatabase):
    """D1 with some events of each pixel."""

    def __init__(self, lines: Sequence[str], *, pixels: Sequence[str] = ("shop",)) -> None:
        super().__init__()
        self.asked: list[str] = []
        self._due: list[Row] = [{**POSITION, "pixel_id": pixel} for pixel in pixels]
        self._events: list[Row] = [
            {"day": POSITION["day"], "timestamp": POSITION["day"], "id": number, "line": line}
            for number, line in enumerate(lines, 1)
        ]

    async def batch_rows(
        self, statements: Sequence[str], parameters: str
    ) -> Sequence[Sequence[Row]]:
        self.asked += statements
        sent = json.loads(parameters)
        answers: dict[str, Sequence[Row]] = {
            BEGIN_RUN: [{"id": 1}],
            FIND_DUE_PIXELS: self._due,
            READ_PART: self._rest(sent),
            RECORD_BATCH: [{"batch": sent.get("batch")}],
        }
        return [answers.get(statement, [{"changes": 0}]) for statement in statements]

    def _rest(self, sent: dict[str, dict[str, int]]) -> Sequence[Row]:
        after = sent.get("after", {}).get("event_id", 0)
        return [event for event in self._events if event["id"] > after]


async def find_backed_up_rows(now: datetime) -> BackedUpRows:
    return BackedUpRows(10**9, now)


def run(database: OldEvents, bucket: MemoryBucket, rows: int = 5_000) -> None:
    settings = ArchiveSettings(days=180, rows=rows, seconds=60)
    log = Log("info", "run-1")
    run = ArchiveRun(settings, database, bucket, None, find_backed_up_rows, Time().clock, log)
    asyncio.run(run.run())


def test_a_part_that_is_read_back_whole_is_recorded() -> None:
    database = OldEvents(LINES)
    run(database, MemoryBucket())
    assert database.asked.count(RECORD_BATCH) == 1


def test_nothing_is_deleted_of_a_part_that_is_damaged(capsys: pytest.CaptureFixture[str]) -> None:
    database = OldEvents(LINES)
    run(database, MemoryBucket(damage=lambda _key, content: content[:-1]))
    assert RECORD_BATCH not in database.asked
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["event"] for line in lines] == ["archive_failed", "archive_run"]
    assert lines[0]["reason"].endswith("has another checksum")
    assert lines[1]["outcome"] == "failed"


def test_a_run_whose_parts_failed_until_its_budget_was_spent_has_failed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    database = OldEvents(LINES, pixels=("shop", "blog"))
    run(database, MemoryBucket(damage=lambda _key, content: content[:-1]), rows=2)
    *_, line = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (line["outcome"], line["failed"], line["parts"]) == ("failed", 1, 1)


def test_a_part_fits_into_what_an_endpoint_takes() -> None:
    long = json.dumps({"event_data": "x" * (MAX_PART_BYTES // 2)})
    database, bucket = OldEvents([long] * 3), MemoryBucket()
    run(database, bucket)
    assert database.asked.count(RECORD_BATCH) == 3
    assert len(bucket.objects) == 2 * 3


def test_an_event_larger_than_a_part_is_one_of_its_own() -> None:
    database = OldEvents([json.dumps({"event_data": "ä" * MAX_PART_BYTES}), *LINES])
    run(database, MemoryBucket())
    assert database.asked.count(RECORD_BATCH) == 2
