"""What was erased for somebody, noted in the bucket: what goes back in time is to lose it again.

Parts of the archive in R2 do not go back. Those that an erasure rewrote are counted in D1 again as
they are now; otherwise an export would take them for damaged.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from ops.backup.backup_chain import BrokenBackupError
from ops.cloudflare.bucket import Bucket
from ops.cloudflare.bucket_objects import fetch
from ops.cloudflare.database import MAX_IDS
from ops.cloudflare.target import Target
from ops.restore.sql_text import literal
from services.archive.batches import DELETE_EMPTY_BATCH, RECOUNT_BATCH
from services.archive.parts import manifest_key
from services.archive.reading import check_part
from services.archive.rewriting import EMPTY_PART_SHA256, batch_counts
from services.core.ndjson_parts import DamagedPartError
from services.privacy.statements import DELETE_PERSONS

ERASURES = "erasures/index.json"
# It is dated when it begins, and goes on in portions.
LONGEST_ERASURE = timedelta(days=1)
# How an erasure calls the ids of a table; those first that refer to others.
ERASED = {
    "tracking_events": "event_ids",
    "sessions": "session_ids",
    "visitors": "visitor_ids",
    "system_logs": "log_ids",
}
# A deletion by ids, as `DELETE_PERSONS` reads them.
_DELETE = "DELETE FROM {table} WHERE id IN (SELECT value FROM json_each(?1, '$.ids'))"

Counted = Mapping[str, object]
"""A part of the archive as `RECOUNT_BATCH` reads it."""


@dataclass(frozen=True, slots=True)
class Erasure:
    """Rows that were erased after a backup, by table, and parts of the archive as they are now."""

    receipt: str
    ids: dict[str, list[str | int]]
    parts: list[Counted] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Again:
    """A statement that erases again, its table, and the JSON text that it reads as `?1`."""

    table: str
    sql: str
    said: str

    @property
    def text(self) -> str:
        """The statement with what it reads."""
        return self.sql.replace("?1", literal(self.said))


def read_erasures(target: Target, since: datetime, folder: Path) -> Sequence[Erasure]:
    """The erasures that may have deleted rows after a time.

    Raises:
        BrokenBackupError: the index names one that is not there.
        NoAnswerError: R2 does not answer.
    """
    index = Bucket(target).read_json(ERASURES) or {"receipts": []}
    keys = [f"erasures/{receipt}.json" for receipt in index["receipts"]]
    found: list[Mapping[str, Any]] = []
    for key, file in fetch(target, keys, folder):
        if file is None:
            raise BrokenBackupError(
                f"{key} is missing, though {ERASURES} names it: what it erased would come back"
            )
        said = json.loads(file.read_bytes())
        if datetime.fromisoformat(said["at"]) >= since - LONGEST_ERASURE:
            found.append(said)
    found.sort(key=lambda said: str(said["receipt"]))
    parts = _parts_now(target, {part for said in found for part in _parts_of(said)}, folder)
    return [
        Erasure(
            said["receipt"],
            {name: said[name] for name in ERASED.values() if name in said},
            [parts[part] for part in _parts_of(said) if part in parts],
        )
        for said in found
    ]


def deletions(erasures: Sequence[Erasure]) -> Iterator[Again]:
    """What deletes their rows where they are back, and what the sync remembers of them."""
    for table, name in ERASED.items():
        ids = [each for erasure in erasures for each in erasure.ids.get(name, ())]
        for start in range(0, len(ids), MAX_IDS):
            said = json.dumps({"ids": ids[start : start + MAX_IDS]})
            yield Again(table, _DELETE.format(table=table), said)
            if table == "tracking_events":
                yield Again("pipedrive_persons", DELETE_PERSONS, said)


def recounts(erasures: Sequence[Erasure]) -> Iterator[Again]:
    """What counts the parts of the archive as the erasures left them."""
    for erasure in erasures:
        for part in erasure.parts:
            for statement in (RECOUNT_BATCH, DELETE_EMPTY_BATCH):
                yield Again("archive_batches", statement, json.dumps(part))


def _parts_of(said: Mapping[str, Any]) -> Sequence[str]:
    """The parts that a note names; older notes name none."""
    parts: Sequence[str] = said.get("archive_parts", ())
    return parts


def counted_now(part: str, content: bytes | None, manifest: bytes | None) -> Counted | None:
    """How a part is to be counted by its two objects; None if they are damaged.

    The row of a damaged one stays what it was, and an export goes on to refuse it.
    """
    try:
        whole = check_part(part, content, manifest)
    except DamagedPartError:
        return None
    if whole is None:
        return batch_counts(part, 0, EMPTY_PART_SHA256, 0)
    sha256, size = str(whole.manifest["sha256"]), len(content or b"")
    return batch_counts(part, len(whole.lines), sha256, size)


def _parts_now(target: Target, parts: Collection[str], folder: Path) -> dict[str, Counted]:
    keys = [key for part in sorted(parts) for key in (part, manifest_key(part))]
    found = {key: file.read_bytes() if file else None for key, file in fetch(target, keys, folder)}
    now = {part: counted_now(part, found[part], found[manifest_key(part)]) for part in parts}
    return {part: said for part, said in now.items() if said is not None}
