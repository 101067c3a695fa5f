"""A form submission with its visitor, session and touches: the values for a person."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from services.core.click_ids import BROWSER_IDS
from services.core.pending_leads import REJECTED
from services.core.ports import LocalTime, Row
from services.core.text import read_object
from services.pipedrive.fields import SEPARATOR, TOUCH_FIELDS, LeadValue
from services.sync.plain_text import plain_value
from services.sync.suspicion import HOLD_SETTING, reasons_for_suspicion, was_released
from services.tracking.attribution import (
    Attribution,
    click_ids,
    credit,
    stored_touch,
    without_touch,
)
from services.tracking.form_data import Lead, read_lead
from services.tracking.user_agents import Client, describe_client

HOUR_SECONDS = 3_600
MINUTE_SECONDS = 60
# Bound the memory of a portion.
MAX_PAGES = 100
MAX_PAGE_CHARACTERS = 2_000

# Columns whose value is sent as it is.
_UNCHANGED_COLUMNS = (
    *("page_url", "page_title", "referrer_url", "country", "region", "city", "ip_address"),
    *("user_agent", "event_type", "visitor_id", "session_id", "pixel_id", "project_id"),
)


@dataclass(frozen=True, slots=True)
class Submission:
    """One leased form submission: its row, its lead, and how often it was tried.

    If its site rejected it (`is_rejected`), Pipedrive says whether the site took it all the same.
    `suspicion` are the reasons why it may be forged.
    """

    event_id: int
    project_id: str
    lead: Lead
    tries: int
    configuration: Mapping[str, object]
    row: Row
    is_rejected: bool = False
    suspicion: tuple[str, ...] = ()

    @property
    def is_withheld(self) -> bool:
        """Whether a person is to look at it before it is sent."""
        is_asked_for = self.configuration.get(HOLD_SETTING) is True
        return bool(self.suspicion) and is_asked_for and not was_released(self.row)

    @property
    def suspicious(self) -> str | None:
        """The reasons as they are stored; None: what a person said of them stays."""
        return None if was_released(self.row) else json.dumps(self.suspicion)

    @property
    def submitted_at(self) -> datetime | None:
        """When its event arrived; None in old rows with an unreadable time."""
        return _time(self.row["timestamp"])

    def values(self, zone: str, local_time: LocalTime) -> Mapping[str, LeadValue | None]:
        """The values by their names in a field map; times are in the time zone `zone`.

        None clears a field: the fields of a touch are written together, so that a person never
        carries the campaign of one visit and the click ID of another. Without a touch they are
        absent, and the person's fields stay as they are.
        """
        values: dict[str, LeadValue | None] = {
            **dict(self._texts()),
            "event_id": LeadValue(str(self.event_id), self.event_id),
            **dict(self._times(zone, local_time)),
            **dict(self._touches()),
        }
        plain = {name: plain_value(name, value) for name, value in values.items()}
        # What is no plain text is not sent; only the fields of a touch are cleared together.
        return {
            name: value
            for name, value in plain.items()
            if value is not None or values[name] is None or name in TOUCH_FIELDS
        }

    def _texts(self) -> Iterator[tuple[str, LeadValue]]:
        row = self.row
        for name in _UNCHANGED_COLUMNS:
            if row[name]:
                yield name, LeadValue(str(row[name]))
        for name, value in click_ids(row).items():
            if name in BROWSER_IDS:
                yield name, LeadValue(value)
        client = describe_client(row["user_agent"] or "")
        yield "device_type", LeadValue(client.device_type)
        if system := _operating_system(client):
            yield "operating_system", LeadValue(system)
        if screen := _screen(row["device_data"]):
            yield "screen_resolution", LeadValue(screen)
        location = SEPARATOR.join(row[name] for name in ("city", "region", "country") if row[name])
        if location:
            yield "location", LeadValue(location)
        if pages := _pages(row["pages"]):
            yield "visited_pages", LeadValue(SEPARATOR.join(pages), parts=pages)

    def _times(self, zone: str, local_time: LocalTime) -> Iterator[tuple[str, LeadValue]]:
        if last := _time(self.row["last_event_at"]):
            moment = local_time(last, zone)
            yield "last_visited_on", LeadValue(_readable_time(moment), moment=moment)
        started, ended = _time(self.row["started_at"]), _time(self.row["last_activity"])
        if started and ended and ended >= started:
            seconds = int((ended - started).total_seconds())
            yield "session_duration", LeadValue(_readable_duration(seconds), seconds)

    def _touches(self) -> Iterator[tuple[str, LeadValue | None]]:
        event_touch = stored_touch(self.row)
        for name in TOUCH_FIELDS if event_touch else ():
            yield name, LeadValue(event_touch[name]) if name in event_touch else None
        first = credit(read_object(self.row["first_touch"]))
        latest = read_object(self.row["last_touch"])
        last = credit(_with_origin(latest) or _with_origin(self.row))
        yield from _credit_values("first_touch", first)
        yield from _credit_values("last_touch", last)


def _with_origin(row: Mapping[str, object]) -> Mapping[str, object]:
    touch = stored_touch(row)
    return {**touch, "touch_origin": row.get("touch_origin")} if touch else {}


def read_submission(row: Row) -> Submission:
    """The submission in a row of `READ_LEASED`; its lead may lack an e-mail address."""
    return Submission(
        event_id=row["id"],
        project_id=row["project_id"] or "",
        lead=read_lead(row["form_data"]) or Lead(None, None, None),
        tries=row["pipedrive_retry_count"] or 0,
        configuration=read_object(row["configuration"]),
        row=row,
        is_rejected=row["pipedrive_sync_status"] == REJECTED,
        suspicion=reasons_for_suspicion(row),
    )


def _time(text: str | None) -> datetime | None:
    """A time as stored, or as ISO 8601 in old rows."""
    try:
        time = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _credit_values(touch: str, attribution: Attribution) -> Iterator[tuple[str, LeadValue]]:
    yield f"{touch}_source", LeadValue(attribution.source)
    yield f"{touch}_medium", LeadValue(attribution.medium)
    yield f"{touch}_campaign", LeadValue(attribution.campaign)


def _operating_system(client: Client) -> str:
    return " ".join(part for part in (client.os, client.os_version) if part)


def _screen(device_data: str | None) -> str | None:
    screen = read_object(device_data).get("screen")
    if not isinstance(screen, dict) or not screen.get("width") or not screen.get("height"):
        return None
    return f"{screen['width']}x{screen['height']}"


def _pages(pages: str | None) -> tuple[str, ...]:
    """The pages, newest first, without repeats; a comma in one is encoded."""
    urls = json.loads(pages or "[]")
    return tuple(dict.fromkeys(_page(url).replace(",", "%2C") for url in urls if url))


def _page(url: str) -> str:
    """The page without campaign and fragment; `#/route` is part of a page."""
    page, _, fragment = without_touch(url).partition("#")
    return f"{page}#{fragment}" if fragment.startswith(("/", "!")) else page


def _readable_time(moment: datetime) -> str:
    """`January 27, 2025 at 2:30 PM`."""
    hour = moment.hour % 12 or 12
    half = "AM" if moment.hour < 12 else "PM"  # noqa: PLR2004  # noon
    return f"{moment:%B} {moment.day}, {moment.year} at {hour}:{moment:%M} {half}"


def _readable_duration(seconds: int) -> str:
    """`45 seconds`, `15 minutes`, `1h 23m`."""
    if seconds >= HOUR_SECONDS:
        return f"{seconds // HOUR_SECONDS}h {seconds % HOUR_SECONDS // MINUTE_SECONDS}m"
    number, unit = (
        (seconds // MINUTE_SECONDS, "minute") if seconds >= MINUTE_SECONDS else (seconds, "second")
    )
    return f"{number} {unit}{'' if number == 1 else 's'}"
