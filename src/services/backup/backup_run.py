"""One run of the job that makes backups.

At most one run works on backups at a time. An hourly backup goes before a full one that is running,
so that the recovery point never waits for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.archive.batches import ANY_ARCHIVED
from services.backup.chain import ChainCheck
from services.backup.changes import read_marker
from services.backup.records import (
    Backup,
    BackupKind,
    BackupProgress,
    BackupRecords,
    ChangeMarker,
    backup_id,
)
from services.backup.retention import IndexEntry
from services.backup.schedule import due_kinds, may_begin, newest_verified, without_future
from services.backup.steps import BackupSteps
from services.backup.store import BackupStore
from services.backup.sums import MisfitError
from services.backup.tables import UnknownNameError, read_tables
from services.core.errors import ConflictError, NotFoundError
from services.core.job_runs import JobRun
from services.core.logs import Log
from services.core.ndjson_parts import DamagedPartError
from services.core.ports import Clock, Database
from services.loss.high_water_mark import HighWaterMark
from services.loss.loss_check import LossCheck

JOB = "backup"
# The outcome of a run that must not make a backup, with its reason in the summary.
REFUSED = "refused"
# A small part of the time that Cloudflare gives a cron run.
LEASE_SECONDS = 300
MAX_BACKUP_TIME = timedelta(hours=20)
RECORD_RETENTION = timedelta(days=30)
ADVICE_WHEN_LOST = "Restore it (ppp restore), or accept the database as it is (ppp accept-database)"


class RefusedBackupError(Exception):
    """A backup would replace a better one; the message says why and what to do."""


class MissingRowsError(Exception):
    """A backup counted fewer rows than there must be: it joins no chain."""


@dataclass(frozen=True, slots=True)
class BackupSettings:
    """The limits of one run: seconds, and steps of about one part each."""

    seconds: int
    steps: int


@dataclass(frozen=True, slots=True)
class Backups:
    """The backups of this database: the job, and backups on demand."""

    settings: BackupSettings
    records: BackupRecords
    store: BackupStore
    steps: BackupSteps
    loss_check: LossCheck
    clock: Clock

    async def run(self, log: Log) -> str | None:
        """One run of the job: starts what is due, continues what is running.

        Returns its outcome, or None where another run works.

        Raises:
            UnavailableError: D1 or R2 failed; the next run continues after the last step.
        """
        await self.store.repair_index(log)
        loss = await self.loss_check.reason(log)
        if loss:
            log.error("backup_refused", reason=loss)
        job = self._job(log)
        if not await job.begin(self.clock()):
            log.info("backup_busy")
            return None
        if loss:
            # What a lost database holds joins no chain, and no good backup expires meanwhile.
            await job.end(self.clock(), REFUSED, {"backups": [], "reason": loss})
            return REFUSED
        backups, refusals = await self._run_due(log, job)
        await self._clean_up(log)
        outcome = "failed" if any(backup.error for backup in backups) else "done"
        summary: dict[str, object] = {"backups": [backup.id for backup in backups]}
        if refusals:
            outcome, summary = REFUSED, {**summary, "reason": "; ".join(refusals)}
        await job.end(self.clock(), outcome, summary)
        return outcome

    async def start(self, label: str | None, log: Log) -> Backup:
        """Starts a backup on demand.

        Raises:
            UnavailableError: D1 or R2 failed.
            ConflictError: one is running, or it is refused.
        """
        await self.store.repair_index(log)
        await self._refuse_loss(log)
        for backup in await self.newest():
            if backup.kind == "manual" and backup.state == "running":
                advice = f"Continue it: POST /api/backups/{backup.id}/continue"
                raise ConflictError(f"Backup {backup.id} is under way", advice)
        try:
            return await self._begin("manual", label, (), log)
        except RefusedBackupError as refused:
            raise ConflictError("Refused", str(refused)) from None

    async def proceed(self, backup_id: str, log: Log) -> Backup:
        """Runs some steps of a backup, unless another run works on one.

        Raises:
            UnavailableError: D1 or R2 failed; the steps before are kept.
            NotFoundError: there is no such backup.
            ConflictError: the database is lost.
        """
        await self._refuse_loss(log)
        backup = await self.find(backup_id)
        job = self._job(log)
        if backup.state == "running" and await job.begin(self.clock()):
            # Another run may have changed it before the lease.
            backup = await self.find(backup_id)
            await self._run_steps(backup, job, log)
            await job.end(
                self.clock(), "failed" if backup.error else "done", {"backups": [backup.id]}
            )
        return backup

    async def newest(self) -> Sequence[Backup]:
        """The newest hundred backups, newest first.

        Raises:
            UnavailableError: D1 failed.
        """
        return await self.records.newest()

    async def find(self, backup_id: str) -> Backup:
        """The backup of this id.

        Raises:
            UnavailableError: D1 failed.
            NotFoundError: there is none.
        """
        backup = await self.records.find(backup_id)
        if backup is None:
            raise NotFoundError("Backup not found")
        return backup

    async def _refuse_loss(self, log: Log) -> None:
        if reason := await self.loss_check.reason(log):
            log.error("backup_refused", reason=reason)
            raise ConflictError("Refused", f"{reason}. {ADVICE_WHEN_LOST}")

    def _job(self, log: Log) -> JobRun:
        return JobRun(self.records.database, JOB, f"{JOB}-{log.request_id}", LEASE_SECONDS)

    async def _run_due(self, log: Log, job: JobRun) -> tuple[Sequence[Backup], Sequence[str]]:
        """The backups that were worked on, and why others were not begun."""
        newest = await self.records.newest()
        now = self.clock()
        started: list[Backup] = []
        refusals: dict[str, None] = {}
        kinds = due_kinds(newest, now)
        problem = await self._chain_problem(newest, now) if "hourly" in kinds else None
        if problem:
            log.error("backup_chain_broken", reason=problem)
            kinds = ["full"] if may_begin("full", newest, now) else []
        for kind in kinds:
            try:
                started.append(await self._begin(kind, problem, newest, log))
            except RefusedBackupError as refused:
                log.error("backup_refused", kind=kind, reason=str(refused))
                refusals[str(refused)] = None
        running = [backup for backup in (*started, *newest) if backup.state == "running"]
        for backup in sorted(running, key=lambda backup: backup.kind != "hourly"):
            misfit = await self._run_steps(backup, job, log)
            if misfit and backup.kind == "hourly" and may_begin("full", [*started, *newest], now):
                log.error("backup_chain_broken", reason=misfit)
                # The next run works on it.
                running.append(await self._begin("full", misfit, (), log))
        return running, list(refusals)

    async def _chain_problem(self, newest: Sequence[Backup], now: datetime) -> str | None:
        """Why an hourly backup would be one that no restore can take, or None."""
        previous = newest_verified(without_future(newest, now))
        check = ChainCheck(self.records.database, self.store)
        return await check.problem(previous) if previous else None

    async def _begin(
        self, kind: BackupKind, label: str | None, newest: Sequence[Backup], log: Log
    ) -> Backup:
        now = self.clock()
        marker, migration = await read_marker(self.records.database)
        await self._require_events(marker, log)
        previous = newest_verified(without_future(newest, now)) if kind == "hourly" else None
        backup = Backup(
            id=backup_id(kind, now),
            kind=kind,
            label=label,
            started_at=now,
            progress=await self._progress(previous, marker, migration),
            previous=previous.id if previous else None,
            base=(previous.base or previous.id) if previous else None,
        )
        if not await self.records.add(backup):
            raise RefusedBackupError(f"{backup.id} was begun in this very second; try again")
        log.info("backup_begun", id=backup.id)
        return backup

    async def _progress(
        self, previous: Backup | None, marker: ChangeMarker, migration: str
    ) -> BackupProgress:
        if previous:
            start = previous.progress.marker
            return BackupProgress("changes", start=start, marker=start, migration=migration)
        tables = await read_tables(self.records.database)
        growing = [table.name for table in tables if table.grows]
        return BackupProgress(
            "walk", start=marker, marker=marker, migration=migration, tables=growing
        )

    async def _require_events(self, marker: ChangeMarker, log: Log) -> None:
        """Refuses to back up a database that has lost its events."""
        if marker.event:
            return
        mark = await self.loss_check.mark(log)
        entry = await backup_of_lost_events(self.records.database, self.store, mark)
        if entry:
            raise RefusedBackupError(
                f"the database has no events, and backup {entry['id']} had"
                f" {entry['events']}. {ADVICE_WHEN_LOST}"
            )

    async def _run_steps(self, backup: Backup, job: JobRun, log: Log) -> str | None:
        """Runs as many steps as one run may, and saves the progress after each.

        Returns why its rows do not add up, or None.
        """
        misfit = None
        end = self.clock() + timedelta(seconds=self.settings.seconds)
        for _ in range(self.settings.steps):
            if backup.state != "running" or self.clock() >= end:
                break
            was_written = backup.progress.phase == "verify"
            try:
                await self.steps.step(backup)
                if backup.progress.phase == "verify" and not was_written:
                    await self._require_rows(backup, log)
            except (DamagedPartError, UnknownNameError, MissingRowsError, MisfitError) as error:
                backup.state, backup.error = "failed", str(error)
                misfit = str(error) if isinstance(error, MisfitError) else None
            if backup.state == "running" and self.clock() - backup.started_at > MAX_BACKUP_TIME:
                backup.state, backup.error = "failed", f"not done after {MAX_BACKUP_TIME}"
            await self.records.save(backup)
        await job.renew(self.clock(), {"backups": [backup.id]})
        _log_state(backup, log)
        return misfit

    async def _require_rows(self, backup: Backup, log: Log) -> None:
        """Compares what a backup counted with the count before, before anybody relies on it."""
        counted_at = backup.finished_at or self.clock()
        reason = await self.loss_check.judge_counts(backup.progress.totals, counted_at, log)
        if reason:
            raise MissingRowsError(f"{reason}. {ADVICE_WHEN_LOST}")

    async def _clean_up(self, log: Log) -> None:
        now = self.clock()
        removed = await self.store.prune(now)
        if removed:
            log.info("backups_removed", ids=list(removed))
        await self.records.clean_up(now - RECORD_RETENTION)


async def backup_of_lost_events(
    database: Database, store: BackupStore, mark: HighWaterMark | None
) -> IndexEntry | None:
    """The newest backup, if an empty database means that its events are lost; else None.

    What was backed up before somebody accepted the database as it is, does not count.

    Raises:
        UnavailableError: D1 or R2 failed.
    """
    [archived] = await database.batch_rows((ANY_ARCHIVED,), "{}")
    entries = [] if archived else await store.entries()
    if not entries or not entries[0]["events"]:
        return None
    is_accepted = mark is not None and mark.accepted_at > str(entries[0]["finished_at"])
    return None if is_accepted else entries[0]


def _log_state(backup: Backup, log: Log) -> None:
    fields = {
        "id": backup.id,
        "state": backup.state,
        "phase": backup.progress.phase,
        "parts": backup.progress.written,
        "rows": backup.progress.rows,
        "bytes": backup.progress.bytes,
    }
    if backup.error:
        log.error("backup_failed", **fields, reason=backup.error)
    else:
        log.info("backup", **fields)
