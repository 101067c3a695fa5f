"""A million events of a hundred pixels: a report reads those of its own pixel, and no others."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from pyodide_bundle import Bundle
from services.reports.attribution_models import SHARES
from services.reports.breakdowns import BREAKDOWNS
from services.reports.pixel_statistics import STATEMENTS
from tests.harness.worker import Worker, running_worker
from tests.worker.many_events import (
    ADD_PIXELS,
    EVENTS_OF_A_PIXEL,
    FORMS_OF_A_PIXEL,
    PIXELS,
    SESSIONS_OF_A_PIXEL,
    SPAN,
    VISITORS_OF_A_PIXEL,
    add_events,
)

PARAMETERS = json.dumps(
    {
        "pixel_id": "many-0",
        **SPAN,
        "offsets": [{**SPAN, "ahead": "+0 seconds"}],
        "rows": 101,
        "skipped": 0,
        "window": 365,
    }
)
# What the temporary tables of a report hold counts as read too, and so do its few values.
ROWS_FOR_AN_EVENT = {
    "statistics": 11.1,
    "credit": 3.1,
    "first": 3.7,
    "channels": 5.7,
    "models": 5.7,
    "channels of models": 7.3,
}
# Where the touches of a visitor end, the index by visitor has another pixel's or nothing behind it.
NEIGHBOURS_OF_VISITORS = 2
PORTION = 20
# D1 refuses expressions with more than 100 levels, one inside the other.
SPARE_DEPTH = 8


@pytest.fixture(scope="module")
def worker_of_two_pixels(local_config: Bundle) -> Iterator[Worker]:
    """A Worker of its own, whose storage two pixels of many have filled so far."""
    with running_worker() as running:
        running.query(ADD_PIXELS)
        add_events(running, 0, 2)
        yield running


def rows_read(worker: Worker) -> dict[str, int]:
    """The rows that D1 counts for the reports of one pixel over a year."""

    def of(*statements: str) -> int:
        return sum(
            worker.act("query", sql=statement, values=[PARAMETERS])["rows_read"]
            for statement in statements
        )

    breakdowns = {f"{by} {touch}": of(sql) for (by, touch), sql in BREAKDOWNS.items()}
    return {"statistics": of(*STATEMENTS), **breakdowns}


def most_rows(report: str) -> float:
    by, _, touch = report.partition(" ")
    kind = "channels" if by == "channel" else "first" if by == "landing_page" else touch or by
    if touch in SHARES:
        kind = "channels of models" if by == "channel" else "models"
    elif kind == "last":
        kind = "credit"
    return ROWS_FOR_AN_EVENT[kind] * EVENTS_OF_A_PIXEL


def test_a_report_reads_the_events_of_its_pixel_however_many_others_there_are(
    worker_of_two_pixels: Worker,
) -> None:
    worker = worker_of_two_pixels
    # The other one is its neighbour in the index, where the reading ends.
    before = rows_read(worker)
    assert {report: rows for report, rows in before.items() if rows > most_rows(report)} == {}

    for first in range(2, PIXELS, PORTION):
        add_events(worker, first, min(first + PORTION, PIXELS))
    [events] = worker.query("SELECT count(*) AS number FROM tracking_events")
    assert events["number"] == 1_000_000
    for report, rows in rows_read(worker).items():
        neighbours = NEIGHBOURS_OF_VISITORS if report.partition(" ")[2] in SHARES else 0
        assert abs(rows - before[report]) <= neighbours, report

    [row] = worker.query(BREAKDOWNS["campaign", "credit"], PARAMETERS)
    assert row == {
        "value": "none",
        "events": EVENTS_OF_A_PIXEL,
        "visitors": VISITORS_OF_A_PIXEL,
        "sessions": SESSIONS_OF_A_PIXEL,
        "submissions": FORMS_OF_A_PIXEL,
    }


@pytest.mark.parametrize("model", SHARES)
def test_the_deepest_report_could_be_a_little_deeper(
    worker_of_two_pixels: Worker, model: str
) -> None:
    head, tail = BREAKDOWNS["channel", model].split("coalesce(own_channel,", 1)
    channel, rest = tail.split(" AS value, visitor_id", 1)
    deeper = "nullif(" * SPARE_DEPTH + f"coalesce(own_channel,{channel}" + ", '?')" * SPARE_DEPTH
    worker_of_two_pixels.query(f"{head}{deeper} AS value, visitor_id{rest}", PARAMETERS)
