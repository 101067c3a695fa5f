"""What KV remembers of alerts: their states, the messages that were sent, and acknowledgements.

It lies in KV, so that it survives a failing database. An older or newer version may have written
it: what cannot be read counts as nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from services.core.ports import KeyValues
from services.core.stored_time import format_stored_time, parse_stored_time
from services.core.text import read_json, read_object

STATES_KEY = "alerts"
SENT_KEY = "alerts_sent"
ACKNOWLEDGEMENT_KEY = "alert_acknowledged:"
TTL_SECONDS = 30 * 86_400
MAX_SENT = 100
SENT_FIELDS = ("problem", "severity", "state", "since", "text", "at")
MIN_TTL_SECONDS = 60
# A time, which an older version of the Worker can read: it sends the message, too.
NEVER_TOLD = "1970-01-01 00:00:00"


@dataclass(slots=True)
class AlertState:
    """A problem that is not over. The names of the fields are keys in KV.

    `told_at` is when a message about it last arrived, or NEVER_TOLD.
    """

    severity: str
    since: str
    told_at: str


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """Somebody works on the problem that began at `since`: no reminder until a time in UTC."""

    since: str
    until: str
    by: str | None = None

    def covers(self, state: AlertState, now: datetime) -> bool:
        """Whether it is about this occurrence of the problem, and not over."""
        return self.since == state.since and format_stored_time(now) < self.until


@dataclass(frozen=True, slots=True)
class AlertMemory:
    """Reads and writes the keys. Each method raises UnavailableError if KV fails."""

    key_values: KeyValues

    async def states(self) -> dict[str, AlertState] | None:
        """The states by problem; None if what is stored cannot be read."""
        content = await self.key_values.get(STATES_KEY)
        if content is None:
            return {}
        try:
            stored = read_json(content)
            states = stored.items() if isinstance(stored, dict) else None
            return None if states is None else {name: _state(fields) for name, fields in states}
        except (LookupError, TypeError, ValueError):
            return None

    async def save_states(self, states: Mapping[str, AlertState]) -> None:
        """Writes all states."""
        text = json.dumps({name: asdict(state) for name, state in states.items()})
        await self.key_values.put(STATES_KEY, text, TTL_SECONDS)

    async def sent(self) -> Sequence[Mapping[str, object]]:
        """The last messages, the newest first."""
        try:
            stored = read_json(await self.key_values.get(SENT_KEY) or "[]")
        except ValueError:
            return []
        messages = stored if isinstance(stored, list) else []
        return [message for message in messages if _is_message(message)]

    async def add_sent(self, messages: Sequence[Mapping[str, object]]) -> None:
        """Adds messages, the newest first."""
        newest = [*messages, *await self.sent()][:MAX_SENT]
        await self.key_values.put(SENT_KEY, json.dumps(newest), TTL_SECONDS)

    async def acknowledgement(self, problem: str) -> Acknowledgement | None:
        """The acknowledgement of a problem, or None."""
        fields = read_object(await self.key_values.get(f"{ACKNOWLEDGEMENT_KEY}{problem}") or "{}")
        since, until, by = (fields.get(name) for name in ("since", "until", "by"))
        if not isinstance(since, str) or not isinstance(until, str):
            return None
        return Acknowledgement(since, until, by if isinstance(by, str) else None)

    async def acknowledge(
        self, problem: str, state: AlertState, by: str | None, now: datetime, hours: int
    ) -> Acknowledgement:
        """Lets the reminders of a problem wait for some hours."""
        until = now + timedelta(hours=hours)
        acknowledgement = Acknowledgement(state.since, format_stored_time(until), by)
        seconds = max(MIN_TTL_SECONDS, hours * 3_600)
        text = json.dumps(asdict(acknowledgement))
        await self.key_values.put(f"{ACKNOWLEDGEMENT_KEY}{problem}", text, seconds)
        return acknowledgement


def _is_message(message: object) -> bool:
    """Whether it has what an operator is shown of a message; another version may add to it."""
    return isinstance(message, dict) and all(
        isinstance(message.get(name), str) for name in SENT_FIELDS
    )


def _state(fields: Mapping[str, object]) -> AlertState:
    """The state in KV.

    Raises:
        ValueError: a time cannot be read.
    """
    state = AlertState(*(str(fields[name]) for name in ("severity", "since", "told_at")))
    parse_stored_time(state.told_at)
    parse_stored_time(state.since)
    return state
