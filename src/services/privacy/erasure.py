"""Erases what a search found about one person, step by step.

Each step notes ids in R2 (`erasure_notes`) before it deletes rows, so that a restore can delete
them again. Rows are deleted and counted on the receipt in one transaction. An erasure may be
interrupted anywhere, and then continued or started again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from services.archive.batches import DELETE_EMPTY_BATCH, RECOUNT_BATCH
from services.archive.reading import ArchivedPart, all_part_keys, is_received, read_part
from services.archive.rewriting import EMPTY_PART_SHA256, PartReplacement, delete_part
from services.core.ndjson_parts import DamagedPartError
from services.core.stored_time import format_stored_time
from services.privacy.erasure_notes import ErasureNotes
from services.privacy.request_table import CountedDelete, PrivacyRequest, PrivacyRequests
from services.privacy.search import SEARCH_FINISHED, PrivacySearch, Steps
from services.privacy.statements import (
    DELETE_EVENTS,
    DELETE_LOGS,
    DELETE_PERSONS,
    DELETE_SESSIONS,
    DELETE_VISITORS,
    ERASURE_BATCH_ROWS,
    LEASED_UNTIL,
    NEXT_EVENTS,
    NEXT_SESSIONS,
    NEXT_VISITORS,
)

ERASED = "erased"


@dataclass(slots=True)
class Erasure:
    """The erasure of one person. Each method raises UnavailableError when a binding fails.

    `waits_until` (`YYYY-MM-DD HH:MM:SS`) is set while leads of the person are leased by the sync;
    nothing more can be erased until then.
    """

    search: PrivacySearch
    requests: PrivacyRequests
    request: PrivacyRequest
    notes: ErasureNotes
    waits_until: str | None = None

    async def steps(self) -> Steps:
        """Runs the remaining stages; after each step the erasure may be stopped and resumed."""
        stages = {
            SEARCH_FINISHED: self._erase_rows,
            "old_log": self._erase_logs_and_keys,
            "parked_events": self._erase_parked,
            "archive_parts": self._erase_archived,
        }
        names = [*stages, ERASED]
        progress = self.request.progress
        while (stage := progress.stage) in stages:
            async for _ in stages[stage]():
                yield
            if self.waits_until:
                return
            progress.stage, progress.after = names[names.index(stage) + 1], None

    async def _erase_rows(self) -> Steps:
        """Erases events, sessions and visitors until the statements find no more."""
        while True:
            events = await self._next_ids(NEXT_EVENTS)
            if events:
                await self._delete_events(events)
            elif await self._has_leased_leads():
                return
            elif sessions := await self._next_ids(NEXT_SESSIONS):
                await self._delete(DELETE_SESSIONS, "sessions", "session_ids", sessions)
            elif visitors := await self._next_ids(NEXT_VISITORS):
                await self._delete(DELETE_VISITORS, "visitors", "visitor_ids", visitors)
            else:
                return
            yield

    async def _next_ids(self, statement: str) -> Sequence[Any]:
        rows = await self.search.rows(statement, **self.search.parameters(), now=self._now)
        return list(dict.fromkeys(row["id"] for row in rows))

    async def _has_leased_leads(self) -> bool:
        rows = await self.search.rows(LEASED_UNTIL, **self.search.parameters(), now=self._now)
        self.waits_until = rows[0]["until"]
        return self.waits_until is not None

    async def _delete_events(self, ids: Sequence[int]) -> None:
        await self.notes.add(event_ids=ids)
        events = CountedDelete(DELETE_EVENTS, "tracking_events")
        persons = CountedDelete(DELETE_PERSONS, "pipedrive_persons")
        await self.requests.delete(self.request, events, persons, ids=ids, now=self._now)

    async def _delete(
        self, statement: str, table: str, note_list: str, ids: Sequence[str | int]
    ) -> None:
        await self.notes.add(**{note_list: ids})
        await self.requests.delete(self.request, CountedDelete(statement, table), ids=ids)

    async def _erase_logs_and_keys(self) -> Steps:
        """Erases rows of the old log, claims of archived forms in Pipedrive, and keys in KV."""
        form_ids = self.request.progress.archived_form_ids()
        persons = CountedDelete(DELETE_PERSONS, "pipedrive_persons")
        await self.requests.delete(self.request, persons, ids=form_ids)
        logs = sorted(self.request.progress.logs)
        for first in range(0, len(logs), ERASURE_BATCH_ROWS):
            ids = logs[first : first + ERASURE_BATCH_ROWS]
            await self._delete(DELETE_LOGS, "system_logs", "log_ids", ids)
            yield
        for name in sorted(self.request.progress.keys):
            await self.search.delete_key(name)
            await self.requests.count(self.request, "kv_keys", 1)
            yield

    async def _erase_parked(self) -> Steps:
        """Erases events that wait in R2 for their pixel."""
        keys = sorted(self.request.progress.parked)
        for first in range(0, len(keys), ERASURE_BATCH_ROWS):
            batch = keys[first : first + ERASURE_BATCH_ROWS]
            await self.search.parked.delete(batch)
            await self.requests.count(self.request, "parked_events", len(batch))
            yield

    async def _erase_archived(self) -> Steps:
        """Erases from archived and received parts; the rows are gone, so none can follow."""
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
        ids, remaining = self._split(part)
        is_resumed = part.key in progress.rewriting
        if not ids and not is_resumed:
            return
        replacement = PartReplacement(part, remaining)
        if not is_resumed:
            await self._note(replacement, ids)
        if not part.is_received:
            statements = (RECOUNT_BATCH, DELETE_EMPTY_BATCH)
            await self.search.run(statements, replacement.counts)
        await replacement.write(self.search.bucket)
        progress.rewriting = []

    def _split(self, part: ArchivedPart) -> tuple[Sequence[int], Sequence[str]]:
        """The ids of the person's events of a part, and the lines of the others."""
        ids, remaining = [], []
        for line in part.lines:
            row = self.search.candidate(line)
            if row and self.search.is_of_subject(row):
                ids.append(row["id"])
            else:
                remaining.append(line)
        return ids, remaining

    async def _note(self, replacement: PartReplacement, ids: Sequence[int]) -> None:
        """Stores what a restore and a resumed erasure need, before the part is replaced."""
        part, counter = replacement.part, "received_events"
        if not part.is_received:
            # The ids of received events may be those of different rows here.
            counter = "archived_events"
            await self.notes.add(event_ids=ids, archive_parts=[part.key])
        self.request.progress.rewriting = replacement.journal
        await self.requests.count(self.request, counter, len(ids))

    @property
    def _now(self) -> str:
        return format_stored_time(self.search.now)
