"""The cron run, every five minutes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from app import App
from config import ConfigError
from services.logs import Log, place_of
from services.ports import UnavailableError


class Job(Protocol):
    """One run of a job."""

    async def run(self) -> None:
        """Does what is due; raises UnavailableError where D1 fails."""


async def run_scheduled(app: App, cron: str, run_id: str) -> None:
    """Checks the parts this Worker stands on, sends the leads that are due, archives old events."""
    log = Log(app.config.log_level, run_id)
    parts = await app.health.check()
    unhealthy = [name for name, part in parts.items() if not part.healthy]
    if unhealthy:
        log.error("unhealthy", cron=cron, parts=unhealthy)
    await _run_job("sync", app.new_sync, log)
    await _run_job("archive", app.new_archive, log)
    log.info("cron_run", cron=cron, healthy=not unhealthy, memory_mib=app.memory_mib())


async def _run_job(name: str, new_job: Callable[[Log], Job], log: Log) -> None:
    """Runs a job; one that fails stops no other."""
    failed, misconfigured = f"{name}_failed", f"{name}_misconfigured"
    try:
        await new_job(log).run()
    except UnavailableError as error:
        log.error(failed, reason=str(error))
    except ConfigError as error:
        log.error(misconfigured, reason=str(error))
    except Exception as error:  # noqa: BLE001  # a fault of ours in one job is no reason for others
        log.error(failed, **place_of(error))
