"""How long each kind of backup is retained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

RETENTION: Mapping[str, timedelta] = {
    "hourly": timedelta(hours=48),
    "full": timedelta(days=30),
    "manual": timedelta(days=366),
}
# For the first full backup of each month.
MONTHLY_RETENTION = timedelta(days=366)

IndexEntry = dict[str, object]


def ids_to_retain(entries: Sequence[IndexEntry], now: datetime) -> set[str]:
    """The ids of backups that have not expired, and of those that they continue."""
    previous = {str(entry["id"]): entry["previous"] for entry in entries}
    retained: set[str] = set()
    for entry in entries:
        backup_id: object = entry["id"] if _is_retained(entry, entries, now) else None
        while backup_id is not None and str(backup_id) not in retained:
            retained.add(str(backup_id))
            backup_id = previous.get(str(backup_id))
    return retained


def _is_retained(entry: IndexEntry, entries: Sequence[IndexEntry], now: datetime) -> bool:
    age = now - finished_at(entry)
    kind = str(entry["kind"])
    return "removed" not in entry and (
        age <= RETENTION[kind]
        or (kind == "full" and age <= MONTHLY_RETENTION and _is_first_of_month(entry, entries))
    )


def _is_first_of_month(entry: IndexEntry, entries: Sequence[IndexEntry]) -> bool:
    month = str(entry["finished_at"])[:7]
    return entry["finished_at"] == min(
        str(candidate["finished_at"])
        for candidate in entries
        if candidate["kind"] == "full" and str(candidate["finished_at"]).startswith(month)
    )


def finished_at(entry: IndexEntry) -> datetime:
    """When a backup was finished."""
    return datetime.fromisoformat(str(entry["finished_at"]))
