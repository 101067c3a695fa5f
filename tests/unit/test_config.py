import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config import (
    ArchiveConfig,
    Config,
    ConfigError,
    MonitoringConfig,
    SyncConfig,
    read_archive_config,
    read_config,
    read_monitoring_config,
    read_sync_config,
    setting_problems,
    unusable,
)
from services.access.api_keys import ApiKey
from services.access.rate_limiting import Limit
from services.archive.archive_run import ArchiveSettings
from services.backup.backup_run import BackupSettings
from services.monitoring.checks import CheckThresholds
from services.pipedrive.accounts import Account
from services.pipedrive.limits import CallSettings
from services.sync.portion import LeadSettings
from services.sync.retries import RetrySchedule
from services.sync.sync_run import RunSettings

SHA256 = "ab" * 32
KEY = "0" * 39 + "1"
DEFAULT_URL = "https://api.pipedrive.com/api/v2"
NUMBERS = [
    *("SESSION_MINUTES", "PIXEL_CACHE_SECONDS", "TRACKING_PER_MINUTE", "LEADS_PER_MINUTE"),
    "ANALYTICS_PER_HOUR",
    *(
        "MANAGEMENT_PER_HOUR",
        "REFUSED_KEYS_PER_HOUR",
        "SYNC_DELAY_SECONDS",
        "REPEAT_WINDOW_SECONDS",
    ),
    *("PRIVACY_STEPS", "SESSION_RETENTION_DAYS", "VISITOR_RETENTION_DAYS"),
    *("BACKUP_RUN_SECONDS", "BACKUP_RUN_STEPS"),
]
NUMBERS_OF_THE_SYNC = [
    *("SYNC_RUN_SECONDS", "SYNC_RUN_REQUESTS", "SYNC_PORTION", "SYNC_LEASE_SECONDS"),
    *("SYNC_LEAD_SECONDS", "SYNC_FIRST_PAUSE_SECONDS", "SYNC_LONGEST_PAUSE_SECONDS"),
    *("SYNC_RETRY_HOURS", "PIPEDRIVE_CONCURRENCY", "PIPEDRIVE_TIMEOUT_SECONDS"),
    *("PIPEDRIVE_BACKOFF_MS", "PIPEDRIVE_REQUESTS_PER_WINDOW", "PIPEDRIVE_SEARCHES_PER_WINDOW"),
    *("PIPEDRIVE_WINDOW_MS", "PIPEDRIVE_BREAKER_SECONDS"),
]

NUMBERS_OF_THE_ARCHIVE = [
    *("ARCHIVE_DAYS", "ARCHIVE_ROWS_PER_RUN", "ARCHIVE_RUN_SECONDS"),
    *("ARCHIVE_TIMEOUT_SECONDS", "ARCHIVE_BACKOFF_MS"),
]


def config(**settings: str) -> Config:
    return read_config(({"ENVIRONMENT": "production"} | settings).get)


def sync_config(**settings: str) -> SyncConfig:
    return read_sync_config(settings.get)


def archive_config(**settings: str) -> ArchiveConfig:
    return read_archive_config(settings.get)


def monitoring_config(**settings: str) -> MonitoringConfig:
    return read_monitoring_config(settings.get)


def test_the_environment_alone_is_enough() -> None:
    assert config() == Config(
        environment="production",
        log_level="info",
        session_minutes=30,
        pixel_cache_seconds=60,
        tracking=Limit("tracking", 100, 60, 5, 10),
        leads=Limit("leads", 30, 60, 0, 5),
        analytics=Limit("analytics", 1_000, 3_600, 0, 1),
        management=Limit("management", 100, 3_600, 0, 1),
        refused_keys=Limit("refused_keys", 20, 3_600, 0, 1),
        api_keys=(),
        sync_delay_seconds=420,
        repeat_window_seconds=600,
        checks_rejected=True,
        privacy_steps=100,
        session_retention_days=395,
        visitor_retention_days=395,
        backups=BackupSettings(seconds=60, steps=40),
    )


def test_the_sync_needs_no_setting_but_an_account_and_a_map() -> None:
    assert sync_config() == SyncConfig(
        run=RunSettings(seconds=600, requests=8_000, portion=50, lease_seconds=240),
        leads=LeadSettings(
            concurrency=5,
            lead_seconds=30,
            time_zone="UTC",
            retries=RetrySchedule(
                first_pause_seconds=300, max_pause_seconds=21_600, give_up_after_hours=72
            ),
        ),
        calls=CallSettings(
            timeout_seconds=5,
            backoff_ms=500,
            requests_per_window=20,
            searches_per_window=10,
            window_ms=2_200,
        ),
        breaker_seconds=60,
        accounts={},
        fields=None,
    )


def test_the_archive_needs_no_setting() -> None:
    assert archive_config() == ArchiveConfig(
        run=ArchiveSettings(days=180, rows=5_000, seconds=60),
        endpoint=None,
        api_key=None,
        timeout_seconds=10,
        backoff_ms=1_000,
    )
    assert archive_config(ARCHIVE_ENDPOINT="", ARCHIVE_API_KEY="") == archive_config()


def test_every_setting_of_the_archive_can_be_chosen() -> None:
    chosen = archive_config(
        ARCHIVE_DAYS="1",
        ARCHIVE_ROWS_PER_RUN="2",
        ARCHIVE_RUN_SECONDS="3",
        ARCHIVE_ENDPOINT="https://archive.example/api/archive",
        ARCHIVE_API_KEY="k",
        ARCHIVE_TIMEOUT_SECONDS="4",
        ARCHIVE_BACKOFF_MS="5",
    )
    url = "https://archive.example/api/archive"
    assert chosen == ArchiveConfig(ArchiveSettings(1, 2, 3), url, "k", 4, 5)
    assert url not in repr(chosen)


def test_the_archive_is_sent_over_https_alone() -> None:
    with pytest.raises(ConfigError, match=r"^ARCHIVE_ENDPOINT must be an https address$"):
        archive_config(ARCHIVE_ENDPOINT="http://archive.example/")


def test_every_setting_can_be_chosen() -> None:
    chosen = config(
        ENVIRONMENT="development",
        LOG_LEVEL="debug",
        SESSION_MINUTES="1",
        PIXEL_CACHE_SECONDS="2",
        TRACKING_PER_MINUTE="3",
        LEADS_PER_MINUTE="9",
        ANALYTICS_PER_HOUR="4",
        MANAGEMENT_PER_HOUR="5",
        API_KEYS=json.dumps([{"name": "ops", "role": "admin", "sha256": SHA256}]),
        SYNC_DELAY_SECONDS="6",
        REPEAT_WINDOW_SECONDS="7",
        REFUSED_KEYS_PER_HOUR="8",
        SYNC_REJECTED_FORMS="never",
    )
    assert not chosen.checks_rejected
    assert (chosen.environment, chosen.log_level) == ("development", "debug")
    assert (chosen.session_minutes, chosen.pixel_cache_seconds) == (1, 2)
    limits = (chosen.tracking, chosen.leads, chosen.analytics, chosen.management)
    assert [limit.requests for limit in limits] == [3, 9, 4, 5]
    assert chosen.refused_keys.requests == 8
    assert chosen.api_keys == (ApiKey("ops", "admin", SHA256),)
    assert (chosen.sync_delay_seconds, chosen.repeat_window_seconds) == (6, 7)


def test_every_setting_of_the_sync_can_be_chosen() -> None:
    chosen = sync_config(
        SYNC_RUN_SECONDS="3",
        SYNC_RUN_REQUESTS="4",
        SYNC_PORTION="5",
        SYNC_LEASE_SECONDS="600",
        PIPEDRIVE_CONCURRENCY="6",
        SYNC_LEAD_SECONDS="7",
        SYNC_TIME_ZONE="Europe/Berlin",
        SYNC_FIRST_PAUSE_SECONDS="8",
        SYNC_LONGEST_PAUSE_SECONDS="9",
        SYNC_RETRY_HOURS="10",
        PIPEDRIVE_TIMEOUT_SECONDS="11",
        PIPEDRIVE_BACKOFF_MS="12",
        PIPEDRIVE_REQUESTS_PER_WINDOW="13",
        PIPEDRIVE_SEARCHES_PER_WINDOW="14",
        PIPEDRIVE_WINDOW_MS="15",
        PIPEDRIVE_BREAKER_SECONDS="16",
        PIPEDRIVE_FIELDS=json.dumps({"gclid": KEY}),
    )
    assert chosen.run == RunSettings(3, 4, 5, 600)
    assert chosen.leads == LeadSettings(6, 7, "Europe/Berlin", RetrySchedule(8, 9, 10))
    assert chosen.calls == CallSettings(11, 12, 13, 14, 15)
    assert chosen.breaker_seconds == 16
    assert chosen.fields == {"gclid": KEY}


def test_monitoring_needs_no_setting() -> None:
    assert monitoring_config() == MonitoringConfig(
        CheckThresholds(30_000, 10_000), "docs/runbook.md", None
    )
    chosen = monitoring_config(
        PIPEDRIVE_DAILY_TOKENS="1", DATABASE_LIMIT_MEGABYTES="2", RUNBOOK_URL="https://w.example"
    )
    assert chosen == MonitoringConfig(CheckThresholds(1, 2), "https://w.example", None)


def test_who_is_on_call_is_named_or_is_a_problem_and_is_never_shown() -> None:
    chosen = monitoring_config(ON_CALL='{"P1": {"first": "Kim Roe", "contact": "+49 1"}}')
    assert {name: str(people) for name, people in chosen.on_call.items()} == {
        "P1": "first Kim Roe (+49 1)"
    }
    assert "Kim" not in repr(chosen)
    broken = monitoring_config(ON_CALL='{"P1": "Kim Roe"}')
    assert broken.on_call == {}
    [problem] = broken.problems
    assert problem.startswith("ON_CALL must")
    assert "Kim" not in problem


def test_accounts_are_the_default_and_the_additional_ones() -> None:
    other_accounts = {"acme": {"api_key": "k2"}, "default": {"api_key": "k3"}}
    chosen = sync_config(PIPEDRIVE_API_KEY="k1", PIPEDRIVE_ACCOUNTS=json.dumps(other_accounts))
    assert chosen.accounts == {
        "default": Account("default", DEFAULT_URL, "k1"),
        "acme": Account("acme", DEFAULT_URL, "k2"),
    }
    chosen = sync_config(PIPEDRIVE_API_KEY="k1", PIPEDRIVE_URL="https://acme.pipedrive.com/api/v2/")
    assert chosen.accounts["default"].url == "https://acme.pipedrive.com/api/v2"


@pytest.mark.parametrize(
    "name",
    [
        *("PIPEDRIVE_API_KEY", "PIPEDRIVE_URL", "PIPEDRIVE_ACCOUNTS", "PIPEDRIVE_FIELDS"),
        *("ALERT_WEBHOOK_URL", "RUNBOOK_URL", "SYNC_TIME_ZONE"),
    ],
)
def test_an_empty_text_is_as_good_as_none(name: str) -> None:
    assert sync_config(**{name: ""}) == sync_config()
    assert monitoring_config(**{name: ""}) == monitoring_config()


def test_words_may_be_written_large() -> None:
    chosen = config(ENVIRONMENT="Production", LOG_LEVEL="WARN")
    assert (chosen.environment, chosen.log_level) == ("production", "warn")


def test_an_empty_secret_means_no_keys() -> None:
    assert config(API_KEYS="").api_keys == ()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("x", "must be a JSON object"),
        ("[]", "must be a JSON object"),
        ("{}", "must not be empty"),
        (
            json.dumps({"utm_sauce": KEY, "gclid": "1"}),
            "utm_sauce is none of our values; gclid: a key has 40 digits",
        ),
    ],
)
def test_a_wrong_field_map_is_refused_with_all_that_is_wrong(text: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=f"^PIPEDRIVE_FIELDS {problem}"):
        sync_config(PIPEDRIVE_FIELDS=text)


@pytest.mark.parametrize("url", ["https://hooks.example", "http://127.0.0.1:9/x"])
def test_alerts_go_over_https_or_to_this_machine(url: str) -> None:
    assert monitoring_config(ALERT_WEBHOOK_URL=url).alert_webhook_url == url


SECRET = "hunter2"  # noqa: S105  # opens nothing


@pytest.mark.parametrize(
    ("blamed", "settings"),
    [
        ("PIPEDRIVE_URL", {"PIPEDRIVE_API_KEY": SECRET, "PIPEDRIVE_URL": "http://x.example"}),
        ("PIPEDRIVE_URL", {"PIPEDRIVE_API_KEY": SECRET, "PIPEDRIVE_URL": f"x?token={SECRET}"}),
        ("PIPEDRIVE_ACCOUNTS", {"PIPEDRIVE_ACCOUNTS": SECRET}),
        ("PIPEDRIVE_ACCOUNTS", {"PIPEDRIVE_ACCOUNTS": json.dumps([SECRET])}),
        ("PIPEDRIVE_ACCOUNTS", {"PIPEDRIVE_ACCOUNTS": json.dumps({"acme": SECRET})}),
        ("PIPEDRIVE_ACCOUNTS", {"PIPEDRIVE_ACCOUNTS": json.dumps({"ACME": {"api_key": SECRET}})}),
        (
            "PIPEDRIVE_ACCOUNTS",
            {"PIPEDRIVE_ACCOUNTS": json.dumps({"acme": {"api_key": SECRET, "url": SECRET}})},
        ),
        ("ALERT_WEBHOOK_URL", {"ALERT_WEBHOOK_URL": SECRET}),
        ("ALERT_WEBHOOK_URL", {"ALERT_WEBHOOK_URL": f"http://hooks.example/{SECRET}"}),
        ("ALERT_WEBHOOK_URL", {"ALERT_WEBHOOK_URL": f"https:///{SECRET}"}),
        ("ALERT_WEBHOOK_URL", {"ALERT_WEBHOOK_URL": f"https://hooks.example/{SECRET} x"}),
    ],
)
def test_an_invalid_secret_of_a_job_is_refused_by_name_and_never_quoted(
    blamed: str, settings: dict[str, str]
) -> None:
    if blamed == "ALERT_WEBHOOK_URL":
        chosen = monitoring_config(**settings)
        assert chosen.problems == ("ALERT_WEBHOOK_URL must be an https address",)
        assert chosen.alert_webhook_url is None
        return
    with pytest.raises(ConfigError, match=f"^{blamed} ") as refused:
        sync_config(**settings)
    assert SECRET not in str(refused.value)
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__ or refused.value.__context__ is None


def test_the_settings_never_show_a_token() -> None:
    accounts = json.dumps({"acme": {"api_key": SECRET}})
    assert SECRET not in repr(sync_config(PIPEDRIVE_API_KEY=SECRET, PIPEDRIVE_ACCOUNTS=accounts))


def test_the_address_of_the_webhook_is_in_no_log() -> None:
    settings = {"ALERT_WEBHOOK_URL": "https://hooks.example/hunter2"}
    assert "hunter2" not in repr(read_monitoring_config(settings.get))


# ---- the example file --------------------------------------------------------------------------

EXAMPLE = (Path(__file__).resolve().parents[2] / ".dev.vars.example").read_text(encoding="utf-8")
READERS = (read_config, read_sync_config, read_archive_config, read_monitoring_config)


def settings_in(text: str) -> dict[str, str]:
    """The lines NAME='value' of a file such as .dev.vars."""
    return dict(re.findall(r"^([A-Z_]+)='(.*)'$", text, re.MULTILINE))


def test_the_example_names_exactly_the_settings_that_are_read() -> None:
    names: set[str] = set()

    def get(name: str) -> str | None:
        names.add(name)
        return "production" if name == "ENVIRONMENT" else None

    for read in READERS:
        read(get)
    assert settings_in(re.sub(r"^# ", "", EXAMPLE, flags=re.MULTILINE)).keys() == names


def test_the_example_changes_nothing_as_it_stands() -> None:
    assert settings_in(EXAMPLE) == {}


def test_the_defaults_in_the_example_are_the_defaults() -> None:
    written = settings_in(re.sub(r"^# ", "", EXAMPLE, flags=re.MULTILINE))
    defaults = {name: value for name, value in written.items() if "<" not in value}
    environment = {"ENVIRONMENT": "development"}
    for read in READERS:
        assert read(defaults.get) == read(environment.get)


WRONG_NUMBERS = ["", "0", "-1", "1.5", "30 minutes", "²", "1e3", "0x10", " 30", "9" * 10, "x" * 9]


@pytest.mark.parametrize(
    ("name", "read"),
    [
        *((name, config) for name in NUMBERS),
        *((name, sync_config) for name in NUMBERS_OF_THE_SYNC),
        *((name, archive_config) for name in NUMBERS_OF_THE_ARCHIVE if name != "ARCHIVE_DAYS"),
    ],
)
@pytest.mark.parametrize("value", WRONG_NUMBERS)
def test_a_default_takes_the_place_of_a_number_that_is_none(
    name: str, read: Callable[..., Config | SyncConfig | ArchiveConfig], value: str
) -> None:
    chosen = read(**{name: value})
    [problem] = chosen.problems
    assert re.fullmatch(rf"{name} must be a whole number from 1 to [0-9]+", problem)
    if name not in ("SESSION_RETENTION_DAYS", "VISITOR_RETENTION_DAYS"):
        assert replace(chosen, problems=()) == read()


@pytest.mark.parametrize("value", WRONG_NUMBERS)
def test_a_period_that_cannot_be_read_deletes_nothing(value: str) -> None:
    chosen = config(SESSION_RETENTION_DAYS=value, VISITOR_RETENTION_DAYS=value)
    assert (chosen.session_retention_days, chosen.visitor_retention_days) == (36_500, 36_500)


@pytest.mark.parametrize("value", WRONG_NUMBERS)
def test_the_archive_waits_while_its_days_cannot_be_read(value: str) -> None:
    with pytest.raises(ConfigError, match=r"^ARCHIVE_DAYS must be a whole number"):
        archive_config(ARCHIVE_DAYS=value)


@pytest.mark.parametrize("value", ["prod", "stage", " ", "warning!"])
def test_a_safe_default_takes_the_place_of_an_unknown_word(value: str) -> None:
    chosen = config(ENVIRONMENT=value, LOG_LEVEL=value)
    assert (chosen.environment, chosen.log_level) == ("production", "warn")
    assert [problem.split()[0] for problem in chosen.problems] == ["ENVIRONMENT", "LOG_LEVEL"]
    assert not [problem for problem in chosen.problems if f"'{value}'" in problem]


def test_without_any_setting_it_is_production() -> None:
    assert read_config(dict[str, str]().get) == config()


@pytest.mark.parametrize(
    "secret",
    [
        '{"name": "hunter2"}',
        '["hunter2"]',
        '[{"name": "hunter2", "role": "hunter2", "sha256": "hunter2"}]',
        "hunter2",
        "[hunter2",
    ],
)
def test_a_secret_that_cannot_be_read_disables_the_keys_and_is_never_quoted(secret: str) -> None:
    chosen = config(API_KEYS=secret)
    assert chosen.api_keys == ()
    [problem] = chosen.problems
    assert problem.startswith("API_KEYS ")
    assert "hunter2" not in problem


def test_keys_of_the_old_format_are_read_with_a_warning() -> None:
    chosen = config(API_KEYS="plain-key-one,plain-key-two")
    assert [key.role for key in chosen.api_keys] == ["admin", "admin"]
    [problem] = chosen.problems
    assert problem.startswith("API_KEYS has the old format")
    assert "plain-key" not in problem + repr(chosen.api_keys)
    assert unusable(chosen.problems) == []
    chosen = config(API_KEYS="plain-key-one,short")
    [reminder, problem] = chosen.problems
    assert reminder.startswith("API_KEYS has the old format")
    assert "left out is key 2; the other keys work" in problem
    assert unusable(chosen.problems) == [problem]


def test_a_wrong_entry_of_the_keys_disables_no_other() -> None:
    right = {"name": "ops", "role": "admin", "sha256": SHA256}
    chosen = config(API_KEYS=json.dumps([{"name": "hunter2"}, right]))
    assert [key.name for key in chosen.api_keys] == ["ops"]
    [problem] = chosen.problems
    assert problem.startswith("API_KEYS must have a name")
    assert problem.endswith("left out is entry 1; the other keys work")
    assert "hunter2" not in problem


def test_a_portion_is_at_most_fifty_leads() -> None:
    assert sync_config(SYNC_PORTION="50").run.portion == 50
    assert sync_config(SYNC_PORTION="51").problems == (
        "SYNC_PORTION must be a whole number from 1 to 50",
    )


@pytest.mark.parametrize(
    ("lead", "lease", "right"),
    [
        ("30", "61", True),
        ("30", "60", False),
        ("30", "1", False),
        ("119", "240", True),
        ("120", "240", False),
        ("999", "240", False),
    ],
)
def test_a_lease_is_longer_than_two_leads(lead: str, lease: str, *, right: bool) -> None:
    chosen = sync_config(SYNC_LEAD_SECONDS=lead, SYNC_LEASE_SECONDS=lease)
    times = (chosen.leads.lead_seconds, chosen.run.lease_seconds)
    assert times == ((int(lead), int(lease)) if right else (30, 240))
    assert bool(chosen.problems) != right


def test_all_problems_are_listed() -> None:
    numbers = [*NUMBERS, "ARCHIVE_DAYS", "PIPEDRIVE_DAILY_TOKENS"]
    texts = [
        *("API_KEYS", "PIPEDRIVE_ACCOUNTS", "PIPEDRIVE_FIELDS"),
        *("ALERT_WEBHOOK_URL", "ARCHIVE_ENDPOINT"),
    ]
    settings = dict.fromkeys((*numbers, *texts), "x")
    problems = setting_problems(settings.get)
    assert {problem.split()[0] for problem in problems} == {*numbers, *texts}
    settings = dict.fromkeys(NUMBERS_OF_THE_SYNC, "x")
    assert len(setting_problems(settings.get)) == len(NUMBERS_OF_THE_SYNC)
    assert setting_problems(dict[str, str]().get) == []


@given(st.dictionaries(st.sampled_from([*NUMBERS, "API_KEYS", "ENVIRONMENT"]), st.text()))
def test_any_settings_can_be_read(settings: dict[str, str]) -> None:
    assert read_config(settings.get).tracking.requests >= 1
