"""The table `privacy_requests`: the progress of requests about a person, and receipts of erasures.

A request stores its progress and the ids that it found, but not the person. An erasure counts rows
in the transaction that deletes them, so that its receipt is exact after any interruption.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Literal, NamedTuple

from services.core.cursors import ReceiptPosition
from services.core.errors import NotFoundError
from services.core.ports import Database, Row
from services.core.stored_time import format_iso, format_stored_time
from services.privacy.data_subject import DataSubject, IdentifierKind

RequestKind = Literal["find", "export", "erase"]

# The counters of a receipt.
RECEIPT_COUNTERS = (
    *("tracking_events", "sessions", "visitors", "pipedrive_persons", "system_logs"),
    *("kv_keys", "archived_events", "received_events", "parked_events"),
)

CREATE_REQUEST = """
INSERT INTO privacy_requests (id, kind, asked_by, subject_check, started_at, progress)
VALUES (
  ?1 ->> 'id', ?1 ->> 'kind', ?1 ->> 'asked_by', ?1 ->> 'check', ?1 ->> 'now', ?1 -> 'progress'
)
"""

FIND_REQUEST = "SELECT * FROM privacy_requests WHERE id = ?1 ->> 'id'"

SAVE_REQUEST = """
UPDATE privacy_requests SET progress = ?1 -> 'progress'
WHERE id = ?1 ->> 'id' AND finished_at IS NULL
"""

# Runs after a DELETE: adds the number of its rows to a counter of the receipt.
ADD_DELETED_TO_COUNTER = """
UPDATE privacy_requests SET counts = json_set(
  counts, '$.' || (?1 ->> 'table'),
  coalesce(counts ->> (?1 ->> 'table'), 0) + changes()
)
WHERE id = ?1 ->> 'id'
"""

ADD_TO_COUNTER = """
UPDATE privacy_requests SET counts = json_set(
  counts, '$.' || (?1 ->> 'table'),
  coalesce(counts ->> (?1 ->> 'table'), 0) + (?1 ->> 'more')
), progress = ?1 -> 'progress'
WHERE id = ?1 ->> 'id'
"""

FINISH_REQUEST = """
UPDATE privacy_requests SET
  finished_at = ?1 ->> 'now', receipt = ?1 -> 'receipt', subject_check = NULL, progress = NULL
WHERE id = ?1 ->> 'id' AND finished_at IS NULL
"""

RECEIPT_PAGE = """
SELECT id, asked_by, started_at, receipt FROM privacy_requests
WHERE kind = 'erase' AND (started_at, id) < (?1 ->> 'before', ?1 ->> 'id')
ORDER BY started_at DESC, id DESC LIMIT ?1 ->> 'rows'
"""

# Requests that were not continued for a day. Receipts stay.
DELETE_OLD_REQUESTS = """
DELETE FROM privacy_requests
WHERE kind IN ('find', 'export') AND started_at < ?1 ->> 'day_ago'
"""


@dataclass(slots=True)
class SearchProgress:
    """How far a request is, and the ids that it found. The fields are stored as JSON.

    `stage` is the present stage, `after` the last id or key that it has dealt with.
    `visitors` are the person's; `shared` are those of them that other people used too.
    `events` contain the person's address, whoever the visitor is.
    `archived` counts the person's archived events by day (`<pixel>/<day>`) and visitor, and
    `archived_forms` lists the ids of their forms; the visitor '' stands for events that contain
    the address. `received` is like `archived`, for batches of other deployments.
    `parked` are keys of events in R2 that their pixels did not take.
    `led_further`: the archive contained visitors that were not in `visitors` before.
    `rewriting` is the `PartReplacement.journal` of the part that is being replaced.
    """

    stage: str = ""
    after: str | int | None = None
    visitors: set[str] = field(default_factory=set)
    shared: set[str] = field(default_factory=set)
    events: set[int] = field(default_factory=set)
    archived: dict[str, dict[str, int]] = field(default_factory=dict)
    archived_forms: dict[str, list[int]] = field(default_factory=dict)
    received: dict[str, dict[str, int]] = field(default_factory=dict)
    led_further: bool = False
    logs: set[int] = field(default_factory=set)
    keys: set[str] = field(default_factory=set)
    parked: set[str] = field(default_factory=set)
    damaged: set[str] = field(default_factory=set)
    rewriting: list[str] = field(default_factory=list)

    @property
    def exclusive_visitors(self) -> set[str]:
        """The visitors whose every event is the person's."""
        return self.visitors - self.shared

    def archived_days(self) -> dict[str, int]:
        """The number of the person's archived events by `<pixel>/<day>`."""
        return self._counts_by_day(self.archived)

    def received_days(self) -> dict[str, int]:
        """The number of the person's received events by `<pixel>/<day>`."""
        return self._counts_by_day(self.received)

    def _counts_by_day(self, events: Mapping[str, Mapping[str, int]]) -> dict[str, int]:
        visitors = {"", *self.exclusive_visitors}
        days = {
            day: sum(number for visitor, number in counts.items() if visitor in visitors)
            for day, counts in events.items()
        }
        return {day: number for day, number in sorted(days.items()) if number}

    def archived_form_ids(self) -> list[int]:
        """The ids of the person's archived forms."""
        visitors = ("", *sorted(self.exclusive_visitors))
        return [id_ for visitor in visitors for id_ in self.archived_forms.get(visitor, [])]

    def as_json(self) -> dict[str, object]:
        """The progress with sorted lists instead of sets."""
        fields = asdict(self)
        return {
            name: sorted(value) if name in _SET_FIELDS else value for name, value in fields.items()
        }


_SET_FIELDS = ("visitors", "shared", "events", "logs", "keys", "parked", "damaged")


def read_progress(text: str) -> SearchProgress:
    """Reads the JSON of `SearchProgress.as_json`."""
    progress = SearchProgress(**json.loads(text))
    for name in _SET_FIELDS:
        setattr(progress, name, set(getattr(progress, name)))
    return progress


class CountedDelete(NamedTuple):
    """A DELETE statement, and the counter of the receipt that its rows are added to."""

    statement: str
    counter: str


@dataclass(slots=True)
class PrivacyRequest:
    """A request that is not finished."""

    id: str
    kind: RequestKind
    asked_by: IdentifierKind
    progress: SearchProgress


def receipt_of(
    request: PrivacyRequest, counts: Mapping[str, int], at: datetime
) -> dict[str, object]:
    """The receipt of an erasure; its `sha256` covers the rest of it, as JSON with sorted keys."""
    receipt: dict[str, object] = {
        "id": request.id,
        "at": format_iso(at),
        "by": request.asked_by,
        "counts": {table: counts.get(table, 0) for table in RECEIPT_COUNTERS},
        "shared_visitors": len(request.progress.shared),
        "damaged_parts": sorted(request.progress.damaged),
    }
    return {**receipt, "sha256": digest_of(receipt)}


def digest_of(receipt: Mapping[str, object]) -> str:
    """The SHA-256 of a receipt in hex, computed without its `sha256` field."""
    fields = {name: value for name, value in receipt.items() if name != "sha256"}
    text = json.dumps(fields, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class PrivacyRequests:
    """The stored requests and receipts. Every method raises UnavailableError when D1 fails."""

    database: Database

    async def begin(
        self, request_id: str, kind: RequestKind, subject: DataSubject, stage: str, now: datetime
    ) -> PrivacyRequest:
        """Stores a new request about a person."""
        request = PrivacyRequest(request_id, kind, subject.asked_by, SearchProgress(stage))
        await self._run(
            CREATE_REQUEST,
            id=request_id,
            kind=kind,
            asked_by=subject.asked_by,
            check=subject.check(request_id),
            now=format_stored_time(now),
            progress=request.progress.as_json(),
        )
        return request

    async def resume(
        self, request_id: str, kind: RequestKind, subject: DataSubject
    ) -> PrivacyRequest:
        """Reads an unfinished request about the same person.

        Raises:
            NotFoundError: no unfinished request has this id, kind and person.
        """
        rows = await self._run(FIND_REQUEST, id=request_id)
        if (
            not rows
            or rows[0]["kind"] != kind
            or rows[0]["subject_check"] != subject.check(request_id)
        ):
            raise NotFoundError(
                "No such request about this person is under way; begin again without a cursor"
            )
        progress = read_progress(rows[0]["progress"])
        return PrivacyRequest(request_id, kind, subject.asked_by, progress)

    async def finished_receipt(self, request_id: str) -> dict[str, object] | None:
        """The receipt of a finished erasure, for a client that missed the last response."""
        rows = await self._run(FIND_REQUEST, id=request_id)
        text = rows[0]["receipt"] if rows else None
        receipt: dict[str, object] | None = json.loads(text) if text else None
        return receipt

    async def save(self, request: PrivacyRequest) -> None:
        """Stores the progress of a request."""
        await self._run(SAVE_REQUEST, id=request.id, progress=request.progress.as_json())

    async def count(self, request: PrivacyRequest, counter: str, number: int) -> None:
        """Adds to a counter of the receipt, and stores the progress."""
        progress = request.progress.as_json()
        await self._run(
            ADD_TO_COUNTER, id=request.id, table=counter, more=number, progress=progress
        )

    async def delete(
        self, request: PrivacyRequest, *deletes: CountedDelete, **parameters: object
    ) -> None:
        """Runs DELETE statements, each in a transaction that adds its rows to its counter."""
        for statement, counter in deletes:
            text = json.dumps({"id": request.id, "table": counter, **parameters})
            await self.database.batch_rows((statement, ADD_DELETED_TO_COUNTER), text)

    async def finish(self, request: PrivacyRequest, now: datetime) -> dict[str, object]:
        """Finishes an erasure; stores and returns its receipt."""
        row = (await self._run(FIND_REQUEST, id=request.id))[0]
        receipt = receipt_of(request, json.loads(row["counts"]), now)
        finished_at = format_stored_time(now)
        await self._run(FINISH_REQUEST, id=request.id, now=finished_at, receipt=receipt)
        return receipt

    async def receipts(self, before: ReceiptPosition, limit: int) -> Sequence[Row]:
        """Erasures that began before a position, newest first; unfinished ones too."""
        return await self._run(
            RECEIPT_PAGE, before=before.started_at, id=before.receipt_id, rows=limit
        )

    async def receipt(self, request_id: str) -> Row:
        """The row of one erasure.

        Raises:
            NotFoundError: no erasure has this id.
        """
        rows = await self._run(FIND_REQUEST, id=request_id)
        if not rows or rows[0]["kind"] != "erase":
            raise NotFoundError("Receipt not found")
        return rows[0]

    async def _run(self, statement: str, **parameters: object) -> Sequence[Row]:
        [rows] = await self.database.batch_rows((statement,), json.dumps(parameters))
        return rows
