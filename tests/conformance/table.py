"""The table of the conformance tests: what the pixel saw, by scenario and engine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from tests.conformance.scenarios import SCENARIOS, Kind

TITLE_WIDTH = 46
COLUMN_WIDTH = 11


@dataclass(frozen=True, slots=True)
class Cell:
    """What came of one scenario in one engine; without leads it did not get as far as to count."""

    engine: str
    scenario: str
    leads: int | None
    passed: bool

    def __str__(self) -> str:
        leads = "-" if self.leads is None else str(self.leads)
        return leads if self.passed else f"{leads} FAILED"


def table(cells: Sequence[Cell]) -> Iterator[str]:
    """Its lines, and a line with the score of each engine."""
    if not cells:
        return
    engines = list(dict.fromkeys(cell.engine for cell in cells))
    by_place = {(cell.scenario, cell.engine): cell for cell in cells}
    yield _row("leads stored", "want", engines)
    for scenario in SCENARIOS:
        row = [by_place.get((scenario.name, engine)) for engine in engines]
        if any(row):
            yield _row(scenario.title, scenario.leads, [str(cell or "") for cell in row])
    for engine in engines:
        yield _score(engine, [cell for cell in cells if cell.engine == engine])


def _row(title: str, want: object, columns: Iterable[str]) -> str:
    right = "".join(column.rjust(COLUMN_WIDTH) for column in columns)
    return f"{title.ljust(TITLE_WIDTH)}{want!s:>5}{right}"


def _score(engine: str, cells: Iterable[Cell]) -> str:
    kinds = {scenario.name: scenario.kind for scenario in SCENARIOS}
    of_kind: dict[Kind, list[Cell]] = {kind: [] for kind in Kind}
    for cell in cells:
        of_kind[kinds[cell.scenario]].append(cell)
    genuine, more = of_kind[Kind.LEAD], of_kind[Kind.MORE]
    false_positives = sum(cell.leads or 0 for cell in of_kind[Kind.NOTHING])
    double = max((cell.leads or 0 for cell in of_kind[Kind.DOUBLE]), default="-")
    return (
        f"{engine} {_passed(genuine)} of {len(genuine)}"
        f" · false positives {false_positives} · double click {double}"
        f" · more leads {_passed(more)} of {len(more)}"
    )


def _passed(cells: Iterable[Cell]) -> int:
    return sum(cell.passed for cell in cells)
