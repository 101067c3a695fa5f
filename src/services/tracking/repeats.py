"""Form submissions that come twice, because their sender did not hear the answer.

A new pixel gives each event an id, and says later what became of a form: only the same words again
are a repeat, so that a correction reaches D1. An old pixel gives none, and its submission is known
by what it says: pixel, person and page, within a window. D1 refuses the second row
(`visits`); KV remembers the answer for a day, so that it is the same even where the
visitor's cookie is not.
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
from services.tracking.visits import Recorded

PREFIX = "submission:"
REMEMBERED_SECONDS = 86_400
DIGITS = 32


@dataclass(frozen=True, slots=True)
class Repeats:
    """Remembers submissions. Those of old pixels count as the same one for `window_seconds`."""

    key_values: KeyValues
    window_seconds: int

    async def recall(self, event: Event, now: datetime) -> Recorded | None:
        """What was answered when this submission came before; None also while KV fails."""
        try:
            text = await self.key_values.get(_name(event))
        except UnavailableError:
            return None
        try:
            return self._answered(json.loads(text), event, now) if text else None
        except (ValueError, KeyError, TypeError, OverflowError):
            # Whoever wrote this into KV, no lead is lost by it: D1 decides.
            return None

    async def remember(self, event: Event, recorded: Recorded, now: datetime) -> None:
        """Remembers a submission that was stored.

        Raises:
            UnavailableError: KV failed.
        """
        said = {
            "at": now.isoformat(),
            "event_id": recorded.event_id,
            "visitor_id": recorded.visitor_id,
            "session_id": recorded.session_id,
            "attribution": asdict(recorded.attribution),
        }
        await self.key_values.put(_name(event), json.dumps(said), REMEMBERED_SECONDS)

    def _answered(self, said: Mapping[str, Any], event: Event, now: datetime) -> Recorded | None:
        until = datetime.fromisoformat(said["at"]) + timedelta(seconds=self.window_seconds)
        if event.event_key is None and now > until:
            return None
        return Recorded(
            event_id=said["event_id"],
            visitor_id=said["visitor_id"],
            session_id=said["session_id"],
            attribution=Attribution(**said["attribution"]),
            event_type="form_submit",
            due=None,
            touch={},
        )


def _name(event: Event) -> str:
    """A key in KV that tells nobody anything: a hash."""
    lead = json.dumps(event.lead and event.lead.said())
    if event.event_key:
        said = [event.pixel_id, event.visitor_cookie, event.event_key, event.outcome or "", lead]
    else:
        said = [event.pixel_id, event.page_url, lead]
    return f"{PREFIX}{hashlib.sha256(json.dumps(said).encode()).hexdigest()[:DIGITS]}"
