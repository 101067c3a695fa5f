"""What a handler works with: the settings and the services of one isolate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from config import Config
from services.archive import ArchiveRun
from services.backups import Backups
from services.delayed_sync import SyncRun
from services.failed_requests import FailedRequests
from services.health import Health
from services.logs import Log
from services.management import Register
from services.metrics import Metrics
from services.pixels import Pixels
from services.ports import Bucket, Clock, Database, LocalTime, NewId
from services.privacy import Privacy
from services.rate_limiting import RateLimiter
from services.repeats import Repeats
from services.retention import Retention
from services.timers import Timers
from services.visits import Visits
from services.watch import Watch
from services.watch_job import WatchJob

NewSync = Callable[[Log, Watch], SyncRun]
"""Makes one run of the sync; raises ConfigError where one of its settings cannot be used."""

NewArchive = Callable[[Log], ArchiveRun]
"""Makes one run of the archive; raises ConfigError where one of its settings cannot be used."""


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
    bucket: Bucket
    limiter: RateLimiter
    pixels: Pixels
    projects: Register
    project_pixels: Register
    visits: Visits
    repeats: Repeats
    timers: Timers
    health: Health
    metrics: Metrics
    privacy: Privacy
    retention: Retention
    backups: Backups
    failed_requests: FailedRequests
    watch_job: WatchJob
    new_watch: Callable[[Log], Watch]
    new_sync: NewSync
    new_archive: NewArchive
