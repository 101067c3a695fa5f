"""The cron run, every five minutes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from app import App
from config import ConfigError, unusable
from services.alerting.notifier import Notifier
from services.core.logs import Log, error_location
from services.core.ports import UnavailableError
from services.loss.loss_check import LossJudgement
from services.monitoring.health import ComponentHealth
from services.privacy.erasure_notes import repair_index
from services.sync.timers import delete_old_timers

Job = Callable[[], Awaitable[object]]
SKIPPED_WHEN_LOST = ("missed_clicks", "retention", "archive")
# What was sent of a lead, and which lead of a person was the last, may not be there yet.
SKIPPED_WITHOUT_IDENTITY = (*SKIPPED_WHEN_LOST, "sync")


async def run_scheduled(app: App, cron: str, run_id: str) -> None:
    """Checks the bindings, then the loss, then runs the jobs one after the other.

    An error in one job is logged; the next job runs all the same. While the database is lost,
    nothing expires or is archived, and no backup is made of it.
    """
    log, rows_before = Log(app.config.log_level, run_id), app.rows_read()
    parts = await app.health.check()
    unhealthy = [name for name, part in parts.items() if not part.healthy]
    if unhealthy:
        log.error("unhealthy", cron=cron, parts=unhealthy)
    _log_settings(app, log)
    notifier = app.new_notifier(log)
    loss = await app.loss_check.judge_and_update_mark(log)
    is_whole = loss.is_judged and loss.reason is None
    jobs: dict[str, Job] = {
        "old_timers": lambda: _delete_old_timers(app, log),
        "erasure_index": lambda: repair_index(app.bucket, log),
        **({"replay": lambda: app.replay.run(log)} if is_whole else {}),
        "sync": lambda: app.new_sync(log, notifier).run(),
        "missed_clicks": lambda: app.missed_clicks.run(log),
        "retention": lambda: app.retention.run(log),
        "backup": lambda: app.backups.run(log),
        "archive": lambda: app.new_archive(log).run(),
        "watch": lambda: _watch(app, notifier, parts, loss, log),
    }
    skipped = SKIPPED_WHEN_LOST if loss.has_identity else SKIPPED_WITHOUT_IDENTITY
    outcomes = {
        job: "skipped" if loss.reason and job in skipped else await _run_job(job, run, log)
        for job, run in jobs.items()
    }
    healthy = not unhealthy and loss.reason is None and "crashed" not in outcomes.values()
    costs = {"memory_mib": app.memory_mib(), "rows_read": app.rows_read() - rows_before}
    log.summary("cron_run", cron=cron, healthy=healthy, jobs=outcomes, **costs)


def _log_settings(app: App, log: Log) -> None:
    """Settings that cannot be used are an error, keys of the old format a warning."""
    wrong = unusable(app.setting_problems)
    if wrong:
        log.error("misconfigured", problems=list(wrong))
    if reminders := [problem for problem in app.setting_problems if problem not in wrong]:
        log.warning("old_keys", problems=reminders)


async def _watch(
    app: App,
    notifier: Notifier,
    parts: Mapping[str, ComponentHealth],
    loss: LossJudgement,
    log: Log,
) -> None:
    """Runs the checks, last: the backup of this run may have found that rows are gone."""
    await app.checks_run.run(
        notifier, parts, await app.loss_check.judge_after_backup(loss, log), log
    )


async def _delete_old_timers(app: App, log: Log) -> None:
    deleted = await delete_old_timers(app.timers.key_values)
    if deleted:
        log.warning("old_timers_deleted", number=deleted)


async def _run_job(job: str, run: Job, log: Log) -> str:
    """Runs a job; returns its outcome, by default `done`. Never raises."""
    try:
        own_outcome = await run()
    except UnavailableError as error:
        outcome, reason = "failed", {"reason": str(error)}
    except ConfigError as error:
        outcome, reason = "misconfigured", {"reason": str(error)}
    except Exception as error:  # noqa: BLE001  # a fault in one job must not stop the others
        outcome, reason = "crashed", error_location(error)
    else:
        return own_outcome if isinstance(own_outcome, str) else "done"
    event = f"{job}_{outcome}"
    log.error(event, **reason)
    return outcome
