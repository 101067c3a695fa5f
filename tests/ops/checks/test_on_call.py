"""The table of who responds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ops.checks.on_call import EXAMPLE, on_call_setting, read_responders
from ops.terminal.errors import WrongUsageError
from services.alerting.on_call import PRIORITIES, read_on_call

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


def test_the_setting_is_what_the_worker_reads(tmp_path: Path) -> None:
    setting = on_call_setting(EXAMPLE)
    assert {name: str(people) for name, people in read_on_call(json.dumps(setting)).items()} == {
        name: str(people) for name, people in read_responders(EXAMPLE).items()
    }
    with pytest.raises(WrongUsageError, match="nobody is named yet"):
        on_call_setting(tmp_path / "none.toml")
