"""Which backups are retained."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from services.backup.records import BackupKind
from services.backup.retention import ids_to_retain, newest_of

NOW = datetime(2026, 5, 10, 12, tzinfo=UTC)


def entry(
    name: str, kind: BackupKind, days: float, previous: str | None = None
) -> dict[str, object]:
    finished_at = (NOW - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"id": name, "kind": kind, "finished_at": finished_at, "previous": previous}


def test_each_kind_has_its_retention() -> None:
    entries = [
        *(entry("hour", "hourly", 1.9), entry("old hour", "hourly", 2.1)),
        *(entry("night", "full", 29), entry("second of a month", "full", 38)),
        entry("first of a month", "full", 39),
        *(entry("asked", "manual", 365), entry("asked long ago", "manual", 367)),
        entry("first of last year's May", "full", 370),
    ]
    assert ids_to_retain(entries, NOW) == {"hour", "night", "first of a month", "asked"}


def test_backups_that_a_retained_one_continues_are_retained() -> None:
    entries = [
        entry("third", "hourly", 1, "second"),
        entry("second", "hourly", 40, "first"),
        entry("first", "full", 41),
        entry("other", "full", 40.5),
    ]
    assert ids_to_retain(entries, NOW) == {"third", "second", "first"}


def test_a_backup_that_is_being_removed_is_not_retained() -> None:
    assert ids_to_retain([{**entry("night", "full", 1), "removed": True}], NOW) == set()


def test_after_a_long_time_without_backups_the_newest_chain_is_there_until_one_is_newer() -> None:
    entries = [
        *(entry("full", "full", 45), entry("second of its month", "full", 44)),
        entry("last", "hourly", 43.9, "second of its month"),
    ]
    assert ids_to_retain(entries, NOW) == {"full", "second of its month", "last"}
    entries.append(entry("anew", "full", 0))
    assert ids_to_retain(entries, NOW) == {"full", "anew"}


def test_the_backup_with_the_most_events_is_retained_for_a_year() -> None:
    sizes = {"small": 3, "large": 50, "later": 4}
    entries = [
        {**entry("small", "full", 1), "events": sizes["small"]},
        {**entry("large", "hourly", 60), "events": sizes["large"]},
        {**entry("later", "hourly", 59), "events": sizes["later"]},
    ]
    assert ids_to_retain(entries, NOW) == {"small", "large"}
    entries[1] |= entry("large", "hourly", 367)
    assert "large" not in ids_to_retain(entries, NOW)


def test_a_clock_that_is_a_year_ahead_deletes_nothing_before_it_can_be_put_right() -> None:
    entries = [
        *(entry("hour", "hourly", 0.5), entry("night", "full", 1)),
        *(entry("first of a month", "full", 39), entry("asked", "manual", 100)),
    ]
    everything = {str(one["id"]) for one in entries}
    later = NOW + timedelta(days=365)
    assert ids_to_retain(entries, later) == everything
    anew = {**entry("anew", "full", 0), "finished_at": later.strftime("%Y-%m-%dT%H:%M:%SZ")}
    assert ids_to_retain([anew, *entries], later + timedelta(days=1)) == {*everything, "anew"}
    # It is right again: what is from the future is not the newest one.
    assert ids_to_retain([anew, *entries], NOW) == {*everything, "anew"}
    assert newest_of([anew, *entries], NOW) == entries[0]
    assert newest_of([anew], NOW) == anew
    # If the time was right after all, they expire.
    assert ids_to_retain([anew, *entries], later + timedelta(days=3)) == {"anew"}


def test_a_time_without_an_offset_is_in_utc() -> None:
    old = entry("night", "full", 1)
    naive = {**old, "id": "naive", "finished_at": str(old["finished_at"])[:-1]}
    assert ids_to_retain([old, naive], NOW) == {"night", "naive"}
