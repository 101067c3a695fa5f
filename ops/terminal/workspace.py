"""A private temporary folder for files with personal data."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from ops.terminal.interrupts import interrupted_by_signals
from paths import CACHE

PREFIX = "restore-"
# No command runs so long: an older folder belongs to one that was killed.
MAX_AGE_SECONDS = 86_400


@contextmanager
def workspace() -> Iterator[Path]:
    """Create a folder that only this user can read; delete it when the block or the command ends.

    It is in the checkout, because the system's folder for temporary files may be in memory.
    """
    CACHE.mkdir(exist_ok=True)
    for folder in CACHE.glob(f"{PREFIX}*"):
        if time.time() - folder.stat().st_mtime > MAX_AGE_SECONDS:
            shutil.rmtree(folder, ignore_errors=True)
    with interrupted_by_signals(), TemporaryDirectory(prefix=PREFIX, dir=CACHE) as path:
        yield Path(path)
