"""What was erased for somebody, noted in the bucket: what goes back in time is to lose it again."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from ops.bucket import Bucket
from ops.chain import BrokenBackupError
from ops.database import MOST_IDS
from ops.objects import fetch
from ops.sql_text import literal
from ops.target import Target

ERASURES = "erasures/index.json"
# It is dated when it begins, and goes on in portions.
LONGEST_ERASURE = timedelta(days=1)
# How an erasure calls the ids of a table; those first that refer to others.
ERASED = {
    "tracking_events": "event_ids",
    "sessions": "session_ids",
    "visitors": "visitor_ids",
}


@dataclass(frozen=True, slots=True)
class Erasure:
    """Rows that were erased after a backup, by table."""

    receipt: str
    ids: dict[str, list[str | int]]


def read_erasures(target: Target, since: datetime, folder: Path) -> Sequence[Erasure]:
    """The erasures that may have deleted rows after a time.

    Raises:
        BrokenBackupError: the index names one that is not there.
        NoAnswerError: R2 does not answer.
    """
    index = Bucket(target).read_json(ERASURES) or {"receipts": []}
    keys = [f"erasures/{receipt}.json" for receipt in index["receipts"]]
    found: list[Erasure] = []
    for key, file in fetch(target, keys, folder):
        if file is None:
            raise BrokenBackupError(
                f"{key} is missing, though {ERASURES} names it: what it erased would come back"
            )
        said = json.loads(file.read_bytes())
        if datetime.fromisoformat(said["at"]) >= since - LONGEST_ERASURE:
            found.append(Erasure(said["receipt"], {each: said[each] for each in ERASED.values()}))
    return sorted(found, key=lambda each: each.receipt)


def deletions(erasures: Sequence[Erasure]) -> Iterator[str]:
    """Statements that delete their rows where they are back."""
    for table, name in ERASED.items():
        ids = [each for erasure in erasures for each in erasure.ids[name]]
        for start in range(0, len(ids), MOST_IDS):
            those = ", ".join(map(literal, ids[start : start + MOST_IDS]))
            yield f"DELETE FROM {table} WHERE id IN ({those})"
