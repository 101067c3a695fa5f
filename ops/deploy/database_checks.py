"""What facts mean for a deployment: whether it is the right database, and whether it is whole.

The database that this product once lost had been deleted, created anew and deployed over. So a
database is believed only as far as what lies outside of it agrees: the backups and the log of
deployments, both in R2.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from ops.backup.index import Backup, BackupContents
from ops.deploy.check_verdict import Finding, failed, passed
from ops.deploy.deployment_log import Entry
from ops.terminal.output import counted

EMPTIED = "docs/runbook.md#the-database-is-empty-or-another-one"
MIGRATIONS_LOST = "docs/runbook.md#the-record-of-migrations-is-lost"
MAIN_TABLES = ("projects", "pixels", "visitors", "sessions", "tracking_events")


@dataclass(frozen=True, slots=True)
class Named:
    """The database that wrangler.toml names. `accepted` is an id that a person vouches for."""

    name: str
    id: str
    environment: str
    accepted: str | None = None

    @property
    def options(self) -> str:
        """What names it to our commands."""
        return "--local" if self.environment == "local" else f"--env {self.environment}"

    @property
    def is_accepted(self) -> bool:
        """Whether a person vouches for this very database."""
        return self.accepted == self.id

    def restoring(self) -> str:
        """How what was lost comes back."""
        return f"./ppp restore {self.options} ({EMPTIED})"

    def accepting(self) -> str:
        """How a person vouches for it."""
        return f"./ppp preflight {self.options} --accept-database {self.id}"


@dataclass(frozen=True, slots=True)
class Schema:
    """The database's own tables, and its record of migrations; None where it has no record."""

    tables: Collection[str]
    applied: Sequence[str] | None


@dataclass(frozen=True, slots=True)
class Witness:
    """What somebody outside of the database saw in it."""

    name: str
    held: BackupContents


def judge_database(
    named: Named, listed: Sequence[Mapping[str, object]], last: Entry | None
) -> Finding:
    """Whether the account has the database that is named, and it is the one deployed on last."""
    by_id = {row["uuid"]: row["name"] for row in listed}
    if named.id not in by_id:
        others = [str(row["uuid"]) for row in listed if row["name"] == named.name]
        if others:
            return failed(
                f"{named.name} has the id {others[0]} at Cloudflare, not the configured "
                f"{named.id}: it was deleted and created anew",
                f"put the new id into wrangler.toml, then {named.restoring()}",
            )
        return failed(
            f"this account has no database with the id {named.id}",
            f"npx wrangler whoami; npx wrangler d1 list (if it was deleted: {EMPTIED})",
        )
    if by_id[named.id] != named.name:
        return failed(
            f"the database {named.id} is called {by_id[named.id]}, not {named.name}",
            "npx wrangler d1 list, then mend wrangler.toml",
        )
    return _judge_last_database(named, last)


def _judge_last_database(named: Named, last: Entry | None) -> Finding:
    if last is None:
        return passed(f"{named.name} ({named.id}) is there; nothing was deployed on it yet")
    if last["database_id"] == named.id:
        return passed(f"{named.name} ({named.id}) is there, and was deployed on last")
    moved = f"the last deployment was on the database {last['database_id']}, this one is {named.id}"
    if named.is_accepted:
        return passed(f"{moved}, as accepted")
    return failed(
        f"{moved}: one of them is not yours, or yours was created anew",
        f"{named.restoring()}, then {named.accepting()}",
    )


def judge_migrations(
    named: Named, schema: Schema, files: Sequence[str], backup: Backup | None
) -> Finding:
    """Whether what will be applied is what is new, and nothing else."""
    applied = schema.applied or ()
    pending = [name for name in files if name not in applied]
    newest = max(applied, default=None)
    reached = backup.migration if backup else None
    if newest is None:
        return _judge_nothing_applied(named, schema, reached)
    if newest > files[-1]:
        return failed(
            f"the database is at {newest}, this checkout ends at {files[-1]}: it is an older one",
            "git pull, and to go back: ./ppp rollback " + named.options,
        )
    if reached and newest < _file_of(reached):
        return failed(
            f"the database is at {newest}, the backup {backup.id if backup else ''} was at "
            f"{reached}: it is another database, or an older state of it",
            named.restoring(),
        )
    skipped = [name for name in pending if name < newest]
    if skipped:
        return failed(
            f"{newest} is applied, but {', '.join(skipped)} would run now: not all is recorded",
            MIGRATIONS_LOST,
        )
    return passed(
        f"{counted(len(pending), 'migration')} to apply: {', '.join(pending)}"
        if pending
        else f"all are applied, up to {newest}"
    )


def _judge_nothing_applied(named: Named, schema: Schema, reached: str | None) -> Finding:
    if schema.tables:
        record = "d1_migrations is missing" if schema.applied is None else "d1_migrations is empty"
        return failed(
            f"{record}, but there are {counted(len(schema.tables), 'table')}: every migration "
            "would run again, over the data",
            MIGRATIONS_LOST,
        )
    if reached:
        return failed(
            f"nothing is applied and there is no table, but the last backup was at {reached}: "
            "the database was created anew",
            named.restoring(),
        )
    if not named.is_accepted:
        return failed(
            "nothing is applied and there is no table: if that is right, as all is new, say so",
            named.accepting(),
        )
    return passed("nothing is applied yet: a new database, as accepted")


def _file_of(migration: str) -> str:
    """A migration as files are called, whether or not it was written with its ending."""
    return migration if migration.endswith(".sql") else f"{migration}.sql"


def judge_rows(named: Named, now: BackupContents, witnesses: Sequence[Witness]) -> Finding:
    """Whether the database holds what backups and deployments saw in it.

    Rows may become fewer: what is over is deleted, and people are forgotten. But no table becomes
    empty, and the ids of events never go back in one and the same database.
    """
    for witness in witnesses:
        lost = what_is_lost(now, witness.held)
        if lost:
            return failed(f"{lost}, {witness.name}", named.restoring())
    said = ", ".join(f"{table} {rows:,}" for table, rows in now.rows.items()) or "no table"
    if now.rows.get("tracking_events") or witnesses or named.is_accepted:
        return passed(said)
    return failed(
        f"there is no event, and neither a backup nor a deployment to compare with ({said}): "
        "if that is right, because all is new, say so",
        named.accepting(),
    )


def what_is_lost(now: BackupContents, then: BackupContents) -> str | None:
    """What no work of ours takes away, in half a sentence; None where all of it is there."""
    for table in MAIN_TABLES:
        if then.rows.get(table) and not now.rows.get(table):
            return f"{table} has no row, and had {then.rows[table]:,}"
    if now.highest_event < then.highest_event:
        return (
            f"the newest event is number {now.highest_event:,}, and was {then.highest_event:,}: "
            "it is another database, or an older state of it"
        )
    return None


def witnesses_of(
    backup: Backup | None, held: BackupContents | None, last: Entry | None
) -> Sequence[Witness]:
    """What is known of the database from outside of it."""
    known: list[Witness] = []
    if backup and held:
        known.append(Witness(f"by the backup {backup.id}", held))
    if last and last.get("rows"):
        then = BackupContents(last["rows"], last["highest_event"])
        known.append(Witness(f"by the deployment {last['id']}", then))
    return known


def missing(before: BackupContents, after: BackupContents, *, exactly: bool) -> str | None:
    """What a step of a deployment lost; `exactly` where nothing else may take rows meanwhile."""
    fewer = "; ".join(shrunk(before, after)) if exactly else ""
    return what_is_lost(after, before) or fewer or None


def shrunk(before: BackupContents, after: BackupContents) -> Sequence[str]:
    """The tables that hold fewer rows than before, with both numbers."""
    return [
        f"{table} {rows:,} → {after.rows.get(table, 0):,}"
        for table, rows in before.rows.items()
        if after.rows.get(table, 0) < rows
    ]
