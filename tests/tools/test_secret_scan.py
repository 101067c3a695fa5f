import shutil
import subprocess
from pathlib import Path

import pytest

import secret_scan


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout of its own; the program is the real one."""
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)  # noqa: S607  # the git on PATH
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / "secret_scan.py").write_text("# the rules", encoding="utf-8")
    monkeypatch.setattr(secret_scan, "ROOT", tmp_path)
    monkeypatch.setattr(secret_scan, "CACHE", tmp_path / ".git")
    monkeypatch.setattr(secret_scan, "CLEAN", tmp_path / ".git" / "clean.json")
    return tmp_path


def test_a_key_is_found_until_it_is_gone(checkout: Path, capfd: pytest.CaptureFixture[str]) -> None:
    settings = checkout / "settings.py"
    # In two parts, so that this file has none.
    settings.write_text("AWS = 'AKIA" + "IOSFODNN7EXAMPL2'\n", encoding="utf-8")
    assert secret_scan.main() == 1
    assert "settings.py:1" in capfd.readouterr().out
    assert secret_scan.main() == 1
    settings.write_text("AWS = None\n", encoding="utf-8")
    assert secret_scan.main() == 0


def test_a_file_that_was_clean_is_scanned_again_when_it_changes(checkout: Path) -> None:
    notes = checkout / "notes.txt"
    notes.write_text("nothing\n", encoding="utf-8")
    assert secret_scan.main() == 0
    assert secret_scan.main() == 0
    notes.write_text("-----BEGIN RSA PRIVATE" + " KEY-----\n", encoding="utf-8")
    assert secret_scan.main() == 1


def test_a_checkout_that_git_refuses_is_one_line(checkout: Path) -> None:
    shutil.rmtree(checkout / ".git")
    with pytest.raises(SystemExit, match="git names no files: fatal: not a git repository"):
        secret_scan.main()
