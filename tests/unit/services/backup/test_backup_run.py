"""When which backup is due, and which ones are kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from services.backup.backup_run import due_kinds, newest_verified
from services.backup.records import Backup, Kind, Marker, Progress, State
from services.backup.store import kept

NOW = datetime(2026, 5, 10, 12, tzinfo=UTC)


def backup(kind: Kind, minutes: int, state: State = "verified") -> Backup:
    """A backup that began so many minutes ago, and ended in the same one."""
    at = NOW - timedelta(minutes=minutes)
    progress = Progress("verify", Marker(), Marker(), "0022_add_backups.sql")
    ended = at if state == "verified" else None
    return Backup(f"{kind}-{minutes}", kind, None, at, progress, state=state, finished_at=ended)


NIGHT = backup("full", 10 * 60)
YESTERDAY = backup("full", 34 * 60)


@pytest.mark.parametrize(
    ("known", "due"),
    [
        ([], ["full"]),
        ([backup("full", 1, "running")], []),
        ([backup("full", 14, "failed")], []),
        ([backup("full", 16, "failed")], ["full"]),
        ([NIGHT], ["hourly"]),
        ([YESTERDAY], ["hourly", "full"]),
        ([backup("hourly", 44), NIGHT], []),
        ([backup("hourly", 45), NIGHT], ["hourly"]),
        ([backup("manual", 44), NIGHT], []),
        ([backup("hourly", 50, "running"), NIGHT], []),
        ([backup("hourly", 14, "failed"), NIGHT], []),
        ([backup("full", 50, "running"), YESTERDAY], ["hourly"]),
        ([backup("manual", 1)], ["full"]),
    ],
)
def test_what_is_due(known: list[Backup], due: list[Kind]) -> None:
    assert due_kinds(known, NOW) == due


def test_before_two_in_the_morning_the_full_one_of_yesterday_will_do() -> None:
    at = NOW.replace(hour=1, minute=59)
    known = [backup("full", 34 * 60 - 1)]
    assert "full" not in due_kinds(known, at)
    assert "full" in due_kinds(known, at + timedelta(minutes=1))


def test_the_newest_one_is_that_whose_moment_is_the_latest() -> None:
    known = [backup("full", 1, "running"), backup("hourly", 50), backup("full", 200)]
    assert newest_verified(known) == known[1]
    assert newest_verified(known[:1]) is None


def entry(name: str, kind: Kind, days: float, previous: str | None = None) -> dict[str, object]:
    finished_at = (NOW - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"id": name, "kind": kind, "finished_at": finished_at, "previous": previous}


def test_each_kind_is_kept_for_its_time() -> None:
    entries = [
        *(entry("hour", "hourly", 1.9), entry("old hour", "hourly", 2.1)),
        *(entry("night", "full", 29), entry("second of a month", "full", 38)),
        entry("first of a month", "full", 39),
        *(entry("asked", "manual", 365), entry("asked long ago", "manual", 367)),
        entry("first of last year's May", "full", 370),
    ]
    assert kept(entries, NOW) == {"hour", "night", "first of a month", "asked"}


def test_what_a_kept_one_goes_on_from_is_kept() -> None:
    entries = [
        entry("third", "hourly", 1, "second"),
        entry("second", "hourly", 40, "first"),
        entry("first", "full", 41),
        entry("other", "full", 40.5),
    ]
    assert kept(entries, NOW) == {"third", "second", "first"}


def test_what_is_being_removed_stays_removed() -> None:
    assert kept([{**entry("night", "full", 1), "removed": True}], NOW) == set()
