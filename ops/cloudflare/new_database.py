"""A D1 database that no configuration names yet: made, migrated, filled, and deleted again."""

from __future__ import annotations

import json
import re
import uuid
from dataclasses import replace
from graphlib import TopologicalSorter
from pathlib import Path

from ops.cloudflare.database import Database
from ops.cloudflare.target import BINDING, Target
from ops.cloudflare.wrangler_command import Command
from ops.terminal.errors import NoAnswerError, WrongUsageError
from paths import ROOT

# Also those of a restore that was broken off. Cloudflare's own may not be looked into.
READ_TABLES = """
WITH ours AS MATERIALIZED (
  SELECT name FROM sqlite_master
  WHERE type = 'table' AND substr(name, 1, 7) <> 'sqlite_' AND substr(name, 1, 4) <> '_cf_'
)
SELECT ours.name, keys."table" AS parent
FROM ours LEFT JOIN pragma_foreign_key_list(ours.name) AS keys
"""
_NAME = re.compile("[a-z0-9][a-z0-9-]{0,62}")


def require_name(name: str) -> None:
    """Sees that a name can be a database's.

    Raises:
        WrongUsageError: it cannot.
    """
    if not _NAME.fullmatch(name):
        raise WrongUsageError(
            f"{name!r} cannot be a database's name: a to z, 0 to 9 and -, at most 63"
        )


def creating(live: Target, name: str) -> Command:
    """The command that makes a database at Cloudflare."""
    return Command(("d1", "create", name), live.config)


def listing(live: Target) -> Command:
    """The command that lists all databases of the account."""
    return Command(("d1", "list", "--json"), live.config)


def deleting(live: Target, name: str) -> Command:
    """The command that deletes one."""
    return Command(("d1", "delete", name, "--skip-confirmation"), live.config)


def find(live: Target, name: str, folder: Path) -> Target | None:
    """The database of this name beside the live one, or None.

    On this machine every name is a database, empty until something is written.

    Raises:
        NoAnswerError: Cloudflare does not answer.
    """
    if live.environment is None:
        same = name == live.database
        database_id = live.database_id if same else str(uuid.uuid5(uuid.NAMESPACE_URL, name))
        return named(live, name, folder, database_id)
    known = {each["name"]: each["uuid"] for each in listing(live).read_json()}
    return named(live, name, folder, known[name]) if name in known else None


def create(live: Target, name: str, folder: Path) -> Target:
    """Makes a database.

    Raises:
        NoAnswerError: Cloudflare does not answer, or refuses.
    """
    if live.environment:
        creating(live, name).run()
    made = find(live, name, folder)
    if made is None:
        raise NoAnswerError(f"{name} was made, and is not there: try again in a minute")
    return made


def delete(database: Target) -> None:
    """Deletes a database for good; on this machine, where that cannot be said, empties it.

    Raises:
        NoAnswerError: Cloudflare does not answer, or refuses.
    """
    if database.environment:
        deleting(database, database.database).run()
    else:
        empty(Database(database))


def empty(database: Database) -> None:
    """Drops every table, those first that refer to others.

    Raises:
        NoAnswerError: the database does not answer.
    """
    [rows] = database.ask(READ_TABLES)
    parents: dict[str, set[str]] = {row["name"]: set() for row in rows}
    for row in rows:
        if row["parent"] in parents.keys() - {row["name"]}:
            parents[row["name"]].add(row["parent"])
    order = [*TopologicalSorter(parents).static_order()][::-1]
    if order:
        database.ask(*(f'DROP TABLE "{name}"' for name in order))


def executing(database: Target, file: Path) -> Command:
    """The command that runs a file of SQL, whole or not at all."""
    words = ("d1", "execute", *database.arguments(), "--yes", "--json", "--file", str(file))
    return Command(words, database.config)


def named(live: Target, name: str, folder: Path, database_id: str = "") -> Target:
    """A target with a configuration of its own; the id may not be known yet."""
    config = folder / f"{name}.json"
    binding = {
        "binding": BINDING,
        "database_name": name,
        "database_id": database_id,
        "migrations_dir": str(ROOT / "migrations"),
    }
    settings = {"name": "ppp", "compatibility_date": "2026-11-01", "d1_databases": [binding]}
    config.write_text(json.dumps(settings), encoding="utf-8")
    return replace(live, database=name, database_id=database_id, own_config=config)
