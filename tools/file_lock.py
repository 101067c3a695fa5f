"""Locks that end with the process that holds them, however it ends. Standard library only.

They lie on files and folders that are there anyway: the Makefile for the set-up, wrangler.toml for
the local configuration, the checkout's folder for `make dev`.
"""

from __future__ import annotations

import fcntl
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# Whoever only looks whether something is locked holds it for a moment.
PATIENCE_SECONDS = 1.0


class LockedError(Exception):
    """Another process holds the lock."""


def take_lock(path: Path) -> int:
    """Waits for the lock on a file, and returns its descriptor, which holds it until it closes."""
    descriptor = os.open(path, os.O_RDONLY)
    if not _patiently(descriptor):
        print("another command prepares this checkout: waiting for it", file=sys.stderr)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    return descriptor


@contextmanager
def waiting_lock(path: Path) -> Iterator[None]:
    """Holds the lock on a file; waits for whoever has it."""
    descriptor = take_lock(path)
    try:
        yield
    finally:
        os.close(descriptor)


@contextmanager
def only_one(path: Path) -> Iterator[None]:
    """Holds the lock on a file or folder.

    Raises:
        LockedError: another process has it.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        if not _patiently(descriptor):
            raise LockedError(str(path))
        yield
    finally:
        os.close(descriptor)


def is_locked(path: Path) -> bool:
    """Whether some process holds the lock on a file or folder."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return not _try(descriptor, fcntl.LOCK_SH)
    finally:
        os.close(descriptor)


def _patiently(descriptor: int) -> bool:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not _try(descriptor, fcntl.LOCK_EX):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def _try(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
