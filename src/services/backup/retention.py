"""How long each kind of backup is retained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from services.core.stored_time import MAX_CLOCK_DIFFERENCE, parse_iso

RETENTION: Mapping[str, timedelta] = {
    "hourly": timedelta(hours=48),
    "full": timedelta(days=30),
    "manual": timedelta(days=366),
}
# For the first full backup of each month.
MONTHLY_RETENTION = timedelta(days=366)
# So long no deployment goes without a backup: rather its clock is ahead, and is put right.
MAX_LEAP = timedelta(days=180)
GRACE_AFTER_LEAP = timedelta(days=2)

IndexEntry = dict[str, object]


def ids_to_retain(entries: Sequence[IndexEntry], now: datetime) -> set[str]:
    """The ids of backups that have not expired, and of those that they continue.

    The newest one does not expire, nor for a year the one with the most events: after a long time
    without backups nothing is deleted before there is something in its place.
    """
    previous = {str(entry["id"]): entry["previous"] for entry in entries}
    if (kept_until := _end_of_expiry_pause(entries, now)) and now <= kept_until:
        return {str(entry["id"]) for entry in entries if "removed" not in entry}
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
    newest = newest_of(existing, now)
    fullest = max(recent, key=lambda entry: (_events(entry), finished_at(entry)), default=None)
    return {entry["id"] for entry in (newest, fullest) if entry}


def newest_of(entries: Sequence[IndexEntry], now: datetime) -> IndexEntry | None:
    """The newest backup; one from the future only if there is no other: a clock was ahead."""
    past = [entry for entry in entries if finished_at(entry) <= now + MAX_CLOCK_DIFFERENCE]
    return max(past or entries, key=finished_at, default=None)


def _end_of_expiry_pause(entries: Sequence[IndexEntry], now: datetime) -> datetime | None:
    """Until when nothing expires after a leap of the clock of over 180 days; None without one."""
    times = sorted((finished_at(entry) for entry in entries), reverse=True)
    times = [now, *(moment for moment in times if moment <= now)]
    leaps = (later for later, earlier in pairwise(times) if later - earlier > MAX_LEAP)
    first = next(leaps, None)
    return first and first + GRACE_AFTER_LEAP


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
    return parse_iso(str(entry["finished_at"]))
