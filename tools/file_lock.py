"""Locks that end with the process that holds them, however it ends. Standard library only.

The locked files and folders exist anyway: the Makefile for the set-up, wrangler.toml for
the local configuration, src for its copy that ships, the checkout's folder for `make dev`.
"""

from __future__ import annotations

import fcntl
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# is_locked() holds the lock for a moment.
PATIENCE_SECONDS = 1.0


class LockedError(Exception):
    """Another process holds the lock."""


def take_lock(path: Path) -> int:
    """Wait for the lock on a file; return the descriptor that holds it until it is closed."""
    descriptor = os.open(path, os.O_RDONLY)
    if not _lock_in_time(descriptor):
        print("another command prepares this checkout: waiting for it", file=sys.stderr)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    return descriptor


@contextmanager
def waiting_lock(path: Path) -> Iterator[None]:
    """Hold the lock on a file, after waiting for it."""
    descriptor = take_lock(path)
    try:
        yield
    finally:
        os.close(descriptor)


@contextmanager
def only_one(path: Path) -> Iterator[None]:
    """Hold the lock on a file or folder.

    Raises:
        LockedError: another process has it.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        if not _lock_in_time(descriptor):
            raise LockedError(str(path))
        yield
    finally:
        os.close(descriptor)


def is_locked(path: Path) -> bool:
    """Whether some process holds the lock on a file or folder."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return not _lock_now(descriptor, fcntl.LOCK_SH)
    finally:
        os.close(descriptor)


def _lock_in_time(descriptor: int) -> bool:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not _lock_now(descriptor, fcntl.LOCK_EX):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def _lock_now(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
