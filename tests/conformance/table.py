"""The table of the conformance tests: what the pixel saw, by scenario and engine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from tests.conformance.outcomes import OUTCOMES
from tests.conformance.people import PEOPLE
from tests.conformance.places import LOCATIONS
from tests.conformance.scenarios import SCENARIOS, Kind

SITUATIONS = (*OUTCOMES, *PEOPLE, *LOCATIONS)
EXPECTED_LEADS = {scenario.name: scenario.leads for scenario in SCENARIOS} | {
    situation.name: situation.leads for situation in SITUATIONS
}
TITLE_WIDTH = 52
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
    for kind in dict.fromkeys(situation.kind for situation in SITUATIONS):
        names = [situation.name for situation in SITUATIONS if situation.kind == kind]
        rows = [[by_place.get((name, engine)) for engine in engines] for name in names]
        if any(map(any, rows)):
            yield kind
        for name, row in zip(names, rows, strict=True):
            if any(row):
                title = name.removeprefix(f"{kind}: ")
                yield _row(f"  {title}", EXPECTED_LEADS[name], [str(cell or "") for cell in row])
    for engine in engines:
        yield _score(engine, [cell for cell in cells if cell.engine == engine])


def _row(title: str, want: object, columns: Iterable[str]) -> str:
    right = "".join(column.rjust(COLUMN_WIDTH) for column in columns)
    return f"{title.ljust(TITLE_WIDTH)}{want!s:>5}{right}"


def _score(engine: str, cells: Iterable[Cell]) -> str:
    kinds = {scenario.name: scenario.kind for scenario in SCENARIOS}
    cells_by_kind: dict[Kind | None, list[Cell]] = {kind: [] for kind in (*Kind, None)}
    for cell in cells:
        cells_by_kind[kinds.get(cell.scenario)].append(cell)
    genuine, more = cells_by_kind[Kind.LEAD], cells_by_kind[Kind.MORE]
    false_positives = sum(cell.leads or 0 for cell in cells_by_kind[Kind.NOTHING])
    double = max((cell.leads or 0 for cell in cells_by_kind[Kind.DOUBLE]), default="-")
    return (
        f"{engine} {_passed(genuine)} of {len(genuine)}"
        f" · false positives {false_positives} · double click {double}"
        f" · more leads {_passed(more)} of {len(more)}"
        f" · further situations {_passed(cells_by_kind[None])} of {len(cells_by_kind[None])}"
    )


def _passed(cells: Iterable[Cell]) -> int:
    return sum(cell.passed for cell in cells)
