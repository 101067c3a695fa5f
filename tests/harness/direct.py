"""The Worker in a workerd of its own, on storage that outlives it; see direct.mjs."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.harness.node import Script, serving
from tests.harness.prepared import database_file, migrated_storage, started_from_snapshot

Config = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Direct:
    """A running Worker: its address and the process group that is its workerd."""

    url: str
    process: Script

    def kill(self) -> None:
        """Kills workerd, and Node with it, at once: SIGKILL, nothing is written any more."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(timeout=120)


def migrate(storage: Path) -> None:
    """Makes a migrated database with the demo project and pixel."""
    shutil.copytree(migrated_storage(), storage)


def count(storage: Path, sql: str) -> int:
    """Counts in the database file, when nothing runs on it."""
    with sqlite3.connect(database_file(storage)) as database:
        number: int = database.execute(sql).fetchone()[0]
    database.close()
    return number


@contextmanager
def running_directly(  # noqa: PLR0913  # what a Worker is made of
    folder: Path,
    main: str,
    config: Config,
    storage: Path,
    env_vars: Mapping[str, str],
    *,
    log: Path | None = None,
    hangs: bool = False,
) -> Iterator[Direct]:
    """Runs the bundle in `folder` on `storage` until the block ends.

    `log` gets what it says. With `hangs` its KV and its rate limiter answer nothing for a minute.
    """
    settings, variables = started_from_snapshot(config)
    options = {
        "folder": str(folder),
        "main": main,
        "config": settings,
        "vars": dict(env_vars),
        "storage": str(storage),
        "log": str(log) if log else None,
        "hangs": hangs,
    }
    with serving("direct.mjs", options, variables) as (process, addresses):
        yield Direct(addresses["worker"], process)
