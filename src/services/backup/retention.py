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
    """The ids of backups that have not expired, and of those that they continue.

    The newest one does not expire, nor for a year the one with the most events: after a long time
    without backups nothing is deleted before there is something in its place.
    """
    previous = {str(entry["id"]): entry["previous"] for entry in entries}
    retained: set[str] = set()
    essential = _essential_ids(entries, now)
    for entry in entries:
        is_retained = entry["id"] in essential or _is_retained(entry, entries, now)
        backup_id: object = entry["id"] if is_retained else None
        while backup_id is not None and str(backup_id) not in retained:
            retained.add(str(backup_id))
            backup_id = previous.get(str(backup_id))
    return retained


def _essential_ids(entries: Sequence[IndexEntry], now: datetime) -> set[object]:
    existing = [entry for entry in entries if "removed" not in entry]
    recent = [entry for entry in existing if now - finished_at(entry) <= MONTHLY_RETENTION]
    newest = max(existing, key=finished_at, default=None)
    fullest = max(recent, key=lambda entry: (_events(entry), finished_at(entry)), default=None)
    return {entry["id"] for entry in (newest, fullest) if entry}


def _events(entry: IndexEntry) -> int:
    events = entry.get("events")
    return events if isinstance(events, int) else 0


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
