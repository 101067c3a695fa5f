"""Everything about one person, page by page: what an erasure would delete, with all columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.archive.parts import ARCHIVE, RECEIVED
from services.archive.reading import part_keys, read_part
from services.core.ndjson_parts import DamagedPartError
from services.core.ports import Row
from services.privacy.search import PrivacySearch
from services.privacy.statements import (
    EXPORT_EVENTS,
    EXPORT_LOGS,
    EXPORT_PERSONS,
    EXPORT_SESSIONS,
    EXPORT_VISITORS,
)

# Of the longest rows that can be stored these are some 5 MB.
ROWS_OF_A_PAGE = 250
# Events may fill an isolate's memory; a part of the archive is a page, however many are theirs.
PARTS_OF_A_PAGE = 100

TABLES: Mapping[str, str] = {
    "visitors": EXPORT_VISITORS,
    "sessions": EXPORT_SESSIONS,
    "tracking_events": EXPORT_EVENTS,
    "system_logs": EXPORT_LOGS,
}
PARTS: Mapping[str, str] = {"archived_events": ARCHIVE, "received_events": RECEIVED}
PLACES = (*TABLES, "pipedrive_persons", "kv_keys", *PARTS)
FIRST_PLACE = PLACES[0]


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows of one place, and from where on the next ones are; None at the end."""

    place: str
    rows: Sequence[Mapping[str, Any]]
    next_place: tuple[str, str] | None


@dataclass(frozen=True, slots=True)
class PrivacyExport:
    """Reads what a search that has ended found. Raises UnavailableError when a binding fails."""

    search: PrivacySearch

    async def page(self, place: str, after: str) -> Page:
        """The next rows behind a place; places that have none are passed over."""
        while True:
            page = await self._page(place, after)
            if page.rows or page.next_place is None or page.next_place[0] == place:
                return page
            place, after = page.next_place

    async def _page(self, place: str, after: str) -> Page:
        if place in TABLES:
            rows = await self._rows(TABLES[place], after)
            more = len(rows) == ROWS_OF_A_PAGE
            return Page(place, rows, (place, str(rows[-1]["id"])) if more else _behind(place))
        if place in PARTS:
            return await self._archived(place, after)
        if place == "pipedrive_persons":
            return Page(place, await self._rows(EXPORT_PERSONS, ""), _behind(place))
        return Page(place, await self._keys(), _behind(place))

    async def _rows(self, statement: str, after: str) -> Sequence[Row]:
        return await self.search.ask(
            statement, **self.search.found(), after=after, rows=ROWS_OF_A_PAGE
        )

    async def _keys(self) -> Sequence[Mapping[str, str | None]]:
        names = sorted(self.search.progress.keys)
        return [{"key": name, "value": await self.search.key_values.get(name)} for name in names]

    async def _archived(self, place: str, after: str) -> Page:
        """Some parts of a folder; where nothing of them is theirs, a page without rows."""
        parts = 0
        async for key in part_keys(self.search.bucket, PARTS[place], after):
            rows = await self._archived_in(key)
            parts += 1
            if rows or parts == PARTS_OF_A_PAGE:
                return Page(place, rows, (place, key))
        return Page(place, (), _behind(place))

    async def _archived_in(self, key: str) -> Sequence[Row]:
        try:
            part = await read_part(self.search.bucket, key)
        except DamagedPartError:
            # The search has named it.
            return ()
        found = (self.search.archived(line) for line in part.lines) if part else ()
        return [row for row in found if row and self.search.is_theirs(row)]


def _behind(place: str) -> tuple[str, str] | None:
    following = PLACES[PLACES.index(place) + 1 :]
    return (following[0], "") if following else None
