"""One run of the job that looks at the whole and tells of what is wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.alerting import problems
from services.alerting.notifier import Watch
from services.alerting.problems import Finding, Problem
from services.archive.batches import ANY_ARCHIVED
from services.backup.records import Records
from services.backup.store import BackupStore
from services.core.job_runs import JobRun
from services.core.logs import Log
from services.core.ports import Clock, UnavailableError
from services.core.stored_time import parse_stored_time
from services.monitoring.checks import (
    JOB,
    Seen,
    WatchSettings,
    is_silent,
    of_health,
    of_what_was_seen,
    usual_days,
)
from services.monitoring.health import Part
from services.monitoring.metrics import Metrics

LEASE_SECONDS = 120
LAST_RUN = f"""
SELECT finished_at FROM job_runs
WHERE job = '{JOB}' AND finished_at IS NOT NULL AND ?1 IS NOT NULL
ORDER BY started_at DESC LIMIT 1
"""
# What is judged without the database, and what needs it.
OF_HEALTH = (problems.DATABASE_FAILING, problems.SCHEMA_UNEXPECTED, problems.PART_FAILING)
OF_WHAT_WAS_SEEN = (
    *(problems.DATABASE_EMPTY, problems.NO_EVENTS, problems.MANY_ERRORS, problems.SOME_ERRORS),
    *(problems.LEADS_WAITING, problems.BREAKER_OPEN, problems.BUDGET_LOW, problems.BACKUP_OLD),
    *(problems.BACKUP_FAILED, problems.DATABASE_LARGE, problems.JOB_FAILING, problems.CRON_LATE),
)


@dataclass(frozen=True, slots=True)
class WatchJob:
    """What the job reads. A part of it that fails is itself a finding."""

    settings: WatchSettings
    metrics: Metrics
    records: Records
    store: BackupStore
    clock: Clock

    async def run(self, watch: Watch, parts: Mapping[str, Part], log: Log) -> None:
        """Tells of what is wrong now, and of what is over. Never raises UnavailableError."""
        findings: Sequence[Finding] = of_health(parts)
        looked_for: Sequence[Problem] = OF_HEALTH
        job = JobRun(self.records.database, JOB, f"{JOB}-{log.request_id}", LEASE_SECONDS)
        try:
            # Before this run is in the ledger, so that the one before it is the last.
            seen = await self._look(self.clock())
            if not await job.begin(self.clock()):
                return
            findings = [*findings, *of_what_was_seen(seen, self.settings, self.clock())]
            looked_for = (*OF_HEALTH, *OF_WHAT_WAS_SEEN)
        except UnavailableError as error:
            findings = [*findings, Finding(problems.DATABASE_FAILING, str(error))]
        for finding in findings:
            await watch.tell(finding)
        await watch.settle(looked_for)
        await self._end(job, findings, log)

    async def last_run(self) -> datetime | None:
        """When the cron was through the last time.

        Raises:
            UnavailableError: D1 failed.
        """
        [rows] = await self.records.database.batch_rows((LAST_RUN,), "{}")
        return parse_stored_time(rows[0]["finished_at"]) if rows else None

    async def _look(self, now: datetime) -> Seen:
        reading = await self.metrics.read(now)
        database = self.records.database
        return Seen(
            reading=reading,
            backups=await self.records.newest(),
            last_backed_up=0 if reading.last_event_at else await self._last_backed_up(),
            usual_days=await usual_days(database, now) if is_silent(reading) else 0,
        )

    async def _last_backed_up(self) -> int:
        [archived] = await self.records.database.batch_rows((ANY_ARCHIVED,), "{}")
        if archived:
            return 0
        entries = await self.store.entries()
        return int(str(entries[0]["events"])) if entries else 0

    async def _end(self, job: JobRun, findings: Sequence[Finding], log: Log) -> None:
        names = sorted({finding.problem.name for finding in findings})
        try:
            await job.end(self.clock(), "done", {"problems": names})
        except UnavailableError as error:
            log.warning("watch_not_noted", reason=str(error))
