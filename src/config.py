"""The settings of a deployment: vars and secrets, checked once when an isolate starts."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, TypeVar, cast, get_args

from services.access.api_keys import ApiKey, read_api_keys
from services.access.rate_limiting import Limit
from services.archive.archive_run import ArchiveSettings
from services.backup.backup_run import BackupSettings
from services.core.logs import Level
from services.monitoring.checks import CheckThresholds
from services.pipedrive.accounts import Accounts, read_accounts, read_further_accounts
from services.pipedrive.fields import FieldMap, read_field_map
from services.pipedrive.limits import CallSettings
from services.sync.portion import LeadSettings
from services.sync.retries import RetrySchedule
from services.sync.sync_run import RunSettings

Environment = Literal["development", "production"]

VERSION = "3.1.0"
MINUTE_SECONDS = 60
HOUR_SECONDS = 3_600
WHOLE_NUMBER = re.compile(r"[1-9][0-9]{0,8}")
MAX_PORTION_LEADS = 50
# Plain http is allowed to this machine only.
WEB_ADDRESS = re.compile(r"https://[^\s/]+\S*|http://(?:127\.0\.0\.1|localhost)(?::\d+)?/\S*")

Setting = TypeVar("Setting")

SettingReader = Callable[[str], str | None]
"""Returns the text of a var or secret by its name, or None."""


class ConfigError(Exception):
    """A var or secret has a value that cannot be used; the message names it."""


@dataclass(frozen=True, slots=True)
class Config:
    """The settings without which the Worker answers no request."""

    environment: Environment
    log_level: Level
    session_minutes: int
    pixel_cache_seconds: int
    tracking: Limit
    analytics: Limit
    management: Limit
    refused_keys: Limit
    api_keys: tuple[ApiKey, ...]
    sync_delay_seconds: int
    repeat_window_seconds: int
    privacy_steps: int
    session_retention_days: int
    visitor_retention_days: int
    backups: BackupSettings


@dataclass(frozen=True, slots=True)
class SyncConfig:
    """The settings of the sync alone: an invalid one delays leads, but never stops tracking.

    `fields` is None where no field map is set.
    """

    run: RunSettings
    leads: LeadSettings
    calls: CallSettings
    breaker_seconds: int
    accounts: Accounts
    fields: FieldMap | None


@dataclass(frozen=True, slots=True)
class MonitoringConfig:
    """The settings of checks and alerts: an invalid one is logged, and the default is taken."""

    thresholds: CheckThresholds
    runbook_url: str
    alert_webhook_url: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class ArchiveConfig:
    """The settings of the archive alone: with an invalid one events stay in D1.

    `endpoint`, if any, is sent every part. `timeout_seconds` is that of one attempt, `backoff_ms`
    the pause after the first one.
    """

    run: ArchiveSettings
    endpoint: str | None = field(repr=False)
    api_key: str | None = field(repr=False)
    timeout_seconds: int
    backoff_ms: int


def read_config(get: SettingReader) -> Config:
    """Reads the settings through `get`.

    Raises:
        ConfigError: a value is not allowed; the message names its setting.
    """
    return Config(
        environment=cast("Environment", _choice(get, "ENVIRONMENT", get_args(Environment))),
        log_level=cast("Level", _choice(get, "LOG_LEVEL", get_args(Level), "info")),
        session_minutes=_number(get, "SESSION_MINUTES", 30),
        pixel_cache_seconds=_number(get, "PIXEL_CACHE_SECONDS", 60),
        tracking=Limit("tracking", _number(get, "TRACKING_PER_MINUTE", 100), MINUTE_SECONDS, 5, 10),
        analytics=Limit("analytics", _number(get, "ANALYTICS_PER_HOUR", 1_000), HOUR_SECONDS, 0, 1),
        management=Limit(
            "management", _number(get, "MANAGEMENT_PER_HOUR", 100), HOUR_SECONDS, 0, 1
        ),
        refused_keys=Limit(
            "refused_keys", _number(get, "REFUSED_KEYS_PER_HOUR", 20), HOUR_SECONDS, 0, 1
        ),
        api_keys=_checked("API_KEYS", lambda: read_api_keys(get("API_KEYS"))),
        sync_delay_seconds=_number(get, "SYNC_DELAY_SECONDS", 7 * MINUTE_SECONDS),
        repeat_window_seconds=_number(get, "REPEAT_WINDOW_SECONDS", 10 * MINUTE_SECONDS),
        privacy_steps=_number(get, "PRIVACY_STEPS", 100),
        session_retention_days=_number(get, "SESSION_RETENTION_DAYS", 395),
        visitor_retention_days=_number(get, "VISITOR_RETENTION_DAYS", 395),
        backups=BackupSettings(
            seconds=_number(get, "BACKUP_RUN_SECONDS", MINUTE_SECONDS),
            steps=_number(get, "BACKUP_RUN_STEPS", 40),
        ),
    )


def read_sync_config(get: SettingReader) -> SyncConfig:
    """Reads the settings of the sync as `read_config` does the others.

    Raises:
        ConfigError: a value is not allowed; the message names its setting.
    """
    config = SyncConfig(
        run=_run_settings(get),
        leads=_lead_settings(get),
        calls=CallSettings(
            timeout_seconds=_number(get, "PIPEDRIVE_TIMEOUT_SECONDS", 5),
            backoff_ms=_number(get, "PIPEDRIVE_BACKOFF_MS", 500),
            requests_per_window=_number(get, "PIPEDRIVE_REQUESTS_PER_WINDOW", 20),
            searches_per_window=_number(get, "PIPEDRIVE_SEARCHES_PER_WINDOW", 10),
            window_ms=_number(get, "PIPEDRIVE_WINDOW_MS", 2_200),
        ),
        breaker_seconds=_number(get, "PIPEDRIVE_BREAKER_SECONDS", MINUTE_SECONDS),
        accounts=_accounts(get),
        fields=_fields(get("PIPEDRIVE_FIELDS")),
    )
    return _require_longer_lease(config)


def read_archive_config(get: SettingReader) -> ArchiveConfig:
    """Reads the settings of the archive as `read_config` does the others.

    Raises:
        ConfigError: a value is not allowed; the message names its setting.
    """
    return ArchiveConfig(
        run=ArchiveSettings(
            days=_number(get, "ARCHIVE_DAYS", 180),
            rows=_number(get, "ARCHIVE_ROWS_PER_RUN", 5_000),
            seconds=_number(get, "ARCHIVE_RUN_SECONDS", MINUTE_SECONDS),
        ),
        endpoint=_web_address(get, "ARCHIVE_ENDPOINT"),
        api_key=get("ARCHIVE_API_KEY") or None,
        timeout_seconds=_number(get, "ARCHIVE_TIMEOUT_SECONDS", 10),
        backoff_ms=_number(get, "ARCHIVE_BACKOFF_MS", 1_000),
    )


def read_monitoring_config(get: SettingReader) -> MonitoringConfig:
    """Reads the settings of checks and alerts as `read_config` does the others.

    Raises:
        ConfigError: a value is not allowed; the message names its setting.
    """
    return MonitoringConfig(
        thresholds=CheckThresholds(
            daily_tokens=_number(get, "PIPEDRIVE_DAILY_TOKENS", 30_000),
            database_megabytes=_number(get, "DATABASE_LIMIT_MEGABYTES", 10_000),
        ),
        runbook_url=get("RUNBOOK_URL") or "docs/runbook.md",
        alert_webhook_url=_web_address(get, "ALERT_WEBHOOK_URL"),
    )


def _run_settings(get: SettingReader) -> RunSettings:
    settings = RunSettings(
        seconds=_number(get, "SYNC_RUN_SECONDS", 10 * MINUTE_SECONDS),
        requests=_number(get, "SYNC_RUN_REQUESTS", 8_000),
        portion=_number(get, "SYNC_PORTION", 50),
        lease_seconds=_number(get, "SYNC_LEASE_SECONDS", 4 * MINUTE_SECONDS),
    )
    if settings.portion > MAX_PORTION_LEADS:
        raise ConfigError(f"SYNC_PORTION must be at most {MAX_PORTION_LEADS}")
    return settings


def _require_longer_lease(config: SyncConfig) -> SyncConfig:
    """A lead must be finished before its lease expires."""
    if config.run.lease_seconds <= 2 * config.leads.lead_seconds:
        raise ConfigError("SYNC_LEASE_SECONDS must be more than twice SYNC_LEAD_SECONDS")
    return config


def _lead_settings(get: SettingReader) -> LeadSettings:
    return LeadSettings(
        concurrency=_number(get, "PIPEDRIVE_CONCURRENCY", 5),
        lead_seconds=_number(get, "SYNC_LEAD_SECONDS", 30),
        time_zone=get("SYNC_TIME_ZONE") or "UTC",
        retries=RetrySchedule(
            first_pause_seconds=_number(get, "SYNC_FIRST_PAUSE_SECONDS", 5 * MINUTE_SECONDS),
            max_pause_seconds=_number(get, "SYNC_LONGEST_PAUSE_SECONDS", 6 * HOUR_SECONDS),
            give_up_after_hours=_number(get, "SYNC_RETRY_HOURS", 72),
        ),
    )


def _choice(
    get: SettingReader,
    name: str,
    allowed: tuple[str, ...],
    default: str | None = None,
) -> str:
    value = (get(name) or default or "").lower()
    if value not in allowed:
        raise ConfigError(f"{name} must be one of {', '.join(allowed)}, not {value!r}")
    return value


def _number(get: SettingReader, name: str, default: int) -> int:
    text = get(name)
    if text is None:
        return default
    if not WHOLE_NUMBER.fullmatch(text):
        raise ConfigError(f"{name} must be a whole number from 1 to 999999999, not {text[:20]!r}")
    return int(text)


def _checked(name: str, read: Callable[[], Setting]) -> Setting:
    try:
        return read()
    except ValueError as error:
        raise ConfigError(f"{name} {error}") from None


def _accounts(get: SettingReader) -> Accounts:
    default = _checked(
        "PIPEDRIVE_URL", lambda: read_accounts(get("PIPEDRIVE_API_KEY"), get("PIPEDRIVE_URL"))
    )
    additional = _checked(
        "PIPEDRIVE_ACCOUNTS", lambda: read_further_accounts(get("PIPEDRIVE_ACCOUNTS"))
    )
    return {**additional, **default}


def _fields(text: str | None) -> FieldMap | None:
    return _checked("PIPEDRIVE_FIELDS", lambda: read_field_map(text)) if text else None


def _web_address(get: SettingReader, name: str) -> str | None:
    url = get(name)
    if url and not WEB_ADDRESS.fullmatch(url):
        raise ConfigError(f"{name} must be an https address")
    return url or None
