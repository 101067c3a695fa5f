"""Fills an empty database with what was put together, file by file, so that it can go on later.

Each file is run whole or not at all, and notes in the database that it was: a restore that was
broken off goes on with the next one. wrangler and D1 take files of up to 5 GiB, but large ones have
failed at Cloudflare, and one that fails begins anew.
https://github.com/cloudflare/workers-sdk/issues/7554
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from ops.cloudflare.database import Database
from ops.cloudflare.new_database import READ_TABLES, executing
from ops.cloudflare.target import Target
from ops.restore.sql_text import literal, statements
from ops.restore.staging_database import SEQUENCE, Staging
from services.backup.tables import LEFT_OUT

FILE_CHARACTERS = 120_000_000
LEDGER = "restore_steps"
_MAKE_LEDGER = f"CREATE TABLE {LEDGER} (step INTEGER PRIMARY KEY, plan TEXT NOT NULL)"


@dataclass(frozen=True, slots=True)
class Step:
    """One file, and how many rows it adds."""

    number: int
    file: Path
    rows: int


@dataclass(frozen=True, slots=True)
class Filled:
    """What a database holds: rows by table, and how far which restore came."""

    rows: dict[str, int]
    plan: str | None
    step: int


def look_into(database: Database) -> Filled:
    """What the database holds now.

    Raises:
        NoAnswerError: it does not answer.
    """
    [rows] = database.ask(READ_TABLES)
    names = sorted({row["name"] for row in rows})
    if not names:
        return Filled({}, None, 0)
    counts = ", ".join(f'(SELECT count(*) FROM "{name}") AS "{name}"' for name in names)
    last = f"SELECT plan, step FROM {LEDGER} ORDER BY step DESC LIMIT 1"
    [counted], *ledger = database.ask(f"SELECT {counts}", *([last] if LEDGER in names else []))
    begun = ledger[0][0] if ledger and ledger[0] else {"plan": None, "step": 0}
    return Filled({name: counted[name] for name in names if name != LEDGER}, **begun)


def write_steps(staging: Staging, plan: str, folder: Path, *, after: int) -> Iterator[Step]:
    """The files of a restore after a step, in their order. The same rows are the same files."""
    texts = _texts(staging)
    for number in itertools.count(1):
        step = _written(number, texts, plan, folder / f"step-{number}.sql")
        if step is None:
            return
        if number > after:
            yield step
        else:
            step.file.unlink()


def ahead(steps: Iterator[Step]) -> Iterator[Step]:
    """The same steps; while one is used the next one is written."""
    with ThreadPoolExecutor(1) as pool:
        following = pool.submit(next, steps, None)
        while (step := following.result()) is not None:
            following = pool.submit(next, steps, None)
            yield step


def load(target: Target, step: Step) -> None:
    """Runs one file.

    Raises:
        NoAnswerError: the database refuses it; nothing of it is there then.
    """
    executing(target, step.file).run()
    step.file.unlink()


def _texts(staging: Staging) -> Iterator[tuple[str, int]]:
    """What makes all tables and their rows, those first that others refer to."""
    for statement in (_MAKE_LEDGER, *staging.schema()):
        yield statement, 0
    for name in [name for name in staging.tables if name != SEQUENCE]:
        for added in statements(staging, staging.tables[name]):
            yield added.sql, added.rows
    # Last, because SQLite writes it with every row.
    for name in (SEQUENCE, *sorted(LEFT_OUT)):
        yield f'DELETE FROM "{name}"', 0
    for added in statements(staging, staging.tables[SEQUENCE]):
        yield added.sql, added.rows


def _written(number: int, texts: Iterator[tuple[str, int]], plan: str, file: Path) -> Step | None:
    """The next file, or None if nothing is left."""
    rows = size = 0
    with file.open("w", encoding="utf-8") as sql:
        for text, added in texts:
            size, rows = size + sql.write(f"{text};\n"), rows + added
            if size >= FILE_CHARACTERS:
                break
        sql.write(f"INSERT INTO {LEDGER} VALUES ({number}, {literal(plan)});\n")
    return Step(number, file, rows) if size else None
