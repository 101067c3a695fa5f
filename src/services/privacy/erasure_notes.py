"""Notes of erasures in R2, by which a restore of an older backup erases again. They name nobody.

`erasures/<receipt>.json` is written before rows are deleted; `erasures/index.json` lists the
receipts.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.core.logs import Log
from services.core.ports import Bucket
from services.core.stored_time import format_iso
from services.core.text import read_long_json

PREFIX = "erasures/"
INDEX = f"{PREFIX}index.json"
FORMAT_VERSION = 1
# Ids of deleted rows, and keys of rewritten parts of the archive.
LISTS = ("event_ids", "session_ids", "visitor_ids", "log_ids", "archive_parts")


@dataclass(frozen=True, slots=True)
class ErasureNotes:
    """The notes of one erasure in a database. Each method raises UnavailableError when R2 fails."""

    bucket: Bucket
    receipt: str
    at: datetime
    database_id: str | None = None

    async def add(self, **lists: Iterable[str | int]) -> None:
        """Adds ids and keys to the lists of these names, one of `LISTS` each."""
        await self._list()
        content = await self.bucket.get(self._key)
        note = json.loads(content) if content else self._empty()
        for name, ids in lists.items():
            note[name] = list(dict.fromkeys([*note.get(name, ()), *ids]))
        await self._write(self._key, note)

    async def close(self) -> None:
        """Writes the note and the index even of an erasure that deleted nothing."""
        await self.add(event_ids=())

    async def _list(self) -> None:
        receipts = _receipts(await self.bucket.get(INDEX))
        if receipts is None:
            receipts = await noted_receipts(self.bucket)
        if self.receipt not in receipts:
            index = {"format": FORMAT_VERSION, "receipts": [self.receipt, *receipts]}
            await self._write(INDEX, index)

    def _empty(self) -> dict[str, Any]:
        at = format_iso(self.at)
        lists: dict[str, list[str]] = {name: [] for name in LISTS}
        return {"receipt": self.receipt, "at": at, "database_id": self.database_id, **lists}

    @property
    def _key(self) -> str:
        return f"{PREFIX}{self.receipt}.json"

    async def _write(self, key: str, content: Mapping[str, Any]) -> None:
        await self.bucket.put(key, json.dumps(content).encode())


async def noted_receipts(bucket: Bucket) -> list[str]:
    """The receipts of all notes: a restore must not miss an erasure.

    Raises:
        UnavailableError: R2 failed.
    """
    keys: list[str] = []
    cursor: str | None = None
    has_next = True
    while has_next:
        page = await bucket.page(PREFIX, cursor)
        keys += [key for key in page.names if key != INDEX]
        cursor, has_next = page.cursor, page.cursor is not None
    return [key.removeprefix(PREFIX).removesuffix(".json") for key in keys]


async def repair_index(bucket: Bucket, log: Log) -> None:
    """Makes an index that cannot be read, or is gone, anew out of the notes.

    Raises:
        UnavailableError: R2 failed.
    """
    if _receipts(await bucket.get(INDEX)) is not None:
        return
    receipts = await noted_receipts(bucket)
    if not receipts:
        return
    log.error("erasure_index_unreadable", key=INDEX, erasures=len(receipts))
    index = {"format": FORMAT_VERSION, "receipts": receipts}
    await bucket.put(INDEX, json.dumps(index).encode())


def _receipts(content: bytes | None) -> list[str] | None:
    """The receipts in an index; None if it is gone, does not parse, or is of another format."""
    try:
        index: Any = read_long_json((content or b"").decode())
        receipts: list[str] = index["receipts"]
        is_readable = index["format"] == FORMAT_VERSION and isinstance(receipts, list)
        is_readable = is_readable and all(isinstance(receipt, str) for receipt in receipts)
    except (ValueError, KeyError, TypeError):
        return None
    return receipts if is_readable else None
