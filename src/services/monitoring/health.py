"""Whether D1, KV and the rate limiter answer, and whether the schema is the expected one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from services.core.ports import Clock, Database, KeyValues, LimiterShards, UnavailableError

# The last migration that this version of the code needs.
EXPECTED_MIGRATION = "0057_share_views.sql"
NO_ANSWER = "does not answer"
FIND_MIGRATION = "SELECT max(name) AS name FROM d1_migrations"


class UnexpectedSchemaError(Exception):
    """The database lacks a migration that this code needs."""


@dataclass(frozen=True, slots=True)
class ComponentHealth:
    """The health of one part of the Worker. `error` says what is wrong, without internals."""

    healthy: bool
    latency_ms: int
    error: str | None

    def as_json(self) -> dict[str, object]:
        """The part in the answer of `GET /health`."""
        status = {"status": "healthy" if self.healthy else "unhealthy"}
        error = {"error": self.error} if self.error else {}
        return {**status, "latency_ms": self.latency_ms, **error}


@dataclass(frozen=True, slots=True)
class Health:
    """Checks D1, KV and the rate limiter, one after the other."""

    database: Database
    key_values: KeyValues
    shards: LimiterShards
    clock: Clock

    async def check(self) -> Mapping[str, ComponentHealth]:
        """The health of each part by its name; never raises."""
        return {
            "database": await self._part(self._check_database),
            "kv": await self._part(self._check_key_values),
            "rate_limiter": await self._part(self._check_shards),
        }

    async def _part(self, check: Callable[[], Awaitable[None]]) -> ComponentHealth:
        started = self.clock()
        error = None
        try:
            await check()
        except UnavailableError:
            error = NO_ANSWER
        except UnexpectedSchemaError as unexpected:
            error = str(unexpected)
        # The clock may be set back in between.
        latency = max(0, int((self.clock() - started).total_seconds() * 1_000))
        return ComponentHealth(healthy=error is None, latency_ms=latency, error=error)

    async def _check_database(self) -> None:
        name = (await self.database.rows(FIND_MIGRATION))[0]["name"]
        if name is None or name < EXPECTED_MIGRATION:
            raise UnexpectedSchemaError(
                f"last migration is {name}, expected {EXPECTED_MIGRATION}: run the migrations"
            )

    async def _check_key_values(self) -> None:
        await self.key_values.get("health")

    async def _check_shards(self) -> None:
        await self.shards.ping()
