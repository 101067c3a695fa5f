"""What the bench measured, as tables for people, and their place in docs/performance.md."""

from __future__ import annotations

import re
import statistics
from collections.abc import Callable, Sequence

from bench.load import Measured
from paths import ROOT

DOCUMENT = ROOT / "docs" / "performance.md"
BEGIN, END = "<!-- make bench writes from here -->", "<!-- to here -->"
COST_BEGIN, COST_END = "<!-- make costbench writes from here -->", "<!-- its end -->"
HEAD = (
    "| | events a second | ratio | p50 ms | ratio | p99 ms | CPU ms an event | ratio |",
    "| --- | --- | --- | --- | --- | --- | --- | --- |",
)


def format_table(title: str, names: Sequence[str], rounds: Sequence[Sequence[Measured]]) -> str:
    """A table of medians, one row a Worker; ratios are to the first one, in the same round.

    Behind a ratio stand its least and its greatest of all rounds.
    """
    rows = []
    for column, name in enumerate(names):
        measured = [figures[column] for figures in rounds]
        pairs = [(figures[column], figures[0]) for figures in rounds]
        cells = (
            f"{_median(measured, lambda figures: figures.per_second):,.0f}",
            _ratio(pairs, lambda figures: figures.per_second),
            f"{_median(measured, lambda figures: figures.p50):.2f}",
            _ratio(pairs, lambda figures: figures.p50),
            f"{_median(measured, lambda figures: figures.p99):.1f}",
            *_cpu_cells(measured, pairs),
        )
        rows.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join([f"### {title}", "", *HEAD, *rows, ""])


def write_tables(head: str, tables: Sequence[str]) -> None:
    """Replaces the tables of the document."""
    write_between(BEGIN, END, "\n".join([f"{head}.", "", *tables]))


def write_between(begin: str, end: str, written: str) -> None:
    """Replaces what stands between two comments of the document."""
    text = DOCUMENT.read_text(encoding="utf-8")
    pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    changed, count = pattern.subn(lambda _: f"{begin}\n{written}\n{end}", text)
    if count != 1:
        raise SystemExit(f"error: {DOCUMENT.name} has lost the comments around its tables")
    DOCUMENT.write_text(changed, encoding="utf-8")


def _median(measured: Sequence[Measured], figure: Callable[[Measured], float]) -> float:
    return statistics.median(figure(figures) for figures in measured)


def _ratio(pairs: Sequence[tuple[Measured, Measured]], figure: Callable[[Measured], float]) -> str:
    ratios = [figure(figures) / figure(first) for figures, first in pairs]
    least, greatest = min(ratios), max(ratios)
    if least == greatest:
        return f"{least:.2f}"
    return f"{statistics.median(ratios):.2f} ({least:.2f} to {greatest:.2f})"


def _cpu_cells(
    measured: Sequence[Measured], pairs: Sequence[tuple[Measured, Measured]]
) -> tuple[str, str]:
    if any(figures.cpu is None for pair in pairs for figures in pair):
        return "?", "?"
    return (
        f"{_median(measured, lambda figures: figures.cpu or 0):.2f}",
        _ratio(pairs, lambda figures: figures.cpu or 0),
    )
