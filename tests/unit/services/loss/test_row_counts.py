"""Rows that are gone though no ledger says that they were deleted."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from services.loss.row_counts import RowCounts, judge_rows

IDS = "pixel-one,pixel-two,project"
SAME = RowCounts(1_000, 40, 3, 200, 0, 0, 0, ids_then=IDS, ids_now=IDS)
BEFORE = SAME.as_fields()


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"events": 990},
        {"events": 2_000},
        {"events": 300, "deleted_events": 690},
        # Retention was killed, and did not say what it deleted.
        {"events": 0, "open_runs": 1},
        {"archive_batches": 30},
        {"archive_batches": 0, "deleted_parts": 40},
        {"persons": 190},
        {"persons": 0, "deleted_events": 5},
        {"ids_then": IDS, "ids_now": f"{IDS},pixel-three"},
        # One was added with an older date.
        {"ids_then": f"another,{IDS}"},
    ],
    ids=str,
)
def test_what_is_there_or_was_deleted_on_purpose_is_not_missing(changed: dict[str, Any]) -> None:
    assert judge_rows(BEFORE, replace(SAME, **changed)) is None


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"events": 989}, "11 of 1,000 events are gone"),
        ({"events": 1}, "999 of 1,000 events are gone"),
        ({"events": 300, "deleted_events": 600}, "100 of 1,000 events are gone"),
        ({"archive_batches": 29}, "11 of 40 parts of the archive are gone"),
        ({"erasures": 0}, "3 of 3 receipts of erasures are gone"),
        ({"persons": 0}, "200 of 200 persons that leads were sent to are gone"),
        ({"ids_then": "pixel-one,pixel-xxx,project"}, "3 projects and pixels are not the ones"),
        ({"ids_then": None}, "3 projects and pixels are not the ones"),
    ],
    ids=str,
)
def test_what_no_ledger_explains_is_missing(changed: dict[str, Any], words: str) -> None:
    assert words in (judge_rows(BEFORE, replace(SAME, **changed)) or "")


def test_of_a_mark_without_counts_nothing_is_missing() -> None:
    assert judge_rows({}, replace(SAME, events=0, erasures=0, ids_then=None)) is None
    assert judge_rows({"events": "many", "entries": None}, replace(SAME, events=0)) is None
