"""Finds everything that D1, R2 and KV hold about one person.

A search is a sequence of stages, and a stage one of steps, each of which reads one page or one
part. The progress is up to date after every step, so that several requests can share a search.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from services.archive.reading import (
    ArchivedPart,
    all_part_keys,
    is_form_line,
    read_event_line,
    read_part,
    visitor_ids_in,
)
from services.core.ndjson_parts import DamagedPartError
from services.core.ports import Bucket, Database, KeyValues, Row
from services.core.stored_time import format_stored_time
from services.core.text import read_object
from services.privacy.data_subject import DataSubject
from services.privacy.parked_search import ParkedSearch
from services.privacy.request_table import SearchProgress
from services.privacy.statements import (
    COOKIES_OF_VISITORS,
    COUNT_EVENTS,
    COUNT_PERSONS,
    COUNT_SESSIONS,
    COUNT_VISITORS,
    END_OF_FORM_PAGE,
    END_OF_LOG_PAGE,
    FORMS_AND_MENTIONS_OF_VISITORS,
    FORMS_WITH_CLUE,
    LOGS_WITH_CLUE,
    PROJECTS_OF_EVENTS,
    RECENT_FORMS,
    VISITOR_OF_COOKIE,
    VISITOR_PAGE_ROWS,
)
from services.sync.timers import PREFIX as TIMERS
from services.sync.timers import event_id_of
from services.tracking.parked_events import ParkedEvents
from services.tracking.repeats import PREFIX as SUBMISSIONS

FIRST_STAGE = "forms"
SEARCH_FINISHED = "found"
MAX_IDS = 1_000
VISITORS_PER_STEP = 50
# Longer than KV holds anything about a lead.
KV_LIFETIME = timedelta(days=7)

# Stands for the visitor of an event that contains the person's address, whoever visited.
ANY_VISITOR = ""

Steps = AsyncGenerator[None, None]


@dataclass(frozen=True, slots=True)
class PrivacySearch:
    """The search for one person, as far as `progress` says.

    Each method raises UnavailableError when a binding fails; the progress then stays valid.
    """

    database: Database
    bucket: Bucket
    key_values: KeyValues
    subject: DataSubject
    progress: SearchProgress
    now: datetime

    async def steps(self) -> Steps:
        """Runs the remaining stages; after each step the search may be stopped and resumed."""
        stages = {
            FIRST_STAGE: self._search_forms,
            "archive": self._search_archive,
            "visitors": self._search_visitors,
            "logs": self._search_logs,
            "keys": self._search_keys,
            "parked": self.parked.find,
            "parked_visitors": self._search_parked_of_visitors,
        }
        names = [*stages, SEARCH_FINISHED]
        while (stage := self.progress.stage) in stages:
            async for _ in stages[stage]():
                yield
            self.progress.stage, self.progress.after = names[names.index(stage) + 1], None

    # ---- D1 ------------------------------------------------------------------------------------

    async def _search_forms(self) -> Steps:
        """Finds the forms with the person's address, or the visitor of the cookie."""
        if self.subject.asked_by == "visitor_cookie":
            rows = await self.rows(VISITOR_OF_COOKIE, visitor_cookie=self.subject.value)
            self.progress.visitors |= {row["id"] for row in rows}
            return
        after: int | None = int(self.progress.after or 0)
        while after is not None:
            last, rows = await self._page(END_OF_FORM_PAGE, FORMS_WITH_CLUE, after)
            for row in rows:
                self._classify(row)
            after = last
            if after is not None:
                self.progress.after = after
                yield

    async def _search_visitors(self) -> Steps:
        """Finds who else used the person's browsers, and their other events with the address."""
        if self.subject.asked_by == "visitor_cookie":
            return
        last = str(self.progress.after or "")
        remaining = sorted(visitor for visitor in self.progress.visitors if visitor > last)
        for first in range(0, len(remaining), VISITORS_PER_STEP):
            visitors = remaining[first : first + VISITORS_PER_STEP]
            await self._classify_events_of(visitors)
            self.progress.after = visitors[-1]
            yield

    async def _classify_events_of(self, visitors: Sequence[str]) -> None:
        after: int | None = 0
        statement = FORMS_AND_MENTIONS_OF_VISITORS
        while after is not None:
            rows = await self.rows(statement, visitors=visitors, after=after, **self._clues)
            for row in rows:
                self._classify(row)
            after = rows[-1]["id"] if len(rows) == VISITOR_PAGE_ROWS else None

    def _classify(self, row: Row) -> None:
        """Notes an event of the person, or that another person used their browser."""
        if self.subject.is_sender_of(row):
            self.progress.events.add(row["id"])
            self._add_visitor(row["visitor_id"])
        elif self.subject.is_mentioned_in(row):
            self.progress.events.add(row["id"])
        elif row["visitor_id"] in self.progress.visitors and self.subject.is_other_sender(row):
            self.progress.shared.add(row["visitor_id"])

    def _add_visitor(self, visitor_id: str | None) -> None:
        if visitor_id and visitor_id not in self.progress.visitors:
            self.progress.visitors.add(visitor_id)
            self.progress.led_further = True

    # ---- the archive ---------------------------------------------------------------------------

    async def _search_archive(self) -> Steps:
        """Reads all archived and received parts; twice, if a part led to a new visitor."""
        progress = self.progress
        if progress.after is None:
            progress.led_further = False
        while True:
            async for key in all_part_keys(self.bucket, str(progress.after or "")):
                await self._search_part(key)
                progress.after = key
                yield
            if not progress.led_further:
                return
            progress.led_further, progress.after = False, ""
            progress.archived, progress.archived_forms, progress.received = {}, {}, {}

    async def _search_part(self, key: str) -> None:
        try:
            part = await read_part(self.bucket, key)
        except DamagedPartError:
            self.progress.damaged.add(key)
            return
        if part and (part_counts := self._count_by_visitor(part)):
            days = self.progress.received if part.is_received else self.progress.archived
            day_counts = days.setdefault(part.day, {})
            for visitor, number in part_counts.items():
                day_counts[visitor] = day_counts.get(visitor, 0) + number

    def _count_by_visitor(self, part: ArchivedPart) -> Counter[str]:
        """Counts the person's events of a part by visitor, and notes their forms."""
        counts: Counter[str] = Counter()
        for row in filter(None, map(self.candidate, part.lines)):
            visitor = self._visitor_of(row)
            if visitor is None:
                continue
            counts[visitor] += 1
            if row["event_type"] == "form_submit" and not part.is_received:
                self.progress.archived_forms.setdefault(visitor, []).append(row["id"])
        return counts

    def _visitor_of(self, row: Row) -> str | None:
        """The visitor to count an archived event under; None if it is not the person's."""
        visitor = row["visitor_id"]
        if self.subject.is_sender_of(row):
            self._add_visitor(visitor)
            return ANY_VISITOR
        if self.subject.is_mentioned_in(row):
            return ANY_VISITOR
        if visitor not in self.progress.visitors:
            return None
        if self.subject.is_other_sender(row):
            self.progress.shared.add(visitor)
        return str(visitor)

    def candidate(self, line: str) -> Row | None:
        """Parses an archived event if it may be the person's: by its visitor or by a clue."""
        has_visitor = not self.progress.visitors.isdisjoint(visitor_ids_in(line))
        row = read_event_line(line) if has_visitor or self._has_clue(line) else None
        return row if row and self.subject.covers(row) else None

    def _has_clue(self, line: str) -> bool:
        if self.subject.asked_by != "email" or not is_form_line(line):
            return False
        lowered = line.lower()
        return self.subject.clue in lowered or self.subject.url_clue in lowered

    def is_of_subject(self, row: Row) -> bool:
        """Whether an archived event, as `candidate` returns it, is the person's."""
        return (
            row["visitor_id"] in self.progress.exclusive_visitors
            or self.subject.is_sender_of(row)
            or self.subject.is_mentioned_in(row)
        )

    # ---- the old log, and KV -------------------------------------------------------------------

    async def _search_logs(self) -> Steps:
        """Finds the person in the old Worker's log, which is of no project."""
        if self.subject.projects is not None:
            return
        after: int | None = int(self.progress.after or 0)
        while after is not None:
            last, rows = await self._page(END_OF_LOG_PAGE, LOGS_WITH_CLUE, after)
            for row in rows:
                if row["is_theirs"] or self.subject.is_in(row["message"], row["context"]):
                    self.progress.logs.add(row["id"])
            after = last
            if after is not None:
                self.progress.after = after
                yield

    async def _search_keys(self) -> Steps:
        """Finds the timers of the person's leads, and the stored responses to them."""
        week_ago = format_stored_time(self.now - KV_LIFETIME)
        rows = await self.rows(RECENT_FORMS, **self.parameters(), week_ago=week_ago)
        recent_ids = {row["id"] for row in rows}
        if not recent_ids:
            return
        for prefix in (SUBMISSIONS, TIMERS):
            async for name in self._key_names(prefix):
                event_id = await self._event_id_of_key(name)
                if isinstance(event_id, int) and event_id in recent_ids:
                    self.progress.keys.add(name)
                if prefix == SUBMISSIONS:
                    self.progress.after = name
                    yield

    async def _event_id_of_key(self, name: str) -> object:
        if name.startswith(TIMERS):
            return event_id_of(name)
        return read_object(await self.key_values.get(name)).get("event_id")

    async def _key_names(self, prefix: str) -> AsyncIterator[str]:
        cursor: str | None = None
        after = str(self.progress.after or "")
        while True:
            page = await self.key_values.page(prefix, cursor)
            for name in page.names:
                if name > after or not after.startswith(prefix):
                    yield name
            if page.cursor is None:
                return
            cursor = page.cursor

    # ---- events that their pixels did not take -------------------------------------------------

    @property
    def parked(self) -> ParkedSearch:
        """The events in R2 that wait for their pixel."""
        return ParkedSearch(
            ParkedEvents(self.bucket, lambda: self.now), self.subject, self.progress
        )

    async def _search_parked_of_visitors(self) -> Steps:
        rows = await self.rows(COOKIES_OF_VISITORS, **self.parameters())
        async for _ in self.parked.find_of_browsers({row["visitor_cookie"] for row in rows}):
            yield

    # ---- results -------------------------------------------------------------------------------

    def parameters(self) -> dict[str, object]:
        """The ids that the search has found, as parameters of the `statements`."""
        progress = self.progress
        return {
            "whole": sorted(progress.exclusive_visitors),
            "events": sorted(progress.events),
            "forms": progress.archived_form_ids(),
            "logs": sorted(progress.logs),
            "within": None if self.subject.projects is None else sorted(self.subject.pixels),
        }

    async def summary(self) -> Mapping[str, Any]:
        """The number of rows, events and keys, with up to 1,000 ids of each table."""
        days, received_days = self.progress.archived_days(), self.progress.received_days()
        pixels = sorted({day.partition("/")[0] for day in (*days, *received_days)})
        statements = (COUNT_EVENTS, COUNT_SESSIONS, COUNT_VISITORS, COUNT_PERSONS)
        parameters = {**self.parameters(), "most": MAX_IDS, "pixels": pixels}
        *counts, projects = await self.database.batch_rows(
            (*statements, PROJECTS_OF_EVENTS), json.dumps(parameters)
        )
        names = ("tracking_events", "sessions", "visitors", "pipedrive_persons")
        return {
            **{name: _count_of_row(rows[0]) for name, rows in zip(names, counts, strict=True)},
            "system_logs": _count_of_ids(self.progress.logs),
            "kv_keys": _count_of_ids(self.progress.keys),
            "parked_events": _count_of_ids(self.progress.parked),
            "archived_events": {"count": sum(days.values()), "days": days},
            "received_events": {"count": sum(received_days.values()), "days": received_days},
            "projects": [row["project_id"] for row in projects if row["project_id"]],
            "shared_visitors": _count_of_ids(self.progress.shared),
            "damaged_parts": sorted(self.progress.damaged),
        }

    async def rows(self, statement: str, **parameters: object) -> Sequence[Row]:
        """The rows of one statement."""
        [rows] = await self.database.batch_rows((statement,), json.dumps(parameters))
        return rows

    async def run(self, statements: Sequence[str], parameters: Mapping[str, object]) -> None:
        """Runs statements in one transaction."""
        await self.database.batch_rows(statements, json.dumps(parameters))

    async def key_value(self, name: str) -> str | None:
        """The value of a key in KV, None if it has expired."""
        return await self.key_values.get(name)

    async def delete_key(self, name: str) -> None:
        """Deletes a key in KV that the search found."""
        await self.key_values.delete(name)
        self.progress.keys.discard(name)

    async def _page(
        self, end_statement: str, rows_statement: str, after: object
    ) -> tuple[int | None, Sequence[Row]]:
        """The last id of the page after an id, None behind the last page; and rows with a clue."""
        parameters = {"after": after, **self._clues, **self.parameters()}
        statements = (end_statement, rows_statement)
        ends, rows = await self.database.batch_rows(statements, json.dumps(parameters))
        return ends[0]["last"], rows

    @property
    def _clues(self) -> dict[str, str | None]:
        if self.subject.asked_by == "visitor_cookie":
            return {"clue": None, "url_clue": None}
        return {"clue": self.subject.clue, "url_clue": self.subject.url_clue}


def is_empty(summary: Mapping[str, Any]) -> bool:
    """Whether a summary says that nothing is stored about the person."""
    counts = [count for count in summary.values() if isinstance(count, dict)]
    return not any(count["count"] for count in counts)


def _count_of_row(row: Row) -> dict[str, object]:
    return {"count": row["number"], "ids": json.loads(row["ids"])}


def _count_of_ids(ids: set[str] | set[int]) -> dict[str, object]:
    return {"count": len(ids), "ids": sorted(ids)[:MAX_IDS]}
