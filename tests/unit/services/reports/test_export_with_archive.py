import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace

import pytest

from services.archive.batches import FIND_BATCHES, ArchiveBatch
from services.core.cursors import EventPosition
from services.core.ports import Row, UnavailableError
from services.reports.export_pages import SIZE_OF_PART, ExportQuery
from services.reports.export_with_archive import MAX_BYTES, MAX_PARTS, choose_batches, find_events
from tests.unit.memory import MemoryBucket, MemoryDatabase

QUERY = ExportQuery("shop", "2026-01-01 00:00:00", EventPosition("2026-02-01 00:00:00", 0), 1_000)


def batch(day: int, events: int = 100, size: int = 1_000) -> ArchiveBatch:
    date = f"2026-01-{day:02}"
    first, last = (
        EventPosition(f"{date} 01:00:00", day),
        EventPosition(f"{date} 02:00:00", day + 1_000),
    )
    return ArchiveBatch(date, f"b{day}", events, first, last, "", size, "")


def test_all_batches_are_read_if_they_fit() -> None:
    batches = [batch(day) for day in (9, 8, 7)]
    assert choose_batches(batches, QUERY) == (batches, None)


def test_as_many_batches_are_read_as_hold_the_events_of_a_response() -> None:
    batches = [batch(day, 600) for day in (9, 8, 7)]
    assert choose_batches(batches, QUERY) == (batches[:2], batches[2].last)


def test_a_batch_in_which_the_response_begins_does_not_count_towards_its_events() -> None:
    batches = [batch(day, 1_000) for day in (9, 8, 7)]
    inside = replace(QUERY, before=EventPosition("2026-01-09 01:30:00", 5))
    assert choose_batches(batches, inside) == (batches[:2], batches[2].last)


def test_the_batches_of_a_response_have_a_limited_size_together() -> None:
    batches = [batch(day, 1, MAX_BYTES // 2) for day in (9, 8, 7)]
    assert choose_batches(batches, QUERY) == (batches[:2], batches[2].last)
    large = [batch(day, 1, 2 * MAX_BYTES) for day in (9, 8)]
    assert choose_batches(large, QUERY) == (large[:1], large[1].last)


def test_a_response_reads_a_limited_number_of_batches() -> None:
    batches = [
        replace(batch(28, 1), last=EventPosition(f"2026-01-28 {n}", n)) for n in range(200, 0, -1)
    ]
    chosen, floor = choose_batches(batches, QUERY)
    assert (len(chosen), floor) == (MAX_PARTS, batches[MAX_PARTS].last)


def test_batches_that_overlap_where_the_response_begins_are_all_read() -> None:
    batches = [batch(9, 1_000), batch(9, 1_000), batch(8, 1_000), batch(7, 1_000)]
    inside = replace(QUERY, before=EventPosition("2026-01-09 01:30:00", 5))
    assert choose_batches(batches, inside) == (batches[:3], batches[3].last)


class MovingArchive(MemoryDatabase):
    """D1 whose archive gains a batch with each read, up to a number of them."""

    def __init__(self, max_batches: int) -> None:
        super().__init__()
        self._rows_of_batches: list[Row] = []
        self._max_batches = max_batches

    async def batch_rows(
        self, statements: Sequence[str], parameters: str
    ) -> Sequence[Sequence[Row]]:
        self.parameters.append(json.loads(parameters))
        if len(self._rows_of_batches) < self._max_batches:
            self._rows_of_batches.append(row_of(batch(len(self._rows_of_batches) + 1)))
        answers: dict[str, Sequence[Row]] = {
            SIZE_OF_PART: [{"events": 0}],
            FIND_BATCHES: self._rows_of_batches[::-1],
        }
        return [answers.get(statement, []) for statement in statements]


def row_of(stored: ArchiveBatch) -> Row:
    return {
        "day": stored.day,
        "batch": stored.name,
        "events": stored.events,
        "sha256": stored.sha256,
        "first_timestamp": stored.first.timestamp,
        "first_id": stored.first.event_id,
        "last_timestamp": stored.last.timestamp,
        "last_id": stored.last.event_id,
        "bytes": stored.bytes,
        "archived_at": stored.archived_at,
    }


def test_the_beginning_of_the_archive_is_read_until_it_stays_the_same() -> None:
    database = MovingArchive(2)
    with pytest.raises(UnavailableError, match=r"2026-01-02/b2\.ndjson\.gz is missing"):
        asyncio.run(find_events(database, MemoryBucket(), QUERY))
    assert [parameters["border"] for parameters in database.parameters[1:]] == [
        {"timestamp": "2026-01-01 02:00:00", "event_id": 1_002},
        {"timestamp": "2026-01-02 02:00:00", "event_id": 1_003},
    ]


def test_an_archive_that_always_changes_is_an_error_not_an_endless_loop() -> None:
    with pytest.raises(UnavailableError, match="archived or erased while"):
        asyncio.run(find_events(MovingArchive(99), MemoryBucket(), QUERY))
