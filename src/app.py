"""What a handler works with: the settings and the services of one isolate."""

from __future__ import annotations

from dataclasses import dataclass

from config import Config
from services.health import Health
from services.pixels import Pixels
from services.ports import Clock, Database, NewId
from services.rate_limiting import RateLimiter
from services.visits import Visits


@dataclass(frozen=True, slots=True)
class App:
    """The isolate's services, put together once from its bindings."""

    config: Config
    clock: Clock
    new_id: NewId
    database: Database
    limiter: RateLimiter
    pixels: Pixels
    visits: Visits
    health: Health
