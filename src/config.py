"""The settings of a deployment: vars and secrets, checked once when an isolate starts."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, cast, get_args

from services.api_keys import ApiKey, read_api_keys
from services.logs import Level
from services.rate_limiting import Limit

Environment = Literal["development", "production"]

VERSION = "3.0.0"
MINUTE = 60
HOUR = 3_600
NUMBER = re.compile(r"[1-9][0-9]{0,8}")


class ConfigError(Exception):
    """A var or secret has a value that cannot be used; the message names it."""


@dataclass(frozen=True, slots=True)
class Config:
    """Every setting, with the type it has inside."""

    environment: Environment
    log_level: Level
    session_minutes: int
    pixel_cache_seconds: int
    tracking: Limit
    analytics: Limit
    management: Limit
    api_keys: tuple[ApiKey, ...]


def read_config(get: Callable[[str], str | None]) -> Config:
    """Reads the settings through `get`, which gives a var's text or None.

    Raises:
        ConfigError: a value is not one of those allowed; says which.
    """
    return Config(
        environment=cast("Environment", _choice(get, "ENVIRONMENT", get_args(Environment))),
        log_level=cast("Level", _choice(get, "LOG_LEVEL", get_args(Level), "info")),
        session_minutes=_number(get, "SESSION_MINUTES", 30),
        pixel_cache_seconds=_number(get, "PIXEL_CACHE_SECONDS", 60),
        tracking=Limit("tracking", _number(get, "TRACKING_PER_MINUTE", 100), MINUTE, 5, 10),
        analytics=Limit("analytics", _number(get, "ANALYTICS_PER_HOUR", 1_000), HOUR, 0, 1),
        management=Limit("management", _number(get, "MANAGEMENT_PER_HOUR", 100), HOUR, 0, 1),
        api_keys=_api_keys(get),
    )


def _choice(
    get: Callable[[str], str | None],
    name: str,
    allowed: tuple[str, ...],
    default: str | None = None,
) -> str:
    value = (get(name) or default or "").lower()
    if value not in allowed:
        raise ConfigError(f"{name} must be one of {', '.join(allowed)}, not {value!r}")
    return value


def _number(get: Callable[[str], str | None], name: str, default: int) -> int:
    text = get(name)
    if text is None:
        return default
    if not NUMBER.fullmatch(text):
        raise ConfigError(f"{name} must be a whole number from 1 to 999999999, not {text[:20]!r}")
    return int(text)


def _api_keys(get: Callable[[str], str | None]) -> tuple[ApiKey, ...]:
    try:
        return read_api_keys(get("API_KEYS"))
    except ValueError as error:
        raise ConfigError(f"API_KEYS {error}") from None
