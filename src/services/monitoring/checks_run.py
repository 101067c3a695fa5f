"""One run of the job `watch`: reads health and metrics, checks them, notifies of findings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.alerting import problems
from services.alerting.notifier import Notifier
from services.alerting.problems import Finding, Problem
from services.backup.backup_run import backup_of_lost_events
from services.backup.records import BackupRecords
from services.backup.store import BackupStore
from services.core.job_runs import JobRun
from services.core.logs import Log
from services.core.ports import Clock, UnavailableError
from services.core.stored_time import parse_stored_time
from services.loss.loss_check import LossCheck, LossJudgement
from services.monitoring.checks import (
    JOB,
    CheckThresholds,
    Observations,
    check_health,
    check_observations,
    check_waiting,
    is_silent,
    usual_days,
)
from services.monitoring.health import ComponentHealth
from services.monitoring.metrics import MetricsReader
from services.tracking.waiting_counts import WaitingReader

LEASE_SECONDS = 120
LAST_RUN = f"""
SELECT finished_at FROM job_runs
WHERE job = '{JOB}' AND finished_at IS NOT NULL AND ?1 IS NOT NULL
ORDER BY started_at DESC LIMIT 1
"""
# Problems that are checked without the database, and with it.
HEALTH_PROBLEMS = (problems.DATABASE_FAILING, problems.SCHEMA_UNEXPECTED, problems.PART_FAILING)
LOSS_PROBLEMS = (problems.DATABASE_LOST,)
WAITING_PROBLEMS = (problems.WAITING_FULL, problems.EVENTS_WAITING)

DATA_PROBLEMS = (
    *(problems.DATABASE_EMPTY, problems.NO_EVENTS, problems.MANY_ERRORS, problems.SOME_ERRORS),
    *(problems.LEADS_WAITING, problems.BREAKER_OPEN, problems.BUDGET_LOW, problems.BACKUP_OLD),
    *(problems.BACKUP_FAILED, problems.DATABASE_LARGE, problems.JOB_FAILING, problems.CRON_LATE),
    *(problems.LEADS_HELD, problems.BACKUP_CHAIN_BROKEN),
)


@dataclass(frozen=True, slots=True)
class ChecksRun:
    """The job. Where the database fails while it reads, that is a finding."""

    thresholds: CheckThresholds
    metrics_reader: MetricsReader
    records: BackupRecords
    store: BackupStore
    loss_check: LossCheck
    waiting_counts: WaitingReader
    clock: Clock

    async def run(
        self,
        notifier: Notifier,
        parts: Mapping[str, ComponentHealth],
        loss: LossJudgement,
        log: Log,
    ) -> None:
        """Notifies of problems that exist now, and of those that are over.

        Never raises UnavailableError.
        """
        findings: Sequence[Finding] = check_health(parts)
        checked: Sequence[Problem] = HEALTH_PROBLEMS
        job = JobRun(self.records.database, JOB, f"{JOB}-{log.request_id}", LEASE_SECONDS)
        try:
            # Before this run is in the ledger: the last run there is the one before it.
            observations = await self._observe(self.clock(), log)
            if not await job.begin(self.clock()):
                return
            findings = [*findings, *check_observations(observations, self.thresholds, self.clock())]
            checked = (*HEALTH_PROBLEMS, *DATA_PROBLEMS)
        except UnavailableError as error:
            findings = [*findings, Finding(problems.DATABASE_FAILING, str(error))]
        if loss.reason:
            findings = _with_loss(findings, loss.reason)
            checked = [
                problem for problem in checked if problem not in problems.CONSEQUENCES_OF_LOSS
            ]
        if loss.is_judged:
            checked = (*checked, *LOSS_PROBLEMS)
        waiting = await self.waiting_counts.read_if_possible(log)
        if waiting is not None:
            in_r2 = check_waiting(waiting)
            findings = [*findings, *(in_r2 if loss.reason is None else without_consequences(in_r2))]
            checked = (*checked, *WAITING_PROBLEMS)
        for finding in findings:
            await notifier.notify(finding)
        await notifier.resolve(checked)
        await self._end(job, findings, log)

    async def last_run(self) -> datetime | None:
        """When the last run of the cron ended, or None.

        Raises:
            UnavailableError: D1 failed.
        """
        [rows] = await self.records.database.batch_rows((LAST_RUN,), "{}")
        return parse_stored_time(rows[0]["finished_at"]) if rows else None

    async def _observe(self, now: datetime, log: Log) -> Observations:
        metrics = await self.metrics_reader.read(now)
        database = self.records.database
        return Observations(
            metrics=metrics,
            backups=await self.records.newest(),
            last_backed_up=0 if metrics.last_event_at else await self._last_backed_up(log),
            usual_days=await usual_days(database, now) if is_silent(metrics) else 0,
        )

    async def _last_backed_up(self, log: Log) -> int:
        mark = await self.loss_check.mark(log)
        entry = await backup_of_lost_events(self.records.database, self.store, mark)
        return int(str(entry["events"])) if entry else 0

    async def _end(self, job: JobRun, findings: Sequence[Finding], log: Log) -> None:
        names = sorted({finding.problem.name for finding in findings})
        try:
            await job.end(self.clock(), "done", {"problems": names})
        except UnavailableError as error:
            log.warning("watch_not_noted", reason=str(error))


def without_consequences(findings: Sequence[Finding]) -> Sequence[Finding]:
    """The findings that do not follow from a lost database."""
    consequences = problems.CONSEQUENCES_OF_LOSS
    return [finding for finding in findings if finding.problem not in consequences]


def _with_loss(findings: Sequence[Finding], reason: str) -> Sequence[Finding]:
    """The loss first, and the findings that do not follow from it."""
    return [Finding(problems.DATABASE_LOST, reason), *without_consequences(findings)]
