"""A folder for what a command puts together on this machine, which holds personal data."""

from __future__ import annotations

import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from paths import CACHE

PREFIX = "restore-"
# No command works so long: a folder that old was left by one that was killed.
LEFT_SECONDS = 86_400


@contextmanager
def workspace() -> Iterator[Path]:
    """A folder that only this user can read, gone when the block ends or the command is stopped.

    It is in the checkout, because a temporary one may lie in memory.
    """
    CACHE.mkdir(exist_ok=True)
    for left in CACHE.glob(f"{PREFIX}*"):
        if time.time() - left.stat().st_mtime > LEFT_SECONDS:
            shutil.rmtree(left, ignore_errors=True)
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with TemporaryDirectory(prefix=PREFIX, dir=CACHE) as folder:
            yield Path(folder)
    finally:
        signal.signal(signal.SIGTERM, before)
