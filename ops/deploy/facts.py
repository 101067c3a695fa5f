"""What the checks before a deployment read, each fact once and only when it is needed."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx

from local_config import prepare_local_config
from ops.backup.high_water import read_database_contents, read_mark
from ops.backup.index import (
    Backup,
    BackupContents,
    newest_verified,
    read_backup_contents,
    read_index,
)
from ops.cloudflare.bucket import Bucket
from ops.cloudflare.database import Database
from ops.cloudflare.target import Target
from ops.cloudflare.versions import (
    bound_database,
    current_deployment,
    plain_variables,
    sole_version,
)
from ops.cloudflare.worker_commands import WorkerCommands
from ops.deploy.database_checks import MAIN_TABLES, Schema
from ops.deploy.deployment_log import DeploymentEntry, read_log
from ops.deploy.job_forecast import TABLES as FORECAST_TABLES
from ops.deploy.job_forecast import JobForecast, forecast_jobs
from ops.deploy.project_checks import TABLES as PROJECT_TABLES
from ops.deploy.project_checks import ProjectRows, read_project_rows
from ops.deploy.readiness_checks import SECRETS
from ops.terminal.errors import OpsError
from ops.worker_api.worker import choose_worker
from paths import ROOT
from pyodide_bundle import BundleError
from services.loss.contents import DatabaseContents
from services.loss.high_water_mark import HighWaterMark
from services.loss.schema import READ_TABLES
from startup_check import StartupError, bundle_worker, check_startup
from worker_source import SourceError
from wrangler import WranglerError

READ_APPLIED_MIGRATIONS = "SELECT name FROM d1_migrations ORDER BY name"
READ_HIGHEST_EVENT = "SELECT seq FROM sqlite_sequence WHERE name = 'tracking_events'"
MIGRATIONS_TABLE = "d1_migrations"
HEALTH_SECONDS = 30
DEV_VARS = ROOT / ".dev.vars"
# Tables of SQLite and Cloudflare.
INTERNAL_PREFIXES = ("sqlite_", "_cf_", "d1_")


@dataclass
class DeploymentFacts:
    """The facts of one target. One that cannot be read raises OpsError at every access."""

    target: Target
    folder: Path

    @cached_property
    def databases(self) -> Sequence[Mapping[str, Any]]:
        """The D1 databases of the account."""
        databases: Sequence[Mapping[str, Any]] = (
            WorkerCommands(self.target).list_databases().read_json()
        )
        return databases

    @cached_property
    def all_tables(self) -> set[str]:
        """The names of all tables, those of SQLite and Cloudflare included."""
        return _read_all_tables(self.target)

    @cached_property
    def schema(self) -> Schema:
        """The tables of the product and the applied migrations."""
        tables = _own_tables(self.all_tables)
        applied, _ = self._migrations_and_counts
        return Schema(tables, applied)

    @cached_property
    def contents(self) -> BackupContents:
        """The rows of the main tables and the highest event id, now."""
        _, contents = self._migrations_and_counts
        return contents

    @cached_property
    def _migrations_and_counts(self) -> tuple[Sequence[str] | None, BackupContents]:
        if MIGRATIONS_TABLE not in self.all_tables:
            return None, read_rows(self.target, self.all_tables)
        applied, *counts = Database(self.target).ask(
            READ_APPLIED_MIGRATIONS, *_count_statements(self.all_tables)
        )
        return [row["name"] for row in applied], _read_counts(counts)

    @cached_property
    def mark(self) -> HighWaterMark | None:
        """The most that the database ever held."""
        return read_mark(self.target)

    @cached_property
    def database_contents(self) -> DatabaseContents:
        """The identity of the database, and how much it holds."""
        return read_database_contents(self.target)

    @cached_property
    def is_switched(self) -> bool:
        """Whether the Worker that runs uses another database: this one was restored into."""
        version = sole_version(self.deployment) if self.target.environment else None
        used = bound_database(WorkerCommands(self.target), version) if version else None
        if used:
            return used != self.target.database_id
        last = self.last_deployment
        return last is not None and last["database_id"] != self.target.database_id

    @cached_property
    def migrations(self) -> Sequence[str]:
        """The file names of this checkout's migrations."""
        return sorted(file.name for file in (ROOT / "migrations").glob("*.sql"))

    @cached_property
    def backups(self) -> Sequence[Backup] | None:
        """All backups, the newest first."""
        return read_index(Bucket(self.target).read_json)

    @cached_property
    def last_backup(self) -> Backup | None:
        """The newest verified backup."""
        return newest_verified(self.backups)

    @cached_property
    def contents_at_backup(self) -> BackupContents | None:
        """The rows and the highest event id at the last backup."""
        last = self.last_backup
        return read_backup_contents(Bucket(self.target).read_json, last) if last else None

    @cached_property
    def last_deployment(self) -> DeploymentEntry | None:
        """The newest deployment of the log, failed ones included: each counted the rows."""
        log = read_log(Bucket(self.target))
        return next((entry for entry in reversed(log) if entry["kind"] == "deployment"), None)

    @cached_property
    def job_forecasts(self) -> Sequence[JobForecast]:
        """The rows that the jobs of the next day would delete or move."""
        if not self.all_tables.issuperset(FORECAST_TABLES):
            return ()
        return forecast_jobs(self.target)

    @cached_property
    def project_rows(self) -> ProjectRows:
        """The projects and pixels; none in a database without their tables."""
        if not self.all_tables.issuperset(PROJECT_TABLES):
            return ProjectRows()
        return read_project_rows(self.target)

    @cached_property
    def deployment(self) -> Mapping[str, Any] | None:
        """The versions that have the traffic; None if the Worker was never deployed."""
        return current_deployment(WorkerCommands(self.target))

    @cached_property
    def plain_variables(self) -> Sequence[str]:
        """The names of the vars of the version that serves that are no secrets."""
        version = sole_version(self.deployment) if self.target.environment else None
        return plain_variables(WorkerCommands(self.target), version) if version else ()

    @cached_property
    def is_over_another_worker(self) -> bool:
        """Whether what serves tells no version of its own, as the JavaScript Worker."""
        environment = self.target.environment
        if environment is None:
            return False
        url = choose_worker(environment, None, local=False).url
        try:
            health = httpx.get(f"{url}/health", timeout=HEALTH_SECONDS).json()
        except (httpx.HTTPError, ValueError):
            return False
        return isinstance(health, dict) and health.get("worker_version") is None

    @cached_property
    def secrets(self) -> Collection[str] | None:
        """The names of production's secrets, or of all settings in .dev.vars; None without it.

        Raises:
            NoAnswerError: wrangler failed.
        """
        if self.target.environment:
            return {
                secret["name"] for secret in WorkerCommands(self.target).list_secrets().read_json()
            }
        if not DEV_VARS.exists():
            return None
        lines = DEV_VARS.read_text(encoding="utf-8").splitlines()
        return {line.partition("=")[0].strip() for line in lines if "=" in line}

    @cached_property
    def settings(self) -> Mapping[str, str]:
        """The vars of wrangler.toml, and the secrets of .dev.vars or of this shell.

        Cloudflare shows no secret, so one that is set only there is not checked.
        """
        variables = {name: str(value) for name, value in self.target.settings["vars"].items()}
        if self.target.environment:
            return variables | {name: os.environ[name] for name in SECRETS if name in os.environ}
        lines = DEV_VARS.read_text(encoding="utf-8").splitlines() if DEV_VARS.exists() else []
        pairs = (line.partition("=") for line in lines if "=" in line and line[0] != "#")
        return variables | {name.strip(): text.strip().strip("'\"") for name, _, text in pairs}

    @cached_property
    def bundle(self) -> Path:
        """The folder with the files of the Worker that would be uploaded."""
        try:
            prepare_local_config()
            bundle_worker(self.folder, self.target.environment)
        except (BundleError, SourceError, WranglerError) as error:
            raise OpsError(" ".join(str(error).split())) from None
        return self.folder

    @cached_property
    def snapshot_bytes(self) -> int:
        """The size of the memory snapshot from which the Worker started."""
        try:
            return check_startup(self.bundle)
        except StartupError as error:
            raise OpsError(" ".join(str(error).split())) from None


def read_tables(target: Target) -> Collection[str]:
    """Read the names of the product's tables, which a new database does not have yet."""
    return _own_tables(_read_all_tables(target))


def _read_all_tables(target: Target) -> set[str]:
    [rows] = Database(target).ask(READ_TABLES)
    return {row["name"] for row in rows}


def _own_tables(names: Collection[str]) -> set[str]:
    return {name for name in names if not name.startswith(INTERNAL_PREFIXES)}


def read_rows(
    target: Target, tables: Collection[str] = (*MAIN_TABLES, "sqlite_sequence")
) -> BackupContents:
    """Count the rows of the main tables that exist."""
    statements = _count_statements(tables)
    return _read_counts(Database(target).ask(*statements)) if statements else BackupContents({}, 0)


def _count_statements(tables: Collection[str]) -> Sequence[str]:
    present = [name for name in MAIN_TABLES if name in tables]
    if not present:
        return ()
    rows = " UNION ALL ".join(
        f"SELECT '{name}' AS name, count(*) AS number FROM {name}" for name in present
    )
    # SQLite creates the table with the first AUTOINCREMENT.
    return (rows, READ_HIGHEST_EVENT) if "sqlite_sequence" in tables else (rows,)


def _read_counts(counts: Sequence[Sequence[Mapping[str, Any]]]) -> BackupContents:
    rows = {row["name"]: row["number"] for row in counts[0]} if counts else {}
    highest = counts[1][0]["seq"] if len(counts) > 1 and counts[1] else 0
    return BackupContents(rows, highest)
