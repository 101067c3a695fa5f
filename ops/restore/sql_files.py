"""Fills an empty database with an assembled backup, in SQL files that are steps of the restore.

A file is run completely or not at all, and records its number in the database: an interrupted
restore continues with the next one. wrangler and D1 take files of up to 5 GiB, but large ones have
failed at Cloudflare, and a file that fails is run from its beginning.
https://github.com/cloudflare/workers-sdk/issues/7554
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ops.cloudflare.database import Database, MissingSchemaError
from ops.cloudflare.new_database import READ_TABLES, execute_file_command
from ops.cloudflare.target import Target
from ops.restore.sql_text import Statement, insert_statements, literal
from ops.restore.staging_database import IDENTITY, SEQUENCE, StagingDatabase
from services.backup.tables import EXCLUDED_TABLES

MIN_FILE_CHARACTERS = 120_000_000
# What a Worker writes into a database that is lost, too: its rows may have come in the meantime.
LEDGERS_OF_THE_WORKER = ("failed_requests", "job_runs", "refused_requests")
LEDGER = "restore_steps"
REJECTED = ", which differed"
_CREATE_LEDGER = f"CREATE TABLE {LEDGER} (step INTEGER PRIMARY KEY, plan TEXT NOT NULL)"


@dataclass(frozen=True, slots=True)
class RestoreStep:
    """One SQL file of a restore, and how many rows it adds."""

    number: int
    file: Path
    rows: int


@dataclass(frozen=True, slots=True)
class DatabaseState:
    """What a database holds: its row counts, and the last step of which restore."""

    rows: dict[str, int]
    plan: str | None
    step: int


def read_state(database: Database) -> DatabaseState:
    """Read what a database holds.

    Raises:
        NoAnswerError: it does not answer.
    """
    [rows] = database.ask(READ_TABLES)
    names = sorted({row["name"] for row in rows})
    if not names:
        return DatabaseState({}, None, 0)
    counts = ", ".join(f'(SELECT count(*) FROM "{name}") AS "{name}"' for name in names)
    last = f"SELECT plan, step FROM {LEDGER} ORDER BY step DESC LIMIT 1"
    [counted], *ledger = database.ask(f"SELECT {counts}", *([last] if LEDGER in names else []))
    progress = ledger[0][0] if ledger and ledger[0] else {"plan": None, "step": 0}
    return DatabaseState({name: counted[name] for name in names if name != LEDGER}, **progress)


def write_steps(
    staging: StagingDatabase, plan: str, folder: Path, *, after: int
) -> Iterator[RestoreStep]:
    """Write the files of a restore and yield those after a step; the same rows, the same files."""
    statements = _sql_statements(staging)
    for number in itertools.count(1):
        step = _write_step(number, statements, plan, folder / f"step-{number}.sql")
        if step is None:
            return
        if number > after:
            yield step
        else:
            step.file.unlink()


def prefetched(steps: Iterator[RestoreStep]) -> Iterator[RestoreStep]:
    """Yield the same steps, while the next one is written in a thread."""
    with ThreadPoolExecutor(1) as pool:
        next_step = pool.submit(next, steps, None)
        while (step := next_step.result()) is not None:
            next_step = pool.submit(next, steps, None)
            yield step


def run_step(target: Target, step: RestoreStep) -> None:
    """Run one file, and delete it.

    Raises:
        NoAnswerError: the database refused the file and applied nothing of it.
    """
    execute_file_command(target, step.file).run()
    step.file.unlink()


def is_of_restore(database: Database, plan: str) -> bool:
    """Return whether a database was filled by this restore and has not got its identity yet.

    Raises:
        NoAnswerError: it does not answer.
    """
    try:
        [rows] = database.ask(f"SELECT DISTINCT plan FROM {LEDGER}")
    except MissingSchemaError:
        return False
    return [row["plan"] for row in rows] == [plan]


def reject(database: Database) -> None:
    """Note in a database that differs from its backup that the same restore must not go on there.

    Raises:
        NoAnswerError: it does not answer.
    """
    # Without the ledger there is no restore that could go on.
    with suppress(MissingSchemaError):
        database.ask(f"UPDATE {LEDGER} SET plan = plan || {literal(REJECTED)}")


def _sql_statements(staging: StagingDatabase) -> Iterator[Statement]:
    """Yield the statements that make the tables and their rows.

    Tables come before those that refer to them.
    """
    for statement in (_CREATE_LEDGER, *staging.schema()):
        yield Statement(statement, 0)
    last = (SEQUENCE, IDENTITY, *LEDGERS_OF_THE_WORKER)
    for name in [name for name in staging.tables if name not in last]:
        yield from insert_statements(staging, staging.tables[name])
    # After the rows, which come back as they were.
    for trigger in staging.triggers:
        yield Statement(trigger, 0)
    for name in [name for name in LEDGERS_OF_THE_WORKER if name in staging.tables]:
        yield Statement(f'DELETE FROM "{name}"', 0)
        yield from insert_statements(staging, staging.tables[name])
    # Last, because every inserted row changes it.
    for name in (SEQUENCE, *sorted(EXCLUDED_TABLES)):
        yield Statement(f'DELETE FROM "{name}"', 0)
    yield from insert_statements(staging, staging.tables[SEQUENCE])


def _write_step(
    number: int, statements: Iterator[Statement], plan: str, file: Path
) -> RestoreStep | None:
    """Write the next file; None if no statement remains."""
    rows = size = 0
    with file.open("w", encoding="utf-8") as sql:
        for statement in statements:
            size += sql.write(f"{statement.sql};\n")
            rows += statement.rows
            if size >= MIN_FILE_CHARACTERS:
                break
        sql.write(f"INSERT INTO {LEDGER} VALUES ({number}, {literal(plan)});\n")
    return RestoreStep(number, file, rows) if size else None
