import json

import pytest

from config import Config, ConfigError, read_config
from services.api_keys import ApiKey
from services.rate_limiting import Limit

SHA256 = "ab" * 32


def config(**settings: str) -> Config:
    return read_config(({"ENVIRONMENT": "production"} | settings).get)


def test_the_environment_alone_is_enough() -> None:
    assert config() == Config(
        environment="production",
        log_level="info",
        session_minutes=30,
        pixel_cache_seconds=60,
        tracking=Limit("tracking", 100, 60, 5, 10),
        analytics=Limit("analytics", 1_000, 3_600, 0, 1),
        management=Limit("management", 100, 3_600, 0, 1),
        api_keys=(),
    )


def test_every_setting_can_be_chosen() -> None:
    chosen = config(
        ENVIRONMENT="development",
        LOG_LEVEL="debug",
        SESSION_MINUTES="1",
        PIXEL_CACHE_SECONDS="2",
        TRACKING_PER_MINUTE="3",
        ANALYTICS_PER_HOUR="4",
        MANAGEMENT_PER_HOUR="5",
        API_KEYS=json.dumps([{"name": "ops", "role": "admin", "sha256": SHA256}]),
    )
    assert (chosen.environment, chosen.log_level) == ("development", "debug")
    assert (chosen.session_minutes, chosen.pixel_cache_seconds) == (1, 2)
    limits = (chosen.tracking, chosen.analytics, chosen.management)
    assert [limit.requests for limit in limits] == [3, 4, 5]
    assert chosen.api_keys == (ApiKey("ops", "admin", SHA256),)


def test_words_may_be_written_large() -> None:
    chosen = config(ENVIRONMENT="Production", LOG_LEVEL="WARN")
    assert (chosen.environment, chosen.log_level) == ("production", "warn")


def test_an_empty_secret_means_no_keys() -> None:
    assert config(API_KEYS="").api_keys == ()


def test_there_is_no_default_environment() -> None:
    with pytest.raises(ConfigError, match=r"^ENVIRONMENT must be one of .*production"):
        read_config({"LOG_LEVEL": "info"}.get)


@pytest.mark.parametrize(
    ("name", "value"),
    [("ENVIRONMENT", "prod"), ("ENVIRONMENT", "staging"), ("LOG_LEVEL", "verbose")],
)
def test_a_word_that_is_none_of_the_allowed_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=rf"^{name} must be one of .*not '{value}'$"):
        config(**{name: value})


@pytest.mark.parametrize(
    "name",
    [
        "SESSION_MINUTES",
        "PIXEL_CACHE_SECONDS",
        "TRACKING_PER_MINUTE",
        "ANALYTICS_PER_HOUR",
        "MANAGEMENT_PER_HOUR",
    ],
)
@pytest.mark.parametrize("value", ["", "0", "-1", "1.5", "30 minutes", "²", "1e3", "0x10", " 30"])
def test_a_number_that_is_none_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(
        ConfigError, match=rf"^{name} must be a whole number from 1 to 999999999, not "
    ):
        config(**{name: value})


@pytest.mark.parametrize(
    "secret",
    [
        "hunter2",
        '{"name": "hunter2"}',
        '["hunter2"]',
        '[{"name": "hunter2", "role": "hunter2", "sha256": "hunter2"}]',
    ],
)
def test_a_wrong_secret_is_refused_by_name_and_never_told(secret: str) -> None:
    with pytest.raises(ConfigError, match=r"^API_KEYS ") as refused:
        config(API_KEYS=secret)
    assert "hunter2" not in str(refused.value)
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__
