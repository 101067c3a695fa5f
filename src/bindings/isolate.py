"""Puts the app of one isolate together from its bindings, on its first request."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import Any

from app import App
from bindings.d1 import D1
from bindings.kv import Kv
from bindings.limiter import Shards
from config import read_config
from services.health import Health
from services.pixels import Pixels
from services.rate_limiting import RateLimiter
from services.visits import Visits


def now() -> datetime:
    """The present time in UTC."""
    return datetime.now(UTC)


def new_id() -> str:
    """32 random hex digits."""
    return secrets.token_hex(16)


def build_app(env: Any) -> App:
    """Reads the settings and wires the services to the bindings of `env`.

    Raises:
        ConfigError: a var or secret cannot be used.
    """
    config = read_config(lambda name: getattr(env, name, None))
    # The SDK wraps every binding; what lies on the hot path is used unwrapped.
    raw = getattr(env, "_env", env)
    database = D1(getattr(raw, "DB", None))
    shards = Shards(getattr(raw, "RATE_LIMITER", None))
    return App(
        config=config,
        clock=now,
        new_id=new_id,
        database=database,
        limiter=RateLimiter(shards),
        pixels=Pixels(database, config.pixel_cache_seconds),
        visits=Visits(database, new_id, config.session_minutes),
        health=Health(database, Kv(getattr(env, "CACHE", None)), shards, now),
    )
