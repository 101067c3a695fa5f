"""What erasures leave in R2, so that a restore of an older backup can erase again: no persons.

`erasures/<receipt>.json` is written before the rows go, `erasures/index.json` lists the receipts.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.core.ports import Bucket

PREFIX = "erasures/"
INDEX = f"{PREFIX}index.json"
# Ids of rows that are deleted, and the keys of the archive's parts that are rewritten.
LISTS = ("event_ids", "session_ids", "visitor_ids", "log_ids", "archive_parts")


@dataclass(frozen=True, slots=True)
class ErasureNotes:
    """The notes of one erasure. Each method raises UnavailableError when R2 fails."""

    bucket: Bucket
    receipt: str
    at: datetime

    async def add(self, **lists: Iterable[str | int]) -> None:
        """Notes what is about to be deleted or rewritten, by the names of `LISTS`."""
        await self._list()
        content = await self.bucket.get(self._key)
        noted = json.loads(content) if content else self._empty()
        for name, more in lists.items():
            noted[name] = list(dict.fromkeys([*noted.get(name, ()), *more]))
        await self._write(self._key, noted)

    async def close(self) -> None:
        """Sees that the erasure is noted and listed, also one that found nothing."""
        await self.add(event_ids=())

    async def _list(self) -> None:
        content = await self.bucket.get(INDEX)
        index: dict[str, Any] = json.loads(content) if content else {"format": 1, "receipts": []}
        if self.receipt not in index["receipts"]:
            index["receipts"].insert(0, self.receipt)
            await self._write(INDEX, index)

    def _empty(self) -> dict[str, Any]:
        at = self.at.strftime("%Y-%m-%dT%H:%M:%SZ")
        return {"receipt": self.receipt, "at": at, **{name: [] for name in LISTS}}

    @property
    def _key(self) -> str:
        return f"{PREFIX}{self.receipt}.json"

    async def _write(self, key: str, content: Mapping[str, Any]) -> None:
        await self.bucket.put(key, json.dumps(content).encode())
