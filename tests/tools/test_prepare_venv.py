"""The set-up of .venv, as far as it can be tested without making one."""

from __future__ import annotations

from pathlib import Path

import pytest

import prepare_venv


def test_a_link_to_the_environment_of_another_checkout_is_refused_and_not_emptied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    (shared / "ready").touch()
    link = tmp_path / ".venv"
    link.symlink_to(shared)
    monkeypatch.setattr(prepare_venv, "VENV", link)
    assert prepare_venv.main() == 1
    assert "is a link to" in capsys.readouterr().err
    assert (shared / "ready").exists()
