"""Finds the events of one person that wait in R2: for their pixel (`tracking/parked_events.py`).

Also those that the database does not take: all others are stored before anybody is searched for.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Collection, Sequence
from dataclasses import dataclass

from services.core.ports import Row
from services.privacy.data_subject import DataSubject
from services.privacy.request_table import SearchProgress
from services.tracking.parked_events import ParkedEvents, person_texts

EVENTS_OF_STEP = 100


@dataclass(frozen=True, slots=True)
class ParkedSearch:
    """The two stages of a search that read parked events; `progress` notes their keys.

    Each method raises UnavailableError when R2 fails; the progress then stays valid.
    """

    events: ParkedEvents
    subject: DataSubject
    progress: SearchProgress

    async def find(self) -> AsyncGenerator[None, None]:
        """Finds events that contain the person's address, or are of the cookie."""
        async for step in self._steps():
            for key, row in step:
                if self._is_of_subject(row):
                    self.progress.parked.add(key)
            yield

    async def find_of_browsers(self, cookies: Collection[str]) -> AsyncGenerator[None, None]:
        """Finds the other events of the person's browsers, whose visitors have these cookies."""
        if self.subject.asked_by == "visitor_cookie":
            return
        noted = await self._rows(sorted(self.progress.parked))
        senders = {row["visitor_cookie"] for _, row in noted if self.subject.is_sender_of(row)}
        async for step in self._steps():
            for key, row in step:
                is_theirs = row["visitor_cookie"] in cookies or row["visitor_cookie"] in senders
                is_theirs = is_theirs and self.subject.covers(row)
                if is_theirs and not self.subject.is_other_sender(row):
                    self.progress.parked.add(key)
            yield

    async def contents(self, keys: Sequence[str]) -> Sequence[bytes | None]:
        """The objects of some keys; None where it is gone."""
        return await self.events.read_each(keys)

    async def delete(self, keys: Sequence[str]) -> None:
        """Deletes events that were found."""
        await self.events.remove(keys)
        self.progress.parked.difference_update(keys)

    async def _steps(self) -> AsyncIterator[Sequence[tuple[str, Row]]]:
        """The events behind the position, some in each step."""
        after = str(self.progress.after or "")
        keys = [key for key in sorted(await self.events.keys_with_waiting()) if key > after]
        for first in range(0, len(keys), EVENTS_OF_STEP):
            step = keys[first : first + EVENTS_OF_STEP]
            rows = await self._rows(step)
            self.progress.after = step[-1]
            yield rows

    async def _rows(self, keys: Sequence[str]) -> Sequence[tuple[str, Row]]:
        """The events that are there and can be read; the others are noted as damaged."""
        rows: list[tuple[str, Row]] = []
        for key, content in zip(keys, await self.events.read_each(keys), strict=True):
            try:
                if content is not None:
                    rows.append((key, person_texts(content)))
            except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
                self.progress.damaged.add(key)
        return rows

    def _is_of_subject(self, row: Row) -> bool:
        if self.subject.asked_by == "visitor_cookie":
            return self.subject.covers(row) and bool(row["visitor_cookie"] == self.subject.value)
        return self.subject.is_sender_of(row) or self.subject.is_mentioned_in(row)
