"""Stores an event with all that it changes: visitor, session, attribution, event.

It is one D1 batch, that is one transaction and one round trip. All statements read one JSON text
(`?1`), because every value that crosses from Python to JavaScript costs time (docs/decisions.md).

An event is credited to one whole touch: its own, else its session's latest one, else its visitor's
first one with the project. All or some of the parameters of the session's touch are no touch of
their own. Nothing is inferred; missing parameters are NULL.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from services.core.ports import Batch, Database, NewId, OnCost
from services.core.request_origin import RequestOrigin
from services.core.stored_time import NEVER_DUE, format_stored_time
from services.projects.pixel_cache import Pixel
from services.tracking.attribution import Attribution, compared_parameters, credit
from services.tracking.custom_events import EventType
from services.tracking.events import Event, Size
from services.tracking.page_addresses import site_of
from services.tracking.record_statements import (
    RECORD_EVENT_BATCH,
    RECORD_FORM_BATCH,
    THANKS_PREFIX,
)
from services.tracking.referrers import Referrers
from services.tracking.user_agents import describe_client

# A thank-you page within this time belongs to the form before it.
THANK_YOU_MINUTES = 30


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    """An event that is in the database.

    Its type is the stored one. `due` is when the sync is to be reminded of it: None where this
    request made nothing due. `touch` is the stored one, field by field.
    """

    event_id: int
    visitor_id: str
    session_id: str
    attribution: Attribution
    event_type: EventType
    due: datetime | None
    touch: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Visits:
    """Records events. A session ends after `session_minutes` without one, or the pixel's own.

    A submission is due for the sync after `sync_delay_seconds`; one that its site rejected is due
    as well, to be checked, if `checks_rejected`. Two of an old pixel that say the same within
    `repeat_window_seconds` are one.
    """

    database: Database
    new_id: NewId
    session_minutes: int
    sync_delay_seconds: int
    repeat_window_seconds: int
    checks_rejected: bool = True
    referrers: Referrers = field(kw_only=True)

    async def record(
        self,
        event: Event,
        pixel: Pixel,
        origin: RequestOrigin,
        now: datetime,
        on_cost: OnCost | None = None,
    ) -> RecordedEvent:
        """Stores one event and returns it as stored; a repeated event returns the first one.

        A form that a new pixel repeats is corrected by what it says now.

        Raises:
            UnavailableError: D1 failed; nothing was written.
            NotStoredError: the database is not the one that had the pixel; nothing was written.
        """
        due = due_time(event, pixel, now, self.sync_delay_seconds)
        batch = self.batch(event, pixel, origin, now)
        answer = json.loads(await self.database.batch(batch.statements, batch.parameters, on_cost))
        touch = answer["touch"]
        return RecordedEvent(
            event_id=answer["event_id"],
            visitor_id=answer["visitor_id"],
            session_id=answer["session_id"],
            attribution=credit(touch),
            event_type=answer["event_type"],
            due=due if due and answer["due_at"] == format_stored_time(due) else None,
            touch=touch,
        )

    async def prepared(self, event: Event, pixel: Pixel, now: datetime) -> Event:
        """The event as `record` and `batch` take it: with a touch of its own client only.

        `now` is the present, also for an event that waited.

        Raises:
            UnavailableError: D1 failed.
        """
        return await self.referrers.with_own_referrer(event, pixel, now)

    def batch(
        self,
        event: Event,
        pixel: Pixel,
        origin: RequestOrigin,
        now: datetime,
        *,
        waited: bool = False,
    ) -> Batch:
        """What stores one event; one that waited undoes nothing that its pixel has said since."""
        statements = RECORD_FORM_BATCH if _may_have_been_thanked(event) else RECORD_EVENT_BATCH
        return Batch(statements, self._parameters(event, pixel, origin, now, waited=waited))

    async def record_each(self, batches: Sequence[Batch]) -> Sequence[bool]:
        """Stores events in their order, in one transaction; returns whether each is stored.

        Raises:
            UnavailableError: D1 failed; nothing was written.
        """
        answers = await self.database.batches(batches)
        return [answer is not None for answer in answers]

    def _parameters(
        self, event: Event, pixel: Pixel, origin: RequestOrigin, now: datetime, *, waited: bool
    ) -> str:
        client = describe_client(origin.user_agent)
        minutes = pixel.rules.session_minutes or self.session_minutes
        parameters = {
            "now": format_stored_time(now),
            "open_since": format_stored_time(now - timedelta(minutes=minutes)),
            "open_until": format_stored_time(now + timedelta(minutes=minutes)),
            "visitor_id": self.new_id(),
            "visitor_cookie": event.visitor_cookie,
            "session_id": self.new_id(),
            "project_id": pixel.project_id,
            "pixel_id": pixel.id,
            "database_id": pixel.database_id,
            "event_type": event.event_type,
            **self._keys(event, pixel, now),
            **self._submission(event, pixel, now),
            "page_url": event.page_url,
            "referrer_url": event.referrer_url,
            "page_title": event.page_title,
            "user_agent": origin.user_agent,
            "ip_address": pixel.rules.stored_address(origin.ip_address),
            "country": origin.location.country,
            "region": origin.location.region,
            "city": origin.location.city,
            "browser": {
                "browser": client.browser,
                "browser_version": client.browser_version,
                "os": client.os,
                "os_version": client.os_version,
            },
            "device": {"type": client.device_type, "screen": _size(event.screen)},
            "viewport": _size(event.viewport),
            "sequence": event.sequence,
            "event_name": event.custom.name if event.custom else None,
            "event_data": event.custom.data if event.custom else None,
            "touch": event.touch.stored_fields() if event.touch else None,
            **_compared(event),
            "browser_ids": event.browser_ids,
            "waited": waited or None,
        }
        # Absent rather than null: `->` gives SQL's NULL for a missing key, but 'null' for null.
        return json.dumps({key: value for key, value in parameters.items() if value is not None})

    def _keys(self, event: Event, pixel: Pixel, now: datetime) -> dict[str, str]:
        """The event's key, and between which keys it is the same event.

        The second one is for an event whose key the visitor has with another project already.
        """
        if event.event_key:
            key = _prefix(event) + event.event_key
            project = hashlib.sha256(pixel.project_id.encode()).hexdigest()[:8]
            second = f"{key}.{project}"
            return {"event_key": key, "oldest_key": key, "newest_key": key, "second_key": second}
        if event.lead is None:
            return {}
        # An old pixel gives no key: its submission and the time make one. One that waited in R2 may
        # be stored behind the one that its visitor sent again.
        identity = json.dumps([event.pixel_id, event.page_url, event.lead.stored_fields()])
        digest = hashlib.sha256(identity.encode()).hexdigest()[:16]
        moment = int(now.timestamp())
        moments = {
            "event_key": moment,
            "oldest_key": moment - self.repeat_window_seconds,
            "newest_key": moment + self.repeat_window_seconds,
        }
        return {
            name: f"{_prefix(event)}v2-{digest}-{second:010d}" for name, second in moments.items()
        }

    def _submission(self, event: Event, pixel: Pixel, now: datetime) -> dict[str, object]:
        if event.event_type != "form_submit":
            return {}
        is_synced = pixel.synced and (event.outcome != "rejected" or self.checks_rejected)
        sync_at = format_stored_time(now + timedelta(seconds=self.sync_delay_seconds))
        is_lead = event.lead is not None and event.lead.email is not None
        since = format_stored_time(now - timedelta(minutes=THANK_YOU_MINUTES))
        is_form = is_lead and not event.lead_in_address
        return {
            "form_data": event.lead.stored_fields() if event.lead else None,
            "outcome": event.outcome,
            "sync_at": sync_at if is_synced else None,
            "due_at": sync_at if is_synced and is_lead else NEVER_DUE,
            "site": site_of(event.page_url),
            "thanked_since": since if event.lead_in_address else None,
            "thanks_since": since if is_form else None,
        }


def _compared(event: Event) -> dict[str, object]:
    """What is compared with the session's touch, also as text: late it is read from columns."""
    if event.touch is None:
        return {}
    compared = compared_parameters(event.touch)
    text = json.dumps(compared, ensure_ascii=False)
    return {"compared": compared, "compared_text": text}


def _prefix(event: Event) -> str:
    return THANKS_PREFIX if event.lead_in_address else ""


def _may_have_been_thanked(event: Event) -> bool:
    """Whether a page may have thanked for the form before it arrived."""
    is_lead = event.lead is not None and event.lead.email is not None
    is_form = event.event_type == "form_submit" and not event.lead_in_address
    return is_form and is_lead and event.outcome != "rejected"


def due_time(event: Event, pixel: Pixel, now: datetime, sync_delay_seconds: int) -> datetime | None:
    """When the sync is to be reminded of the event.

    None: it is no lead, the site rejected the form, or the project is not synced.
    """
    is_lead = event.lead is not None and event.lead.email is not None
    is_synced = is_lead and pixel.synced and event.outcome != "rejected"
    return now + timedelta(seconds=sync_delay_seconds) if is_synced else None


def _size(size: Size | None) -> dict[str, int] | None:
    return {"width": size.width, "height": size.height} if size else None
