"""Commands that set up the same checkout at once come one after the other."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from file_lock import LockedError, is_locked, only_one
from paths import ROOT
from processes import look_up, port_holder
from tests.tools.checkout import until

SET_UP = ROOT / "tools" / "set_up.py"


def test_two_set_ups_do_not_overlap(tmp_path: Path) -> None:
    log = tmp_path / "log"
    script = f"echo begin >> {log}; sleep 0.3; echo end >> {log}"
    command = [sys.executable, str(SET_UP), "sh", "-c", script]
    for process in [subprocess.Popen(command) for _ in range(3)]:
        assert process.wait(60) == 0
    assert log.read_text().split() == ["begin", "end"] * 3


def test_a_set_up_passes_on_how_it_ended() -> None:
    assert subprocess.call([sys.executable, SET_UP, "sh", "-c", "exit 7"]) == 7


def test_a_lock_ends_with_the_process_that_is_killed(tmp_path: Path) -> None:
    code = (
        "import sys, time, pathlib, file_lock\n"
        "with file_lock.only_one(pathlib.Path(sys.argv[1])): time.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", code, tmp_path], cwd=ROOT / "tools")
    until(lambda: is_locked(tmp_path))
    with pytest.raises(LockedError), only_one(tmp_path):
        pass
    process.kill()
    process.wait()
    assert not is_locked(tmp_path)
    with only_one(tmp_path):
        assert is_locked(tmp_path)


def test_a_port_that_nobody_holds_has_no_holder() -> None:
    assert port_holder(1) is None
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    assert look_up(process.pid) is None
