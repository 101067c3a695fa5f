"""What of kept answers scripts would trip over when they are answered otherwise."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ops.checks.kept_answers import Comparison, compare, read_kept, write_answers
from ops.terminal.errors import WrongUsageError

ADDRESS = "/api/analytics/stats/p"
STATS: dict[str, Any] = {
    "data": {
        "summary": {"total_events": 7, "note": None},
        "top_sources": [{"utm_source": "google", "count": 3}, {"utm_source": "bing", "count": 1}],
    }
}


def compared(before: object, after: object, *, status: int = 200) -> Comparison:
    return compare(
        {ADDRESS: {"status": 200, "content": before}},
        {ADDRESS: {"status": status, "content": after}},
    )


def test_what_is_answered_as_before_has_nothing_to_be_said() -> None:
    assert compared(STATS, STATS) == Comparison([], [])


def test_new_keys_larger_numbers_and_new_rows_break_nothing() -> None:
    summary = {"total_events": 9, "note": "new", "more": 1}
    sources = [*STATS["data"]["top_sources"], {"utm_source": "x", "count": 1, "share": 0.1}]
    after = {"success": True, "data": {"summary": summary, "top_sources": sources}}
    assert compared(STATS, after) == Comparison([], [])


def test_numbers_that_fell_and_words_that_are_gone_are_shown() -> None:
    after = {
        "data": {
            "summary": {"total_events": 6, "note": None},
            "top_sources": [{"utm_source": "google", "count": 1}],
        }
    }
    result = compared(STATS, after)
    assert result.problems == []
    assert result.notes == [
        f"{ADDRESS}: data.summary.total_events 7 → 6",
        f"{ADDRESS}: data.top_sources[].utm_source has no bing now",
    ]


def test_times_say_nothing_when_they_fall() -> None:
    assert compared(
        {"uptime": 9, "kv": {"latency_ms": 3}}, {"uptime": 1, "kv": {"latency_ms": 2}}
    ) == Comparison([], [])


def test_another_status_is_a_problem_where_it_was_200_or_is_a_fault() -> None:
    assert compared(STATS, None, status=503).problems == [f"{ADDRESS}: was 200, is 503"]
    old = {ADDRESS: {"status": 404, "content": None}}
    assert compare(old, {ADDRESS: {"status": 200, "content": {}}}) == Comparison(
        [], [f"{ADDRESS}: was 404, is 200"]
    )
    assert compare(old, {ADDRESS: {"status": 500, "content": {}}}) == Comparison(
        [f"{ADDRESS}: was 404, is 500"], []
    )


def test_json_that_is_none_now_is_a_problem() -> None:
    assert compared(STATS, None).problems == [f"{ADDRESS}: is no JSON now"]


TABLE: dict[str, Any] = {
    "status": 200,
    "type": "text/csv",
    "content": None,
    "columns": ["id", "page_url", "utm_source"],
    "rows": 7,
}


@pytest.mark.parametrize(
    ("changes", "problems", "notes"),
    [
        ({"columns": [*TABLE["columns"], "more"], "rows": 8}, [], []),
        ({"columns": ["id", "utm_source"]}, ["column 2 was page_url, is utm_source"], []),
        ({"columns": ["id", "page_url"]}, ["column 3 was utm_source, is -"], []),
        ({"columns": []}, ["column 1 was id, is -"], []),
        ({"rows": 6}, [], ["rows 7 → 6"]),
        ({"rows": 0}, ["rows 7 → 0"], []),
        ({"type": "text/html"}, ["was text/csv, is text/html"], []),
    ],
)
def test_of_a_table_scripts_count_the_columns(
    changes: dict[str, object], problems: list[str], notes: list[str]
) -> None:
    comparison = compare({ADDRESS: TABLE}, {ADDRESS: {**TABLE, **changes}})
    assert comparison.problems == [f"{ADDRESS}: {problem}" for problem in problems]
    assert comparison.notes == [f"{ADDRESS}: {note}" for note in notes]


def test_a_file_of_an_older_version_has_no_types_to_compare() -> None:
    assert compare({ADDRESS: {"status": 200, "content": None}}, {ADDRESS: TABLE}) == Comparison(
        [], []
    )


def test_of_many_notes_the_first_are_shown() -> None:
    before = {f"n{number:02}": 1 for number in range(25)}
    notes = compared(before, dict.fromkeys(before, 0)).notes
    assert (len(notes), notes[-1]) == (21, "and 5 more")


def test_a_file_is_read_as_it_was_written_by_its_owner_only(tmp_path: Path) -> None:
    file = tmp_path / "kept.json"
    answers = {ADDRESS: {"status": 200, "content": STATS}}
    write_answers(file, answers)
    assert file.stat().st_mode & 0o777 == 0o600
    assert read_kept(file) == answers


@pytest.mark.parametrize("content", ["", "[]", "{}", "no JSON"])
def test_a_file_without_answers_is_named(tmp_path: Path, content: str) -> None:
    file = tmp_path / "kept.json"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(WrongUsageError, match="holds no answers"):
        read_kept(file)
    with pytest.raises(WrongUsageError, match="cannot be written"):
        write_answers(tmp_path / "nowhere" / "kept.json", {})
