"""The settings of a deployment: vars and secrets, checked once when an isolate starts.

No value of a setting stops tracking. One that cannot be used is named in `problems`, and a safe
default takes its place. Where no default is safe, the job of the setting waits (ConfigError).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeVar, cast, get_args

from services.access.api_keys import ApiKey, read_api_keys
from services.access.rate_limiting import Limit
from services.alerting.on_call import Responders, read_on_call
from services.archive.archive_run import ArchiveSettings
from services.backup.backup_run import BackupSettings
from services.core.logs import Level
from services.monitoring.checks import CheckThresholds
from services.pipedrive.accounts import Accounts, read_accounts, read_further_accounts
from services.pipedrive.fields import FieldMap, read_field_map
from services.pipedrive.limits import CallSettings
from services.projects.configuration import MAX_SESSION_MINUTES
from services.sync.portion import LeadSettings
from services.sync.retries import RetrySchedule
from services.sync.sync_run import RunSettings

Environment = Literal["development", "staging", "production"]

VERSION = "3.1.0"
MINUTE_SECONDS = 60
HOUR_SECONDS = 3_600
DAY_SECONDS = 86_400
MAX_DAYS = 36_500
OLD_KEYS = "has the old format"
MAX_NUMBER = 999_999_999
WHOLE_NUMBER = re.compile(r"[1-9][0-9]{0,8}")
MAX_PORTION_LEADS = 50
# Plain http is allowed to this machine only.
WEB_ADDRESS = re.compile(r"https://[^\s/]+\S*|http://(?:127\.0\.0\.1|localhost)(?::\d+)?/\S*")

Setting = TypeVar("Setting")

SettingReader = Callable[[str], str | None]
"""Returns the text of a var or secret by its name, or None."""


class ConfigError(Exception):
    """A job cannot run with the values of some vars or secrets: a problem of each, name first."""

    def __init__(self, *problems: str) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Settings:
    """Reads settings with a default for each. A value that cannot be used adds to `problems`.

    Each problem begins with the name of the setting and quotes nothing of its value, which may be a
    secret.
    """

    get: SettingReader
    problems: list[str] = field(default_factory=list)

    def choice(
        self, name: str, allowed: tuple[str, ...], default: str, safe: str | None = None
    ) -> str:
        """One of some words, large or small; `safe` is taken in place of any other."""
        value = (self.get(name) or default).lower()
        if value in allowed:
            return value
        self.problems.append(f"{name} must be one of {', '.join(allowed)}")
        return safe or default

    def number(
        self, name: str, default: int, *, largest: int = MAX_NUMBER, safe: int | None = None
    ) -> int:
        """A whole number from 1; `safe` is taken in place of one that cannot be used."""
        text = self.get(name)
        if text is None:
            return default
        if WHOLE_NUMBER.fullmatch(text) and int(text) <= largest:
            return int(text)
        self.problems.append(f"{name} must be a whole number from 1 to {largest}")
        return default if safe is None else safe

    def api_keys(self) -> tuple[ApiKey, ...]:
        """The keys of API_KEYS that can be read."""
        secret = read_api_keys(self.get("API_KEYS"))
        if secret.is_old:
            self.problems.append(
                f"API_KEYS {OLD_KEYS}: each of its keys opens everything; make keys with names and "
                "roles (./ppp keys new)"
            )
        effect = "the other keys work" if secret.keys else "until then no key opens anything"
        self.problems.extend(f"API_KEYS {problem}; {effect}" for problem in secret.problems)
        return secret.keys


@dataclass(frozen=True, slots=True)
class Config:
    """The settings of requests and of the jobs that nothing else configures."""

    environment: Environment
    log_level: Level
    session_minutes: int
    pixel_cache_seconds: int
    tracking: Limit
    leads: Limit
    analytics: Limit
    management: Limit
    refused_keys: Limit
    api_keys: tuple[ApiKey, ...]
    sync_delay_seconds: int
    repeat_window_seconds: int
    checks_rejected: bool
    privacy_steps: int
    session_retention_days: int
    visitor_retention_days: int
    backups: BackupSettings
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SyncConfig:
    """The settings of the sync alone.

    `fields` is None where no field map is set.
    """

    run: RunSettings
    leads: LeadSettings
    calls: CallSettings
    breaker_seconds: int
    accounts: Accounts
    fields: FieldMap | None
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MonitoringConfig:
    """The settings of checks and alerts: an invalid one is logged, and the default is taken."""

    thresholds: CheckThresholds
    runbook_url: str
    alert_webhook_url: str | None = field(repr=False)
    on_call: Mapping[str, Responders] = field(default_factory=dict, repr=False)
    problems: tuple[str, ...] = ()


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
    problems: tuple[str, ...] = ()


def read_config(get: SettingReader) -> Config:
    """Reads the settings through `get`; a wrong one is among the problems."""
    settings = Settings(get)
    number = settings.number
    return Config(
        environment=cast(
            "Environment", settings.choice("ENVIRONMENT", get_args(Environment), "production")
        ),
        log_level=cast("Level", settings.choice("LOG_LEVEL", get_args(Level), "info", "warn")),
        session_minutes=number("SESSION_MINUTES", 30, largest=MAX_SESSION_MINUTES),
        pixel_cache_seconds=number("PIXEL_CACHE_SECONDS", 60, largest=HOUR_SECONDS),
        tracking=Limit("tracking", number("TRACKING_PER_MINUTE", 100), MINUTE_SECONDS, 5, 10),
        leads=Limit("leads", number("LEADS_PER_MINUTE", 30), MINUTE_SECONDS, 0, 5),
        analytics=Limit("analytics", number("ANALYTICS_PER_HOUR", 1_000), HOUR_SECONDS, 0, 1),
        management=Limit("management", number("MANAGEMENT_PER_HOUR", 100), HOUR_SECONDS, 0, 1),
        refused_keys=Limit("refused_keys", number("REFUSED_KEYS_PER_HOUR", 20), HOUR_SECONDS, 0, 1),
        api_keys=settings.api_keys(),
        sync_delay_seconds=number("SYNC_DELAY_SECONDS", 7 * MINUTE_SECONDS, largest=DAY_SECONDS),
        repeat_window_seconds=number(
            "REPEAT_WINDOW_SECONDS", 10 * MINUTE_SECONDS, largest=DAY_SECONDS
        ),
        checks_rejected=settings.choice("SYNC_REJECTED_FORMS", ("check", "never"), "check")
        == "check",
        privacy_steps=number("PRIVACY_STEPS", 100),
        # A period that cannot be read must not delete what a longer one would keep.
        session_retention_days=number(
            "SESSION_RETENTION_DAYS", 395, largest=MAX_DAYS, safe=MAX_DAYS
        ),
        visitor_retention_days=number(
            "VISITOR_RETENTION_DAYS", 395, largest=MAX_DAYS, safe=MAX_DAYS
        ),
        backups=BackupSettings(
            seconds=number("BACKUP_RUN_SECONDS", MINUTE_SECONDS, largest=HOUR_SECONDS),
            steps=number("BACKUP_RUN_STEPS", 40),
        ),
        problems=tuple(settings.problems),
    )


def read_sync_config(get: SettingReader) -> SyncConfig:
    """Reads the settings of the sync as `read_config` does the others.

    Raises:
        ConfigError: an account or the field map is not allowed; the message names the setting.
    """
    settings = Settings(get)
    number = settings.number
    accounts, fields = _accounts_and_fields(get)
    run, leads = _run_and_lead_settings(settings)
    return SyncConfig(
        run=run,
        leads=leads,
        calls=CallSettings(
            timeout_seconds=number("PIPEDRIVE_TIMEOUT_SECONDS", 5, largest=HOUR_SECONDS),
            backoff_ms=number("PIPEDRIVE_BACKOFF_MS", 500),
            requests_per_window=number("PIPEDRIVE_REQUESTS_PER_WINDOW", 20),
            searches_per_window=number("PIPEDRIVE_SEARCHES_PER_WINDOW", 10),
            window_ms=number("PIPEDRIVE_WINDOW_MS", 2_200),
        ),
        breaker_seconds=number("PIPEDRIVE_BREAKER_SECONDS", MINUTE_SECONDS),
        accounts=accounts,
        fields=fields,
        problems=tuple(settings.problems),
    )


def read_archive_config(get: SettingReader) -> ArchiveConfig:
    """Reads the settings of the archive as `read_config` does the others.

    Raises:
        ConfigError: ARCHIVE_DAYS or ARCHIVE_ENDPOINT is not allowed: no default is safe, because it
            would move events that a person meant to stay, or to be sent first.
    """
    settings = Settings(get)
    days = settings.number("ARCHIVE_DAYS", 180, largest=MAX_NUMBER)
    endpoint = None
    try:
        endpoint = _web_address(get, "ARCHIVE_ENDPOINT")
    except ConfigError as error:
        settings.problems.extend(error.problems)
    if settings.problems:
        raise ConfigError(*settings.problems)
    run = ArchiveSettings(
        days=days,
        rows=settings.number("ARCHIVE_ROWS_PER_RUN", 5_000),
        seconds=settings.number("ARCHIVE_RUN_SECONDS", MINUTE_SECONDS, largest=HOUR_SECONDS),
    )
    return ArchiveConfig(
        run=run,
        endpoint=endpoint,
        api_key=get("ARCHIVE_API_KEY") or None,
        timeout_seconds=settings.number("ARCHIVE_TIMEOUT_SECONDS", 10, largest=HOUR_SECONDS),
        backoff_ms=settings.number("ARCHIVE_BACKOFF_MS", 1_000),
        problems=tuple(settings.problems),
    )


def read_monitoring_config(get: SettingReader) -> MonitoringConfig:
    """Reads the settings of checks and alerts; without a usable webhook nobody is notified."""
    settings = Settings(get)
    try:
        webhook_url = _web_address(get, "ALERT_WEBHOOK_URL")
    except ConfigError as error:
        settings.problems.append(str(error))
        webhook_url = None
    try:
        on_call = read_on_call(get("ON_CALL"))
    except ValueError as error:
        settings.problems.append(f"ON_CALL {error}")
        on_call = {}
    return MonitoringConfig(
        thresholds=CheckThresholds(
            daily_tokens=settings.number("PIPEDRIVE_DAILY_TOKENS", 30_000),
            database_megabytes=settings.number("DATABASE_LIMIT_MEGABYTES", 10_000),
        ),
        runbook_url=get("RUNBOOK_URL") or "docs/runbook.md",
        alert_webhook_url=webhook_url,
        on_call=on_call,
        problems=tuple(settings.problems),
    )


class HasProblems(Protocol):
    """Settings that were read, and what is wrong with them."""

    @property
    def problems(self) -> tuple[str, ...]:
        """What is wrong; each problem begins with the name of a setting."""


def setting_problems(get: SettingReader) -> Sequence[str]:
    """What is wrong with the settings, all of them; each problem begins with a name."""
    problems: list[str] = []
    readers: Sequence[Callable[[SettingReader], HasProblems]] = (
        read_config,
        read_sync_config,
        read_archive_config,
        read_monitoring_config,
    )
    for read in readers:
        try:
            problems += read(get).problems
        except ConfigError as error:
            problems += error.problems
    return problems


def unusable(problems: Sequence[str]) -> Sequence[str]:
    """The problems of settings that cannot be used: keys of the old format can."""
    return [problem for problem in problems if OLD_KEYS not in problem]


def _run_and_lead_settings(settings: Settings) -> tuple[RunSettings, LeadSettings]:
    """A lead must be finished before its lease expires: two that disagree are both replaced."""
    lead_seconds = settings.number("SYNC_LEAD_SECONDS", 30, largest=HOUR_SECONDS)
    lease_seconds = settings.number("SYNC_LEASE_SECONDS", 4 * MINUTE_SECONDS, largest=DAY_SECONDS)
    if lease_seconds <= 2 * lead_seconds:
        settings.problems.append("SYNC_LEASE_SECONDS must be more than twice SYNC_LEAD_SECONDS")
        lead_seconds, lease_seconds = 30, 4 * MINUTE_SECONDS
    run = RunSettings(
        seconds=settings.number("SYNC_RUN_SECONDS", 10 * MINUTE_SECONDS, largest=DAY_SECONDS),
        requests=settings.number("SYNC_RUN_REQUESTS", 8_000),
        portion=settings.number("SYNC_PORTION", 50, largest=MAX_PORTION_LEADS),
        lease_seconds=lease_seconds,
    )
    return run, _lead_settings(settings, lead_seconds)


def _lead_settings(settings: Settings, lead_seconds: int) -> LeadSettings:
    number = settings.number
    return LeadSettings(
        concurrency=number("PIPEDRIVE_CONCURRENCY", 5),
        lead_seconds=lead_seconds,
        time_zone=settings.get("SYNC_TIME_ZONE") or "UTC",
        retries=RetrySchedule(
            first_pause_seconds=number(
                "SYNC_FIRST_PAUSE_SECONDS", 5 * MINUTE_SECONDS, largest=DAY_SECONDS
            ),
            max_pause_seconds=number(
                "SYNC_LONGEST_PAUSE_SECONDS", 6 * HOUR_SECONDS, largest=30 * DAY_SECONDS
            ),
            give_up_after_hours=number("SYNC_RETRY_HOURS", 72, largest=MAX_DAYS),
        ),
    )


def _accounts_and_fields(get: SettingReader) -> tuple[Accounts, FieldMap | None]:
    problems: list[str] = []

    def checked(name: str, read: Callable[[], Setting]) -> Setting | None:
        try:
            return read()
        except ValueError as error:
            problems.append(f"{name} {error}")
            return None

    default = checked(
        "PIPEDRIVE_URL", lambda: read_accounts(get("PIPEDRIVE_API_KEY"), get("PIPEDRIVE_URL"))
    )
    additional = checked(
        "PIPEDRIVE_ACCOUNTS", lambda: read_further_accounts(get("PIPEDRIVE_ACCOUNTS"))
    )
    text = get("PIPEDRIVE_FIELDS")
    fields = checked("PIPEDRIVE_FIELDS", lambda: read_field_map(text)) if text else None
    if problems:
        raise ConfigError(*problems)
    return {**(additional or {}), **(default or {})}, fields


def _web_address(get: SettingReader, name: str) -> str | None:
    url = get(name)
    if url and not WEB_ADDRESS.fullmatch(url):
        raise ConfigError(f"{name} must be an https address")
    return url or None
