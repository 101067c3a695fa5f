"""The steps of a restore: prepare a backup, fill a database with it, verify it."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ops.backup.backup_chain import BrokenBackupError, read_chain
from ops.backup.choose_backup import newest_without
from ops.backup.high_water import read_mark
from ops.backup.index import Backup
from ops.backup.manifests import Manifest
from ops.cloudflare.bucket_objects import ArrivingObjects
from ops.cloudflare.database import Database
from ops.cloudflare.target import Target
from ops.restore import identity
from ops.restore.assembly import AssembledBackup, assemble, required_parts
from ops.restore.erase_again import read_erasures
from ops.restore.sql_files import (
    LEDGERS_OF_THE_WORKER,
    REJECTED,
    DatabaseState,
    prefetched,
    reject,
    run_step,
    write_steps,
)
from ops.restore.staging_database import IDENTITY, open_staging
from ops.restore.table_checksums import TableChecksum, differences
from ops.terminal.errors import NoAnswerError, OpsError
from ops.terminal.output import counted
from ops.terminal.progress import progress
from services.core.stored_time import parse_iso


@dataclass(frozen=True, slots=True)
class PreparedRestore:
    """A checked and assembled backup, with the manifests of its chain."""

    chain: Sequence[Manifest]
    content: AssembledBackup
    folder: Path

    @property
    def backup(self) -> Manifest:
        """The backup that is restored."""
        return self.chain[-1]

    def as_json(self) -> dict[str, object]:
        """Return what was assembled, for scripts."""
        return {
            "as_of": self.backup.finished_at,
            "rows": self.content.rows,
            "erased_again": self.content.erased,
            "left_out": self.content.staging.skipped_rows,
        }


class NotEmptyError(OpsError):
    """The database holds rows that a restore would overwrite."""


def prepare_restore(
    live: Target, backups: Sequence[Backup], backup_id: str, folder: Path
) -> PreparedRestore:
    """Fetch, check and assemble a backup.

    Raises:
        BrokenBackupError: it cannot be restored; the message names a usable one.
        UnknownSchemaError: the migrations of this checkout cannot make its schema.
        NoAnswerError: R2 does not answer.
    """
    try:
        chain = read_chain(live, backups, backup_id, folder)
        content = _fetch_and_assemble(live, chain, folder)
    except BrokenBackupError as error:
        alternative = newest_without(backups, backup_id)
        advice = (
            f"restore another one: --backup {alternative}"
            if alternative
            else "no other one is known"
        )
        raise BrokenBackupError(f"{error}. Nothing was written; {advice}") from None
    return PreparedRestore(chain, content, folder)


def _fetch_and_assemble(live: Target, chain: Sequence[Manifest], folder: Path) -> AssembledBackup:
    keys = [part.key for part in required_parts(chain)]
    erasures = read_erasures(live, parse_iso(chain[-1].started_at), folder)
    staging = open_staging(folder / "staging.sqlite")
    with progress("fetching and checking", len(keys)) as show:
        checked = itertools.count(1)
        files = ArrivingObjects(live, keys, folder)
        content = assemble(chain, files, erasures, staging, lambda: show(next(checked)))
    if chain[-1].migration < identity.FIRST_MIGRATION:
        mark = read_mark(live)
        identity.set_missing_identity(staging, mark.database_id if mark else None, content.plan)
    return content


def describe(prepared: PreparedRestore) -> Sequence[str]:
    """Describe what was assembled, in some lines."""
    content, last = prepared.content, prepared.backup
    chain = f" and {counted(len(prepared.chain) - 1, 'hourly one')}" * (len(prepared.chain) > 1)
    rows = f"{content.row_summary}, as of {last.finished_at}"
    lines = [f"{last.id}: all parts of {prepared.chain[0].id}{chain} are whole; {rows}"]
    for source, count in content.staging.skipped_rows.items():
        lines.append(f"left out: {counted(count, 'row')} of {source}, which no migration makes")
    return lines


def completed_steps(state: DatabaseState, prepared: PreparedRestore, name: str) -> int:
    """Return how many steps of this restore the database *name* has had; 0 if it is empty.

    Raises:
        NotEmptyError: it holds other rows.
    """
    if state.plan == prepared.content.plan:
        return state.step
    with_overwrite = f"with --overwrite {name}"
    if state.plan == f"{prepared.content.plan}{REJECTED}":
        raise NotEmptyError(f"{name} did not hold what the backup does: empty it {with_overwrite}")
    if state.plan is not None:
        raise NotEmptyError(
            f"{name} is half filled by a restore of other content ({state.plan}): "
            f"empty it {with_overwrite}, or choose another name with --into"
        )
    fresh = _freshly_migrated()
    used = [table for table, rows in state.rows.items() if rows > fresh.get(table, 0)]
    if used:
        rows = ", ".join(f"{counted(state.rows[table], 'row')} in {table}" for table in used)
        raise NotEmptyError(
            f"{name} is not empty ({rows}): if a restore still runs, wait for it; else choose "
            "another name with --into, "
            f"or delete what is in it {with_overwrite}"
        )
    return 0


def _freshly_migrated() -> dict[str, int]:
    """Return the row counts of a new database after all migrations."""
    fresh = open_staging(Path(":memory:"))
    fresh.migrate()
    return fresh.row_counts() | {"d1_migrations": len(fresh.applied)}


def fill_database(database: Target, prepared: PreparedRestore, *, after: int) -> int:
    """Fill a database behind step *after*, and return the number of written rows.

    Raises:
        NoAnswerError: it refuses a step; the same restore continues there.
    """
    content = prepared.content
    written = 0
    with progress("writing", content.rows) as show:
        steps = write_steps(content.staging, content.plan, prepared.folder, after=after)
        for step in prefetched(steps):
            try:
                run_step(database, step)
            except NoAnswerError as error:
                raise NoAnswerError(
                    f"{database.database} refused step {step.number}: {error}. "
                    "Run the same command again: it goes on there"
                ) from None
            written += step.rows
            show(written)
    return written


def verify_database(
    database: Target, prepared: PreparedRestore, *, is_live: bool = False
) -> Sequence[str]:
    """Compare the database with the backup, and list their differences.

    Into a live one the Worker goes on writing its ledgers.

    Raises:
        NoAnswerError: it does not answer.
    """
    staging = prepared.content.staging
    # The identity is written last, in a new generation.
    left_out = (IDENTITY, *(LEDGERS_OF_THE_WORKER if is_live else ()))
    tables = [table for name, table in staging.tables.items() if name not in left_out]
    checksums = [TableChecksum(table) for table in tables]
    by_table = differences(staging, Database(database), checksums)
    problems = [difference for table in by_table.values() for difference in table]
    if problems:
        reject(Database(database))
    return problems
