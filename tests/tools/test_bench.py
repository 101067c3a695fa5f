"""What the bench makes of its figures; the figures themselves belong to the machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench import tables
from bench.load import Measured
from bench.tables import format_table, write_tables

SLOW = Measured(per_second=100.0, p50=4.0, p95=5.0, p99=6.0, cpu=2.0, failed=0)
FAST = Measured(per_second=400.0, p50=1.0, p95=2.0, p99=3.0, cpu=1.0, failed=0)


def test_ratios_are_those_of_one_round_with_their_least_and_greatest() -> None:
    ratios = "0.25 (0.25 to 1.00)"
    rounds = [[FAST, SLOW], [SLOW, SLOW], [FAST, SLOW]]
    assert format_table("Title", ["a", "b"], rounds).splitlines()[4:] == [
        "| a | 400 | 1.00 | 1.00 | 1.00 | 3.0 | 1.00 | 1.00 |",
        f"| b | 100 | {ratios} | 4.00 | 4.00 (1.00 to 4.00) | 6.0 | 2.00 | 2.00 (1.00 to 2.00) |",
    ]


def test_a_system_that_does_not_say_the_cpu_leaves_a_question_mark() -> None:
    unknown = Measured(per_second=100.0, p50=4.0, p95=5.0, p99=6.0, cpu=None, failed=0)
    assert format_table("Title", ["a"], [[unknown]]).endswith("| 6.0 | ? | ? |\n")


def test_the_tables_replace_those_of_the_document(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = tmp_path / "performance.md"
    document.write_text(f"before\n{tables.BEGIN}\nold\n{tables.END}\nbehind\n", encoding="utf-8")
    monkeypatch.setattr(tables, "DOCUMENT", document)
    write_tables("today", ["### one", "### two"])
    expected = f"before\n{tables.BEGIN}\ntoday.\n\n### one\n### two\n{tables.END}\nbehind\n"
    assert document.read_text(encoding="utf-8") == expected


def test_a_document_without_the_comments_is_left_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = tmp_path / "performance.md"
    document.write_text("nothing", encoding="utf-8")
    monkeypatch.setattr(tables, "DOCUMENT", document)
    with pytest.raises(SystemExit, match="has lost the comments"):
        write_tables("today", [])
    assert document.read_text(encoding="utf-8") == "nothing"
