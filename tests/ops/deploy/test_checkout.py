"""What is said of the commit, and that git may not tell it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from config import VERSION
from ops.deploy import checkout


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(checkout, "ROOT", tmp_path)
    return tmp_path


def test_where_git_tells_no_commit_nothing_is_claimed_and_it_is_said(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert checkout.read_checkout() == (None, None)
    checkout.note_unknown_code()
    assert "the commit of this checkout is not known" in capsys.readouterr().err


def test_a_changed_file_is_seen(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _git(folder, "init", "--quiet")
    _git(folder, *("-c", "user.name=a", "-c", "user.email=a@b"), "commit", "--allow-empty", "-qm.")
    commit, uncommitted = checkout.read_checkout()
    assert commit
    assert uncommitted is False
    (folder / "new.txt").touch()
    assert checkout.read_checkout() == (commit, True)
    assert checkout.version_message(commit) == f"{VERSION} at {commit}"
    with_changes = checkout.version_message(commit, uncommitted=True)
    assert with_changes == f"{VERSION} at {commit} with uncommitted changes"
    checkout.note_unknown_code()
    assert f"changes that are not in its commit {commit}" in capsys.readouterr().err


def _git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=folder, check=True)  # noqa: S607  # constants, and the git on PATH
