"""Assembles a chain of backups in SQLite and checks it before anything is written.

Every part is compared with its manifest, and every table with its row count in the manifest. The
newest migrations are applied, erasures from after the backup are repeated, and leases are ended.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ops.backup.backup_chain import BrokenBackupError
from ops.backup.manifests import BackupPart, Manifest
from ops.restore.erase_again import Erasure, deletions, erasures_in, recounts
from ops.restore.staging_database import IDENTITY, StagingDatabase
from ops.terminal.output import counted
from services.backup.tables import EXCLUDED_TABLES
from services.core.ndjson_parts import DamagedPartError, unpack

OnPart = Callable[[], object]
# Who was at work when the backup was made will not go on: the next run need not wait for it.
_END_LEASES = "UPDATE job_runs SET lease_until = started_at WHERE finished_at IS NULL"


@dataclass(frozen=True, slots=True)
class AssembledBackup:
    """The rows that a database is to hold. `plan` identifies exactly this content."""

    staging: StagingDatabase
    plan: str
    rows: int
    erased: int

    @property
    def row_summary(self) -> str:
        """The number of rows, and of those that the backup has and that were erased since."""
        rows = counted(self.rows, "row")
        return f"{rows}, without {self.erased:,} that were erased since" if self.erased else rows


def required_parts(chain: Sequence[Manifest]) -> Sequence[BackupPart]:
    """List the parts that make up the last backup; those of whole tables are its own."""
    return [
        part
        for manifest in chain
        for part in manifest.parts
        if part.kind != "whole" or manifest is chain[-1]
    ]


def assemble(
    chain: Sequence[Manifest],
    files: Mapping[str, Path | None],
    erasures: Sequence[Erasure],
    staging: StagingDatabase,
    on_part: OnPart,
) -> AssembledBackup:
    """Check the files of a chain's parts and write their rows; `on_part` is called for each part.

    Raises:
        BrokenBackupError: parts are missing or damaged; the message names all of them.
        UnknownSchemaError: the migrations of this checkout cannot make its schema.
    """
    problems = [*_stage_parts(staging, chain, files, on_part)] or [
        *_row_count_problems(staging, chain[-1])
    ]
    if problems:
        raise BrokenBackupError("; ".join(problems))
    erasures = erasures_in(_database_id(staging), erasures)
    _migrate_to_newest(staging)
    erased = sum(
        staging.run(statement.sql, statement.parameter) for statement in deletions(erasures)
    )
    for statement in recounts(erasures):
        staging.run(statement.sql, statement.parameter)
    staging.database.execute(_END_LEASES)
    if orphans := staging.orphans():
        description = ", ".join(f"{count:,} {relation}" for relation, count in orphans.items())
        raise BrokenBackupError(f"backup {chain[-1].id} does not fit together: {description}")
    plan = _content_id(chain, erasures, staging)
    return AssembledBackup(staging, plan, sum(staging.row_counts().values()), erased)


def _stage_parts(
    staging: StagingDatabase,
    chain: Sequence[Manifest],
    files: Mapping[str, Path | None],
    on_part: OnPart,
) -> Iterator[str]:
    """Write the parts in their order, and yield what is wrong with any of them."""
    deleted: dict[str, set[str]] = {}
    for manifest in chain:
        staging.migrate(manifest.migration)
        is_last = manifest is chain[-1]
        if manifest is chain[0]:
            staging.clear(*staging.tables)
        if is_last:
            staging.clear(*_whole_tables(staging, chain))
        for part in manifest.parts:
            if part.key not in files:
                continue
            try:
                _stage_part(staging, part, files[part.key], deleted)
            except (DamagedPartError, UnicodeEncodeError, ValueError) as error:
                yield str(error)
            on_part()
    for table, keys in deleted.items():
        staging.delete(table, keys)


def _whole_tables(staging: StagingDatabase, chain: Sequence[Manifest]) -> Sequence[str]:
    parts = (part for manifest in chain for part in manifest.parts)
    incremental = {part.table for part in parts if part.kind != "whole"}
    return [name for name in staging.tables if name not in incremental]


def _stage_part(
    staging: StagingDatabase, part: BackupPart, file: Path | None, deleted: dict[str, set[str]]
) -> None:
    lines = unpack(part.key, file.read_bytes() if file else None, part.rows, part.sha256)
    if part.kind != "deleted":
        staging.insert(part.table, lines)
        return
    for line in lines:
        row = json.loads(line)
        deleted.setdefault(row["table"], set()).add(row["key"])


def _database_id(staging: StagingDatabase) -> str | None:
    """Return which database was backed up; None of a backup that is older than identities."""
    if IDENTITY not in staging.tables:
        return None
    row = staging.database.execute(f"SELECT id FROM {IDENTITY}").fetchone()
    return str(row[0]) if row else None


def _row_count_problems(staging: StagingDatabase, last: Manifest) -> Iterator[str]:
    counts = staging.row_counts()
    for table, total in last.totals.items():
        count = counts.get(table)
        if count is not None and count != total and table not in EXCLUDED_TABLES:
            yield (
                f"{table} would have {counted(count, 'row')}, and had {total:,}"
                f" when backup {last.id} was made"
            )


def _migrate_to_newest(staging: StagingDatabase) -> None:
    """Apply all migrations, and record them where wrangler looks."""
    staging.migrate()
    staging.database.executemany(
        "INSERT INTO d1_migrations (name) SELECT ?1"
        " WHERE NOT EXISTS (SELECT 1 FROM d1_migrations WHERE name = ?1)",
        [(name,) for name in staging.applied],
    )


def _content_id(
    chain: Sequence[Manifest], erasures: Sequence[Erasure], staging: StagingDatabase
) -> str:
    fingerprint: list[Any] = [part.sha256 for part in required_parts(chain)]
    fingerprint += [asdict(erasure) for erasure in erasures] + staging.applied
    digest = hashlib.sha256(json.dumps(fingerprint).encode()).hexdigest()
    return f"{chain[-1].id} {digest[:16]}"
