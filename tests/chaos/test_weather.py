"""A minute and a half of bad weather: whatever is answered is there, once, and so is each lead."""

from __future__ import annotations

from pathlib import Path

import pytest

from pyodide_bundle import Bundle
from tests.chaos.weather import weather

SECONDS = 90
SEED = 7


@pytest.mark.timeout(1_200)
def test_nothing_is_lost_and_nothing_is_doubled_in_bad_weather(
    local_config: Bundle, tmp_path: Path
) -> None:
    lines: list[str] = []
    with weather(SEED, tmp_path, lines.append) as run:
        faults = run.play(SECONDS)
    assert list(faults) == [], "\n".join(lines)
    assert len(run.blows) >= 3, run.blows
    assert run.ledger.campaigns
    # It was bad weather: some were not answered at first.
    assert set(run.ledger.statuses) - {200}
