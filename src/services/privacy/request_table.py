"""The table `privacy_requests`: what is done about one person, portion by portion, and receipts.

A request remembers how far it is and the ids that it found, but not whose they are. What an erasure
deletes is counted in the same transaction, so that its receipt is exact whatever breaks off.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Literal

from services.core.cursors import ReceiptPosition
from services.core.errors import NotFoundError
from services.core.ports import Database, Row
from services.core.stored_time import format_stored_time
from services.privacy.data_subject import AskedBy, DataSubject

Kind = Literal["find", "export", "erase"]

# What a receipt counts.
COUNTED = (
    *("tracking_events", "sessions", "visitors", "pipedrive_persons", "system_logs"),
    *("kv_keys", "archived_events", "received_events"),
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

# After a statement that deletes: how many rows that were is counted onto the receipt.
COUNT_DELETED = """
UPDATE privacy_requests SET counts = json_set(
  counts, '$.' || (?1 ->> 'table'),
  coalesce(counts ->> (?1 ->> 'table'), 0) + changes()
)
WHERE id = ?1 ->> 'id'
"""

COUNT_MORE = """
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

# Nobody comes back for these; receipts stay.
FORGET_REQUESTS = """
DELETE FROM privacy_requests
WHERE kind IN ('find', 'export') AND started_at < ?1 ->> 'day_ago'
"""


@dataclass(slots=True)
class Progress:
    """How far a request is, and the ids that it found.

    `stage` is what is done now, `after` the last id or key that is done. `events` have the address
    in them, whoever visited; `visitors` are the person's, `shared` those of them whom others used
    too. `archived` counts the archived events of a day (`<pixel>/<day>`) by visitor, and
    `archived_forms` has the ids of their forms; '' is for what goes whoever visited. `led_further`:
    the archive led to visitors who were not known before. `received` is like `archived`, of what
    others sent here. `rewriting` is the part that is being replaced; see
    `archived_events.read_part`.
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
    damaged: set[str] = field(default_factory=set)
    rewriting: list[str] = field(default_factory=list)

    @property
    def whole(self) -> set[str]:
        """The visitors of whom everything is the person's."""
        return self.visitors - self.shared

    def archived_days(self) -> dict[str, int]:
        """How many archived events are the person's, by `<pixel>/<day>`."""
        return self._days(self.archived)

    def received_days(self) -> dict[str, int]:
        """How many events that others sent here are the person's, by `<pixel>/<day>`."""
        return self._days(self.received)

    def _days(self, events: Mapping[str, Mapping[str, int]]) -> dict[str, int]:
        theirs = {"", *self.whole}
        days = {
            day: sum(number for visitor, number in of_day.items() if visitor in theirs)
            for day, of_day in events.items()
        }
        return {day: number for day, number in sorted(days.items()) if number}

    def forms(self) -> list[int]:
        """The archived forms that are the person's."""
        theirs = ("", *sorted(self.whole))
        return [event_id for visitor in theirs for event_id in self.archived_forms.get(visitor, [])]

    def as_json(self) -> dict[str, object]:
        """The progress as it is stored."""
        said = asdict(self)
        return {name: sorted(said[name]) if name in _SETS else said[name] for name in said}


_SETS = ("visitors", "shared", "events", "logs", "keys", "damaged")


def read_progress(text: str) -> Progress:
    """The progress as it was stored."""
    progress = Progress(**json.loads(text))
    for name in _SETS:
        setattr(progress, name, set(getattr(progress, name)))
    return progress


@dataclass(slots=True)
class PrivacyRequest:
    """One request on its way."""

    id: str
    kind: Kind
    asked_by: AskedBy
    progress: Progress


def receipt_of(
    request: PrivacyRequest, counts: Mapping[str, int], at: datetime
) -> dict[str, object]:
    """The receipt of an erasure; `sha256` is over the rest of it, as JSON with sorted keys."""
    receipt: dict[str, object] = {
        "id": request.id,
        "at": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "by": request.asked_by,
        "counts": {table: counts.get(table, 0) for table in COUNTED},
        "shared_visitors": len(request.progress.shared),
        "damaged_parts": sorted(request.progress.damaged),
    }
    return {**receipt, "sha256": digest_of(receipt)}


def digest_of(receipt: Mapping[str, object]) -> str:
    """The SHA-256 of a receipt, in hex, with or without its own `sha256`."""
    said = {name: value for name, value in receipt.items() if name != "sha256"}
    text = json.dumps(said, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class PrivacyRequests:
    """All requests. Every method raises UnavailableError when D1 fails."""

    database: Database

    async def begin(
        self, request_id: str, kind: Kind, subject: DataSubject, stage: str, now: datetime
    ) -> PrivacyRequest:
        """Begins a request about a person."""
        request = PrivacyRequest(request_id, kind, subject.asked_by, Progress(stage))
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

    async def resume(self, request_id: str, kind: Kind, subject: DataSubject) -> PrivacyRequest:
        """A request that is not finished, about the same person as before.

        Raises:
            NotFoundError: there is none of this kind about this person.
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

    async def finished(self, request_id: str) -> dict[str, object] | None:
        """The receipt of an erasure that is finished, for a client who did not hear the end."""
        rows = await self._run(FIND_REQUEST, id=request_id)
        text = rows[0]["receipt"] if rows else None
        receipt: dict[str, object] | None = json.loads(text) if text else None
        return receipt

    async def save(self, request: PrivacyRequest) -> None:
        """Keeps how far it is."""
        await self._run(SAVE_REQUEST, id=request.id, progress=request.progress.as_json())

    async def count(self, request: PrivacyRequest, table: str, more: int) -> None:
        """Counts what was deleted outside D1, and keeps how far it is."""
        progress = request.progress.as_json()
        await self._run(COUNT_MORE, id=request.id, table=table, more=more, progress=progress)

    async def delete(
        self, request: PrivacyRequest, *steps: tuple[str, str], **parameters: object
    ) -> None:
        """Runs statements that delete, each in one transaction with its count by this table."""
        for statement, table in steps:
            said = json.dumps({"id": request.id, "table": table, **parameters})
            await self.database.batch_rows((statement, COUNT_DELETED), said)

    async def finish(self, request: PrivacyRequest, now: datetime) -> dict[str, object]:
        """Ends an erasure with its receipt, which is stored and returned."""
        row = (await self._run(FIND_REQUEST, id=request.id))[0]
        receipt = receipt_of(request, json.loads(row["counts"]), now)
        said = {"id": request.id, "now": format_stored_time(now), "receipt": receipt}
        await self._run(FINISH_REQUEST, **said)
        return receipt

    async def receipts(self, before: ReceiptPosition, most: int) -> Sequence[Row]:
        """Erasures before a position, the newest first; those under way have no receipt yet."""
        return await self._run(
            RECEIPT_PAGE, before=before.started_at, id=before.receipt_id, rows=most
        )

    async def receipt(self, request_id: str) -> Row:
        """One erasure.

        Raises:
            NotFoundError: there is none with this id.
        """
        rows = await self._run(FIND_REQUEST, id=request_id)
        if not rows or rows[0]["kind"] != "erase":
            raise NotFoundError("Receipt not found")
        return rows[0]

    async def _run(self, statement: str, **parameters: object) -> Sequence[Row]:
        [rows] = await self.database.batch_rows((statement,), json.dumps(parameters))
        return rows
