"""Finds what is stored about one person, wherever it is: D1, the archive and more in R2, KV.

A search goes through its stages step by step, and what it did stands in the progress after each, so
that any number of requests may share it. A step reads one page or one part.
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
from services.privacy.request_table import Progress
from services.privacy.statements import (
    COUNT_EVENTS,
    COUNT_PERSONS,
    COUNT_SESSIONS,
    COUNT_VISITORS,
    FORMS_WITH_CLUE,
    LAST_FORM,
    LAST_LOG,
    LATE_FORMS,
    LEADS_OF_A_PAGE,
    LEADS_OF_VISITORS,
    LOGS_WITH_CLUE,
    PROJECTS_OF_EVENTS,
    VISITOR_OF_COOKIE,
)
from services.sync.timers import PREFIX as TIMERS
from services.sync.timers import event_id_of
from services.tracking.repeats import PREFIX as SUBMISSIONS

FIRST_STAGE = "forms"
FOUND = "found"
MAX_IDS = 1_000
VISITORS_OF_A_STEP = 50
# Longer than KV remembers anything about a lead.
REMEMBERED = timedelta(days=7)

Steps = AsyncGenerator[None, None]


@dataclass(frozen=True, slots=True)
class PrivacySearch:
    """One person's search, as far as `progress` says.

    Each method raises UnavailableError when a binding fails; what was done stands in the progress.
    """

    database: Database
    bucket: Bucket
    key_values: KeyValues
    subject: DataSubject
    progress: Progress
    now: datetime

    async def steps(self) -> Steps:
        """Goes on until everything is found; after each step it may be left and resumed."""
        stages = {
            FIRST_STAGE: self._forms,
            "archive": self._archive,
            "visitors": self._visitors,
            "logs": self._logs,
            "keys": self._keys,
        }
        names = [*stages, FOUND]
        while (stage := self.progress.stage) in stages:
            async for _ in stages[stage]():
                yield
            self.progress.stage, self.progress.after = names[names.index(stage) + 1], None

    # ---- D1: who is it -------------------------------------------------------------------------

    async def _forms(self) -> Steps:
        """The forms with the person's address, or the visitor of the cookie."""
        if self.subject.asked_by == "visitor_cookie":
            rows = await self.ask(VISITOR_OF_COOKIE, visitor_cookie=self.subject.value)
            self.progress.visitors |= {row["id"] for row in rows}
            return
        after: int | None = int(self.progress.after or 0)
        while after is not None:
            last, rows = await self._page(LAST_FORM, FORMS_WITH_CLUE, after)
            for row in rows:
                self._see(row)
            after = last
            if after is not None:
                self.progress.after = after
                yield

    async def _visitors(self) -> Steps:
        """Whether others used the person's browsers too, and what else has the address in it."""
        if self.subject.asked_by == "visitor_cookie":
            return
        last = str(self.progress.after or "")
        waiting = sorted(visitor for visitor in self.progress.visitors if visitor > last)
        for first in range(0, len(waiting), VISITORS_OF_A_STEP):
            visitors = waiting[first : first + VISITORS_OF_A_STEP]
            await self._see_leads_of(visitors)
            self.progress.after = visitors[-1]
            yield

    async def _see_leads_of(self, visitors: Sequence[str]) -> None:
        after: int | None = 0
        while after is not None:
            rows = await self.ask(LEADS_OF_VISITORS, visitors=visitors, after=after, **self._clues)
            for row in rows:
                self._see(row)
            after = rows[-1]["id"] if len(rows) == LEADS_OF_A_PAGE else None

    def _see(self, row: Row) -> None:
        """Takes an event that may be the person's, or a form of somebody else at their browser."""
        if self.subject.sent(row):
            self.progress.events.add(row["id"])
            self._lead_to(row["visitor_id"])
        elif self.subject.is_mentioned(row):
            self.progress.events.add(row["id"])
        elif row["visitor_id"] in self.progress.visitors and self.subject.is_strangers(row):
            self.progress.shared.add(row["visitor_id"])

    def _lead_to(self, visitor_id: str | None) -> None:
        if visitor_id and visitor_id not in self.progress.visitors:
            self.progress.visitors.add(visitor_id)
            self.progress.led_further = True

    # ---- the archive ---------------------------------------------------------------------------

    async def _archive(self) -> Steps:
        """Every part, received ones too. Again, if it led to visitors whom parts before have."""
        progress = self.progress
        if progress.after is None:
            progress.led_further = False
        while True:
            async for key in all_part_keys(self.bucket, str(progress.after or "")):
                await self._see_part(key)
                progress.after = key
                yield
            if not progress.led_further:
                return
            progress.led_further, progress.after = False, ""
            progress.archived, progress.archived_forms, progress.received = {}, {}, {}

    async def _see_part(self, key: str) -> None:
        try:
            part = await read_part(self.bucket, key)
        except DamagedPartError:
            self.progress.damaged.add(key)
            return
        if part and (counted := self._counted(part)):
            days = self.progress.received if part.is_received else self.progress.archived
            known = days.setdefault(part.day, {})
            for visitor, number in counted.items():
                known[visitor] = known.get(visitor, 0) + number

    def _counted(self, part: ArchivedPart) -> Counter[str]:
        """How many events of a part go with whom: a visitor, or '' whoever visited."""
        counted: Counter[str] = Counter()
        for row in filter(None, map(self.archived, part.lines)):
            visitor = self._goes_with(row)
            if visitor is None:
                continue
            counted[visitor] += 1
            if row["event_type"] == "form_submit" and not part.is_received:
                self.progress.archived_forms.setdefault(visitor, []).append(row["id"])
        return counted

    def _goes_with(self, row: Row) -> str | None:
        """With whom an archived event goes: a visitor, or '' whoever visited. None: it stays."""
        visitor = row["visitor_id"]
        if self.subject.sent(row):
            self._lead_to(visitor)
            return ""
        if self.subject.is_mentioned(row):
            return ""
        if visitor not in self.progress.visitors:
            return None
        if self.subject.is_strangers(row):
            self.progress.shared.add(visitor)
        return str(visitor)

    def archived(self, line: str) -> Row | None:
        """An archived event that may be the person's: of their visitor, or with their address."""
        known = not self.progress.visitors.isdisjoint(visitor_ids_in(line))
        return read_event_line(line) if known or self._has_clue(line) else None

    def _has_clue(self, line: str) -> bool:
        if self.subject.asked_by != "email" or not is_form_line(line):
            return False
        small = line.lower()
        return self.subject.clue in small or self.subject.url_clue in small

    def is_theirs(self, row: Row) -> bool:
        """Whether an archived event, as `archived` gives it, goes with the person."""
        return (
            row["visitor_id"] in self.progress.whole
            or self.subject.sent(row)
            or self.subject.is_mentioned(row)
        )

    # ---- the old log, and KV -------------------------------------------------------------------

    async def _logs(self) -> Steps:
        after: int | None = int(self.progress.after or 0)
        while after is not None:
            last, rows = await self._page(LAST_LOG, LOGS_WITH_CLUE, after)
            for row in rows:
                if row["is_theirs"] or self.subject.is_in(row["message"], row["context"]):
                    self.progress.logs.add(row["id"])
            after = last
            if after is not None:
                self.progress.after = after
                yield

    async def _keys(self) -> Steps:
        """Timers of their leads, and answers that are remembered for a lead that comes again."""
        week_ago = format_stored_time(self.now - REMEMBERED)
        late = {row["id"] for row in await self.ask(LATE_FORMS, **self.found(), week_ago=week_ago)}
        if not late:
            return
        for prefix in (SUBMISSIONS, TIMERS):
            async for name in self._names(prefix):
                if await self._event_of(name) in late:
                    self.progress.keys.add(name)
                if prefix == SUBMISSIONS:
                    self.progress.after = name
                    yield

    async def _event_of(self, name: str) -> object:
        """The id of the event that a key is about."""
        if name.startswith(TIMERS):
            return event_id_of(name)
        return read_object(await self.key_values.get(name)).get("event_id")

    async def _names(self, prefix: str) -> AsyncIterator[str]:
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

    # ---- what was found ------------------------------------------------------------------------

    def found(self) -> dict[str, object]:
        """What was found, as the statements of `personal_rows` read it."""
        progress = self.progress
        return {
            "whole": sorted(progress.whole),
            "events": sorted(progress.events),
            "forms": progress.forms(),
            "logs": sorted(progress.logs),
        }

    async def summary(self) -> Mapping[str, Any]:
        """How much there is in each place, with ids, at most 1,000 of a table."""
        days, received = self.progress.archived_days(), self.progress.received_days()
        pixels = sorted({day.partition("/")[0] for day in (*days, *received)})
        statements = (COUNT_EVENTS, COUNT_SESSIONS, COUNT_VISITORS, COUNT_PERSONS)
        parameters = {**self.found(), "most": MAX_IDS, "pixels": pixels}
        *counted, projects = await self.database.batch_rows(
            (*statements, PROJECTS_OF_EVENTS), json.dumps(parameters)
        )
        names = ("tracking_events", "sessions", "visitors", "pipedrive_persons")
        return {
            **{name: _counted(rows[0]) for name, rows in zip(names, counted, strict=True)},
            "system_logs": _listed(self.progress.logs),
            "kv_keys": _listed(self.progress.keys),
            "archived_events": {"count": sum(days.values()), "days": days},
            "received_events": {"count": sum(received.values()), "days": received},
            "projects": [row["project_id"] for row in projects if row["project_id"]],
            "shared_visitors": _listed(self.progress.shared),
            "damaged_parts": sorted(self.progress.damaged),
        }

    async def ask(self, statement: str, **parameters: object) -> Sequence[Row]:
        """The rows of one statement."""
        [rows] = await self.database.batch_rows((statement,), json.dumps(parameters))
        return rows

    async def _page(self, last: str, page: str, after: object) -> tuple[int | None, Sequence[Row]]:
        """The id of the last row of a page, None behind the end, and what may be theirs of it."""
        parameters = {"after": after, **self._clues, **self.found()}
        ends, rows = await self.database.batch_rows((last, page), json.dumps(parameters))
        return ends[0]["last"], rows

    @property
    def _clues(self) -> dict[str, str | None]:
        if self.subject.asked_by == "visitor_cookie":
            return {"clue": None, "url_clue": None}
        return {"clue": self.subject.clue, "url_clue": self.subject.url_clue}


def is_nothing(summary: Mapping[str, Any]) -> bool:
    """Whether a summary says that nothing is stored about the person."""
    places = [place for place in summary.values() if isinstance(place, dict)]
    return not any(place["count"] for place in places)


def _counted(row: Row) -> dict[str, object]:
    return {"count": row["number"], "ids": json.loads(row["ids"])}


def _listed(ids: set[str] | set[int]) -> dict[str, object]:
    return {"count": len(ids), "ids": sorted(ids)[:MAX_IDS]}
