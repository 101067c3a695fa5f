"""When a backup is due, and one run of the job that makes it.

At most one run works on backups at a time. The backup of an hour goes before a full one that is
under way, so that the recovery point never waits for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from services.archive.batches import ANY_ARCHIVED
from services.backup.changes import read_marker
from services.backup.records import Backup, Kind, Marker, Progress, Records, backup_id
from services.backup.steps import BackupSteps
from services.backup.store import BackupStore
from services.backup.tables import UnknownNameError, read_tables
from services.core.errors import ConflictError, NotFoundError
from services.core.job_runs import JobRun
from services.core.logs import Log
from services.core.ndjson_parts import DamagedPartError
from services.core.ports import Clock

JOB = "backup"
# Of the time that Cloudflare gives a run with an interval under an hour, a small part.
LEASE_SECONDS = 300
# The cron comes every five minutes, and the changes of an hour are soon written: less than an hour
# is ever lost.
HOURLY = timedelta(minutes=45)
FULL_AT = time(2, 0)
REST_AFTER_FAILURE = timedelta(minutes=15)
LONGEST = timedelta(hours=20)
RECORDS_KEPT = timedelta(days=30)


class RefusedBackupError(Exception):
    """A backup would push a good one out; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class BackupSettings:
    """What one run may do: seconds by the clock, and steps, each about one part."""

    seconds: int
    steps: int


@dataclass(frozen=True, slots=True)
class Backups:
    """The backups of this database."""

    settings: BackupSettings
    records: Records
    store: BackupStore
    steps: BackupSteps
    clock: Clock

    async def run(self, log: Log) -> None:
        """One run of the job: what is due is begun, what is under way goes on.

        Raises:
            UnavailableError: D1 or R2 failed; the next run goes on from the last step.
        """
        job = self._job(log)
        if not await job.begin(self.clock()):
            log.info("backup_busy")
            return
        worked = await self._work(log, job)
        ids = [backup.id for backup in worked]
        await self._tidy(log)
        outcome = "failed" if any(backup.error for backup in worked) else "done"
        await job.end(self.clock(), outcome, {"backups": ids})

    async def start(self, label: str | None, log: Log) -> Backup:
        """Begins a backup that somebody asked for.

        Raises:
            UnavailableError: D1 or R2 failed.
            ConflictError: one is under way, or it is refused.
        """
        for backup in await self.newest():
            if backup.kind == "manual" and backup.state == "running":
                advice = f"Continue it: POST /api/backups/{backup.id}/continue"
                raise ConflictError(f"Backup {backup.id} is under way", advice)
        try:
            return await self._begin("manual", label, (), log)
        except RefusedBackupError as refused:
            raise ConflictError("Refused", str(refused)) from None

    async def proceed(self, backup_id: str, log: Log) -> Backup:
        """Does one portion of a backup, unless another run is at work on one.

        Raises:
            UnavailableError: D1 or R2 failed; what was done before is kept.
            NotFoundError: there is no such backup.
        """
        backup = await self.find(backup_id)
        job = self._job(log)
        if backup.state == "running" and await job.begin(self.clock()):
            # As the run before it left it.
            backup = await self.find(backup_id)
            await self._portion(backup, job, log)
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

    def _job(self, log: Log) -> JobRun:
        return JobRun(self.records.database, JOB, f"{JOB}-{log.request_id}", LEASE_SECONDS)

    async def _work(self, log: Log, job: JobRun) -> Sequence[Backup]:
        known = await self.records.newest()
        now = self.clock()
        worked: list[Backup] = []
        for kind in due_kinds(known, now):
            try:
                worked.append(await self._begin(kind, None, known, log))
            except RefusedBackupError as refused:
                log.error("backup_refused", kind=kind, reason=str(refused))
        under_way = [backup for backup in (*worked, *known) if backup.state == "running"]
        # The one of an hour first.
        for backup in sorted(under_way, key=lambda each: each.kind != "hourly"):
            await self._portion(backup, job, log)
        return under_way

    async def _begin(
        self, kind: Kind, label: str | None, known: Sequence[Backup], log: Log
    ) -> Backup:
        now = self.clock()
        marker, migration = await read_marker(self.records.database)
        await self._require_events(marker)
        previous = newest_verified(known) if kind == "hourly" else None
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

    async def _progress(self, previous: Backup | None, marker: Marker, migration: str) -> Progress:
        if previous:
            seen = previous.progress.marker
            return Progress("changes", start=seen, marker=seen, migration=migration)
        tables = await read_tables(self.records.database)
        growing = [table.name for table in tables if table.grows]
        return Progress("walk", start=marker, marker=marker, migration=migration, tables=growing)

    async def _require_events(self, marker: Marker) -> None:
        """An empty database that was full before is no state to keep instead of the last one."""
        if marker.event or await self._is_archived():
            return
        entries = await self.store.entries()
        if entries and entries[0]["events"]:
            raise RefusedBackupError(
                f"the database has no events, and backup {entries[0]['id']} had"
                f" {entries[0]['events']}: restore it (ppp restore), or delete backups/index.json"
                " if the database is meant to begin anew"
            )

    async def _is_archived(self) -> bool:
        [rows] = await self.records.database.batch_rows((ANY_ARCHIVED,), "{}")
        return bool(rows)

    async def _portion(self, backup: Backup, job: JobRun, log: Log) -> None:
        """As many steps as one run may do; each is kept."""
        end = self.clock() + timedelta(seconds=self.settings.seconds)
        for _ in range(self.settings.steps):
            if backup.state != "running" or self.clock() >= end:
                break
            try:
                await self.steps.step(backup)
            except (DamagedPartError, UnknownNameError) as error:
                backup.state, backup.error = "failed", str(error)
            if backup.state == "running" and self.clock() - backup.started_at > LONGEST:
                backup.state, backup.error = "failed", f"not done after {LONGEST}"
            await self.records.save(backup)
        await job.renew(self.clock(), {"backups": [backup.id]})
        _tell(backup, log)

    async def _tidy(self, log: Log) -> None:
        now = self.clock()
        removed = await self.store.prune(now)
        if removed:
            log.info("backups_removed", ids=list(removed))
        await self.records.tidy(now - RECORDS_KEPT)


def due_kinds(known: Sequence[Backup], now: datetime) -> Sequence[Kind]:
    """Which backups are to be begun now, given the newest ones, the newest first."""
    return [kind for kind in ("hourly", "full") if _is_due(kind, known, now)]


def _is_due(kind: Kind, known: Sequence[Backup], now: datetime) -> bool:
    same = [backup for backup in known if backup.kind == kind]
    if any(
        backup.state == "running"
        or (backup.state == "failed" and now - backup.started_at < REST_AFTER_FAILURE)
        for backup in same
    ):
        return False
    if kind == "full":
        today = datetime.combine(now, FULL_AT, now.tzinfo)
        since = today if now >= today else today - timedelta(days=1)
        return not any(backup.state == "verified" and backup.started_at >= since for backup in same)
    newest = newest_verified(known)
    return newest is not None and now - _moment(newest) >= HOURLY


def newest_verified(known: Sequence[Backup]) -> Backup | None:
    """The verified backup that reaches furthest, or None."""
    verified = (backup for backup in known if backup.state == "verified")
    return max(verified, key=_moment, default=None)


def _moment(backup: Backup) -> datetime:
    """The moment whose state a backup holds."""
    return backup.finished_at or backup.started_at


def _tell(backup: Backup, log: Log) -> None:
    said = {
        "id": backup.id,
        "state": backup.state,
        "phase": backup.progress.phase,
        "parts": backup.progress.written,
        "rows": backup.progress.rows,
        "bytes": backup.progress.bytes,
    }
    if backup.error:
        log.error("backup_failed", **said, reason=backup.error)
    else:
        log.info("backup", **said)
