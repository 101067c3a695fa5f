"""The browser engines, and the table of what each of them let the pixel see."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.conformance.engines import ENGINES, Engine, NotInstalledError
from tests.conformance.table import EXPECTED_LEADS, Cell, table

PROPERTY = "conformance"

RecordLeads = Callable[[str, str, int | None], None]


@pytest.fixture(scope="module", params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """Each engine that this machine has, started once."""
    try:
        with ENGINES[request.param]() as running:
            yield running
    except NotInstalledError as missing:
        pytest.skip(str(missing))


@pytest.fixture
def record_leads(record_property: Callable[[str, object], None]) -> RecordLeads:
    """Notes for the table how many leads a scenario was in an engine."""

    def record(engine: str, scenario: str, leads: int | None) -> None:
        record_property(PROPERTY, (engine, scenario, leads))

    return record


def pytest_terminal_summary(terminalreporter: Any) -> None:  # noqa: ANN401  # its type is private
    """Prints the table, if conformance tests ran."""
    cells = {}
    for outcome in ("passed", "failed"):
        for report in terminalreporter.getreports(outcome):
            for name, value in report.user_properties:
                if name == PROPERTY:
                    engine, scenario, leads = value
                    passed = report.passed if leads is None else leads == EXPECTED_LEADS[scenario]
                    cells[engine, scenario] = Cell(engine, scenario, leads, passed)
    if cells:
        terminalreporter.section("conformance")
    for line in table(list(cells.values())):
        terminalreporter.write_line(line)
