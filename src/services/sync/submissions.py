"""A form submission with all that is known around it: what the sync writes onto a person."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from services.core.ports import LocalTime, Row
from services.core.text import read_object
from services.pipedrive.fields import SEPARATOR, TOUCH_FIELDS, LeadValue
from services.tracking.attribution import Attribution, credit, stored_touch, without_touch
from services.tracking.form_data import Lead, read_lead
from services.tracking.user_agents import Client, describe_client

HOUR = 3_600
MINUTE = 60
# Bound the memory of a portion, whatever a visitor did.
MAX_PAGES = 100
LONGEST_PAGE = 2_000

# Row values as they stand in the event.
_PLAIN = (
    *("page_url", "page_title", "referrer_url", "country", "region", "city", "ip_address"),
    *("user_agent", "event_type", "visitor_id", "session_id", "pixel_id", "project_id"),
)


@dataclass(frozen=True, slots=True)
class Submission:
    """One leased form submission: its row, who filled it in, and how often it was tried before."""

    event_id: int
    project_id: str
    lead: Lead
    tries: int
    configuration: Mapping[str, object]
    row: Row

    def values(self, zone: str, local_time: LocalTime) -> Mapping[str, LeadValue | None]:
        """Every value by its name in a field map.

        None is a field to be cleared: the fields of a touch go together, so that a person never
        carries the campaign of one visit and the click ID of another. Without a touch none of them
        is there, and the person keeps what it has.
        """
        values = dict(self._texts()) | {"event_id": LeadValue(str(self.event_id), self.event_id)}
        touches = dict(self._touches())
        return {**values, **dict(self._times(zone, local_time)), **touches}

    def _texts(self) -> Iterator[tuple[str, LeadValue]]:
        row = self.row
        for name in _PLAIN:
            if row[name]:
                yield name, LeadValue(str(row[name]))
        client = describe_client(row["user_agent"] or "")
        yield "device_type", LeadValue(client.device_type)
        if system := _system(client):
            yield "operating_system", LeadValue(system)
        if screen := _screen(row["device_data"]):
            yield "screen_resolution", LeadValue(screen)
        place = SEPARATOR.join(row[name] for name in ("city", "region", "country") if row[name])
        if place:
            yield "location", LeadValue(place)
        if pages := _pages(row["pages"]):
            yield "visited_pages", LeadValue(SEPARATOR.join(pages), parts=pages)

    def _times(self, zone: str, local_time: LocalTime) -> Iterator[tuple[str, LeadValue]]:
        if last := _time(self.row["last_event_at"]):
            moment = local_time(last, zone)
            yield "last_visited_on", LeadValue(_spoken_time(moment), moment=moment)
        started, ended = _time(self.row["started_at"]), _time(self.row["last_activity"])
        if started and ended and ended >= started:
            seconds = int((ended - started).total_seconds())
            yield "session_duration", LeadValue(_spoken_duration(seconds), seconds)

    def _touches(self) -> Iterator[tuple[str, LeadValue | None]]:
        own = stored_touch(self.row)
        for name in TOUCH_FIELDS if own else ():
            yield name, LeadValue(own[name]) if name in own else None
        first = credit(read_object(self.row["first_touch"]))
        last = credit(stored_touch(read_object(self.row["last_touch"])) or own)
        yield from _credited("first_touch", first)
        yield from _credited("last_touch", last)


def read_submission(row: Row) -> Submission:
    """The submission in a row of the outbox; its lead may lack an e-mail address."""
    return Submission(
        event_id=row["id"],
        project_id=row["project_id"] or "",
        lead=read_lead(row["form_data"]) or Lead(None, None, None),
        tries=row["pipedrive_retry_count"] or 0,
        configuration=read_object(row["configuration"]),
        row=row,
    )


def _time(text: str | None) -> datetime | None:
    """A time as we store it, or as ISO 8601, which old rows may have."""
    try:
        time = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _credited(touch: str, attribution: Attribution) -> Iterator[tuple[str, LeadValue]]:
    yield f"{touch}_source", LeadValue(attribution.source)
    yield f"{touch}_medium", LeadValue(attribution.medium)
    yield f"{touch}_campaign", LeadValue(attribution.campaign)


def _system(client: Client) -> str:
    return " ".join(part for part in (client.os, client.os_version) if part)


def _screen(device_data: str | None) -> str | None:
    screen = read_object(device_data).get("screen")
    if not isinstance(screen, dict) or not screen.get("width") or not screen.get("height"):
        return None
    return f"{screen['width']}x{screen['height']}"


def _pages(pages: str | None) -> tuple[str, ...]:
    """The pages newest first, each once, a comma in one not mistaken for the one between two."""
    urls = json.loads(pages or "[]")
    return tuple(dict.fromkeys(_page(url).replace(",", "%2C") for url in urls if url))


def _page(url: str) -> str:
    """The page without its campaign and without a place within it; `#/route` is a page."""
    page, _, fragment = without_touch(url).partition("#")
    return f"{page}#{fragment}" if fragment.startswith(("/", "!")) else page


def _spoken_time(moment: datetime) -> str:
    """`January 27, 2025 at 2:30 PM`."""
    hour = moment.hour % 12 or 12
    half = "AM" if moment.hour < 12 else "PM"  # noqa: PLR2004  # noon
    return f"{moment:%B} {moment.day}, {moment.year} at {hour}:{moment:%M} {half}"


def _spoken_duration(seconds: int) -> str:
    """`45 seconds`, `15 minutes`, `1h 23m`."""
    if seconds >= HOUR:
        return f"{seconds // HOUR}h {seconds % HOUR // MINUTE}m"
    number, unit = (seconds // MINUTE, "minute") if seconds >= MINUTE else (seconds, "second")
    return f"{number} {unit}{'' if number == 1 else 's'}"
