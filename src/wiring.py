"""Puts the app of one isolate together from its bindings, on its first request."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import js

from app import App
from bindings.clock import local_time, now, sleep
from bindings.d1 import D1
from bindings.fetch import Fetch
from bindings.interpreter import memory_mib, new_id, random
from bindings.kv import Kv
from bindings.limiter import Shards
from bindings.r2 import R2
from config import (
    ConfigError,
    SettingReader,
    SyncConfig,
    read_archive_config,
    read_config,
    read_monitoring_config,
    read_sync_config,
    setting_problems,
)
from services.access.rate_limiting import IsolateRateLimiter
from services.access.refused_keys import RefusedKeys
from services.access.shared_views import SharedViews
from services.alerting.alert_states import AlertMemory
from services.alerting.notifier import Notifier
from services.alerting.webhook import AlertWebhook
from services.archive.archive_run import ArchiveRun
from services.archive.endpoint import ArchiveEndpoint
from services.backup.backup_run import Backups
from services.backup.full_backups import FullBackups
from services.backup.records import BackupRecords
from services.backup.steps import BackupSteps
from services.backup.store import BackupStore
from services.core.backed_up import FindBackedUpRows
from services.core.clock_history import ClockHistory
from services.core.logs import Log
from services.loss.guard import DatabaseGuard
from services.loss.loss_check import LossCheck
from services.monitoring.checks_run import ChecksRun
from services.monitoring.failed_requests import FailedRequests
from services.monitoring.health import Health
from services.monitoring.metrics import MetricsReader
from services.monitoring.recent_health import RecentHealth
from services.pipedrive.circuit_breaker import CircuitBreaker
from services.pipedrive.client import AccountState, PipedriveClient
from services.pipedrive.limits import Budget
from services.privacy.person_requests import Privacy
from services.privacy.retention import Retention
from services.projects.entry_kinds import PIXEL_KIND, PROJECT_KIND
from services.projects.pixel_cache import PixelCache
from services.projects.register import Register
from services.sync.outbox import Outbox
from services.sync.payload import AccountFieldCache
from services.sync.portion import PortionSync
from services.sync.sync_run import SyncRun
from services.sync.timers import Timers
from services.tracking.missed_clicks import MissedClicks
from services.tracking.parked_events import ParkedEvents
from services.tracking.referrers import Referrers
from services.tracking.repeats import Repeats
from services.tracking.replay import Replay
from services.tracking.site_directory import SiteDirectory
from services.tracking.visits import Visits
from services.tracking.waiting_counts import WaitingReader
from services.tracking.waiting_queue import WaitingQueue
from services.tracking.waiting_room import WaitingRoom

WRONG_ZONE = "SYNC_TIME_ZONE must be a time zone such as Europe/Berlin"


def build_app(env: Any) -> App:
    """Reads the settings and wires the services to the bindings of `env`."""
    settings = partial(_setting, env)
    config = read_config(settings)
    database = D1(getattr(env, "DB", None))
    shards = Shards(getattr(env, "RATE_LIMITER", None))
    key_values = Kv(getattr(env, "CACHE", None))
    bucket = R2(getattr(env, "BACKUPS", None))
    store = BackupStore(bucket, config.environment)
    full_backups = FullBackups(BackupRecords(database), store)
    records, metrics_reader = BackupRecords(database), MetricsReader(database, database.size_bytes)
    visits = Visits(
        *(database, new_id, config.session_minutes),
        *(config.sync_delay_seconds, config.repeat_window_seconds, config.checks_rejected),
        referrers=Referrers(database, SiteDirectory(database, config.pixel_cache_seconds)),
    )
    guard = DatabaseGuard(database, bucket, config.environment)
    pixels = PixelCache(database, guard, config.pixel_cache_seconds)
    waiting_room = WaitingRoom(bucket, new_id)
    parked_events = ParkedEvents(bucket, now)
    waiting_counts = WaitingReader(waiting_room, parked_events, now)
    loss_check = LossCheck(database, bucket, store.rebuilt_mark, now, config.environment)
    steps = BackupSteps(database, store, now)
    health = Health(database, key_values, shards, now)
    thresholds = read_monitoring_config(settings).thresholds
    return App(
        config=config,
        setting_problems=_setting_problems(settings),
        clock=now,
        started_at=now(),
        local_time=local_time,
        new_id=new_id,
        memory_mib=memory_mib,
        rows_read=database.rows_read,
        worker_version=_worker_version(env),
        database=database,
        bucket=bucket,
        limiter=IsolateRateLimiter(shards),
        refused_keys=RefusedKeys(config.refused_keys.window_seconds),
        shared_views=SharedViews(database, new_id),
        guard=guard,
        pixels=pixels,
        projects=Register(PROJECT_KIND, database, new_id),
        project_pixels=Register(PIXEL_KIND, database, new_id),
        visits=visits,
        waiting_room=waiting_room,
        waiting_counts=waiting_counts,
        replay=Replay(
            *(waiting_room, WaitingQueue(waiting_room, now), parked_events),
            pixels=pixels,
            visits=visits,
            history=ClockHistory(database),
            clock=now,
            environment=config.environment,
        ),
        missed_clicks=MissedClicks(database, new_id, now),
        repeats=Repeats(database, key_values, config.repeat_window_seconds),
        timers=Timers(key_values),
        loss_check=loss_check,
        health=health,
        recent_health=RecentHealth(health, loss_check, now),
        metrics_reader=metrics_reader,
        privacy=Privacy(database, bucket, key_values, new_id, now, config.privacy_steps),
        retention=Retention(
            *(database, bucket, new_id, now, full_backups.backed_up_rows),
            *(config.session_retention_days, config.visitor_retention_days),
        ),
        backups=Backups(config.backups, records, store, steps, loss_check, now),
        failed_requests=FailedRequests(database, now, sleep),
        checks_run=ChecksRun(
            *(thresholds, metrics_reader, records, store, loss_check),
            *(waiting_counts, now),
        ),
        alerts=AlertMemory(key_values),
        new_notifier=partial(_new_notifier, settings, key_values),
        new_sync=partial(_new_sync, settings, database, key_values),
        new_archive=partial(_new_archive, settings, database, bucket, full_backups.backed_up_rows),
    )


def _worker_version(env: Any) -> str | None:
    """Cloudflare's id of the deployed version; None where there is none."""
    metadata = getattr(env, "CF_VERSION_METADATA", None)
    return str(metadata.id) if metadata else None


def _setting(env: Any, name: str) -> str | None:
    """A var or secret as text: wrangler.toml may hold numbers, lists and tables too."""
    value = getattr(env, name, None)
    if value is None or isinstance(value, str):
        return value
    # Of a binding with this name it is an empty object, which no setting is.
    return json.dumps(value) if isinstance(value, bool | int | float) else js.JSON.stringify(value)


def _setting_problems(settings: SettingReader) -> Sequence[str]:
    zone = settings("SYNC_TIME_ZONE")
    return [*setting_problems(settings), *([] if not zone or _is_time_zone(zone) else [WRONG_ZONE])]


def _is_time_zone(zone: str) -> bool:
    try:
        local_time(datetime.fromtimestamp(0, tz=now().tzinfo), zone)
    except ValueError:
        return False
    return True


def _new_notifier(settings: SettingReader, key_values: Kv, log: Log) -> Notifier:
    config = read_monitoring_config(settings)
    webhook = AlertWebhook(Fetch(), config.alert_webhook_url)
    memory = AlertMemory(key_values)
    return Notifier(webhook, memory, now, log, config.runbook_url, config.on_call)


def _new_sync(
    settings: SettingReader,
    database: D1,
    key_values: Kv,
    log: Log,
    notifier: Notifier,
) -> SyncRun:
    """One run of the sync with its own budget, counters and states.

    Raises:
        ConfigError: a setting of the sync cannot be used.
    """
    config = read_sync_config(settings)
    if not _is_time_zone(config.leads.time_zone):
        # In another zone the times in the CRM would be wrong for good.
        raise ConfigError(WRONG_ZONE)
    http, breaker_reasons = Fetch(), list[str]()
    budget = Budget(now() + timedelta(seconds=config.run.seconds), config.run.requests)
    apis = _apis(config, http, budget, breaker_reasons)
    outbox = Outbox(
        database=database,
        run=log.request_id,
        lease_seconds=config.run.lease_seconds,
        accounts={name: api.state for name, api in apis.items()},
    )
    portions = PortionSync(
        settings=config.leads,
        apis=apis,
        default_fields=config.fields,
        account_fields=AccountFieldCache(key_values),
        outbox=outbox,
        clock=now,
        local_time=local_time,
        log=log,
    )
    return SyncRun(
        settings=config.run,
        apis=apis,
        portions=portions,
        outbox=outbox,
        timers=Timers(key_values),
        budget=budget,
        notify=notifier.notify,
        clock=now,
        log=log,
        breaker_reasons=breaker_reasons,
    )


def _new_archive(
    settings: SettingReader,
    database: D1,
    bucket: R2,
    find_backed_up_rows: FindBackedUpRows,
    log: Log,
) -> ArchiveRun:
    """One run of the archive.

    Raises:
        ConfigError: a setting of the archive cannot be used.
    """
    config = read_archive_config(settings)
    endpoint = config.endpoint and ArchiveEndpoint(
        url=config.endpoint,
        api_key=config.api_key,
        timeout_seconds=config.timeout_seconds,
        pause_ms=config.backoff_ms,
        http=Fetch(),
        sleep=sleep,
    )
    return ArchiveRun(config.run, database, bucket, endpoint or None, find_backed_up_rows, now, log)


def _apis(
    config: SyncConfig, http: Fetch, budget: Budget, breaker_reasons: list[str]
) -> dict[str, PipedriveClient]:
    """The accounts by name, each with a breaker of its own and the budget of all."""
    return {
        name: PipedriveClient(
            account=account,
            state=AccountState(CircuitBreaker(config.breaker_seconds)),
            budget=budget,
            settings=config.calls,
            http=http,
            clock=now,
            sleep=sleep,
            random=random,
            on_breaker_opened=breaker_reasons.append,
        )
        for name, account in config.accounts.items()
    }
