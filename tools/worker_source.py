"""Makes build/worker: our own source as it ships, Python without comments and docstrings.

`make dev`, the tests and deployments all start this copy. Standard library only.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

from file_lock import waiting_lock
from local_storage import replace_text
from paths import ROOT
from strip_source import stripped

SOURCE = ROOT / "src"
SHIPPED = ROOT / "build" / "worker"
SUFFIXES = {".py", ".js"}
STRIPPER = Path(__file__).with_name("strip_source.py")


class SourceError(Exception):
    """A source file is no Python; the message says which, and where."""


def build_worker(source: Path = SOURCE, shipped: Path = SHIPPED) -> None:
    """Makes the copy equal to the source as it is now; writes only what changed.

    Raises:
        SourceError: a file cannot be read as Python; the copy stays as it was.
    """
    record = shipped.with_name(f"{shipped.name}.json")
    with waiting_lock(source):
        hashes = _hashes(source)
        is_there = {name: (shipped / name).is_file() for name in hashes}
        before = _read_record(record)
        changed = [
            name for name in hashes if not is_there[name] or before.get(name) != hashes[name]
        ]
        texts = {name: _stripped_file(source / name) for name in changed}
        # New files first: wrangler reads all of them when it sees that an old one changed.
        for name in sorted(changed, key=lambda name: is_there[name]):
            replace_text(shipped / name, texts[name])
        _delete_others(shipped, hashes)
        if hashes != before:
            replace_text(record, json.dumps(hashes))


def _hashes(source: Path) -> dict[str, str]:
    """A hash of each file by its path, which also changes with the way files are stripped."""
    way = STRIPPER.read_bytes()
    return {
        path.relative_to(source).as_posix(): hashlib.sha256(way + path.read_bytes()).hexdigest()
        for path in _shipped_files(source)
    }


def _shipped_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix in SUFFIXES)


def _read_record(record: Path) -> dict[str, str]:
    try:
        hashes: dict[str, str] = json.loads(record.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return hashes


def _stripped_file(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8")
        return stripped(text) if path.suffix == ".py" else text
    except (SyntaxError, ValueError) as error:
        raise SourceError(f"{path}: {error}") from None


def _delete_others(shipped: Path, names: dict[str, str]) -> None:
    for path in _shipped_files(shipped):
        if path.relative_to(shipped).as_posix() not in names:
            path.unlink()


def main() -> int:
    """Makes the copy; prints a problem in one line."""
    try:
        build_worker()
    except SourceError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
