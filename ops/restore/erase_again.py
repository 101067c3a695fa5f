"""Repeats the erasures of personal data in a database that was restored to an earlier time.

The bucket keeps a receipt of every erasure. Parts of the archive in R2 are never restored: those
that an erasure rewrote are counted again in D1, or an export would take them for damaged.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from ops.backup.backup_chain import BrokenBackupError
from ops.cloudflare.bucket import Bucket
from ops.cloudflare.bucket_objects import fetch
from ops.cloudflare.database import MAX_IDS_PER_STATEMENT
from ops.cloudflare.target import Target
from ops.restore.sql_text import literal
from services.archive.batches import DELETE_EMPTY_BATCH, RECOUNT_BATCH
from services.archive.parts import part_manifest_key
from services.archive.reading import check_part
from services.archive.rewriting import EMPTY_PART_SHA256, batch_counts
from services.core.ndjson_parts import DamagedPartError
from services.core.stored_time import parse_iso
from services.privacy.statements import DELETE_PERSONS

ERASURES_KEY = "erasures/index.json"
# An erasure is dated when it begins, and continues in portions.
MAX_ERASURE_DURATION = timedelta(days=1)
# The name of a table's ids in a receipt; tables before those that they refer to.
RECEIPT_IDS = {
    "tracking_events": "event_ids",
    "sessions": "session_ids",
    "visitors": "visitor_ids",
    "system_logs": "log_ids",
}
# It reads its ids like `DELETE_PERSONS`.
_DELETE_BY_IDS = "DELETE FROM {table} WHERE id IN (SELECT value FROM json_each(?1, '$.ids'))"
# Events that retention had deleted before the erasure come back too; a session with events stays.
_DELETE_EVENTS_OF_SESSIONS = """
DELETE FROM tracking_events
WHERE (visitor_id, session_id) IN (
  SELECT visitor_id, id FROM sessions WHERE id IN (SELECT value FROM json_each(?1, '$.ids'))
)
"""

Receipt = Mapping[str, Any]
PartCounts = Mapping[str, object]
"""The counts of a part of the archive as `RECOUNT_BATCH` reads them."""


@dataclass(frozen=True, slots=True)
class Erasure:
    """The ids of erased rows by table, and the current counts of rewritten archive parts.

    `database_id` is the database that had the rows; receipts of earlier versions do not name it.
    """

    receipt: str
    ids: dict[str, list[str | int]]
    parts: list[PartCounts] = field(default_factory=list)
    database_id: str | None = None


@dataclass(frozen=True, slots=True)
class ErasureStatement:
    """A statement that repeats an erasure, its table, and the JSON text for its `?1`."""

    table: str
    sql: str
    parameter: str

    @property
    def text(self) -> str:
        """The statement with its parameter as a literal."""
        return self.sql.replace("?1", literal(self.parameter))


def read_erasures(target: Target, since: datetime, folder: Path) -> Sequence[Erasure]:
    """Read the erasures that may have deleted rows after a time.

    Raises:
        BrokenBackupError: a receipt in the index is missing.
        NoAnswerError: R2 does not answer.
    """
    keys = [f"erasures/{receipt}.json" for receipt in _listed_receipts(target)]
    receipts: list[Receipt] = []
    for key, file in fetch(target, keys, folder):
        if file is None:
            raise BrokenBackupError(
                f"{key} is missing, though {ERASURES_KEY} names it: what it erased would come back"
            )
        receipt = _read_receipt(key, file)
        if parse_iso(receipt["at"]) >= since - MAX_ERASURE_DURATION:
            receipts.append(receipt)
    receipts.sort(key=lambda receipt: str(receipt["receipt"]))
    parts = {part for receipt in receipts for part in _archive_parts(receipt)}
    counts = _read_current_counts(target, parts, folder)
    return [_erasure(receipt, counts) for receipt in receipts]


def _listed_receipts(target: Target) -> Sequence[str]:
    """Read the index; no restore goes on without it, because erased persons would come back."""
    index = Bucket(target).read_json(ERASURES_KEY)
    receipts = index.get("receipts") if isinstance(index, dict) else None
    if index is None:
        return ()
    if not isinstance(receipts, list) or not all(isinstance(receipt, str) for receipt in receipts):
        raise BrokenBackupError(
            f"{ERASURES_KEY} is damaged: the next erasure makes it anew, out of erasures/"
        )
    return receipts


def _read_receipt(key: str, file: Path) -> Receipt:
    """Read the note of an erasure.

    Raises:
        BrokenBackupError: it is damaged.
    """
    try:
        receipt: Receipt = json.loads(file.read_bytes())
        lists = [receipt.get(name, []) for name in (*RECEIPT_IDS.values(), "archive_parts")]
        has_lists = all(isinstance(ids, list) for ids in lists)
        is_whole = has_lists and isinstance(parse_iso(receipt["at"]), datetime)
        is_whole = is_whole and isinstance(receipt["receipt"], str)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        is_whole = False
    if not is_whole:
        raise BrokenBackupError(f"{key} is damaged: what it erased would come back")
    return receipt


def _erasure(receipt: Receipt, counts: Mapping[str, PartCounts]) -> Erasure:
    return Erasure(
        receipt["receipt"],
        {name: receipt[name] for name in RECEIPT_IDS.values() if name in receipt},
        [counts[part] for part in _archive_parts(receipt) if part in counts],
        receipt.get("database_id"),
    )


def erasures_in(database_id: str | None, erasures: Sequence[Erasure]) -> Sequence[Erasure]:
    """Return what the erasures are in a database: of another one only the parts of the archive.

    The same ids are those of other rows there.
    """
    return [
        replace(erasure, ids={})
        if database_id and erasure.database_id not in (None, database_id)
        else erasure
        for erasure in erasures
    ]


def deletions(erasures: Sequence[Erasure]) -> Iterator[ErasureStatement]:
    """Yield the statements that delete the erased rows, and the persons that the sync remembers."""
    for table, name in RECEIPT_IDS.items():
        ids = [row_id for erasure in erasures for row_id in erasure.ids.get(name, ())]
        for start in range(0, len(ids), MAX_IDS_PER_STATEMENT):
            parameter = json.dumps({"ids": ids[start : start + MAX_IDS_PER_STATEMENT]})
            if table == "sessions":
                yield ErasureStatement("tracking_events", _DELETE_EVENTS_OF_SESSIONS, parameter)
            yield ErasureStatement(table, _DELETE_BY_IDS.format(table=table), parameter)
            if table == "tracking_events":
                yield ErasureStatement("pipedrive_persons", DELETE_PERSONS, parameter)


def recounts(erasures: Sequence[Erasure]) -> Iterator[ErasureStatement]:
    """Yield the statements that count the rewritten parts of the archive again."""
    for erasure in erasures:
        for part in erasure.parts:
            for statement in (RECOUNT_BATCH, DELETE_EMPTY_BATCH):
                yield ErasureStatement("archive_batches", statement, json.dumps(part))


def _archive_parts(receipt: Receipt) -> Sequence[str]:
    """Return the archive parts of a receipt; older receipts have none."""
    parts: Sequence[str] = receipt.get("archive_parts", ())
    return parts


def current_counts(part: str, content: bytes | None, manifest: bytes | None) -> PartCounts | None:
    """Count a part by its two objects; None if they are damaged.

    The row of a damaged part stays as it is, so that an export still refuses it.
    """
    try:
        checked = check_part(part, content, manifest)
    except DamagedPartError:
        return None
    if checked is None:
        return batch_counts(part, 0, EMPTY_PART_SHA256, 0)
    sha256, size = str(checked.manifest["sha256"]), len(content or b"")
    return batch_counts(part, len(checked.lines), sha256, size)


def _read_current_counts(
    target: Target, parts: Collection[str], folder: Path
) -> dict[str, PartCounts]:
    keys = [key for part in sorted(parts) for key in (part, part_manifest_key(part))]
    contents = {
        key: file.read_bytes() if file else None for key, file in fetch(target, keys, folder)
    }
    counts = {
        part: current_counts(part, contents[part], contents[part_manifest_key(part)])
        for part in parts
    }
    return {part: part_counts for part, part_counts in counts.items() if part_counts is not None}
