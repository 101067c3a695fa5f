"""A chain of backups, checked and put together on this machine before anything is written.

Every part is compared with its manifest, every table with the number of rows that it had; what was
erased for somebody after the backup is erased from it again, as the newest migration has it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ops.backup.backup_chain import BrokenBackupError
from ops.backup.manifests import Manifest, Part
from ops.restore.erase_again import Erasure, deletions, recounts
from ops.restore.staging_database import Staging
from ops.terminal.output import counted
from services.backup.tables import LEFT_OUT
from services.core.ndjson_parts import DamagedPartError, unpack

Tick = Callable[[], object]


@dataclass(frozen=True, slots=True)
class PutTogether:
    """What a database is to hold. `plan` is another one if any of it is."""

    staging: Staging
    plan: str
    rows: int
    erased: int


def parts_needed(chain: Sequence[Manifest]) -> Sequence[Part]:
    """The parts that make up the last backup; of whole tables, its own ones."""
    return [
        part
        for manifest in chain
        for part in manifest.parts
        if part.kind != "whole" or manifest is chain[-1]
    ]


def put_together(
    chain: Sequence[Manifest],
    files: Mapping[str, Path | None],
    erasures: Sequence[Erasure],
    staging: Staging,
    tick: Tick,
) -> PutTogether:
    """Checks the files of a chain's parts and writes them; `tick` is called once for each.

    Raises:
        BrokenBackupError: something of it is missing or damaged; all of that is named.
        UnknownSchemaError: the migrations at hand cannot make its schema.
    """
    problems = [*_staged(staging, chain, files, tick)] or [*_miscounted(staging, chain[-1])]
    if problems:
        raise BrokenBackupError("; ".join(problems))
    _modernise(staging)
    erased = sum(staging.run(each.sql, each.said) for each in deletions(erasures))
    for each in recounts(erasures):
        staging.run(each.sql, each.said)
    if orphans := staging.orphans():
        found = ", ".join(f"{number:,} {what}" for what, number in orphans.items())
        raise BrokenBackupError(f"backup {chain[-1].id} does not fit together: {found}")
    plan = _plan(chain, erasures, staging)
    return PutTogether(staging, plan, sum(staging.counts().values()), erased)


def _staged(
    staging: Staging, chain: Sequence[Manifest], files: Mapping[str, Path | None], tick: Tick
) -> Iterator[str]:
    """Writes the parts in their order; what is wrong with any of them."""
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
                _put(staging, part, files[part.key], deleted)
            except (DamagedPartError, UnicodeEncodeError, ValueError) as error:
                yield str(error)
            tick()
    for table, keys in deleted.items():
        staging.delete(table, keys)


def _whole_tables(staging: Staging, chain: Sequence[Manifest]) -> Sequence[str]:
    changing = {part.table for each in chain for part in each.parts if part.kind != "whole"}
    return [name for name in staging.tables if name not in changing]


def _put(staging: Staging, part: Part, file: Path | None, deleted: dict[str, set[str]]) -> None:
    lines = unpack(part.key, file.read_bytes() if file else None, part.rows, part.sha256)
    if part.kind != "deleted":
        staging.put(part.table, lines)
        return
    for line in lines:
        said = json.loads(line)
        deleted.setdefault(said["table"], set()).add(said["key"])


def _miscounted(staging: Staging, last: Manifest) -> Iterator[str]:
    counts = staging.counts()
    for table, total in last.totals.items():
        found = counts.get(table)
        if found is not None and found != total and table not in LEFT_OUT:
            yield (
                f"{table} would have {counted(found, 'row')}, and had {total:,}"
                f" when backup {last.id} was made"
            )


def _modernise(staging: Staging) -> None:
    """Brings the schema up to date, and says so where wrangler looks."""
    staging.migrate()
    staging.database.executemany(
        "INSERT INTO d1_migrations (name) SELECT ?1"
        " WHERE NOT EXISTS (SELECT 1 FROM d1_migrations WHERE name = ?1)",
        [(name,) for name in staging.applied],
    )


def _plan(chain: Sequence[Manifest], erasures: Sequence[Erasure], staging: Staging) -> str:
    said: list[Any] = [part.sha256 for part in parts_needed(chain)]
    said += [asdict(erasure) for erasure in erasures] + staging.applied
    digest = hashlib.sha256(json.dumps(said).encode()).hexdigest()
    return f"{chain[-1].id} {digest[:16]}"
