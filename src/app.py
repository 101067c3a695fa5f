"""The settings and services of one isolate, as every handler receives them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from config import Config
from services.access.rate_limiting import IsolateRateLimiter
from services.access.refused_keys import RefusedKeys
from services.access.shared_views import SharedViews
from services.alerting.alert_states import AlertMemory
from services.alerting.notifier import Notifier
from services.archive.archive_run import ArchiveRun
from services.backup.backup_run import Backups
from services.core.logs import Log
from services.core.ports import Bucket, Clock, Database, LocalTime, NewId
from services.loss.guard import DatabaseGuard
from services.loss.loss_check import LossCheck
from services.monitoring.checks_run import ChecksRun
from services.monitoring.failed_requests import FailedRequests
from services.monitoring.health import Health
from services.monitoring.metrics import MetricsReader
from services.monitoring.recent_health import RecentHealth
from services.privacy.person_requests import Privacy
from services.privacy.retention import Retention
from services.projects.pixel_cache import PixelCache
from services.projects.register import Register
from services.sync.sync_run import SyncRun
from services.sync.timers import Timers
from services.tracking.missed_clicks import MissedClicks
from services.tracking.repeats import Repeats
from services.tracking.replay import Replay
from services.tracking.visits import Visits
from services.tracking.waiting_counts import WaitingReader
from services.tracking.waiting_room import WaitingRoom

NewSync = Callable[[Log, Notifier], SyncRun]
"""Makes one run of the sync; raises ConfigError where one of its settings cannot be used."""

NewArchive = Callable[[Log], ArchiveRun]
"""Makes one run of the archive; raises ConfigError where one of its settings cannot be used."""


@dataclass(frozen=True, slots=True)
class App:
    """The isolate's services, put together once from its bindings."""

    config: Config
    setting_problems: Sequence[str]
    clock: Clock
    started_at: datetime
    local_time: LocalTime
    new_id: NewId
    memory_mib: Callable[[], int]
    rows_read: Callable[[], int]
    worker_version: str | None
    database: Database
    bucket: Bucket
    limiter: IsolateRateLimiter
    refused_keys: RefusedKeys
    shared_views: SharedViews
    guard: DatabaseGuard
    pixels: PixelCache
    projects: Register
    project_pixels: Register
    visits: Visits
    waiting_room: WaitingRoom
    waiting_counts: WaitingReader
    replay: Replay
    missed_clicks: MissedClicks
    repeats: Repeats
    timers: Timers
    loss_check: LossCheck
    health: Health
    recent_health: RecentHealth
    metrics_reader: MetricsReader
    privacy: Privacy
    retention: Retention
    backups: Backups
    failed_requests: FailedRequests
    checks_run: ChecksRun
    alerts: AlertMemory
    new_notifier: Callable[[Log], Notifier]
    new_sync: NewSync
    new_archive: NewArchive
