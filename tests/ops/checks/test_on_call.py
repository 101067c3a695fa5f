"""The table of who responds."""

from __future__ import annotations

from pathlib import Path

import pytest

from ops.checks.on_call import EXAMPLE, PRIORITIES, read_responders
from ops.terminal.errors import WrongUsageError

INCOMPLETE = EXAMPLE.read_text(encoding="utf-8").replace("second", "2nd")


def test_the_example_is_complete_and_is_read_where_nothing_was_filled_in(tmp_path: Path) -> None:
    responders = read_responders(tmp_path / "none.toml")
    assert tuple(responders) == PRIORITIES
    assert str(responders["P1"]) == (
        "first the person on call; then the person who knows the Worker;"
        " inform the clients, after an hour (telephone, day and night)"
    )


@pytest.mark.parametrize("text", ["", "[P1", "[P1]\nfirst = 3", INCOMPLETE])
def test_a_table_that_lacks_something_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "oncall.toml"
    file.write_text(text)
    with pytest.raises(WrongUsageError, match="compare it with"):
        read_responders(file)
