"""Timers in KV: when to look at which form submission. The rows of D1 are the truth.

A key is `sync:<due>:<event id>`, so that a list of keys is in the order in which they are due.
Nothing personal is in it.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.core.ports import KeyValues, UnavailableError

PREFIX = "sync:"
DUE_TEXT = "%Y%m%dT%H%M%SZ"
TIMER_TTL_SECONDS = 7 * 86_400
MAX_KEYS = 10_000
# Cloudflare allows 1,000 operations on KV in one invocation; the lists and the fields need some.
MAX_DELETES = 900
MAX_OLD_DELETES = 50

# Padding sorts events that are due in the same second by their ids.
EVENT_ID_DIGITS = 12

_KEY = re.compile(r"sync:(\d{8}T\d{6}Z):(\d{1,18})")


def event_id_of(name: str) -> int | None:
    """The event in a timer's key, or None of any other key."""
    match = _KEY.fullmatch(name)
    return int(match[2]) if match else None


# Timers of the old Worker: `pipedrive_sync:<event id>:<milliseconds>`. Its other keys, such as
# `idempotency:…`, start nothing and expire.
OLD_PREFIX = "pipedrive_sync:"


async def delete_old_timers(key_values: KeyValues) -> int:
    """Deletes timers of the old Worker, at most MAX_OLD_DELETES; returns their number.

    After a rollback they would fire for leads that this Worker has finished. Those that it has not
    are pending in their rows, for either Worker.

    Raises:
        UnavailableError: KV failed; the next run deletes the others.
    """
    page = await key_values.page(OLD_PREFIX, None)
    names = page.names[:MAX_OLD_DELETES]
    for name in names:
        await key_values.delete(name)
    return len(names)


@dataclass(frozen=True, slots=True)
class DueTimers:
    """Expired timers, at most a thousand: their keys and their events."""

    names: Sequence[str]
    event_ids: Sequence[int]


@dataclass(slots=True)
class Timers:
    """The timers in one run or request. `lists` and `deletes` count operations on KV."""

    key_values: KeyValues
    lists: int = 0
    deletes: int = 0
    _due_keys: int = 0

    async def set(self, event_id: int, due: datetime) -> None:
        """Sets the timer of one submission.

        Raises:
            UnavailableError: KV failed; a run finds the row without its timer.
        """
        name = f"{PREFIX}{due.strftime(DUE_TEXT)}:{event_id:0{EVENT_ID_DIGITS}}"
        await self.key_values.put(name, str(event_id), TIMER_TTL_SECONDS)

    async def due(self, now: datetime) -> AsyncIterator[DueTimers]:
        """The expired timers in order, page by page, up to 10,000.

        Raises:
            UnavailableError: KV failed.
        """
        cursor: str | None = None
        while self._due_keys < MAX_KEYS:
            page = await self.key_values.page(PREFIX, cursor)
            self.lists += 1
            due = [name for name in page.names if name < f"{PREFIX}{now.strftime(DUE_TEXT)};"]
            self._due_keys += len(due)
            if due:
                ids = map(event_id_of, due)
                yield DueTimers(due, [event_id for event_id in ids if event_id is not None])
            if len(due) < len(page.names) or page.cursor is None:
                return
            cursor = page.cursor

    async def delete(self, timers: DueTimers) -> None:
        """Deletes expired timers, as many as one run may; the next run gets the others again."""
        for name in timers.names[: MAX_DELETES - self.deletes]:
            try:
                await self.key_values.delete(name)
            except UnavailableError:
                return
            self.deletes += 1
