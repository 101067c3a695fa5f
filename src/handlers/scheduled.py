"""The cron run, every five minutes."""

from __future__ import annotations

from app import App
from config import ConfigError
from services.logs import Log
from services.ports import UnavailableError


async def run_scheduled(app: App, cron: str, run_id: str) -> None:
    """Checks the parts this Worker stands on, sends what is due, deletes what is over."""
    log = Log(app.config.log_level, run_id)
    parts = await app.health.check()
    unhealthy = [name for name, part in parts.items() if not part.healthy]
    if unhealthy:
        log.error("unhealthy", cron=cron, parts=unhealthy)
    try:
        await app.new_sync(log).run()
    except UnavailableError as error:
        log.error("sync_failed", reason=str(error))
    except ConfigError as error:
        log.error("sync_misconfigured", reason=str(error))
    try:
        await app.retention.run(log)
    except UnavailableError as error:
        log.error("retention_failed", reason=str(error))
    log.info("cron_run", cron=cron, healthy=not unhealthy, memory_mib=app.memory_mib())
