"""One deployment, step by step. If a step fails, the previous code gets all traffic again."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial

from config import VERSION
from ops.backup.backup_maker import BackupMaker
from ops.backup.high_water import accept_database, read_database_contents, read_mark
from ops.backup.index import BackupContents, read_index
from ops.cloudflare.bucket import Bucket
from ops.cloudflare.database import Database
from ops.cloudflare.target import Target
from ops.deploy.checkout import read_checkout, version_message
from ops.deploy.database_checks import describe_loss, shrunken_tables
from ops.deploy.database_export import export_database, store_export
from ops.deploy.deployment_log import TIME_FORMAT, DeploymentEntry, append_to_log, new_deployment_id
from ops.deploy.explained_deletions import DeletionRecords, read_clock
from ops.deploy.facts import read_rows
from ops.deploy.large_migrations import apply_migrations
from ops.deploy.release import Release
from ops.terminal.errors import NoAnswerError, OpsError, describe_error
from ops.terminal.interrupts import finished_first, interrupted_by_signals
from ops.terminal.output import note
from ops.terminal.progress import progress
from ops.worker_api.client import Api
from ops.worker_api.retries import outage_retries
from paths import ROOT
from services.loss.judgement import judge_loss

EXPORTS = ROOT / "exports"
OWNER_ONLY = 0o700
DATA_STAYS = (
    "Data is not taken back: migrations only add, and the older code runs on the newer tables. "
    "What a fault wrote or deleted comes back from a backup only: docs/runbook.md#rollback"
)


def _clock() -> str:
    """Return the time as Cloudflare's dashboard shows it beside failed requests."""
    return f"{datetime.now(UTC):%H:%M:%S} UTC"


@dataclass(frozen=True, slots=True)
class DeploymentOptions:
    """The options of `ppp deploy`. `watch_seconds` is for each share of the traffic.

    `accepts_database` is whether --accept-database names this one; `switches_database` whether the
    Worker that runs uses another one, so that a backup of its own would not be of this one.
    """

    first: bool
    all_traffic: bool
    watch_seconds: int
    accepts_database: bool = False
    switches_database: bool = False

    @property
    def is_at_once(self) -> bool:
        """Whether one step moves all traffic.

        Of two versions on two databases each would store a share of the events.
        """
        return self.all_traffic or self.accepts_database or self.switches_database


@dataclass
class Deployment:
    """A deployment in progress.

    `contents` is the last count of rows, `pending` are the migrations to apply, `previous` is the
    version that has all traffic, if one has. `entry` is its line of the log.
    """

    target: Target
    api: Api
    options: DeploymentOptions
    contents: BackupContents
    pending: list[str]
    previous: str | None
    entry: DeploymentEntry = field(init=False)
    release: Release = field(init=False)
    has_accepted: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        now = datetime.now(UTC)
        commit, uncommitted = read_checkout()
        message = version_message(commit, uncommitted=bool(uncommitted))
        self.release = Release(
            self.target, self.api, self.previous, message, self.options.watch_seconds
        )
        self.entry = {
            "id": new_deployment_id(now),
            "kind": "deployment",
            "state": "started",
            "at": now.strftime(TIME_FORMAT),
            "environment": self.target.name,
            "database": self.target.database,
            "database_id": self.target.database_id,
            "version": VERSION,
            "commit": commit,
            "uncommitted": uncommitted,
            "migrations": self.pending,
            "backup": None,
            "worker_version": None,
            "previous_version": self.previous,
            "rows": dict(self.contents.rows),
            "highest_event": self.contents.highest_event,
            "reason": None,
        }

    def run(self) -> DeploymentEntry:
        """Deploy and return the line of the log.

        Raises:
            OpsError: a step failed; the message says whether the previous code runs again.
        """
        self._record("started")
        try:
            with interrupted_by_signals():
                self._accept()
                self._back_up()
                self._migrate()
                self._accept()
                if self.target.environment:
                    self._release()
        except BaseException as error:
            with finished_first("going back"):
                message = self._roll_back(describe_error(error))
            if isinstance(error, SystemExit | GeneratorExit):
                raise
            kind = NoAnswerError if isinstance(error, NoAnswerError) else OpsError
            raise kind(message) from (None if isinstance(error, OpsError) else error)
        self._try_to_record("finished")
        return self.entry

    def _accept(self) -> None:
        """Set the high-water mark to an accepted database, before anything is judged by it.

        A database without tables has no identity before the migrations.
        """
        if not self.options.accepts_database or self.has_accepted:
            return
        contents = read_database_contents(self.target)
        mark = read_mark(self.target)
        if contents.database_id is None:
            return
        is_restored = self.options.switches_database
        if judge_loss(mark, contents) or (mark and is_restored):
            reason = "deploy --accept-database"
            accept_database(self.target, mark, reason, is_restored=is_restored)
            note("accepted: the high-water mark is that of this database now")
        self.has_accepted = True

    def _back_up(self) -> None:
        is_unchanged = self.options.switches_database and not self.pending
        if is_unchanged:
            note("backup: none, the database is a restored one, and no migration changes it")
            return
        if self.options.first or self.options.switches_database:
            self.entry["backup"] = self._export()
            return
        note("backup: the Worker makes one")
        label = f"before deploy {self.release.message}"
        with progress("backup", sum(self.contents.rows.values())) as show_progress:
            maker = BackupMaker(self.api, on_progress=lambda backup: show_progress(backup["rows"]))
            self.entry["backup"] = maker.make(label)
        backup_id = self.entry["backup"]
        # An hourly one may have ended behind it.
        index = read_index(Bucket(self.target).read_json) or ()
        if not any(backup.id == backup_id and backup.verified for backup in index):
            raise OpsError(
                f"the backup {backup_id} is not among the verified ones in "
                f"{self.target.bucket}: does the Worker write into this bucket?"
            )
        note(f"backup: {backup_id}, verified")

    def _export(self) -> str:
        """Export the database into the bucket and return the object's key."""
        # It holds all persons.
        EXPORTS.mkdir(exist_ok=True)
        EXPORTS.chmod(OWNER_ONLY)
        file = EXPORTS / f"{self.entry['id']}.sql"
        key = f"exports/{file.name}.gz"
        note(f"backup: the database is exported; D1 answers nobody else from {_clock()}")
        export_database(self.target, file)
        note(f"backup: exported, D1 answers again at {_clock()}")
        store_export(self.target, file, key, self.contents)
        note(f"backup: {self.target.bucket}/{key}, and {file}.gz: delete that when all is well")
        return key

    def _migrate(self) -> None:
        if not self.pending:
            self._count("before the release")
            note("migrations: none to apply")
            return
        note(f"migrations: {', '.join(self.pending)}")
        database = Database(self.target)
        records = DeletionRecords(database, read_clock(database))
        # A new database has no table to count.
        if self.contents.rows:
            self._count("before the migrations")
        note(f"migrations: D1 answers nobody else from {_clock()}")
        apply_migrations(self.target, self.pending, self.contents.rows)
        note(f"migrations: applied, D1 answers again at {_clock()}")
        self._count("after the migrations", records)

    def _release(self) -> None:
        try:
            if self.options.is_at_once or self.previous is None:
                self.release.deploy_at_once()
            else:
                self.release.deploy_gradually()
        finally:
            self.entry["worker_version"] = self.release.version
        self._count("after the deployment")
        self.release.require_traffic()

    def _count(self, moment: str, records: DeletionRecords | None = None) -> None:
        """Count the rows and stop the deployment if some are missing.

        Where `records` are given, every missing row must be explained by them; else only a loss
        counts that no job and no erasure causes.
        """
        read = partial(outage_retries(NoAnswerError), read_rows, self.target)
        if records:
            loss, now = records.describe_loss(self.contents, read)
        else:
            now = read()
            loss = describe_loss(self.contents, now)
        if loss:
            raise OpsError(
                f"rows are missing {moment}: {loss}. No record of the archive, of retention or of "
                f"an erasure explains it. See what is left before you restore "
                f"{self.entry['backup']} (docs/runbook.md#rollback)"
            )
        fewer = "; ".join(shrunken_tables(self.contents, now))
        self.contents = now
        self.entry |= {"rows": dict(now.rows), "highest_event": now.highest_event}
        note(f"rows {moment}: {', '.join(f'{name} {rows:,}' for name, rows in now.rows.items())}")
        if fewer:
            note(f"fewer than before, as archive, retention and erasures do: {fewer}")

    def _roll_back(self, reason: str) -> str:
        """Give the previous code all traffic, log the failure, and return the error message."""
        rolled_back, outcome = self.release.roll_back()
        self.entry["reason"] = reason
        self._try_to_record("rolled back" if rolled_back else "failed")
        note(DATA_STAYS)
        return f"{reason}. {outcome}"

    def _record(self, state: str) -> None:
        self.entry |= {"state": state, "ended_at": datetime.now(UTC).strftime(TIME_FORMAT)}
        append_to_log(Bucket(self.target), self.entry)

    def _try_to_record(self, state: str) -> None:
        try:
            self._record(state)
        except (OpsError, KeyboardInterrupt) as error:
            note(f"the log of deployments could not be written: {describe_error(error)}")
