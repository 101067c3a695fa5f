"""Finds, exports and erases everything about one person, a portion with each request.

A portion ends after so many steps or seconds; its answer has a cursor then, with which the next one
goes on. The person is named again each time, because nothing here remembers who it is.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from services.core.ports import Bucket, Clock, Database, KeyValues, NewId
from services.core.stored_time import iso_8601
from services.privacy.data_subject import DataSubject
from services.privacy.erasure import Erasure
from services.privacy.erasure_notes import ErasureNotes
from services.privacy.export import FIRST_PLACE, PLACES, PrivacyExport
from services.privacy.request_table import Kind, PrivacyRequest, PrivacyRequests
from services.privacy.search import FIRST_STAGE, PrivacySearch, is_nothing

# A client waits for it, and Cloudflare allows 30 seconds of CPU.
PORTION = timedelta(seconds=20)

Answer = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PrivacyCursor:
    """Where a request goes on: its id, and in an export the place behind the last page."""

    request_id: str
    place: str | None = None
    after: str = ""

    def __str__(self) -> str:
        """The cursor as clients read and send it."""
        return f"{self.request_id}~{self.place}~{self.after}" if self.place else self.request_id


def parse_privacy_cursor(text: str) -> PrivacyCursor | None:
    """The cursor that a client sent, or None where it is none."""
    match text.split("~", 2):
        case [str(request_id)] if request_id:
            return PrivacyCursor(request_id)
        case [str(request_id), place, after] if request_id and place in PLACES:
            return PrivacyCursor(request_id, place, after)
        case _:
            return None


@dataclass(frozen=True, slots=True)
class Privacy:
    """What can be asked about a person; `steps` are those of a portion.

    Every method raises UnavailableError when a binding fails; asking again goes on. Each raises
    NotFoundError for a cursor of another person or kind.
    """

    database: Database
    bucket: Bucket
    key_values: KeyValues
    new_id: NewId
    clock: Clock
    steps: int

    @property
    def requests(self) -> PrivacyRequests:
        """The requests and receipts."""
        return PrivacyRequests(self.database)

    async def find(self, subject: DataSubject, cursor: PrivacyCursor | None) -> Answer:
        """How much is stored about the person, where, and under which ids."""
        request, search = await self._search("find", subject, cursor)
        if not await self._run(search.steps(), request):
            return _unfinished(request)
        summary = await search.summary()
        return {**_done(request.id), "nothing_found": is_nothing(summary), "found": summary}

    async def export(self, subject: DataSubject, cursor: PrivacyCursor | None) -> Answer:
        """All rows about the person, a page with each request; the first has the summary too."""
        request, search = await self._search("export", subject, cursor)
        summary = None
        place, after = FIRST_PLACE, ""
        if cursor and cursor.place:
            place, after = cursor.place, cursor.after
        elif not await self._run(search.steps(), request):
            return {**_unfinished(request), "place": None, "rows": []}
        else:
            summary = await search.summary()
        page = await PrivacyExport(search).page(place, after)
        following = PrivacyCursor(request.id, *page.next_place) if page.next_place else None
        return {
            "request": request.id,
            "done": following is None,
            "cursor": following and str(following),
            "place": page.place,
            "rows": page.rows,
            **({"nothing_found": is_nothing(summary), "found": summary} if summary else {}),
        }

    async def erase(self, subject: DataSubject, cursor: PrivacyCursor | None) -> Answer:
        """Deletes all of it, and answers with the receipt when nothing is left."""
        if cursor and (receipt := await self.requests.finished(cursor.request_id)):
            return {**_done(cursor.request_id), "receipt": receipt}
        request, search = await self._search("erase", subject, cursor)
        notes = ErasureNotes(self.bucket, request.id, search.now)
        erasure = Erasure(search, self.requests, request, notes)
        finished = await self._run(_both(search, erasure), request)
        if erasure.waits_until:
            waits_until = iso_8601(erasure.waits_until)
            return {**_unfinished(request), "waits_until": waits_until}
        if not finished:
            return _unfinished(request)
        await notes.close()
        return {**_done(request.id), "receipt": await self.requests.finish(request, self.clock())}

    async def _search(
        self, kind: Kind, subject: DataSubject, cursor: PrivacyCursor | None
    ) -> tuple[PrivacyRequest, PrivacySearch]:
        now = self.clock()
        if cursor:
            request = await self.requests.resume(cursor.request_id, kind, subject)
        else:
            request = await self.requests.begin(self.new_id(), kind, subject, FIRST_STAGE, now)
        search = PrivacySearch(
            self.database, self.bucket, self.key_values, subject, request.progress, now
        )
        return request, search

    async def _run(self, steps: AsyncGenerator[None, None], request: PrivacyRequest) -> bool:
        """Takes the steps of a portion; says whether they were all."""
        left, until = self.steps, self.clock() + PORTION
        try:
            async with aclosing(steps):
                async for _ in steps:
                    left -= 1
                    if left <= 0 or self.clock() >= until:
                        return False
            return True
        finally:
            await self.requests.save(request)


async def _both(search: PrivacySearch, erasure: Erasure) -> AsyncGenerator[None, None]:
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


def _done(request_id: str) -> Answer:
    return {"request": request_id, "done": True, "cursor": None}
