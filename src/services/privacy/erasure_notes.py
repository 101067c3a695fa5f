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

from services.core.ports import Bucket
from services.core.stored_time import format_iso

PREFIX = "erasures/"
INDEX = f"{PREFIX}index.json"
# Ids of deleted rows, and keys of rewritten parts of the archive.
LISTS = ("event_ids", "session_ids", "visitor_ids", "log_ids", "archive_parts")


@dataclass(frozen=True, slots=True)
class ErasureNotes:
    """The notes of one erasure. Each method raises UnavailableError when R2 fails."""

    bucket: Bucket
    receipt: str
    at: datetime

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
        content = await self.bucket.get(INDEX)
        index: dict[str, Any] = json.loads(content) if content else {"format": 1, "receipts": []}
        if self.receipt not in index["receipts"]:
            index["receipts"].insert(0, self.receipt)
            await self._write(INDEX, index)

    def _empty(self) -> dict[str, Any]:
        at = format_iso(self.at)
        return {"receipt": self.receipt, "at": at, **{name: [] for name in LISTS}}

    @property
    def _key(self) -> str:
        return f"{PREFIX}{self.receipt}.json"

    async def _write(self, key: str, content: Mapping[str, Any]) -> None:
        await self.bucket.put(key, json.dumps(content).encode())
