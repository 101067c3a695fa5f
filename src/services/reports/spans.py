"""The span of time of a report or an export: `days`, or `from` and `to`.

The days of a report are those of a time zone. The database knows no zones, so a span also lists
the zone's offsets from UTC. The days of an export are those of UTC.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from services.core.errors import InvalidQueryError
from services.core.ports import LocalTime
from services.core.stored_time import format_stored_time
from services.core.text import read_whole_number, whole_number

DEFAULT_DAYS = 30
MAX_DAYS = 365
# A span of 365 days that begins at noon touches 366 days of the calendar.
MAX_CALENDAR_DAYS = 366
DEFAULT_ZONE = "UTC"

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
# No zone changes its offset twice within this time.
_OFFSET_STEP = timedelta(days=7)

_DATE = "20[0-9]{2}-[0-9]{2}-[0-9]{2}"
_CLOCK = r"[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?"
_TIME = f"{_DATE}[T ]{_CLOCK}(?:Z|[+-][0-9]{{2}}:?[0-9]{{2}})?"
_UTC_TIME = f"{_DATE}T[0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}}Z"
_ZONE = "[A-Za-z][A-Za-z0-9_+/-]{0,63}"

# The events of one pixel in a span; served by the index `tracking_events_by_pixel`.
IN_SPAN = """
  pixel_id = ?1 ->> 'pixel_id' AND timestamp >= ?1 ->> 'from' AND timestamp <= ?1 ->> 'to'
"""


@dataclass(frozen=True, slots=True)
class Span:
    """A span of time in UTC, in whole seconds; both ends belong to it.

    `days` is the parameter of this name, or else how many days of the zone's calendar it touches.
    """

    start: datetime
    end: datetime
    days: int
    zone: str

    def parameters(self) -> dict[str, str]:
        """The parameters `from` and `to` of the statements."""
        return {"from": format_stored_time(self.start), "to": format_stored_time(self.end)}

    def offsets(self, local_time: LocalTime) -> list[dict[str, str]]:
        """Splits the span where the zone's offset from UTC changes.

        Each part is `{"from", "to", "ahead"}`; `ahead` is a modifier of SQLite: `+7200 seconds`.
        """
        return list(self._offsets(local_time))

    def _offsets(self, local_time: LocalTime) -> Iterator[dict[str, str]]:
        start = self.start
        while start <= self.end:
            change = self._next_change(start, local_time)
            last = self.end if change is None else change - SECOND
            seconds = int(_offset(start, self.zone, local_time).total_seconds())
            yield {
                "from": format_stored_time(start),
                "to": format_stored_time(last),
                "ahead": f"{seconds:+d} seconds",
            }
            start = last + SECOND

    def _next_change(self, start: datetime, local_time: LocalTime) -> datetime | None:
        """The first second after `start`, within the span, with a different offset."""
        offset = _offset(start, self.zone, local_time)
        unchanged = start
        while unchanged < self.end:
            probe = min(unchanged + _OFFSET_STEP, self.end)
            if _offset(probe, self.zone, local_time) != offset:
                return self._change_between(unchanged, probe, local_time)
            unchanged = probe
        return None

    def _change_between(
        self, unchanged: datetime, changed: datetime, local_time: LocalTime
    ) -> datetime:
        offset = _offset(unchanged, self.zone, local_time)
        while changed - unchanged > SECOND:
            middle = unchanged + timedelta(seconds=(changed - unchanged) // SECOND // 2)
            if _offset(middle, self.zone, local_time) == offset:
                unchanged = middle
            else:
                changed = middle
        return changed


def read_span(parameters: Mapping[str, str], now: datetime, local_time: LocalTime) -> Span:
    """Reads the parameters `days`, `from`, `to` and `tz` of a report.

    Raises:
        InvalidQueryError: a parameter cannot be used.
    """
    now = now.replace(microsecond=0)
    zone = _zone(parameters.get("tz", DEFAULT_ZONE), now, local_time)
    if "from" not in parameters:
        if "to" in parameters:
            raise InvalidQueryError("to needs a from: give the first day or time as well")
        days = whole_number(parameters.get("days", str(DEFAULT_DAYS)), MAX_DAYS)
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


def read_utc_span(parameters: Mapping[str, str], now: datetime, problems: list[str]) -> Span:
    """Reads the parameters `days`, `from` and `to` of an export; its days are those of UTC.

    Every problem with them is appended to `problems`.
    """
    if {"from", "days"} <= parameters.keys():
        problems.append("days: says where the span begins, as from does; leave one of them out")
    days = DEFAULT_DAYS
    if "days" in parameters:
        days = read_whole_number("days", parameters["days"], MAX_DAYS, problems)
    end = _utc_time("to", parameters, time.max, now, problems)
    start = _utc_time("from", parameters, time.min, end - days * DAY, problems)
    if start > end:
        problems.append("from: must not be after to")
    return Span(start, end, (end - start).days, DEFAULT_ZONE)


def _utc_time(
    name: str,
    parameters: Mapping[str, str],
    time_of_date: time,
    default: datetime,
    problems: list[str],
) -> datetime:
    """A parameter that is a time in UTC, or a date, which stands for one of its times."""
    if name not in parameters:
        return default
    text = parameters[name]
    try:
        if re.fullmatch(_DATE, text):
            return datetime.combine(datetime.fromisoformat(text), time_of_date, UTC)
        if re.fullmatch(_UTC_TIME, text):
            return datetime.fromisoformat(text)
    except ValueError:
        pass  # such as the 31st of February
    problems.append(f"{name}: must be a day or a time in UTC: 2026-05-01 or 2026-05-01T12:00:00Z")
    return default


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
    """The first and the last second of a date in a zone; a time is both itself."""
    try:
        if re.fullmatch(_DATE, text):
            day = date.fromisoformat(text)
            return _midnight(day, zone, local_time), (
                _midnight(day + DAY, zone, local_time) - SECOND
            )
        if re.fullmatch(_TIME, text):
            wall = datetime.fromisoformat(text).replace(microsecond=0)
            moment = wall.astimezone(UTC) if wall.tzinfo else _utc(wall, zone, local_time)
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
    """Converts a zone's wall clock time to UTC; of two possible times the first.

    A time that the clocks skip is converted with the offset before the change, so that a skipped
    midnight is the beginning of the day.
    """
    guess = wall.replace(tzinfo=UTC)
    before, after = (guess - _offset(guess + near, zone, local_time) for near in (-DAY, DAY))
    return after if local_time(before, zone) != wall == local_time(after, zone) else before


def _offset(moment: datetime, zone: str, local_time: LocalTime) -> timedelta:
    return local_time(moment, zone) - moment.replace(tzinfo=None)
