"""Repeated form submissions: a sender that received no answer sends the same one again.

A new pixel gives each event a key and sends the form's outcome later: only an identical submission
is a repeat, so that a correction reaches D1. An old pixel gives no key: a submission with the same
pixel, visitor, person and page within a window is a repeat. D1 refuses the second row (`visits`);
KV keeps the answer for a day, and spares D1. Whoever has not the visitor's cookie is another
visitor: they are answered nothing of this one, and swallow nothing that this one sends.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from services.core.logs import Log
from services.core.ports import Database, KeyValues, UnavailableError
from services.core.stored_time import format_stored_time
from services.core.text import read_object
from services.tracking.attribution import Attribution
from services.tracking.events import Event
from services.tracking.visits import RecordedEvent

PREFIX = "submission:"
# The row that was answered: neither lost with its database, nor one that took over its id.
FIND_ANSWERED = """
SELECT 1 FROM tracking_events
WHERE id = CAST(?1 AS INTEGER) AND visitor_id = ?2 AND session_id = ?3 AND timestamp <= ?4
"""
REMEMBERED_SECONDS = 86_400
DIGEST_CHARACTERS = 32


@dataclass(frozen=True, slots=True)
class Repeats:
    """Remembers submissions. Those of old pixels count as the same one for `window_seconds`."""

    database: Database
    key_values: KeyValues
    window_seconds: int

    async def recall(self, event: Event, now: datetime, log: Log) -> RecordedEvent | None:
        """The answer to an earlier identical submission whose row is still there, or None.

        None also while KV fails: D1 recognizes the repeat.

        Raises:
            UnavailableError: there is an answer, and D1 failed.
        """
        try:
            text = await self.key_values.get(_key(event))
        except UnavailableError:
            return None
        if not text:
            return None
        try:
            stored: Mapping[str, Any] = read_object(text)
            recorded = self._recorded(stored, event, now)
            answered_at = format_stored_time(datetime.fromisoformat(stored["at"]))
        except (ValueError, KeyError, TypeError, OverflowError):
            # A damaged value in KV must not lose a lead: D1 decides.
            log.warning("repeat_unreadable")
            return None
        return recorded if recorded and await self._is_stored(recorded, answered_at) else None

    async def remember(self, event: Event, recorded: RecordedEvent, now: datetime) -> None:
        """Remembers a submission that was stored.

        Raises:
            UnavailableError: KV failed.
        """
        stored = {
            "at": now.isoformat(),
            "event_id": recorded.event_id,
            "visitor_id": recorded.visitor_id,
            "session_id": recorded.session_id,
            "attribution": asdict(recorded.attribution),
        }
        await self.key_values.put(_key(event), json.dumps(stored), REMEMBERED_SECONDS)

    async def _is_stored(self, recorded: RecordedEvent, answered_at: str) -> bool:
        """Whether the row of an answer is still in the database, after a restore for example."""
        identity = (recorded.event_id, recorded.visitor_id, recorded.session_id, answered_at)
        return bool(await self.database.rows(FIND_ANSWERED, *identity))

    def _recorded(
        self, stored: Mapping[str, Any], event: Event, now: datetime
    ) -> RecordedEvent | None:
        until = datetime.fromisoformat(stored["at"]) + timedelta(seconds=self.window_seconds)
        if event.event_key is None and now > until:
            return None
        event_id, visitor_id, session_id = (
            stored[name] for name in ("event_id", "visitor_id", "session_id")
        )
        if type(event_id) is not int or not isinstance(visitor_id, str):
            raise TypeError("event_id, visitor_id")
        if not isinstance(session_id, str):
            raise TypeError("session_id")
        return RecordedEvent(
            event_id=event_id,
            visitor_id=visitor_id,
            session_id=session_id,
            attribution=Attribution(**stored["attribution"]),
            event_type="form_submit",
            due=None,
            touch={},
        )


def event_digest(event: Event) -> str | None:
    """A hash of what makes two events the same one; None of an old pixel's event without a lead."""
    if event.event_key is None and event.lead is None:
        return None
    lead = json.dumps(event.lead and event.lead.stored_fields())
    if event.event_key:
        identity = [
            event.pixel_id,
            event.visitor_cookie,
            event.event_key,
            event.outcome or "",
            lead,
        ]
    else:
        identity = [event.pixel_id, event.visitor_cookie, event.page_url, lead]
    return hashlib.sha256(json.dumps(identity).encode()).hexdigest()[:DIGEST_CHARACTERS]


def _key(event: Event) -> str:
    """The key in KV: a hash, because keys hold no personal data."""
    return f"{PREFIX}{event_digest(event)}"
