"""The cron run, every five minutes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from app import App
from config import ConfigError
from services.core.logs import Log, error_location
from services.core.ports import UnavailableError


async def run_scheduled(app: App, cron: str, run_id: str) -> None:
    """Checks the bindings, then runs the jobs one after the other, beginning with the sync.

    An error in one job is logged; the next job runs all the same.
    """
    log = Log(app.config.log_level, run_id)
    parts = await app.health.check()
    unhealthy = [name for name, part in parts.items() if not part.healthy]
    if unhealthy:
        log.error("unhealthy", cron=cron, parts=unhealthy)
    notifier = app.new_notifier(log)
    await _run_job("sync", lambda: app.new_sync(log, notifier).run(), log)
    await _run_job("retention", lambda: app.retention.run(log), log)
    await _run_job("backup", lambda: app.backups.run(log), log)
    await _run_job("archive", lambda: app.new_archive(log).run(), log)
    await _run_job("watch", lambda: app.checks_run.run(notifier, parts, log), log)
    log.info("cron_run", cron=cron, healthy=not unhealthy, memory_mib=app.memory_mib())


async def _run_job(job: str, run: Callable[[], Awaitable[None]], log: Log) -> None:
    failed, misconfigured, crashed = (
        f"{job}_{end}" for end in ("failed", "misconfigured", "crashed")
    )
    try:
        await run()
    except UnavailableError as error:
        log.error(failed, reason=str(error))
    except ConfigError as error:
        log.error(misconfigured, reason=str(error))
    except Exception as error:  # noqa: BLE001  # a fault in one job must not stop the others
        log.error(crashed, **error_location(error))
