"""One deployment, step by step. If a step fails, the previous code gets all traffic again."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from config import VERSION
from ops.backup.backup_maker import BackupMaker
from ops.backup.index import BackupContents, newest_verified, read_index
from ops.cloudflare.bucket import Bucket
from ops.cloudflare.target import Target
from ops.cloudflare.worker_commands import WorkerCommands
from ops.deploy.checkout import read_checkout, version_message
from ops.deploy.database_checks import describe_missing_rows, shrunken_tables
from ops.deploy.database_export import export_database, store_export
from ops.deploy.deployment_log import TIME_FORMAT, DeploymentEntry, append_to_log, new_deployment_id
from ops.deploy.facts import read_rows
from ops.deploy.release import Release
from ops.terminal.errors import NoAnswerError, OpsError
from ops.terminal.output import note
from ops.terminal.progress import progress
from ops.worker_api.client import Api
from paths import ROOT

EXPORTS = ROOT / "exports"
DATA_STAYS = (
    "Data is not taken back: migrations only add, and the older code runs on the newer tables. "
    "What a fault wrote or deleted comes back from a backup only: docs/runbook.md#rollback"
)


@dataclass(frozen=True, slots=True)
class DeploymentOptions:
    """The options of `ppp deploy`. `watch_seconds` is for each share of the traffic."""

    first: bool
    all_traffic: bool
    watch_seconds: int


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

    def __post_init__(self) -> None:
        now = datetime.now(UTC)
        commit, uncommitted = read_checkout()
        message = version_message(commit)
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
            self._back_up()
            self._migrate()
            if self.target.environment:
                self._release()
        except BaseException as error:
            message = self._roll_back(str(error) or "stopped by hand")
            if not isinstance(error, OpsError | KeyboardInterrupt):
                raise
            kind = NoAnswerError if isinstance(error, NoAnswerError) else OpsError
            raise kind(message) from None
        self._try_to_record("finished")
        return self.entry

    def _back_up(self) -> None:
        if self.options.first:
            self.entry["backup"] = self._export()
            return
        note("backup: the Worker makes one")
        label = f"before deploy {self.release.message}"
        with progress("backup", sum(self.contents.rows.values())) as show_progress:
            maker = BackupMaker(self.api, on_progress=lambda backup: show_progress(backup["rows"]))
            self.entry["backup"] = maker.make(label)
        last = newest_verified(read_index(Bucket(self.target).read_json))
        if last is None or last.id != self.entry["backup"]:
            raise OpsError(
                f"the backup {self.entry['backup']} is not the last verified one in "
                f"{self.target.bucket}: does the Worker write into this bucket?"
            )
        note(f"backup: {last.id}, verified")

    def _export(self) -> str:
        """Export the database into the bucket and return the object's key."""
        note("backup: the database is exported; D1 answers nobody else meanwhile")
        EXPORTS.mkdir(exist_ok=True)
        file = EXPORTS / f"{self.entry['id']}.sql"
        key = f"exports/{file.name}.gz"
        export_database(self.target, file)
        store_export(self.target, file, key, self.contents)
        note(f"backup: {self.target.bucket}/{key}, and {file}.gz: delete that when all is well")
        return key

    def _migrate(self) -> None:
        self._count("before the migrations")
        if not self.pending:
            note("migrations: none to apply")
            return
        note(f"migrations: {', '.join(self.pending)}")
        WorkerCommands(self.target).apply_migrations().run()
        self._count("after the migrations", exact=True)

    def _release(self) -> None:
        try:
            if self.options.all_traffic or self.previous is None:
                self.release.deploy_at_once()
            else:
                self.release.deploy_gradually()
        finally:
            self.entry["worker_version"] = self.release.version
        self._count("after the deployment")

    def _count(self, moment: str, *, exact: bool = False) -> None:
        """Count the rows and stop the deployment if some are missing.

        Retention and erasures delete rows at any time, so `exact` is for a short step only.
        """
        now = read_rows(self.target)
        loss = describe_missing_rows(self.contents, now, exact=exact)
        if loss:
            raise OpsError(
                f"rows are missing {moment}: {loss}. Unless retention or an erasure took them, "
                f"restore {self.entry['backup']} (docs/runbook.md#rollback)"
            )
        fewer = "; ".join(shrunken_tables(self.contents, now))
        self.contents = now
        self.entry |= {"rows": dict(now.rows), "highest_event": now.highest_event}
        note(f"rows {moment}: {', '.join(f'{name} {rows:,}' for name, rows in now.rows.items())}")
        if fewer:
            note(f"fewer than before, as retention and erasures do: {fewer}")

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
        except OpsError as error:
            note(f"the log of deployments could not be written: {error}")
