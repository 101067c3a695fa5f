from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from services.core.errors import InvalidQueryError
from services.reports.spans import Span, read_span

NOW = datetime(2026, 5, 1, 12, 0, 0, 123, tzinfo=UTC)


def local_time(moment: datetime, zone: str) -> datetime:
    try:
        return moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    except KeyError:
        raise ValueError(f"{zone!r} is no time zone") from None


def span_of(**parameters: str) -> Span:
    """The span of a query; `since` stands for `from`."""
    query = {"from" if name == "since" else name: text for name, text in parameters.items()}
    return read_span(query, NOW, local_time)


def ends(span: Span) -> tuple[str, str]:
    return span.start.isoformat()[:19], span.end.isoformat()[:19]


def test_the_default_is_the_last_thirty_days_in_utc() -> None:
    now = NOW.replace(microsecond=0)
    assert span_of() == Span(now - timedelta(days=30), now, 30, "UTC")


@pytest.mark.parametrize(
    ("since", "to", "zone", "start", "end", "days"),
    [
        ("2026-03-01", "2026-03-01", "UTC", "2026-03-01T00:00:00", "2026-03-01T23:59:59", 1),
        ("2026-01-01", "2026-01-31", "UTC", "2026-01-01T00:00:00", "2026-01-31T23:59:59", 31),
        # The clocks of Berlin go forward on 29 March 2026 and back on 25 October.
        *(
            (day, day, "Europe/Berlin", start, end, 1)
            for day, start, end in (
                ("2026-03-29", "2026-03-28T23:00:00", "2026-03-29T21:59:59"),
                ("2026-10-25", "2026-10-24T22:00:00", "2026-10-25T22:59:59"),
            )
        ),
        # Midnight is skipped in Beirut, and comes twice in Havana.
        *(
            (day, day, zone, start, end, 1)
            for day, zone, start, end in (
                ("2026-03-29", "Asia/Beirut", "2026-03-28T22:00:00", "2026-03-29T20:59:59"),
                ("2026-11-01", "America/Havana", "2026-11-01T04:00:00", "2026-11-02T04:59:59"),
                ("2026-10-31", "America/Havana", "2026-10-31T04:00:00", "2026-11-01T03:59:59"),
            )
        ),
        (
            *("2026-03-01T10:00:00.9+02:00", "2026-03-01T09:00Z", "Asia/Kolkata"),
            *("2026-03-01T08:00:00", "2026-03-01T09:00:00", 1),
        ),
        (
            *("2026-03-01T10:00", "2026-03-02 10:00:01", "Asia/Kolkata"),
            *("2026-03-01T04:30:00", "2026-03-02T04:30:01", 2),
        ),
        (
            *("2024-01-01", "2024-12-31", "Pacific/Auckland"),
            *("2023-12-31T11:00:00", "2024-12-31T10:59:59", 366),
        ),
    ],
)
def test_dates_and_times_are_those_of_the_zone(  # noqa: PLR0913, PLR0917  # a table
    since: str, to: str, zone: str, start: str, end: str, days: int
) -> None:
    span = span_of(since=since, to=to, tz=zone)
    assert (ends(span), span.days, span.zone) == ((start, end), days, zone)


def test_a_span_without_an_end_ends_now() -> None:
    assert ends(span_of(since="2026-04-30")) == ("2026-04-30T00:00:00", "2026-05-01T12:00:00")


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"days": "0"}, "days must be a whole number from 1 to 365"),
        ({"to": "2026-01-01"}, "to needs a from"),
        ({"since": "2026-01-01", "days": "3"}, "days and from exclude each other"),
        ({"since": "2026-03-02", "to": "2026-03-01"}, "from must not be after to"),
        ({"since": "2026-05-02"}, "from must not be after to"),
        (
            {"since": "2025-01-01", "to": "2026-01-02"},
            "from and to span 367 days: ask for at most",
        ),
        ({"since": "yesterday"}, "from must be a date"),
        ({"since": ""}, "from must be a date"),
        ({"since": "2026-02-30"}, "from must be a date"),
        ({"since": "20260201"}, "from must be a date"),
        ({"since": "1999-12-31"}, "from must be a date"),
        ({"since": "2026-01-01T10:00:00 02:00"}, "from must be a date"),
        ({"since": "2026-01-01", "to": "2026-01-01T25:00"}, "to must be a date"),
        ({"since": "2026-01-01", "to": "٢026-01-01"}, "to must be a date"),
        ({"tz": "Europe/Nowhere"}, "tz must be the IANA name"),
        ({"tz": "+02:00"}, "tz must be the IANA name"),
        ({"tz": ""}, "tz must be the IANA name"),
        ({"tz": "Europe/" + "x" * 100}, "tz must be the IANA name"),
    ],
)
def test_an_invalid_span_is_refused_with_advice(parameters: dict[str, str], message: str) -> None:
    with pytest.raises(InvalidQueryError, match=message):
        span_of(**parameters)


def test_the_offsets_of_a_year_change_with_the_clocks_of_the_zone() -> None:
    span = span_of(since="2025-05-01", to="2026-04-30", tz="Europe/Berlin")
    assert span.offsets(local_time) == [
        {
            "from": "2025-04-30 22:00:00",
            "to": "2025-10-26 00:59:59",
            "ahead": "+7200 seconds",
        },
        {
            "from": "2025-10-26 01:00:00",
            "to": "2026-03-29 00:59:59",
            "ahead": "+3600 seconds",
        },
        {
            "from": "2026-03-29 01:00:00",
            "to": "2026-04-30 21:59:59",
            "ahead": "+7200 seconds",
        },
    ]


@pytest.mark.parametrize(
    ("zone", "ahead"),
    [("UTC", "+0"), ("Asia/Kathmandu", "+20700"), ("Pacific/Marquesas", "-34200")],
)
def test_a_zone_that_keeps_its_clocks_has_one_offset(zone: str, ahead: str) -> None:
    span = span_of(days="365", tz=zone)
    [offset] = span.offsets(local_time)
    assert offset == {**span.parameters(), "ahead": f"{ahead} seconds"}


def test_the_end_of_a_span_may_be_the_moment_of_a_change() -> None:
    span = span_of(since="2026-03-29T00:00Z", to="2026-03-29T01:00Z", tz="Europe/Berlin")
    assert [part["ahead"] for part in span.offsets(local_time)] == [
        "+3600 seconds",
        "+7200 seconds",
    ]
