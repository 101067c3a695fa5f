"""From a chain of backups to a database that is proven to hold what they hold."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ops.backup.backup_chain import BrokenBackupError, read_chain
from ops.backup.choose_backup import without
from ops.backup.index import Backup
from ops.backup.manifests import Manifest
from ops.cloudflare.bucket_objects import fetch
from ops.cloudflare.database import Database
from ops.cloudflare.target import Target
from ops.restore.assembly import PutTogether, parts_needed, put_together
from ops.restore.erase_again import read_erasures
from ops.restore.sql_files import LEDGER, Filled, ahead, load, write_steps
from ops.restore.staging_database import open_staging
from ops.restore.table_checksums import Questions, differences
from ops.terminal.errors import NoAnswerError, OpsError
from ops.terminal.output import counted
from ops.terminal.progress import progress


@dataclass(frozen=True, slots=True)
class Prepared:
    """A backup that was checked and put together, with its manifests."""

    chain: Sequence[Manifest]
    content: PutTogether
    folder: Path

    @property
    def backup(self) -> Manifest:
        """The backup that is restored."""
        return self.chain[-1]

    def as_json(self) -> dict[str, object]:
        """What was put together, for scripts."""
        return {
            "as_of": self.backup.finished_at,
            "rows": self.content.rows,
            "erased_again": self.content.erased,
            "left_out": self.content.staging.left_out,
        }


class FilledError(OpsError):
    """The database holds something that is not to be lost."""


def prepare(live: Target, backups: Sequence[Backup], backup_id: str, folder: Path) -> Prepared:
    """Fetches, checks and puts together a backup.

    Raises:
        BrokenBackupError: it cannot be restored; the message names another one.
        UnknownSchemaError: this code cannot make its schema.
        NoAnswerError: R2 does not answer.
    """
    try:
        chain = read_chain(live, backups, backup_id, folder)
        content = _checked(live, chain, folder)
    except BrokenBackupError as error:
        other = without(backups, backup_id)
        advice = f"restore another one: --backup {other}" if other else "no other one is known"
        raise BrokenBackupError(f"{error}. Nothing was written; {advice}") from None
    return Prepared(chain, content, folder)


def _checked(live: Target, chain: Sequence[Manifest], folder: Path) -> PutTogether:
    keys = [part.key for part in parts_needed(chain)]
    files: dict[str, Path | None] = {}
    with progress("fetching", len(keys)) as show:
        for key, file in fetch(live, keys, folder):
            files[key] = file
            show(len(files))
    began = datetime.fromisoformat(chain[-1].started_at)
    erasures = read_erasures(live, began, folder)
    staging = open_staging(folder / "staging.sqlite")
    with progress("checking", len(keys)) as show:
        checked = itertools.count(1)
        return put_together(chain, files, erasures, staging, lambda: show(next(checked)))


def described(prepared: Prepared) -> Sequence[str]:
    """What was put together, in some lines."""
    content, last = prepared.content, prepared.backup
    chain = f" and {counted(len(prepared.chain) - 1, 'hourly one')}" * (len(prepared.chain) > 1)
    rows = f"{counted(content.rows, 'row')} as of {last.finished_at}"
    lines = [f"{last.id}: all parts of {prepared.chain[0].id}{chain} are whole; {rows}"]
    if content.erased:
        lines.append(f"{counted(content.erased, 'row')} erased after it were erased again")
    for what, number in content.staging.left_out.items():
        lines.append(f"left out: {counted(number, 'row')} of {what}, which no migration makes")
    return lines


def require_room(filled: Filled, prepared: Prepared, name: str) -> int:
    """How many steps of this restore the database has behind it.

    Raises:
        FilledError: it holds rows of something else.
    """
    if filled.plan == prepared.content.plan:
        return filled.step
    if filled.plan is not None:
        raise FilledError(
            f"{name} is half filled by a restore of other content ({filled.plan}): "
            f"empty it with --overwrite {name}, or choose another name with --into"
        )
    fresh = _freshly_migrated()
    found = [name for name, rows in filled.rows.items() if rows > fresh.get(name, 0)]
    if found:
        rows = ", ".join(f"{counted(filled.rows[each], 'row')} in {each}" for each in found)
        raise FilledError(
            f"{name} is not empty ({rows}): choose another name with --into, "
            f"or delete what is in it with --overwrite {name}"
        )
    return 0


def _freshly_migrated() -> dict[str, int]:
    """The rows of a database to which nothing but the migrations was done."""
    fresh = open_staging(Path(":memory:"))
    fresh.migrate()
    return fresh.counts() | {"d1_migrations": len(fresh.applied)}


def fill(database: Target, prepared: Prepared, *, after: int) -> int:
    """Fills a database without tables, from a step on; returns how many rows were written.

    Raises:
        NoAnswerError: it refuses something; the same restore goes on there.
    """
    content = prepared.content
    written = 0
    with progress("writing", content.rows) as show:
        steps = write_steps(content.staging, content.plan, prepared.folder, after=after)
        for step in ahead(steps):
            try:
                load(database, step)
            except NoAnswerError as error:
                raise NoAnswerError(
                    f"{database.database} refused step {step.number}: {error}. "
                    "Run the same command again: it goes on there"
                ) from None
            written += step.rows
            show(written)
    return written


def verify(database: Target, prepared: Prepared) -> Sequence[str]:
    """What the database does not hold as the backup does; nothing if all is right.

    Raises:
        NoAnswerError: it does not answer.
    """
    staging = prepared.content.staging
    every = [Questions(table) for table in staging.tables.values()]
    found = differences(staging, Database(database), every)
    if not found:
        Database(database).ask(f"DROP TABLE IF EXISTS {LEDGER}")
    return [problem for problems in found.values() for problem in problems]
