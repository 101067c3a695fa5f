"""A folder for what a command puts together on this machine, which holds personal data."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from paths import CACHE


@contextmanager
def workspace() -> Iterator[Path]:
    """A folder that only this user can read, gone when the block ends.

    It is in the checkout, because a temporary one may lie in memory.
    """
    CACHE.mkdir(exist_ok=True)
    with TemporaryDirectory(prefix="restore-", dir=CACHE) as folder:
        yield Path(folder)
