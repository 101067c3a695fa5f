"""Export the database as one file of SQL: the backup before the first deployment."""

from __future__ import annotations

import gzip
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from ops.backup.index import BackupContents
from ops.cloudflare.bucket import Bucket
from ops.cloudflare.target import BINDING, Target
from ops.cloudflare.worker_commands import WorkerCommands
from ops.cloudflare.wrangler_command import WranglerCommand
from ops.deploy.database_checks import MAIN_TABLES, shrunken_tables
from ops.deploy.facts import READ_HIGHEST_EVENT
from ops.terminal.errors import OpsError
from paths import LOCAL_CONFIG


def export_database(target: Target, file: Path) -> None:
    """Export the database into a file; D1 answers no other query meanwhile.

    Raises:
        NoAnswerError: the export failed.
    """
    command = WorkerCommands(target).export(file)
    if target.environment:
        command.run()
        return
    # wrangler exports only the storage beside its configuration file.
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / LOCAL_CONFIG.name
        shutil.copyfile(LOCAL_CONFIG, config)
        (config.parent / ".wrangler").mkdir()
        (config.parent / ".wrangler" / "state").symlink_to(target.folder)
        arguments = ("d1", "export", BINDING, "--local", "--output", str(file))
        WranglerCommand(arguments, config).run()


def read_export(file: Path) -> BackupContents:
    """Load an export into an empty database and count its rows.

    Raises:
        OpsError: it is incomplete.
    """
    with (
        tempfile.TemporaryDirectory() as folder,
        closing(sqlite3.connect(Path(folder) / "copy.sqlite", isolation_level=None)) as copy,
    ):
        try:
            # The copy is temporary, so durability does not matter.
            copy.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF")
            for statement in _statements(file):
                copy.execute(statement)
            return _count_rows(copy)
        except sqlite3.Error as error:
            raise OpsError(f"{file} is no whole export ({error}): export again") from None


def _count_rows(copy: sqlite3.Connection) -> BackupContents:
    tables = {row[0] for row in copy.execute("SELECT name FROM sqlite_master")}
    present = [name for name in MAIN_TABLES if name in tables]
    rows = {name: copy.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in present}
    highest = copy.execute(READ_HIGHEST_EVENT).fetchone() if "sqlite_sequence" in tables else None
    return BackupContents(rows, highest[0] if highest else 0)


def store_export(target: Target, file: Path, key: str, expected: BackupContents) -> None:
    """Compress an export into the bucket and delete the file, if it holds at least *expected*.

    Raises:
        OpsError: rows are missing, or the object in the bucket differs from the file.
    """
    shrunken = shrunken_tables(expected, read_export(file))
    if shrunken:
        raise OpsError(f"{file} lacks rows ({'; '.join(shrunken)}): export again")
    compressed = file.with_suffix(".sql.gz")
    with file.open("rb") as source, gzip.open(compressed, "wb") as destination:
        shutil.copyfileobj(source, destination)
    bucket = Bucket(target)
    bucket.write_file(key, compressed)
    if bucket.read(key) != compressed.read_bytes():
        raise OpsError(f"{target.bucket}/{key} is not what was sent: try again")
    file.unlink()


def _statements(file: Path) -> Iterator[str]:
    """Yield the statements of a file of SQL."""
    statement = ""
    with file.open(encoding="utf-8") as lines:
        for line in lines:
            statement += line
            if sqlite3.complete_statement(statement):
                yield statement
                statement = ""
    if statement.strip():
        yield statement
