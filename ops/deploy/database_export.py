"""The database as one file of SQL: the first backup, where a Worker runs that makes none."""

from __future__ import annotations

import gzip
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from ops.backup.index import BackupContents
from ops.cloudflare.bucket import Bucket
from ops.cloudflare.target import Target
from ops.cloudflare.worker_commands import Commands
from ops.cloudflare.wrangler_command import Command
from ops.deploy.database_checks import MAIN_TABLES, shrunk
from ops.deploy.facts import HIGHEST_EVENT
from ops.terminal.errors import OpsError
from paths import LOCAL_CONFIG


def export_database(target: Target, file: Path) -> None:
    """Writes the database into a file; D1 answers nobody else meanwhile.

    Raises:
        NoAnswerError: D1 did not give it.
    """
    command = Commands(target).export(file)
    if target.environment:
        command.run()
        return
    # wrangler exports only the storage beside its configuration.
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / LOCAL_CONFIG.name
        shutil.copyfile(LOCAL_CONFIG, config)
        storage = target.persist_to or LOCAL_CONFIG.parent / ".wrangler" / "state"
        (config.parent / ".wrangler").mkdir()
        (config.parent / ".wrangler" / "state").symlink_to(storage)
        words = Commands(replace(target, persist_to=None)).export(file).words
        Command(words, config).run()


def read_export(file: Path) -> BackupContents:
    """Loads an export into an empty database and counts what is in it.

    Raises:
        OpsError: it is not whole.
    """
    with (
        tempfile.TemporaryDirectory() as folder,
        closing(sqlite3.connect(Path(folder) / "copy.sqlite", isolation_level=None)) as copy,
    ):
        try:
            # It is thrown away: nothing need be safe.
            copy.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF")
            for statement in _statements(file):
                copy.execute(statement)
            return _counted(copy)
        except sqlite3.Error as error:
            raise OpsError(f"{file} is no whole export ({error}): export again") from None


def _counted(copy: sqlite3.Connection) -> BackupContents:
    tables = {row[0] for row in copy.execute("SELECT name FROM sqlite_master")}
    present = [name for name in MAIN_TABLES if name in tables]
    rows = {name: copy.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in present}
    highest = copy.execute(HIGHEST_EVENT).fetchone() if "sqlite_sequence" in tables else None
    return BackupContents(rows, highest[0] if highest else 0)


def keep_export(target: Target, file: Path, key: str, least: BackupContents) -> None:
    """Puts an export into the bucket, after it was seen to hold at least so many rows.

    Raises:
        OpsError: it holds fewer, or is not in the bucket as it was sent.
    """
    missing = shrunk(least, read_export(file))
    if missing:
        raise OpsError(f"{file} lacks rows ({'; '.join(missing)}): export again")
    packed = file.with_suffix(".sql.gz")
    with file.open("rb") as plain, gzip.open(packed, "wb") as zipped:
        shutil.copyfileobj(plain, zipped)
    bucket = Bucket(target)
    bucket.write_file(key, packed)
    if bucket.read(key) != packed.read_bytes():
        raise OpsError(f"{target.bucket}/{key} is not what was sent: try again")
    file.unlink()


def _statements(file: Path) -> Iterator[str]:
    """The statements of a file of SQL, one after the other."""
    statement = ""
    with file.open(encoding="utf-8") as lines:
        for line in lines:
            statement += line
            if sqlite3.complete_statement(statement):
                yield statement
                statement = ""
    if statement.strip():
        yield statement
