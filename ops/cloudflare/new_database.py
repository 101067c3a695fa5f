"""D1 databases that wrangler.toml does not name: create, find, fill, delete."""

from __future__ import annotations

import json
import re
import uuid
from dataclasses import replace
from graphlib import TopologicalSorter
from pathlib import Path

from ops.cloudflare.database import Database
from ops.cloudflare.target import BINDING, Target
from ops.cloudflare.wrangler_command import WranglerCommand
from ops.terminal.errors import NoAnswerError, WrongUsageError
from paths import ROOT

# Includes tables of an interrupted restore. D1 refuses access to the tables of Cloudflare.
READ_TABLES = """
WITH ours AS MATERIALIZED (
  SELECT name FROM sqlite_master
  WHERE type = 'table' AND substr(name, 1, 7) <> 'sqlite_' AND substr(name, 1, 4) <> '_cf_'
)
SELECT ours.name, keys."table" AS parent
FROM ours LEFT JOIN pragma_foreign_key_list(ours.name) AS keys
"""
# Without it a database counts as lost, in whatever state it is left.
_FIRST = "database_identity"
_NAME = re.compile("[a-z0-9][a-z0-9-]{0,62}")


def require_name(name: str) -> None:
    """Check that a name is a valid database name.

    Raises:
        WrongUsageError: it is not.
    """
    if not _NAME.fullmatch(name):
        raise WrongUsageError(
            f"{name!r} cannot be a database's name: a to z, 0 to 9 and -, at most 63"
        )


def create_command(live: Target, name: str) -> WranglerCommand:
    """Return the command that creates a database at Cloudflare."""
    return WranglerCommand(("d1", "create", name), live.config)


def list_command(live: Target) -> WranglerCommand:
    """Return the command that lists all databases of the account."""
    return WranglerCommand(("d1", "list", "--json"), live.config)


def delete_command(live: Target, name: str) -> WranglerCommand:
    """Return the command that deletes a database."""
    return WranglerCommand(("d1", "delete", name, "--skip-confirmation"), live.config)


def find(live: Target, name: str, folder: Path) -> Target | None:
    """Return the database of a name beside the live one, or None.

    On this machine every name is a database, empty until it is written to.

    Raises:
        NoAnswerError: Cloudflare does not answer.
    """
    if live.environment is None:
        is_live = name == live.database
        database_id = live.database_id if is_live else str(uuid.uuid5(uuid.NAMESPACE_URL, name))
        return named_target(live, name, folder, database_id)
    ids = {row["name"]: row["uuid"] for row in list_command(live).read_json()}
    return named_target(live, name, folder, ids[name]) if name in ids else None


def create(live: Target, name: str, folder: Path) -> Target:
    """Create a database.

    Raises:
        NoAnswerError: Cloudflare does not answer, or refuses.
    """
    if live.environment:
        create_command(live, name).run()
    database = find(live, name, folder)
    if database is None:
        raise NoAnswerError(f"{name} was made, and is not there: try again in a minute")
    return database


def delete(database: Target) -> None:
    """Delete a database for good; on this machine, where wrangler cannot, empty it.

    Raises:
        NoAnswerError: Cloudflare does not answer, or refuses.
    """
    if database.environment:
        delete_command(database, database.database).run()
    else:
        drop_all_tables(Database(database))


def drop_all_tables(database: Database) -> None:
    """Drop every table, referring tables before the tables they refer to.

    Raises:
        NoAnswerError: the database does not answer.
    """
    [rows] = database.ask(READ_TABLES)
    parents: dict[str, set[str]] = {row["name"]: set() for row in rows}
    for row in rows:
        if row["parent"] in parents.keys() - {row["name"]}:
            parents[row["name"]].add(row["parent"])
    order = [*TopologicalSorter(parents).static_order()][::-1]
    order.sort(key=lambda name: name != _FIRST)
    if order:
        database.ask(*(f'DROP TABLE "{name}"' for name in order))


def execute_file_command(database: Target, file: Path) -> WranglerCommand:
    """Return the command that runs a file of SQL, all of it or nothing."""
    arguments = ("d1", "execute", *database.arguments(), "--yes", "--json", "--file", str(file))
    return WranglerCommand(arguments, database.config)


def named_target(live: Target, name: str, folder: Path, database_id: str = "") -> Target:
    """Return a target with its own configuration file; the id may be unknown yet."""
    config = folder / f"{name}.json"
    binding = {
        "binding": BINDING,
        "database_name": name,
        "database_id": database_id,
        "migrations_dir": str(ROOT / "migrations"),
    }
    settings = {"name": "ppp", "compatibility_date": "2026-11-01", "d1_databases": [binding]}
    config.write_text(json.dumps(settings), encoding="utf-8")
    return replace(live, database=name, database_id=database_id, own_config=config, remark="")
