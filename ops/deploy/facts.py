"""What is to be known before a deployment, each asked for once, when it is needed."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from local_config import prepare_local_config
from ops.backup.index import Backup, BackupContents, newest_verified, read_contents, read_index
from ops.cloudflare.bucket import Bucket
from ops.cloudflare.database import Database
from ops.cloudflare.target import Target
from ops.cloudflare.versions import current_deployment
from ops.cloudflare.worker_commands import Commands
from ops.deploy.database_checks import MAIN_TABLES, Schema
from ops.deploy.deployment_log import Entry, read_log
from ops.terminal.errors import OpsError
from paths import ROOT
from pyodide_bundle import BundleError
from startup_check import StartupError, bundle_worker, check_startup
from wrangler import WranglerError

TABLES = "SELECT name FROM sqlite_master WHERE type = 'table'"
APPLIED = "SELECT name FROM d1_migrations ORDER BY name"
HIGHEST_EVENT = "SELECT seq FROM sqlite_sequence WHERE name = 'tracking_events'"
RECORD = "d1_migrations"
DEV_VARS = ROOT / ".dev.vars"
# SQLite's and Cloudflare's own.
FOREIGN = ("sqlite_", "_cf_", "d1_")


@dataclass
class Facts:
    """Everything about one target. What cannot be had raises OpsError each time it is asked for."""

    target: Target
    folder: Path

    @cached_property
    def databases(self) -> Sequence[Mapping[str, Any]]:
        """The D1 databases of the account."""
        listed: Sequence[Mapping[str, Any]] = Commands(self.target).list_databases().read_json()
        return listed

    @cached_property
    def all_tables(self) -> Collection[str]:
        """The names of all tables, whoever made them."""
        [rows] = Database(self.target).ask(TABLES)
        return {row["name"] for row in rows}

    @cached_property
    def schema(self) -> Schema:
        """The product's tables and the record of migrations."""
        ours = {name for name in self.all_tables if not name.startswith(FOREIGN)}
        applied, _ = self._contents
        return Schema(ours, applied)

    @cached_property
    def held(self) -> BackupContents:
        """What the database holds now."""
        _, held = self._contents
        return held

    @cached_property
    def _contents(self) -> tuple[Sequence[str] | None, BackupContents]:
        if RECORD not in self.all_tables:
            return None, read_rows(self.target, self.all_tables)
        applied, *counted = Database(self.target).ask(APPLIED, *_counting(self.all_tables))
        return [row["name"] for row in applied], _held(counted)

    @cached_property
    def migrations(self) -> Sequence[str]:
        """The files of this checkout."""
        return sorted(file.name for file in (ROOT / "migrations").glob("*.sql"))

    @cached_property
    def backups(self) -> Sequence[Backup] | None:
        """All backups, the newest first."""
        return read_index(Bucket(self.target).read_json)

    @cached_property
    def last_backup(self) -> Backup | None:
        """The newest one that was verified."""
        return newest_verified(self.backups)

    @cached_property
    def backed_up(self) -> BackupContents | None:
        """What the database held at the last backup."""
        last = self.last_backup
        return read_contents(Bucket(self.target).read_json, last) if last else None

    @cached_property
    def last_deployment(self) -> Entry | None:
        """The newest deployment of the log, whatever came of it: it saw the database."""
        log = read_log(Bucket(self.target))
        return next((each for each in reversed(log) if each["kind"] == "deployment"), None)

    @cached_property
    def deployment(self) -> Mapping[str, Any] | None:
        """Which versions have the traffic; None where no Worker is there yet."""
        return current_deployment(Commands(self.target))

    @cached_property
    def secrets(self) -> Collection[str] | None:
        """The names of the secrets; None where this machine has no .dev.vars."""
        if self.target.environment:
            return {each["name"] for each in Commands(self.target).list_secrets().read_json()}
        if not DEV_VARS.exists():
            return None
        lines = DEV_VARS.read_text(encoding="utf-8").splitlines()
        return {line.partition("=")[0].strip() for line in lines if "=" in line}

    @cached_property
    def bundle(self) -> Path:
        """The folder with the Worker as it would be uploaded."""
        try:
            prepare_local_config()
            bundle_worker(self.folder, self.target.environment)
        except (BundleError, WranglerError) as error:
            raise OpsError(" ".join(str(error).split())) from None
        return self.folder

    @cached_property
    def snapshot_bytes(self) -> int:
        """The size of the snapshot from which the Worker started."""
        try:
            return check_startup(self.bundle)
        except StartupError as error:
            raise OpsError(" ".join(str(error).split())) from None


def read_rows(
    target: Target, tables: Collection[str] = (*MAIN_TABLES, "sqlite_sequence")
) -> BackupContents:
    """Counts the rows of the main tables, as far as they are there."""
    counting = _counting(tables)
    return _held(Database(target).ask(*counting)) if counting else BackupContents({}, 0)


def _counting(tables: Collection[str]) -> Sequence[str]:
    present = [name for name in MAIN_TABLES if name in tables]
    if not present:
        return ()
    rows = " UNION ALL ".join(
        f"SELECT '{name}' AS name, count(*) AS number FROM {name}" for name in present
    )
    # It exists as soon as a table counts its ids.
    return (rows, HIGHEST_EVENT) if "sqlite_sequence" in tables else (rows,)


def _held(counted: Sequence[Sequence[Mapping[str, Any]]]) -> BackupContents:
    rows = {row["name"]: row["number"] for row in counted[0]} if counted else {}
    highest = counted[1][0]["seq"] if len(counted) > 1 and counted[1] else 0
    return BackupContents(rows, highest)
