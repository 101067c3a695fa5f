"""Form submissions that come twice, because their sender did not hear the answer.

A new pixel gives each event an id. An old one does not, and its submission is known by what it
says: pixel, person and page, within a window. D1 refuses the second row (`services.visits`); KV
remembers the answer for a day, so that it is the same even where the visitor's cookie is not.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from services.attribution import Attribution
from services.events import Event
from services.ports import KeyValues, UnavailableError
from services.visits import Recorded

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
        said = json.dumps({"at": now.isoformat(), **asdict(recorded)})
        await self.key_values.put(_name(event), said, REMEMBERED_SECONDS)

    def _answered(self, said: Mapping[str, Any], event: Event, now: datetime) -> Recorded | None:
        until = datetime.fromisoformat(said["at"]) + timedelta(seconds=self.window_seconds)
        if event.event_key is None and now > until:
            return None
        credit = Attribution(**said["attribution"])
        return Recorded(said["event_id"], said["visitor_id"], said["session_id"], credit)


def _name(event: Event) -> str:
    """A key in KV that tells nobody anything: a hash."""
    if event.event_key:
        said = [event.pixel_id, event.visitor_cookie, event.event_key]
    else:
        said = [event.pixel_id, event.page_url, json.dumps(event.lead and event.lead.said())]
    return f"submission:{hashlib.sha256(json.dumps(said).encode()).hexdigest()[:DIGITS]}"
