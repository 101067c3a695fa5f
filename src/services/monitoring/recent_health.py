"""The health of the last seconds: whoever asks often does not make the Worker ask as often."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from services.core.logs import Log
from services.core.ports import Clock
from services.loss.loss_check import LossCheck
from services.monitoring.health import ComponentHealth, Health

REMEMBERED = timedelta(seconds=5)
LOST = "is another one, was set back or lacks tables: see database_lost in the runbook"


@dataclass(slots=True)
class RecentHealth:
    """What this isolate found when it last looked, at most five seconds ago."""

    health: Health
    loss_check: LossCheck
    clock: Clock
    _parts: Mapping[str, ComponentHealth] | None = None
    _checked_at: datetime | None = None

    async def read(self, log: Log) -> Mapping[str, ComponentHealth]:
        """The health of each part by its name, the loss of the database included."""
        now = self.clock()
        checked_at = self._checked_at
        if self._parts and checked_at and checked_at <= now < checked_at + REMEMBERED:
            return self._parts
        # Whoever comes while this one looks is told what was found before.
        self._checked_at = now
        parts = await self._check(log)
        self._parts = parts
        return parts

    async def _check(self, log: Log) -> Mapping[str, ComponentHealth]:
        parts = dict(await self.health.check())
        if (await self.loss_check.judge(log)).reason:
            # How much was lost is not for strangers.
            parts["database"] = replace(parts["database"], healthy=False, error=LOST)
        return parts
