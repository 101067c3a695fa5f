"""Files with personal data are gone when a command ends, and those of a killed one a day later."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from ops.terminal import workspace as ops_workspace
from ops.terminal.workspace import MAX_AGE_SECONDS, PREFIX, workspace


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in place of the checkout's."""
    monkeypatch.setattr(ops_workspace, "CACHE", tmp_path / "cache")
    return tmp_path / "cache"


def test_only_this_user_can_read_it_and_nothing_remains(cache: Path) -> None:
    with workspace() as folder:
        assert folder.parent == cache
        assert folder.stat().st_mode & 0o077 == 0
        (folder / "events.sql").write_text("personal", encoding="utf-8")
    assert list(cache.iterdir()) == []


def test_nothing_remains_after_an_error(cache: Path) -> None:
    with pytest.raises(ValueError, match="broken"), workspace():
        raise ValueError("broken")
    assert list(cache.iterdir()) == []


def test_only_an_old_folder_of_a_killed_command_is_removed(cache: Path) -> None:
    old, recent, foreign = cache / f"{PREFIX}old", cache / f"{PREFIX}recent", cache / "pyodide"
    for folder, age in ((old, MAX_AGE_SECONDS + 60), (recent, 60), (foreign, MAX_AGE_SECONDS * 2)):
        folder.mkdir(parents=True)
        os.utime(folder, (time.time() - age,) * 2)
    with workspace():
        pass
    assert sorted(cache.iterdir()) == sorted((recent, foreign))
