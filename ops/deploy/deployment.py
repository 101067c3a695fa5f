"""One deployment, step by step. What a failed step has changed of the code is taken back."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from config import VERSION
from ops.backup.backup_maker import BackupMaker
from ops.backup.index import BackupContents, newest_verified, read_index
from ops.cloudflare.bucket import Bucket
from ops.cloudflare.target import Target
from ops.cloudflare.worker_commands import Commands
from ops.deploy.checkout import commit_of_checkout, message_of
from ops.deploy.database_checks import missing, shrunk
from ops.deploy.database_export import export_database, keep_export
from ops.deploy.deployment_log import TIME, Entry, add_to_log, new_id
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
class Choices:
    """How a person wants it. `watch_seconds` is for each share of the traffic."""

    first: bool
    at_once: bool
    watch_seconds: int


@dataclass
class Deployment:
    """A deployment under way.

    `held` is what the database held last, `pending` are the migrations to apply, `previous` is the
    version that has all traffic, where one has. `entry` is its line of the log.
    """

    target: Target
    api: Api
    choices: Choices
    held: BackupContents
    pending: list[str]
    previous: str | None
    entry: Entry = field(init=False)
    release: Release = field(init=False)

    def __post_init__(self) -> None:
        now = datetime.now(UTC)
        commit, uncommitted = commit_of_checkout()
        message = message_of(commit)
        self.release = Release(
            self.target, self.api, self.previous, message, self.choices.watch_seconds
        )
        self.entry = {
            "id": new_id(now),
            "kind": "deployment",
            "state": "started",
            "at": now.strftime(TIME),
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
            "rows": dict(self.held.rows),
            "highest_event": self.held.highest_event,
            "reason": None,
        }

    def run(self) -> Entry:
        """Does all of it and returns its line of the log.

        Raises:
            OpsError: a step failed; the message says what was taken back.
        """
        self._record("started")
        try:
            self._back_up()
            self._migrate()
            if self.target.environment:
                self._release()
        except BaseException as error:
            said = self._give_up(str(error) or "stopped by hand")
            if not isinstance(error, OpsError | KeyboardInterrupt):
                raise
            kind = NoAnswerError if isinstance(error, NoAnswerError) else OpsError
            raise kind(said) from None
        self._try_to_record("finished")
        return self.entry

    def _back_up(self) -> None:
        if self.choices.first:
            self.entry["backup"] = self._export()
            return
        note("backup: the Worker makes one")
        label = f"before deploy {self.release.message}"
        with progress("backup", sum(self.held.rows.values())) as told:
            maker = BackupMaker(self.api, on_progress=lambda backup: told(backup["rows"]))
            self.entry["backup"] = maker.make(label)
        last = newest_verified(read_index(Bucket(self.target).read_json))
        if last is None or last.id != self.entry["backup"]:
            raise OpsError(
                f"the backup {self.entry['backup']} is not the last verified one in "
                f"{self.target.bucket}: does the Worker write into this bucket?"
            )
        note(f"backup: {last.id}, verified")

    def _export(self) -> str:
        """The first backup: a file of SQL in the bucket, and here."""
        note("backup: the database is exported; D1 answers nobody else meanwhile")
        EXPORTS.mkdir(exist_ok=True)
        file = EXPORTS / f"{self.entry['id']}.sql"
        key = f"exports/{file.name}.gz"
        export_database(self.target, file)
        keep_export(self.target, file, key, self.held)
        note(f"backup: {self.target.bucket}/{key}, and {file}.gz: delete that when all is well")
        return key

    def _migrate(self) -> None:
        self._count("before the migrations")
        if not self.pending:
            note("migrations: none to apply")
            return
        note(f"migrations: {', '.join(self.pending)}")
        Commands(self.target).apply_migrations().run()
        self._count("after the migrations", exactly=True)

    def _release(self) -> None:
        try:
            if self.choices.at_once or self.previous is None:
                self.release.at_once()
            else:
                self.release.gradually()
        finally:
            self.entry["worker_version"] = self.release.version
        self._count("after the deployment")

    def _count(self, when: str, *, exactly: bool = False) -> None:
        """Counts the rows: no table becomes empty, and where it is `exactly`, none has fewer.

        Retention and erasures take rows away at any time, so that is for a moment only.
        """
        now = read_rows(self.target)
        lost = missing(self.held, now, exactly=exactly)
        if lost:
            raise OpsError(
                f"rows are missing {when}: {lost}. Unless retention or an erasure took them, "
                f"restore {self.entry['backup']} (docs/runbook.md#rollback)"
            )
        fewer = "; ".join(shrunk(self.held, now))
        self.held = now
        self.entry |= {"rows": dict(now.rows), "highest_event": now.highest_event}
        note(f"rows {when}: {', '.join(f'{name} {rows:,}' for name, rows in now.rows.items())}")
        if fewer:
            note(f"fewer than before, as retention and erasures do: {fewer}")

    def _give_up(self, reason: str) -> str:
        taken_back, said = self.release.take_back()
        self.entry["reason"] = reason
        self._try_to_record("rolled back" if taken_back else "failed")
        note(DATA_STAYS)
        return f"{reason}. {said}"

    def _record(self, state: str) -> None:
        self.entry |= {"state": state, "ended_at": datetime.now(UTC).strftime(TIME)}
        add_to_log(Bucket(self.target), self.entry)

    def _try_to_record(self, state: str) -> None:
        try:
            self._record(state)
        except OpsError as error:
            note(f"the log of deployments could not be written: {error}")
