"""The copy of our own source that ships: always equal to the source, and only written where not."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

import worker_source
from paths import ROOT
from worker_source import SHIPPED, SourceError, build_worker

CODE = '"""A module."""\n\nx = 1  # why\n'
STRIPPED = "\n\nx = 1\n"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "src"
    (folder / "package").mkdir(parents=True)
    for name in ("entry.py", "package/module.py"):
        (folder / name).write_text(CODE, encoding="utf-8")
    return folder


@pytest.fixture
def shipped(tmp_path: Path) -> Path:
    return tmp_path / "build" / "worker"


def files(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_every_file_ships_without_comments(source: Path, shipped: Path) -> None:
    (source / "package" / "__pycache__").mkdir()
    (source / "package" / "__pycache__" / "module.pyc").write_bytes(b"cache")
    build_worker(source, shipped)
    assert files(shipped) == {"entry.py": STRIPPED, "package/module.py": STRIPPED}


def test_a_module_of_javascript_ships_as_it_is_and_goes_with_its_source(
    source: Path, shipped: Path
) -> None:
    module = source / "package" / "module.js"
    module.write_text("// why\nexport const x = 1;\n", encoding="utf-8")
    build_worker(source, shipped)
    assert files(shipped)["package/module.js"] == "// why\nexport const x = 1;\n"
    module.unlink()
    build_worker(source, shipped)
    assert "package/module.js" not in files(shipped)


def test_only_what_changed_is_written(source: Path, shipped: Path) -> None:
    build_worker(source, shipped)
    before = {name: (shipped / name).stat().st_mtime_ns for name in files(shipped)}
    (source / "entry.py").write_text("x = 2\n", encoding="utf-8")
    build_worker(source, shipped)
    after = {name: (shipped / name).stat().st_mtime_ns for name in files(shipped)}
    assert {name for name in after if after[name] != before[name]} == {"entry.py"}
    assert files(shipped)["entry.py"] == "x = 2\n"


def test_what_was_renamed_or_lost_is_right_again(source: Path, shipped: Path) -> None:
    build_worker(source, shipped)
    (source / "package" / "module.py").rename(source / "package" / "other.py")
    (shipped / "entry.py").unlink()
    build_worker(source, shipped)
    assert files(shipped) == {"entry.py": STRIPPED, "package/other.py": STRIPPED}


def test_another_way_to_strip_is_a_change_of_every_file(
    source: Path, shipped: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build_worker(source, shipped)
    before = json.loads(shipped.with_name("worker.json").read_text(encoding="utf-8"))
    (tmp_path / "stripper.py").write_text("another", encoding="utf-8")
    monkeypatch.setattr(worker_source, "STRIPPER", tmp_path / "stripper.py")
    build_worker(source, shipped)
    after = json.loads(shipped.with_name("worker.json").read_text(encoding="utf-8"))
    assert before.keys() == after.keys()
    assert not before.items() & after.items()


def test_a_file_that_is_no_python_is_named_and_nothing_changes(source: Path, shipped: Path) -> None:
    build_worker(source, shipped)
    (source / "entry.py").write_text("x = 2\n", encoding="utf-8")
    (source / "package" / "module.py").write_text("x = (\n", encoding="utf-8")
    with pytest.raises(SourceError, match=r"package/module\.py: '\(' was never closed"):
        build_worker(source, shipped)
    assert files(shipped) == {"entry.py": STRIPPED, "package/module.py": STRIPPED}


def test_wrangler_starts_the_copy() -> None:
    settings = tomllib.loads((ROOT / "wrangler.toml").read_text(encoding="utf-8"))
    assert ROOT / settings["main"] == SHIPPED / "entry.py"
    assert "main" not in settings["env"]["production"]
