"""Finds, exports and erases everything about one person, one portion with each request.

A portion ends after a number of steps or seconds. Its response has a cursor, with which the client
requests the next one. Each request names the person again, because none of them is stored.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from services.core.cursors import ReceiptPosition
from services.core.ports import Bucket, Clock, Database, KeyValues, NewId, Row
from services.core.stored_time import format_iso, parse_stored_time
from services.privacy.data_subject import DataSubject
from services.privacy.erasure import Erasure
from services.privacy.erasure_notes import ErasureNotes
from services.privacy.export import FIRST_SECTION, SECTIONS, ExportPosition, PrivacyExport
from services.privacy.request_table import PrivacyRequest, PrivacyRequests, RequestKind
from services.privacy.search import FIRST_STAGE, PrivacySearch, is_empty
from services.privacy.statements import DATABASE_ID, PIXELS_OF_PROJECTS

# A client waits for a portion, and Cloudflare allows 30 seconds of CPU.
PORTION_TIME = timedelta(seconds=20)

Answer = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PrivacyCursor:
    """Where the next portion begins: the request's id, and the position of an export."""

    request_id: str
    position: ExportPosition | None = None

    def __str__(self) -> str:
        """The cursor as clients read and send it."""
        if self.position is None:
            return self.request_id
        return f"{self.request_id}~{self.position.section}~{self.position.after}"


def parse_privacy_cursor(text: str) -> PrivacyCursor | None:
    """Reads the cursor that a client sent; None if the text is none."""
    match text.split("~", 2):
        case [str(request_id)] if request_id:
            return PrivacyCursor(request_id)
        case [str(request_id), section, after] if request_id and section in SECTIONS:
            return PrivacyCursor(request_id, ExportPosition(section, after))
        case _:
            return None


@dataclass(frozen=True, slots=True)
class Privacy:
    """Answers requests about a person; `steps` is the size of a portion.

    Every method raises UnavailableError when a binding fails; the same request then continues.
    `find`, `export` and `erase` raise NotFoundError for a cursor of another person or kind. Their
    `unread` are keys in R2 whose content nobody knows: the answer names them as damaged.
    """

    database: Database
    bucket: Bucket
    key_values: KeyValues
    new_id: NewId
    clock: Clock
    steps: int

    async def find(
        self, subject: DataSubject, cursor: PrivacyCursor | None, unread: Sequence[str] = ()
    ) -> Answer:
        """How much is stored about the person, where, and under which ids."""
        request, search = await self._search("find", subject, cursor, unread)
        if not await self._run_portion(search.steps(), request):
            return _unfinished(request)
        summary = await search.summary()
        return {**_finished(request.id), "nothing_found": is_empty(summary), "found": summary}

    async def export(
        self, subject: DataSubject, cursor: PrivacyCursor | None, unread: Sequence[str] = ()
    ) -> Answer:
        """All rows about the person, one page a request; the first page has the summary too."""
        request, search = await self._search("export", subject, cursor, unread)
        summary = None
        position = cursor.position if cursor else None
        if position is None:
            if not await self._run_portion(search.steps(), request):
                return {**_unfinished(request), "place": None, "rows": []}
            summary = await search.summary()
        page = await PrivacyExport(search).page(position or ExportPosition(FIRST_SECTION))
        next_cursor = PrivacyCursor(request.id, page.next_position) if page.next_position else None
        return {
            "request": request.id,
            "done": next_cursor is None,
            "cursor": next_cursor and str(next_cursor),
            "place": page.section,
            "rows": page.rows,
            **({"nothing_found": is_empty(summary), "found": summary} if summary else {}),
        }

    async def erase(
        self, subject: DataSubject, cursor: PrivacyCursor | None, unread: Sequence[str] = ()
    ) -> Answer:
        """Deletes everything about the person; the last portion returns the receipt."""
        if cursor and (receipt := await self._requests.finished_receipt(cursor.request_id)):
            return {**_finished(cursor.request_id), "receipt": receipt}
        request, search = await self._search("erase", subject, cursor, unread)
        [database] = await search.rows(DATABASE_ID)
        notes = ErasureNotes(self.bucket, request.id, search.now, database["id"])
        erasure = Erasure(search, self._requests, request, notes)
        is_finished = await self._run_portion(_search_and_erase(search, erasure), request)
        if erasure.waits_until:
            waits_until = format_iso(parse_stored_time(erasure.waits_until))
            return {**_unfinished(request), "waits_until": waits_until}
        if not is_finished:
            return _unfinished(request)
        await notes.close()
        receipt = await self._requests.finish(request, self.clock())
        return {**_finished(request.id), "receipt": receipt}

    async def receipts(self, before: ReceiptPosition, limit: int) -> Sequence[Row]:
        """Erasures that began before a position, newest first."""
        return await self._requests.receipts(before, limit)

    async def receipt(self, request_id: str) -> Row:
        """The row of one erasure.

        Raises:
            NotFoundError: no erasure has this id.
        """
        return await self._requests.receipt(request_id)

    @property
    def _requests(self) -> PrivacyRequests:
        return PrivacyRequests(self.database)

    async def _search(
        self,
        kind: RequestKind,
        subject: DataSubject,
        cursor: PrivacyCursor | None,
        unread: Sequence[str],
    ) -> tuple[PrivacyRequest, PrivacySearch]:
        """Begins a request, or resumes that of the cursor, and restores its search."""
        now = self.clock()
        subject = await self._with_pixels(subject)
        if cursor:
            request = await self._requests.resume(cursor.request_id, kind, subject)
        else:
            request = await self._requests.begin(self.new_id(), kind, subject, FIRST_STAGE, now)
        request.progress.damaged |= set(unread)
        search = PrivacySearch(
            self.database, self.bucket, self.key_values, subject, request.progress, now
        )
        return request, search

    async def _with_pixels(self, subject: DataSubject) -> DataSubject:
        """The person with the pixels of the projects that the search is limited to."""
        if subject.projects is None:
            return subject
        parameters = json.dumps({"projects": sorted(subject.projects)})
        [rows] = await self.database.batch_rows((PIXELS_OF_PROJECTS,), parameters)
        return replace(subject, pixels=frozenset(row["id"] for row in rows))

    async def _run_portion(
        self, steps: AsyncGenerator[None, None], request: PrivacyRequest
    ) -> bool:
        """Runs steps up to the size of a portion; returns whether they were all."""
        remaining, deadline = self.steps, self.clock() + PORTION_TIME
        try:
            async with aclosing(steps):
                async for _ in steps:
                    remaining -= 1
                    if remaining <= 0 or self.clock() >= deadline:
                        return False
            return True
        finally:
            await self._requests.save(request)


async def _search_and_erase(search: PrivacySearch, erasure: Erasure) -> AsyncGenerator[None, None]:
    async for _ in search.steps():
        yield
    async for _ in erasure.steps():
        yield


def _unfinished(request: PrivacyRequest) -> Answer:
    return {
        "request": request.id,
        "done": False,
        "cursor": request.id,
        "stage": request.progress.stage,
    }


def _finished(request_id: str) -> Answer:
    return {"request": request_id, "done": True, "cursor": None}
