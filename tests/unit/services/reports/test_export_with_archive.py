import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace

import pytest

from services.archive.batches import FIND_BATCHES, ArchiveBatch
from services.core.cursors import EventPosition
from services.core.ports import Row, UnavailableError
from services.reports.export_pages import SIZE_OF_PART, Asked
from services.reports.export_with_archive import MAX_BYTES, MAX_PARTS, choose, find_events
from tests.unit.memory import MemoryBucket, MemoryDatabase

ASKED = Asked("shop", "2026-01-01 00:00:00", EventPosition("2026-02-01 00:00:00", 0), 1_000)


def batch(day: int, events: int = 100, size: int = 1_000) -> ArchiveBatch:
    date = f"2026-01-{day:02}"
    first, last = (
        EventPosition(f"{date} 01:00:00", day),
        EventPosition(f"{date} 02:00:00", day + 1_000),
    )
    return ArchiveBatch(date, f"b{day}", events, first, last, "", size, "")


def test_all_are_read_where_they_fit() -> None:
    batches = [batch(day) for day in (9, 8, 7)]
    assert choose(batches, ASKED) == (batches, None)


def test_as_many_as_hold_the_events_of_an_answer_are_read() -> None:
    batches = [batch(day, 600) for day in (9, 8, 7)]
    assert choose(batches, ASKED) == (batches[:2], batches[2].last)


def test_a_part_in_which_the_answer_begins_does_not_count_as_whole() -> None:
    batches = [batch(day, 1_000) for day in (9, 8, 7)]
    inside = replace(ASKED, before=EventPosition("2026-01-09 01:30:00", 5))
    assert choose(batches, inside) == (batches[:2], batches[2].last)


def test_the_parts_of_an_answer_have_so_many_bytes_together() -> None:
    batches = [batch(day, 1, MAX_BYTES // 2) for day in (9, 8, 7)]
    assert choose(batches, ASKED) == (batches[:2], batches[2].last)
    large = [batch(day, 1, 2 * MAX_BYTES) for day in (9, 8)]
    assert choose(large, ASKED) == (large[:1], large[1].last)


def test_an_answer_reads_so_many_parts() -> None:
    batches = [
        replace(batch(28, 1), last=EventPosition(f"2026-01-28 {n}", n)) for n in range(200, 0, -1)
    ]
    chosen, floor = choose(batches, ASKED)
    assert (len(chosen), floor) == (MAX_PARTS, batches[MAX_PARTS].last)


def test_parts_that_overlap_where_the_answer_begins_are_all_read() -> None:
    batches = [batch(9, 1_000), batch(9, 1_000), batch(8, 1_000), batch(7, 1_000)]
    inside = replace(ASKED, before=EventPosition("2026-01-09 01:30:00", 5))
    assert choose(batches, inside) == (batches[:3], batches[3].last)


class MovingArchive(MemoryDatabase):
    """D1 whose archive has one part more whenever it is asked, up to some number."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._rows_of_batches: list[Row] = []
        self._most = most

    async def batch_rows(
        self, statements: Sequence[str], parameters: str
    ) -> Sequence[Sequence[Row]]:
        self.parameters.append(json.loads(parameters))
        if len(self._rows_of_batches) < self._most:
            self._rows_of_batches.append(row_of(batch(len(self._rows_of_batches) + 1)))
        answers: dict[str, Sequence[Row]] = {
            SIZE_OF_PART: [{"events": 0}],
            FIND_BATCHES: self._rows_of_batches[::-1],
        }
        return [answers.get(statement, []) for statement in statements]


def row_of(one: ArchiveBatch) -> Row:
    return {
        "day": one.day,
        "batch": one.name,
        "events": one.events,
        "sha256": one.sha256,
        "first_timestamp": one.first.timestamp,
        "first_id": one.first.event_id,
        "last_timestamp": one.last.timestamp,
        "last_id": one.last.event_id,
        "bytes": one.bytes,
        "archived_at": one.archived_at,
    }


def test_where_the_archive_begins_is_looked_at_until_it_stands_still() -> None:
    database = MovingArchive(2)
    with pytest.raises(UnavailableError, match=r"2026-01-02/b2\.ndjson\.gz is missing"):
        asyncio.run(find_events(database, MemoryBucket(), ASKED))
    assert [said["border"] for said in database.parameters[1:]] == [
        {"timestamp": "2026-01-01 02:00:00", "event_id": 1_002},
        {"timestamp": "2026-01-02 02:00:00", "event_id": 1_003},
    ]


def test_an_archive_that_never_stands_still_is_no_endless_loop() -> None:
    with pytest.raises(UnavailableError, match="archived or erased while"):
        asyncio.run(find_events(MovingArchive(99), MemoryBucket(), ASKED))
