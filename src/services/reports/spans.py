"""Which time a report is about: `days`, or `from` and `to`, in the days of a time zone.

The database knows no time zones: a span gives it UTC, and the offsets that the zone's clocks had.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from services.core.errors import InvalidQueryError
from services.core.ports import LocalTime
from services.core.stored_time import format_stored_time
from services.core.text import whole_number

DEFAULT_DAYS = "30"
MAX_DAYS = 365
# A year from a time of the day to the same one touches 366 days of the calendar, a leap year's too.
MAX_CALENDAR_DAYS = 366
DEFAULT_ZONE = "UTC"

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
# No zone changes its clocks twice within this time.
_STEP = timedelta(days=7)

_DATE = "20[0-9]{2}-[0-9]{2}-[0-9]{2}"
_CLOCK = r"[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?"
_TIME = f"{_DATE}[T ]{_CLOCK}(?:Z|[+-][0-9]{{2}}:?[0-9]{{2}})?"
_ZONE = "[A-Za-z][A-Za-z0-9_+/-]{0,63}"

# The events of one pixel in a span, by the index `tracking_events_by_pixel`.
IN_SPAN = """
  pixel_id = ?1 ->> 'pixel_id' AND timestamp >= ?1 ->> 'from' AND timestamp <= ?1 ->> 'to'
"""


@dataclass(frozen=True, slots=True)
class Span:
    """A span of time in UTC, both ends included, in whole seconds.

    `days` is what was asked for, or how many days of the zone's calendar it touches.
    """

    start: datetime
    end: datetime
    days: int
    zone: str

    def parameters(self) -> dict[str, str]:
        """The span as the statements read it."""
        return {"from": format_stored_time(self.start), "to": format_stored_time(self.end)}

    def offsets(self, local_time: LocalTime) -> list[dict[str, str]]:
        """The parts of the span in which the zone's clocks ran ahead of UTC by the same time.

        Each is `{"from", "to", "ahead"}`, with `ahead` as SQLite adds it: `+7200 seconds`.
        """
        return list(self._offsets(local_time))

    def _offsets(self, local_time: LocalTime) -> Iterator[dict[str, str]]:
        start = self.start
        while start <= self.end:
            change = self._next_change(start, local_time)
            last = self.end if change is None else change - SECOND
            seconds = int(_ahead(start, self.zone, local_time).total_seconds())
            yield {
                "from": format_stored_time(start),
                "to": format_stored_time(last),
                "ahead": f"{seconds:+d} seconds",
            }
            start = last + SECOND

    def _next_change(self, start: datetime, local_time: LocalTime) -> datetime | None:
        """The first second after `start`, within the span, whose offset is another one."""
        before = _ahead(start, self.zone, local_time)
        same = start
        while same < self.end:
            other = min(same + _STEP, self.end)
            if _ahead(other, self.zone, local_time) != before:
                return self._change_between(same, other, local_time)
            same = other
        return None

    def _change_between(self, same: datetime, other: datetime, local_time: LocalTime) -> datetime:
        before = _ahead(same, self.zone, local_time)
        while other - same > SECOND:
            middle = same + timedelta(seconds=(other - same) // SECOND // 2)
            if _ahead(middle, self.zone, local_time) == before:
                same = middle
            else:
                other = middle
        return other


def read_span(parameters: Mapping[str, str], now: datetime, local_time: LocalTime) -> Span:
    """The span that a query asks for, with `days`, `from`, `to` and `tz`.

    Raises:
        InvalidQueryError: a parameter cannot be used.
    """
    now = now.replace(microsecond=0)
    zone = _zone(parameters.get("tz", DEFAULT_ZONE), now, local_time)
    if "from" not in parameters:
        if "to" in parameters:
            raise InvalidQueryError("to needs a from: give the first day or time as well")
        days = whole_number(parameters.get("days", DEFAULT_DAYS), MAX_DAYS)
        if days is None:
            raise InvalidQueryError(f"days must be a whole number from 1 to {MAX_DAYS}")
        return Span(now - days * DAY, now, days, zone)
    if "days" in parameters:
        raise InvalidQueryError("days and from exclude each other: leave one of them out")
    start, _ = _ends("from", parameters["from"], zone, local_time)
    end = _ends("to", parameters["to"], zone, local_time)[1] if "to" in parameters else now
    if start > end:
        raise InvalidQueryError("from must not be after to; without to it must not be after now")
    days = (local_time(end, zone).date() - local_time(start, zone).date()).days + 1
    if days > MAX_CALENDAR_DAYS:
        raise InvalidQueryError(
            f"from and to span {days} days: ask for at most {MAX_CALENDAR_DAYS} at a time"
        )
    return Span(start, end, days, zone)


def _zone(name: str, now: datetime, local_time: LocalTime) -> str:
    try:
        if re.fullmatch(_ZONE, name):
            local_time(now, name)
            return name
    except ValueError:
        pass
    raise InvalidQueryError(
        "tz must be the IANA name of a time zone, such as Europe/Berlin (write + as %2B)"
    )


def _ends(name: str, text: str, zone: str, local_time: LocalTime) -> tuple[datetime, datetime]:
    """The first and the last second of a date in a zone; of a time both are the time itself."""
    try:
        if re.fullmatch(_DATE, text):
            day = date.fromisoformat(text)
            return _midnight(day, zone, local_time), (
                _midnight(day + DAY, zone, local_time) - SECOND
            )
        if re.fullmatch(_TIME, text):
            time = datetime.fromisoformat(text).replace(microsecond=0)
            moment = time.astimezone(UTC) if time.tzinfo else _utc(time, zone, local_time)
            return moment, moment
    except ValueError:
        pass
    raise InvalidQueryError(
        f"{name} must be a date such as 2026-03-01 or an ISO 8601 time such as"
        " 2026-03-01T09:30:00Z, from the year 2000 to 2099 (write + as %2B)"
    )


def _midnight(day: date, zone: str, local_time: LocalTime) -> datetime:
    return _utc(datetime(day.year, day.month, day.day), zone, local_time)  # noqa: DTZ001  # a wall clock


def _utc(wall: datetime, zone: str, local_time: LocalTime) -> datetime:
    """The first moment at which the zone's clocks show this.

    What they skip is told by the offset from before: midnight is then when the day began.
    """
    guess = wall.replace(tzinfo=UTC)
    before, after = (guess - _ahead(guess + near, zone, local_time) for near in (-DAY, DAY))
    return after if local_time(before, zone) != wall == local_time(after, zone) else before


def _ahead(moment: datetime, zone: str, local_time: LocalTime) -> timedelta:
    return local_time(moment, zone) - moment.replace(tzinfo=None)
