"""The stop for deployments by hand, as wrangler runs it for production."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import build_hook
from paths import ROOT


@pytest.fixture
def mark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv(build_hook.FORCE_VARIABLE, raising=False)
    return tmp_path / "build" / "preflight.json"


def test_an_upload_is_let_through_behind_a_fresh_preflight_only(
    mark: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "no preflight has passed" in str(build_hook.refusal(mark))
    build_hook.record_preflight(mark)
    assert build_hook.refusal(mark) is None
    passed = json.loads(mark.read_text(encoding="utf-8"))
    mark.write_text(json.dumps({**passed, "at": passed["at"] - 3_000}), encoding="utf-8")
    assert "passed 50 minutes ago" in str(build_hook.refusal(mark))
    mark.write_text(json.dumps({**passed, "files": "of another day"}), encoding="utf-8")
    assert "files changed since" in str(build_hook.refusal(mark))
    monkeypatch.setenv(build_hook.FORCE_VARIABLE, "1")
    assert build_hook.refusal(mark) is None


def test_the_hash_is_of_what_is_deployed(tmp_path: Path) -> None:
    (tmp_path / "src" / "__pycache__").mkdir(parents=True)
    (tmp_path / "src" / "entry.py").write_text("one", encoding="utf-8")
    before = build_hook.hash_files(tmp_path)
    (tmp_path / "src" / "__pycache__" / "entry.pyc").write_text("cache", encoding="utf-8")
    (tmp_path / "docs.md").write_text("words", encoding="utf-8")
    assert build_hook.hash_files(tmp_path) == before
    (tmp_path / "src" / "entry.py").write_text("two", encoding="utf-8")
    assert build_hook.hash_files(tmp_path) != before


@pytest.mark.parametrize("options", [(), ("--dry-run",)], ids=["upload", "dry run"])
def test_a_dry_run_is_known_by_the_command_above(options: tuple[str, ...], tmp_path: Path) -> None:
    # Named as wrangler, it runs the hook in a child, as wrangler does.
    parent = tmp_path / "wrangler"
    code = f"import sys; sys.path.insert(0, {str(ROOT / 'tools')!r}); import build_hook, pathlib;"
    code += "print(build_hook.refusal(pathlib.Path('nowhere')))"
    parent.write_text(
        f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {code!r}])\n",
        encoding="utf-8",
    )
    environment = {name: text for name, text in os.environ.items() if name != "PPP_FORCE"}
    process = subprocess.run(
        [sys.executable, parent, *options],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert (process.stdout.strip() == "None") == bool(options)


@pytest.mark.parametrize("command", ["deploy", "versions upload"])
def test_without_an_environment_nothing_is_uploaded_even_by_force(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["build_hook.py", "local"])
    monkeypatch.setenv(build_hook.COMMAND_VARIABLE, command)
    monkeypatch.setenv(build_hook.FORCE_VARIABLE, "1")
    assert build_hook.main() == 1
    assert "./ppp deploy --env production" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["tools/build_assets.py", "package-lock.json", "uv.lock"])
def test_what_builds_the_upload_belongs_to_it(tmp_path: Path, name: str) -> None:
    before = build_hook.hash_files(tmp_path)
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).touch()
    assert build_hook.hash_files(tmp_path) != before
