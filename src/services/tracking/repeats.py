"""Repeated form submissions: a sender that received no answer sends the same one again.

A new pixel gives each event a key and sends the form's outcome later: only an identical submission
is a repeat, so that a correction reaches D1. An old pixel gives no key: a submission with the same
pixel, person and page within a window is a repeat. D1 refuses the second row (`visits`); KV keeps
the answer for a day, so that it is the same even for another visitor cookie.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from services.core.ports import KeyValues, UnavailableError
from services.tracking.attribution import Attribution
from services.tracking.events import Event
from services.tracking.visits import RecordedEvent

PREFIX = "submission:"
REMEMBERED_SECONDS = 86_400
DIGEST_CHARACTERS = 32


@dataclass(frozen=True, slots=True)
class Repeats:
    """Remembers submissions. Those of old pixels count as the same one for `window_seconds`."""

    key_values: KeyValues
    window_seconds: int

    async def recall(self, event: Event, now: datetime) -> RecordedEvent | None:
        """The answer to an earlier identical submission, or None; None also while KV fails."""
        try:
            text = await self.key_values.get(_key(event))
        except UnavailableError:
            return None
        try:
            return self._recorded(json.loads(text), event, now) if text else None
        except (ValueError, KeyError, TypeError, OverflowError):
            # A damaged value in KV must not lose a lead: D1 decides.
            return None

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

    def _recorded(
        self, stored: Mapping[str, Any], event: Event, now: datetime
    ) -> RecordedEvent | None:
        until = datetime.fromisoformat(stored["at"]) + timedelta(seconds=self.window_seconds)
        if event.event_key is None and now > until:
            return None
        return RecordedEvent(
            event_id=stored["event_id"],
            visitor_id=stored["visitor_id"],
            session_id=stored["session_id"],
            attribution=Attribution(**stored["attribution"]),
            event_type="form_submit",
            due=None,
            touch={},
        )


def _key(event: Event) -> str:
    """The key in KV: a hash, because keys hold no personal data."""
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
        identity = [event.pixel_id, event.page_url, lead]
    return (
        f"{PREFIX}{hashlib.sha256(json.dumps(identity).encode()).hexdigest()[:DIGEST_CHARACTERS]}"
    )
