"""The mark moves up only, unless somebody accepts less; nonsense in R2 is no mark."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from services.loss.contents import DatabaseContents
from services.loss.high_water_mark import (
    HighWaterMark,
    UnreadableMarkError,
    accepted_mark,
    counted_mark,
    parse_mark,
    raised_mark,
)
from services.loss.row_counts import RowCounts

NOW = datetime(2026, 5, 2, 12, tzinfo=UTC)
TODAY = "2026-05-02T12:00:00Z"
MARK = HighWaterMark("a" * 32, 2_300, 2_258, 2, 5, "2026-05-01T12:00:00Z")
SAME = DatabaseContents("a" * 32, 2_300, 2, 5)


def rows(events: int) -> RowCounts:
    return RowCounts(events, 0, 0, 0, 0, 0, 0, None, None)


def test_the_first_mark_says_what_there_is() -> None:
    assert raised_mark(None, SAME, 2_258, NOW) == replace(MARK, seen_at=TODAY)


@pytest.mark.parametrize(
    ("database", "counted", "raised"),
    [
        (SAME, 2_258, {}),
        # Archived or erased since: the number is that of the highest event's time.
        (SAME, 12, {}),
        (replace(SAME, highest_event=2_310), 2_268, {"highest_event": 2_310, "events": 2_268}),
        (replace(SAME, highest_event=2_310), 12, {"highest_event": 2_310, "events": 12}),
        (replace(SAME, highest_event=2_310), None, {"highest_event": 2_310, "events": 2_268}),
        (replace(SAME, highest_event=2_000), 7, {}),
        (replace(SAME, projects=1, pixels=6), 2_258, {"pixels": 6}),
    ],
)
def test_no_number_goes_back(
    database: DatabaseContents, counted: int | None, raised: dict[str, Any]
) -> None:
    assert raised_mark(MARK, database, counted, NOW) == replace(MARK, seen_at=TODAY, **raised)


def test_what_a_backup_counted_is_remembered_with_its_time() -> None:
    mark = counted_mark(MARK, rows(2_250), NOW)
    assert (mark.counts["events"], mark.counted_at) == (2_250, "2026-05-02 12:00:00")
    assert raised_mark(mark, SAME, None, NOW).counts == mark.counts
    assert accepted_mark(mark, SAME, 3, "begun anew", NOW).counts == {}


def test_what_somebody_accepts_is_the_mark_and_the_one_before_is_remembered() -> None:
    other = DatabaseContents("b" * 32, 3, 1, 1)
    mark = accepted_mark(MARK, other, 3, "begun anew", NOW)
    assert (mark.database_id, mark.highest_event, mark.events) == ("b" * 32, 3, 3)
    [acceptance] = mark.accepted
    assert acceptance["reason"] == "begun anew"
    assert acceptance["at"] == TODAY
    assert acceptance["database_id"] == "b" * 32
    assert acceptance["before"] == {
        "last_run": "",
        "database_id": "a" * 32,
        "highest_event": 2_300,
        "events": 2_258,
        "projects": 2,
        "pixels": 5,
        "seen_at": "2026-05-01T12:00:00Z",
        "generation": "",
        "environment": "",
    }
    later = raised_mark(mark, replace(other, highest_event=4), None, NOW)
    assert later.accepted == mark.accepted


def test_a_second_acceptance_follows_the_first() -> None:
    once = accepted_mark(None, SAME, 1, "first", NOW)
    twice = accepted_mark(once, SAME, 1, "second", NOW)
    assert [acceptance["reason"] for acceptance in twice.accepted] == ["first", "second"]


def test_a_mark_is_read_as_it_was_written() -> None:
    mark = accepted_mark(MARK, SAME, 3, "begun anew", NOW)
    mark = replace(counted_mark(mark, rows(3), NOW), missing="9 of 12 events are gone")
    assert parse_mark(mark.as_bytes()) == mark
    assert parse_mark(mark.as_bytes().decode()) == mark


def test_no_object_is_no_mark() -> None:
    assert parse_mark(None) is None


GOOD = json.loads(MARK.as_bytes())


def test_the_mark_of_an_older_version_has_no_counts() -> None:
    old = {name: value for name, value in GOOD.items() if name not in {"counts", "counted_at"}}
    assert parse_mark(json.dumps({**old, "format": 1}).encode()) == MARK


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 10_000),
        *(json.dumps({**GOOD, "format": version}).encode() for version in (2, "1", None)),
        *(json.dumps({**GOOD, "events": number}).encode() for number in (None, "3", 1.5, True)),
        *(json.dumps({**GOOD, name: 3}).encode() for name in ("database_id", "seen_at")),
        json.dumps({**GOOD, "accepted": {}}).encode(),
        json.dumps({**GOOD, "counts": []}).encode(),
        json.dumps({**GOOD, "missing": None}).encode(),
    ],
)
def test_nonsense_and_other_formats_are_refused(content: bytes) -> None:
    with pytest.raises(UnreadableMarkError):
        parse_mark(content)


def test_a_mark_that_was_accepted_very_often_can_still_be_read() -> None:
    mark = None
    for number in range(300):
        mark = accepted_mark(mark, SAME, 1, f"{number} [[[{{", NOW)
    read = parse_mark(mark.as_bytes() if mark else None)
    assert read is not None
    assert read.accepted[-1]["reason"] == "299 [[[{"


def test_the_mark_takes_the_generation_that_it_does_not_know_and_keeps_the_one_it_knows() -> None:
    raised = raised_mark(MARK, replace(SAME, generation="first"), None, NOW)
    assert raised.generation == "first"
    assert parse_mark(raised.as_bytes()) == raised
    assert raised_mark(raised, replace(SAME, generation="second"), None, NOW) == raised
    accepted = accepted_mark(raised, replace(SAME, generation="second"), 3, "restored", NOW)
    assert accepted.generation == "second"
