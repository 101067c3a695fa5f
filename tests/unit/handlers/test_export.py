"""The query of an export, and the span that it names."""

from __future__ import annotations

import pytest

from handlers.export import DEFAULT_JSON_ROWS, ExportOptions, read_export_options
from services.core.cursors import EventPosition
from services.core.errors import InvalidFieldsError
from services.reports.export_pages import MAX_EXPORT_ROWS, MAX_PART_EVENTS
from tests.unit.memory import NOW


def options(**parameters: str) -> ExportOptions:
    """The options of a query; `since` stands for `from`."""
    query = {"from" if name == "since" else name: text for name, text in parameters.items()}
    return read_export_options(query, NOW)


def ends(read: ExportOptions) -> tuple[str, str]:
    return read.span.start.isoformat()[:19], read.span.end.isoformat()[:19]


def test_without_parameters_it_is_json_of_the_last_thirty_days() -> None:
    read = options()
    assert (read.format_name, read.limit, read.before) == ("json", DEFAULT_JSON_ROWS, None)
    assert ends(read) == ("2026-04-01T12:00:00", "2026-05-01T12:00:00")


def test_a_format_that_is_streamed_has_a_higher_limit() -> None:
    assert (options(format="csv").limit, options(format="ndjson").limit) == (MAX_PART_EVENTS,) * 2
    assert options(format="csv", limit="00012").limit == 12


@pytest.mark.parametrize(
    ("parameters", "start", "end"),
    [
        ({"days": "1"}, "2026-04-30T12:00:00", "2026-05-01T12:00:00"),
        ({"since": "2026-04-30"}, "2026-04-30T00:00:00", "2026-05-01T12:00:00"),
        ({"since": "2026-04-29", "to": "2026-04-30"}, "2026-04-29T00:00:00", "2026-04-30T23:59:59"),
        ({"to": "2026-04-30T06:00:00Z", "days": "1"}, "2026-04-29T06:00:00", "2026-04-30T06:00:00"),
    ],
)
def test_a_span_has_dates_or_times_in_utc(parameters: dict[str, str], start: str, end: str) -> None:
    assert ends(options(**parameters)) == (start, end)


def test_a_cursor_is_the_position_of_an_event() -> None:
    read = options(cursor="2026-04-30 12:00:00,99")
    assert read.before == EventPosition("2026-04-30 12:00:00", 99)


def test_all_parameters_that_cannot_be_used_are_named_at_once() -> None:
    with pytest.raises(InvalidFieldsError) as refused:
        options(format="xml", limit="0", cursor="x", since="2026-02-31", days="400", to="now")
    assert [detail.partition(":")[0] for detail in refused.value.details] == [
        *("format", "limit", "cursor", "days", "days", "to", "from")
    ]
    assert (
        refused.value.details[1] == f"limit: must be a whole number from 1 to {MAX_EXPORT_ROWS:,}"
    )


def test_a_span_does_not_end_before_it_begins() -> None:
    with pytest.raises(InvalidFieldsError, match="from: must not be after to"):
        options(since="2026-04-02", to="2026-04-01")
