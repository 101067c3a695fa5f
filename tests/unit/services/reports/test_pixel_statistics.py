import asyncio
from datetime import datetime, timedelta

import pytest

from services.core.ports import Row
from services.reports.pixel_statistics import read_statistics
from services.reports.spans import Span
from tests.unit.memory import NOW, MemoryDatabase

SPAN = Span(NOW - timedelta(days=7), NOW, 7, "UTC")


def in_utc(moment: datetime, _zone: str) -> datetime:
    return moment.replace(tzinfo=None)


def statistics_of(numbered: int, missing: int) -> tuple[MemoryDatabase, dict[str, object]]:
    """The statistics of a pixel with these numbers, and the database that was asked."""
    delivery = {"numbered_events": numbered, "missing_events": missing}
    archived = {"events": 3, "until": "2026-04-25"}
    counts: list[list[Row]] = [[{"total_events": 5}], [], [], [], [{"total": 0}]]
    rows: list[list[Row]] = [*counts, [delivery], [archived]]
    database = MemoryDatabase(rows=rows)
    return database, dict(asyncio.run(read_statistics(database, "pixel-one", SPAN, in_utc)))


def test_a_pixel_and_a_span_are_asked_for_in_one_round_trip() -> None:
    database, _ = statistics_of(0, 0)
    [parameters] = database.parameters
    ends = {"from": "2026-04-24 12:00:00", "to": "2026-05-01 12:00:00"}
    offsets = [{**ends, "ahead": "+0 seconds"}]
    assert parameters == {"pixel_id": "pixel-one", **ends, "offsets": offsets}


@pytest.mark.parametrize(
    ("numbered", "missing", "loss"),
    [(0, 0, None), (10, 0, 0.0), (9, 1, 0.1), (2, 1, 0.3333), (1, 2, 0.6667)],
)
def test_the_loss_is_a_share_of_the_events_that_got_a_number(
    numbered: int, missing: int, loss: float | None
) -> None:
    _, statistics = statistics_of(numbered, missing)
    assert statistics["delivery"] == {
        "numbered_events": numbered,
        "missing_events": missing,
        "measured_loss": loss,
    }


def test_archived_events_of_the_span_are_counted() -> None:
    _, statistics = statistics_of(0, 0)
    assert statistics["archived"] == {"events": 3, "until": "2026-04-25"}
