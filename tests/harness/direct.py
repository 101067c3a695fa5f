"""The Worker in a workerd of its own, on storage that outlives it; see direct.mjs."""

from __future__ import annotations

import os
import signal
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from paths import ROOT
from tests.harness.node import Script, serving
from wrangler import wrangler

Config = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Direct:
    """A running Worker: its address and the process group that is its workerd."""

    url: str
    process: Script

    def kill(self) -> None:
        """Kills workerd, and Node with it, at once: SIGKILL, nothing is written any more."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(timeout=30)


def migrate(storage: Path) -> None:
    """Makes a migrated database with the demo project and pixel."""
    wrangler("d1", "migrations", "apply", "DB", "--local", "--persist-to", storage)
    seed = ROOT / "demo" / "seed.sql"
    wrangler("d1", "execute", "DB", "--local", "--persist-to", storage, "--file", seed)


def database_file(storage: Path) -> Path:
    """The SQLite file of the only D1 database in a storage."""
    files = storage.glob("v3/d1/miniflare-D1DatabaseObject/*.sqlite")
    [found] = [file for file in files if file.name != "metadata.sqlite"]
    return found


def count(storage: Path, sql: str) -> int:
    """Counts in the database file, when nothing runs on it."""
    with sqlite3.connect(database_file(storage)) as database:
        number: int = database.execute(sql).fetchone()[0]
    database.close()
    return number


@contextmanager
def running_directly(
    folder: Path, main: str, config: Config, storage: Path, env_vars: Mapping[str, str]
) -> Iterator[Direct]:
    """Runs the bundle in `folder` on `storage` until the block ends."""
    options = {
        "folder": str(folder),
        "main": main,
        "config": config,
        "vars": dict(env_vars),
        "storage": str(storage),
    }
    with serving("direct.mjs", options) as (process, addresses):
        yield Direct(addresses["worker"], process)
