import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta

import pytest

from services.core.errors import NotFoundError
from services.core.ports import Row
from services.reports.project_statistics import PixelPageQuery, read_project_statistics
from services.reports.spans import Span
from tests.unit.memory import NOW, MemoryDatabase

SPAN = Span(NOW - timedelta(days=7), NOW, 7, "UTC")
PIXELS: Sequence[Row] = [{"pixel_id": "shop", "events": 3}]


def statistics(*, names: Sequence[Row], next_pixels: Sequence[Row] = ()) -> Mapping[str, object]:
    """The statistics of a project whose statements find these rows."""
    archived = {"events": 2, "until": "2026-04-25"}
    rows = [names, [{"total_events": 3}], PIXELS, next_pixels, [archived]]
    database = MemoryDatabase(rows=rows)
    query = PixelPageQuery(limit=1, cursor="")
    return asyncio.run(read_project_statistics(database, "acme", SPAN, query))


def test_the_next_page_begins_at_the_name_of_the_next_pixel() -> None:
    acme: Row = {"name": "Acme"}
    content = statistics(names=[acme], next_pixels=[{"name": "Blog"}])
    assert (content["project_name"], content["pixel_breakdown"]) == ("Acme", PIXELS)
    assert content["next_cursor"] == "Blog"
    assert statistics(names=[acme])["next_cursor"] is None


def test_a_project_that_is_not_there_or_inactive_is_not_found() -> None:
    with pytest.raises(NotFoundError, match="Project not found"):
        statistics(names=[])
