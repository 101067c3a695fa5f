"""Erases what a search found about one person, step by step; what is gone stays gone.

In each step ids are noted in R2 (`erasure_notes`) before rows go, and rows go together with their
count on the receipt. An erasure may break off anywhere and be gone on with, or begun anew.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from services.archive.batches import DELETE_EMPTY_BATCH, RECOUNT_BATCH
from services.archive.reading import ArchivedPart, all_part_keys, is_received, read_part
from services.archive.rewriting import EMPTY_PART_SHA256, PartReplacement, delete_part
from services.core.ndjson_parts import DamagedPartError
from services.core.stored_time import format_stored_time
from services.privacy.erasure_notes import ErasureNotes
from services.privacy.request_table import PrivacyRequest, PrivacyRequests
from services.privacy.search import FOUND, PrivacySearch, Steps
from services.privacy.statements import (
    BEING_SENT,
    DELETE_EVENTS,
    DELETE_LOGS,
    DELETE_PERSONS,
    DELETE_SESSIONS,
    DELETE_VISITORS,
    ROWS_OF_A_PORTION,
    SOME_EVENTS,
    SOME_SESSIONS,
    SOME_VISITORS,
)

ERASED = "erased"


@dataclass(slots=True)
class Erasure:
    """The erasure of one person. Each method raises UnavailableError when a binding fails.

    `waits_until` is set while the sync has leads of the person in its hands: nothing can be done
    until then, as `YYYY-MM-DD HH:MM:SS`.
    """

    search: PrivacySearch
    requests: PrivacyRequests
    request: PrivacyRequest
    notes: ErasureNotes
    waits_until: str | None = None

    async def steps(self) -> Steps:
        """Goes on until nothing is left; after each step it may be left and resumed."""
        stages = {FOUND: self._rows, "old_log": self._logs, "archive_parts": self._parts}
        names = [*stages, ERASED]
        progress = self.request.progress
        while (stage := progress.stage) in stages:
            async for _ in stages[stage]():
                yield
            if self.waits_until:
                return
            progress.stage, progress.after = names[names.index(stage) + 1], None

    async def _rows(self) -> Steps:
        """Events, sessions, visitors, and again, until a look at all of them finds nothing."""
        while True:
            events = await self._some(SOME_EVENTS)
            if events:
                await self._delete_events(events)
            elif await self._is_being_sent():
                return
            elif sessions := await self._some(SOME_SESSIONS):
                await self._delete(DELETE_SESSIONS, "sessions", "session_ids", sessions)
            elif visitors := await self._some(SOME_VISITORS):
                await self._delete(DELETE_VISITORS, "visitors", "visitor_ids", visitors)
            else:
                return
            yield

    async def _some(self, statement: str) -> Sequence[Any]:
        rows = await self.search.ask(statement, **self.search.found(), now=self._now)
        return list(dict.fromkeys(row["id"] for row in rows))

    async def _is_being_sent(self) -> bool:
        rows = await self.search.ask(BEING_SENT, **self.search.found(), now=self._now)
        self.waits_until = rows[0]["until"]
        return self.waits_until is not None

    async def _delete_events(self, ids: Sequence[int]) -> None:
        await self.notes.add(event_ids=ids)
        steps = ((DELETE_EVENTS, "tracking_events"), (DELETE_PERSONS, "pipedrive_persons"))
        await self.requests.delete(self.request, *steps, ids=ids, now=self._now)

    async def _delete(
        self, statement: str, table: str, noted_as: str, ids: Sequence[str | int]
    ) -> None:
        await self.notes.add(**{noted_as: ids})
        await self.requests.delete(self.request, (statement, table), ids=ids)

    async def _logs(self) -> Steps:
        """The old Worker's log, what the sync remembers of archived forms, and keys."""
        forms = self.request.progress.forms()
        persons = (DELETE_PERSONS, "pipedrive_persons")
        await self.requests.delete(self.request, persons, ids=forms)
        logs = sorted(self.request.progress.logs)
        for first in range(0, len(logs), ROWS_OF_A_PORTION):
            ids = logs[first : first + ROWS_OF_A_PORTION]
            await self._delete(DELETE_LOGS, "system_logs", "log_ids", ids)
            yield
        for name in sorted(self.request.progress.keys):
            await self.search.key_values.delete(name)
            self.request.progress.keys.discard(name)
            await self.requests.count(self.request, "kv_keys", 1)
            yield

    async def _parts(self) -> Steps:
        """The archive, into which nothing of the person can move any more, and what others sent."""
        progress, bucket = self.request.progress, self.search.bucket
        async for key in all_part_keys(bucket, str(progress.after or "")):
            try:
                if progress.rewriting == [key, EMPTY_PART_SHA256, "0"] and not is_received(key):
                    await delete_part(bucket, key)
                elif part := await read_part(bucket, key, progress.rewriting):
                    await self._erase_in(part)
            except DamagedPartError:
                progress.damaged.add(key)
            progress.after = key
            yield

    async def _erase_in(self, part: ArchivedPart) -> None:
        progress = self.request.progress
        rows = [self.search.archived(line) for line in part.lines]
        theirs = [row["id"] for row in rows if row and self.search.is_theirs(row)]
        is_begun = part.key in progress.rewriting
        if not theirs and not is_begun:
            return
        kept = [
            line
            for line, row in zip(part.lines, rows, strict=True)
            if row is None or not self.search.is_theirs(row)
        ]
        replacement = PartReplacement(part, kept)
        if not is_begun:
            await self._note(replacement, theirs)
        if not part.is_received:
            counted = json.dumps(replacement.counts)
            await self.search.database.batch_rows((RECOUNT_BATCH, DELETE_EMPTY_BATCH), counted)
        await replacement.write(self.search.bucket)
        progress.rewriting = []

    async def _note(self, replacement: PartReplacement, theirs: Sequence[int]) -> None:
        part, place = replacement.part, "received_events"
        if not part.is_received:
            # Ids of others' events may be those of rows here.
            place = "archived_events"
            await self.notes.add(event_ids=theirs, archive_parts=[part.key])
        self.request.progress.rewriting = replacement.journal
        await self.requests.count(self.request, place, len(theirs))

    @property
    def _now(self) -> str:
        return format_stored_time(self.search.now)
