"""Exports everything about one person, page by page: all columns of what an erasure deletes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.archive.parts import ARCHIVE, RECEIVED
from services.archive.reading import part_keys, read_part
from services.core.ndjson_parts import DamagedPartError
from services.core.ports import Row
from services.core.text import read_object
from services.privacy.search import PrivacySearch
from services.privacy.statements import (
    EXPORT_EVENTS,
    EXPORT_LOGS,
    EXPORT_PERSONS,
    EXPORT_SESSIONS,
    EXPORT_VISITORS,
)

# About 5 MB of the longest rows that can be stored.
EXPORT_PAGE_ROWS = 250
# A part with events of the person is a page of its own, to bound the memory of a response.
MAX_PARTS_OF_PAGE = 100

TABLES: Mapping[str, str] = {
    "visitors": EXPORT_VISITORS,
    "sessions": EXPORT_SESSIONS,
    "tracking_events": EXPORT_EVENTS,
    "system_logs": EXPORT_LOGS,
}
FOLDERS: Mapping[str, str] = {"archived_events": ARCHIVE, "received_events": RECEIVED}
SECTIONS = (*TABLES, "pipedrive_persons", "kv_keys", "parked_events", *FOLDERS)
# Of the largest events that can be stored, 5 MB too.
HELD_EVENTS_OF_PAGE = 250
FIRST_SECTION = SECTIONS[0]


@dataclass(frozen=True, slots=True)
class ExportPosition:
    """Where a page begins: a section, and the last id or key of the page before."""

    section: str
    after: str = ""


@dataclass(frozen=True, slots=True)
class PersonDataPage:
    """Rows of one section; `next_position` is where the next page begins, None at the end."""

    section: str
    rows: Sequence[Mapping[str, Any]]
    next_position: ExportPosition | None


@dataclass(frozen=True, slots=True)
class PrivacyExport:
    """Reads what a finished search found. Raises UnavailableError when a binding fails."""

    search: PrivacySearch

    async def page(self, position: ExportPosition) -> PersonDataPage:
        """Reads the page at a position; sections without rows are skipped."""
        while True:
            page = await self._read(position)
            next_position = page.next_position
            if page.rows or next_position is None or next_position.section == position.section:
                return page
            position = next_position

    async def _read(self, position: ExportPosition) -> PersonDataPage:
        section = position.section
        if section in TABLES:
            rows = await self._table_rows(TABLES[section], position.after)
            if len(rows) == EXPORT_PAGE_ROWS:
                return PersonDataPage(section, rows, ExportPosition(section, str(rows[-1]["id"])))
            return PersonDataPage(section, rows, _next_section(section))
        if section in FOLDERS:
            return await self._read_parts(position)
        if section == "pipedrive_persons":
            rows = await self._table_rows(EXPORT_PERSONS, "")
            return PersonDataPage(section, rows, _next_section(section))
        if section == "parked_events":
            return await self._parked_page(position)
        return PersonDataPage(section, await self._keys(), _next_section(section))

    async def _parked_page(self, position: ExportPosition) -> PersonDataPage:
        keys = [key for key in sorted(self.search.progress.parked) if key > position.after]
        page = keys[:HELD_EVENTS_OF_PAGE]
        contents = await self.search.parked.contents(page)
        rows = [
            {"key": key, **read_object(content.decode(errors="replace"))}
            for key, content in zip(page, contents, strict=True)
            if content
        ]
        if len(keys) > len(page):
            return PersonDataPage("parked_events", rows, ExportPosition("parked_events", page[-1]))
        return PersonDataPage("parked_events", rows, _next_section("parked_events"))

    async def _table_rows(self, statement: str, after: str) -> Sequence[Row]:
        parameters = self.search.parameters()
        return await self.search.rows(statement, **parameters, after=after, rows=EXPORT_PAGE_ROWS)

    async def _keys(self) -> Sequence[Mapping[str, str | None]]:
        names = sorted(self.search.progress.keys)
        return [{"key": name, "value": await self.search.key_value(name)} for name in names]

    async def _read_parts(self, position: ExportPosition) -> PersonDataPage:
        """Reads parts of a folder up to one with rows; a page of many parts may have none."""
        section, parts = position.section, 0
        async for key in part_keys(self.search.bucket, FOLDERS[section], position.after):
            rows = await self._part_rows(key)
            parts += 1
            if rows or parts == MAX_PARTS_OF_PAGE:
                return PersonDataPage(section, rows, ExportPosition(section, key))
        return PersonDataPage(section, (), _next_section(section))

    async def _part_rows(self, key: str) -> Sequence[Row]:
        try:
            part = await read_part(self.search.bucket, key)
        except DamagedPartError:
            # The summary of the search lists it.
            return ()
        candidates = (self.search.candidate(line) for line in part.lines) if part else ()
        return [row for row in candidates if row and self.search.is_of_subject(row)]


def _next_section(section: str) -> ExportPosition | None:
    later_sections = SECTIONS[SECTIONS.index(section) + 1 :]
    return ExportPosition(later_sections[0]) if later_sections else None
