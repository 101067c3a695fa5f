"""What a handler works with: the settings and the services of one isolate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from config import Config
from services.backups import Backups
from services.delayed_sync import SyncRun
from services.health import Health
from services.logs import Log
from services.management import Register
from services.metrics import Metrics
from services.pixels import Pixels
from services.ports import Clock, Database, LocalTime, NewId
from services.rate_limiting import RateLimiter
from services.repeats import Repeats
from services.timers import Timers
from services.visits import Visits

NewSync = Callable[[Log], SyncRun]
"""Makes one run of the sync; raises ConfigError where one of its settings cannot be used."""


@dataclass(frozen=True, slots=True)
class App:
    """The isolate's services, put together once from its bindings."""

    config: Config
    clock: Clock
    local_time: LocalTime
    new_id: NewId
    memory_mib: Callable[[], int]
    worker_version: str | None
    database: Database
    limiter: RateLimiter
    pixels: Pixels
    projects: Register
    project_pixels: Register
    visits: Visits
    repeats: Repeats
    timers: Timers
    health: Health
    metrics: Metrics
    backups: Backups
    new_sync: NewSync
