"""A copy of this checkout, which a rehearsal may change."""

from __future__ import annotations

import shutil
from pathlib import Path

from paths import ROOT

SHARED = (".venv", "node_modules", "python_modules", ".cache")
NOT_COPIED = (
    *SHARED,
    *(".git", ".wrangler", "__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache"),
    *(
        "exports",
        "drills",
        "rehearsals",
        "wrangler.test-*",
        "wrangler.drill-*",
        ".dev.vars",
        "api-keys.json",
        ".hypothesis",
    ),
)
NO_MAKE = "#!/bin/sh\n# All is built: `make rehearse` did it, in the checkout that was copied.\n"


def copy_checkout(destination: Path) -> None:
    """Copy this checkout as it is, with its tools shared, so that a rehearsal may change it."""
    shutil.copytree(ROOT, destination, ignore=shutil.ignore_patterns(*NOT_COPIED), symlinks=True)
    for name in SHARED:
        (destination / name).symlink_to((ROOT / name).resolve())
    make = destination.parent / "bin" / "make"
    make.parent.mkdir()
    make.write_text(NO_MAKE, encoding="utf-8")
    make.chmod(0o755)
