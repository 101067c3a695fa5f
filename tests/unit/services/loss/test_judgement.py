"""When a database counts as lost."""

from __future__ import annotations

from dataclasses import replace

import pytest

from services.loss.contents import DatabaseContents
from services.loss.high_water_mark import HighWaterMark
from services.loss.judgement import judge_loss

RUN = "2026-05-01 11:55:00"
MARK = HighWaterMark("a" * 32, 2_300, 2_258, 2, 5, "2026-05-01T12:00:00Z", last_run=RUN)
SAME = DatabaseContents("a" * 32, 2_300, 2, 5, RUN)


@pytest.mark.parametrize(
    "database",
    [
        SAME,
        replace(SAME, highest_event=2_301),
        replace(SAME, projects=3, pixels=9),
        replace(SAME, last_run="2026-05-01 12:00:00"),
        replace(SAME, last_run=None),
    ],
    ids=["as it was", "an event more", "projects and pixels more", "a run more", "no run known"],
)
def test_a_database_that_holds_all_that_it_held_is_not_lost(database: DatabaseContents) -> None:
    assert judge_loss(MARK, database) is None


@pytest.mark.parametrize("database", [DatabaseContents(), DatabaseContents("b" * 32), SAME])
def test_without_a_mark_nothing_says_that_a_database_is_lost(database: DatabaseContents) -> None:
    assert judge_loss(None, database) is None


@pytest.mark.parametrize(
    ("database", "words"),
    [
        (DatabaseContents(), "has no tables"),
        (DatabaseContents("b" * 32, 1, 2, 5), "another database"),
        (DatabaseContents("b" * 32, 9_999, 9, 9), "another database"),
        (replace(SAME, highest_event=2_299), "set back"),
        (replace(SAME, highest_event=2_299, projects=3), "set back"),
        (replace(SAME, highest_event=9_999, last_run="2026-05-01 11:50:00"), "set back"),
        (replace(SAME, projects=1), "1 projects, and had 2"),
        (replace(SAME, pixels=4), "4 pixels, and had 5"),
        (replace(SAME, missing=("visitors",)), "the table visitors is missing: ./ppp restore"),
        (DatabaseContents(missing=("a", "b")), "the tables a, b are missing, or a restore into"),
    ],
    ids=[
        *("no tables", "one event", "more events", "back", "back with more", "back and caught up"),
        *("projects", "pixels", "a table", "tables"),
    ],
)
def test_a_lost_database_is_one_that_differs_or_holds_less(
    database: DatabaseContents, words: str
) -> None:
    assert words in (judge_loss(MARK, database) or "")


def test_the_reason_says_how_many_events_there_were_at_most() -> None:
    reason = judge_loss(MARK, DatabaseContents()) or ""
    # An erasure after them lowers no mark.
    assert "had at most 2,258 events on 2026-05-01T12:00:00Z, with ids up to 2,300" in reason


@pytest.mark.parametrize(("meant", "words"), [("", None), ("first", None), ("second", "copy")])
def test_another_copy_of_the_database_is_lost_if_the_mark_knows_copies(
    meant: str, words: str | None
) -> None:
    reason = judge_loss(replace(MARK, generation=meant), replace(SAME, generation="first"))
    assert (reason is None) == (words is None)
    assert words is None or words in str(reason)


def test_what_was_missing_at_the_last_count_stays_missing() -> None:
    mark = replace(MARK, missing="999 of 1,000 events are gone")
    assert judge_loss(mark, replace(SAME, highest_event=9_999)) == mark.missing


@pytest.mark.parametrize(
    ("marked", "running", "is_shared"),
    [
        ("", "production", False),
        ("production", "production", False),
        ("production", "", False),
        ("staging", "production", True),
    ],
)
def test_the_mark_of_another_environment_says_that_both_share_a_bucket(
    marked: str, running: str, *, is_shared: bool
) -> None:
    reason = judge_loss(replace(MARK, environment=marked), SAME, running)
    assert (reason is not None) is is_shared
    assert reason is None or "the bucket is that of another environment (staging, not" in reason
