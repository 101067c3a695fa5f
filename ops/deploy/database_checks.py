"""Checks before a deployment: is it the right database, and is it complete.

This product once lost its database: it had been deleted, created again and deployed over. So a
database is trusted only if the records outside of it agree: the backups and the log of deployments,
both in R2.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from ops.backup.index import Backup, BackupContents
from ops.deploy.check_result import CheckResult, failed, passed
from ops.deploy.deployment_log import DeploymentEntry
from ops.terminal.output import counted
from services.core.stored_time import parse_iso
from services.loss.contents import DatabaseContents
from services.loss.high_water_mark import HighWaterMark
from services.loss.judgement import judge_loss

EMPTIED_DATABASE_HELP = "docs/runbook.md#the-database-is-empty-or-another-one"
LOST_MIGRATIONS_HELP = "docs/runbook.md#the-record-of-migrations-is-lost"
# Younger than those behind them, and made so that they may run after them.
LATE_MIGRATIONS = ("0017_turn_blobs_into_text.sql", "0026_count_the_last_of_a_name.sql")
MAIN_TABLES = ("projects", "pixels", "visitors", "sessions", "tracking_events")


@dataclass(frozen=True, slots=True)
class ConfiguredDatabase:
    """The database of wrangler.toml.

    `accepted_id` is the id given with --accept-database; `accepted_at` is when somebody last said
    that the database is right as it is (`ppp accept-database`); `has_identity` is whether it has
    the identity of the high-water mark, as a restored one has; `is_first` is whether --first is
    given, which the next command needs too.
    """

    name: str
    id: str
    environment: str
    accepted_id: str | None = None
    accepted_at: datetime | None = None
    has_identity: bool = False
    is_first: bool = False

    @property
    def options(self) -> str:
        """The options that name it to a command."""
        return "--local" if self.environment == "local" else f"--env {self.environment}"

    @property
    def is_accepted(self) -> bool:
        """Whether --accept-database names this database."""
        return self.accepted_id == self.id

    def is_accepted_since(self, moment: datetime | None) -> bool:
        """Whether somebody accepted the database as it is after a moment."""
        return bool(self.accepted_at and moment and moment < self.accepted_at)

    @property
    def is_accepted_as_older(self) -> bool:
        """Whether --accept-database names an older state of the database that is meant."""
        return self.is_accepted and self.has_identity

    def accept_command(self) -> str:
        """Return the command that accepts whatever the database holds."""
        return f"./ppp accept-database {self.options} --reason WHY"

    def restore_step(self) -> str:
        """Return the next step where data is lost."""
        return f"./ppp restore {self.options} ({EMPTIED_DATABASE_HELP})"

    def accept_step(self) -> str:
        """Return the next step where only a person can tell whether the database is right."""
        first = " --first" if self.is_first else ""
        return f"./ppp preflight {self.options}{first} --accept-database {self.id}"


@dataclass(frozen=True, slots=True)
class Schema:
    """The tables of the product and the applied migrations; None if they are not recorded."""

    tables: Collection[str]
    applied: Sequence[str] | None


@dataclass(frozen=True, slots=True)
class Observation:
    """What a backup or a deployment recorded of the database, and when."""

    source: str
    contents: BackupContents
    at: datetime | None = None


def check_loss(
    database: ConfiguredDatabase, mark: HighWaterMark | None, contents: DatabaseContents
) -> CheckResult:
    """Check that the database is the one that is meant, and holds what it held at most."""
    environment = "" if database.environment == "local" else database.environment
    loss = judge_loss(mark, contents, environment)
    if mark is None:
        return passed("there is no high-water mark yet to compare with")
    if loss is None:
        return passed(f"highest event {contents.highest_event:,}, and was {mark.highest_event:,}")
    if database.is_accepted and contents.database_id == mark.database_id:
        return passed(f"{loss}; accepted, and the deployment remembers that")
    return failed(
        loss, f"{database.restore_step()}; if it is right as it is: {database.accept_command()}"
    )


def check_database(
    database: ConfiguredDatabase,
    account_databases: Sequence[Mapping[str, object]],
    last: DeploymentEntry | None,
) -> CheckResult:
    """Check that the account has the configured database, and that it was the last deployed on."""
    names = {row["uuid"]: row["name"] for row in account_databases}
    if database.id not in names:
        namesakes = [str(row["uuid"]) for row in account_databases if row["name"] == database.name]
        if namesakes:
            return failed(
                f"{database.name} has the id {namesakes[0]} at Cloudflare, not the configured "
                f"{database.id}: it was deleted and created anew",
                f"put the new id into wrangler.toml, then {database.restore_step()}",
            )
        return failed(
            f"this account has no database with the id {database.id}",
            "npx wrangler whoami; npx wrangler d1 list "
            f"(if it was deleted: {EMPTIED_DATABASE_HELP})",
        )
    if names[database.id] != database.name:
        return failed(
            f"the database {database.id} is called {names[database.id]}, not {database.name}",
            "npx wrangler d1 list, then mend wrangler.toml",
        )
    return _check_last_deployment(database, last)


def _check_last_deployment(
    database: ConfiguredDatabase, last: DeploymentEntry | None
) -> CheckResult:
    if last is None:
        return passed(f"{database.name} ({database.id}) is there; nothing was deployed on it yet")
    if last["database_id"] == database.id:
        return passed(f"{database.name} ({database.id}) is there, and was deployed on last")
    change = (
        f"the last deployment was on the database {last['database_id']}, this one is {database.id}"
    )
    if database.is_accepted:
        return passed(f"{change}, as accepted")
    return failed(
        f"{change}: one of them is not yours, or yours was created anew",
        f"{database.restore_step()}, then {database.accept_step()}",
    )


def check_migrations(
    database: ConfiguredDatabase, schema: Schema, files: Sequence[str], backup: Backup | None
) -> CheckResult:
    """Check that only migrations which are newer than the database would be applied."""
    applied = schema.applied or ()
    pending = [name for name in files if name not in applied]
    newest = max(applied, default=None)
    backup_migration = backup.migration if backup else None
    if newest is None:
        return _check_unmigrated(database, schema, backup_migration)
    if newest > files[-1]:
        return failed(
            f"the database is at {newest}, this checkout ends at {files[-1]}: it is an older one",
            "git pull, and to go back: ./ppp rollback " + database.options,
        )
    is_accepted = database.is_accepted_as_older or database.is_accepted_since(
        backup.finished_at if backup else None
    )
    if backup_migration and newest < _migration_file(backup_migration) and not is_accepted:
        return failed(
            f"the database is at {newest}, the backup {backup.id if backup else ''} was at "
            f"{backup_migration}: it is another database, or an older state of it",
            database.restore_step(),
        )
    overtaken = [name for name in pending if name < newest and name not in LATE_MIGRATIONS]
    if overtaken:
        return failed(
            f"{newest} is applied, but {', '.join(overtaken)} would run now: not all is recorded",
            LOST_MIGRATIONS_HELP,
        )
    return passed(
        f"{counted(len(pending), 'migration')} to apply: {', '.join(pending)}"
        if pending
        else f"all are applied, up to {newest}"
    )


def _check_unmigrated(
    database: ConfiguredDatabase, schema: Schema, backup_migration: str | None
) -> CheckResult:
    if schema.tables:
        record = "d1_migrations is missing" if schema.applied is None else "d1_migrations is empty"
        return failed(
            f"{record}, but there are {counted(len(schema.tables), 'table')}: every migration "
            "would run again, over the data",
            LOST_MIGRATIONS_HELP,
        )
    if backup_migration:
        return failed(
            "nothing is applied and there is no table, but the last backup was at "
            f"{backup_migration}: the database was created anew",
            database.restore_step(),
        )
    if not database.is_accepted:
        return failed(
            "no migration is applied and there is no table: if the database is new, accept that",
            database.accept_step(),
        )
    return passed("nothing is applied yet: a new database, as accepted")


def _migration_file(migration: str) -> str:
    """Return the file name of a migration that may be recorded without its ending."""
    return migration if migration.endswith(".sql") else f"{migration}.sql"


def check_rows(
    database: ConfiguredDatabase, now: BackupContents, observations: Sequence[Observation]
) -> CheckResult:
    """Check that the database holds what backups and deployments recorded.

    Retention and erasures delete rows. But no table becomes empty, and the highest event id never
    decreases within one database, unless somebody accepted it since.
    """
    accepted = ""
    for observation in observations:
        emptied = _describe_emptied(observation.contents, now)
        loss = emptied or describe_loss(observation.contents, now)
        is_older = database.is_accepted_as_older and not emptied
        if loss and (is_older or database.is_accepted_since(observation.at)):
            accepted = f"; as accepted, {loss}, {observation.source}"
        elif loss:
            return failed(
                f"{loss}, {observation.source}",
                f"{database.restore_step()}; if it is right as it is: {database.accept_command()}",
            )
    counts = ", ".join(f"{table} {rows:,}" for table, rows in now.rows.items()) or "no table"
    if now.rows.get("tracking_events") or observations or database.is_accepted:
        return passed(f"{counts}{accepted}")
    return failed(
        f"there is no event, and neither a backup nor a deployment to compare with ({counts}): "
        "if the database is new, accept that",
        database.accept_step(),
    )


def describe_loss(before: BackupContents, now: BackupContents) -> str | None:
    """Describe a loss that neither retention nor an erasure causes; None if there is none."""
    if emptied := _describe_emptied(before, now):
        return emptied
    if now.highest_event < before.highest_event:
        return (
            f"the newest event is number {now.highest_event:,}, and was {before.highest_event:,}: "
            "it is another database, or an older state of it"
        )
    return None


def _describe_emptied(before: BackupContents, now: BackupContents) -> str | None:
    for table in MAIN_TABLES:
        if before.rows.get(table) and not now.rows.get(table):
            return f"{table} has no row, and had {before.rows[table]:,}"
    return None


def outside_observations(
    backup: Backup | None, contents: BackupContents | None, last: DeploymentEntry | None
) -> Sequence[Observation]:
    """Collect what the last backup and the last deployment recorded of the database."""
    observations: list[Observation] = []
    if backup and contents:
        source = f"by the backup {backup.id}"
        observations.append(Observation(source, contents, backup.finished_at))
    if last and last.get("rows"):
        deployed = BackupContents(last["rows"], last["highest_event"])
        moment = last.get("ended_at") or last.get("at")
        at = parse_iso(moment) if moment else None
        observations.append(Observation(f"by the deployment {last['id']}", deployed, at))
    return observations


def describe_missing_rows(
    before: BackupContents, after: BackupContents, *, exact: bool
) -> str | None:
    """Describe the rows that a step of a deployment lost; with `exact`, every row counts."""
    fewer = "; ".join(shrunken_tables(before, after)) if exact else ""
    return describe_loss(before, after) or fewer or None


def shrunken_tables(before: BackupContents, after: BackupContents) -> Sequence[str]:
    """Return the tables that hold fewer rows than before, each with both numbers."""
    return [
        f"{table} {rows:,} → {after.rows.get(table, 0):,}"
        for table, rows in before.rows.items()
        if after.rows.get(table, 0) < rows
    ]
