"""Which database a command works on. It is always said, and never assumed."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from ops.terminal.errors import WrongUsageError
from paths import LOCAL_CONFIG, ROOT

BINDING = "DB"
BUCKET_BINDING = "BACKUPS"


class Environment(StrEnum):
    """The environments of wrangler.toml that live at Cloudflare."""

    PRODUCTION = "production"


Local = Annotated[bool, typer.Option("--local", help="The database of `make dev`.")]
Env = Annotated[Environment | None, typer.Option("--env", help="The database at Cloudflare.")]
PersistTo = Annotated[
    Path | None,
    typer.Option(
        "--persist-to",
        metavar="DIR",
        resolve_path=True,
        help="With --local: another storage than that of `make dev`.",
    ),
]


@dataclass(frozen=True, slots=True)
class Target:
    """One D1 database. An `environment` of None is this machine.

    With a configuration of its own it is a database that wrangler.toml does not name.
    """

    environment: Environment | None
    database: str
    database_id: str
    persist_to: Path | None = None
    own_config: Path | None = None

    def __str__(self) -> str:
        if self.environment:
            return f"{self.environment}: D1 {self.database} ({self.database_id}), remote"
        storage = self.persist_to or ".wrangler/state"
        return f"local: D1 {self.database} in {storage}, on this machine"

    @property
    def name(self) -> str:
        """The environment in one word."""
        return self.environment or "local"

    @property
    def config(self) -> Path | None:
        """The configuration for wrangler; None is wrangler.toml."""
        return self.own_config or (None if self.environment else LOCAL_CONFIG)

    @property
    def settings(self) -> dict[str, Any]:
        """Its part of wrangler.toml."""
        return settings_of(self.environment)

    @property
    def bucket(self) -> str:
        """The name of the R2 bucket for backups."""
        return str(_bound(self.settings["r2_buckets"], BUCKET_BINDING)["bucket_name"])

    def arguments(self) -> tuple[str, ...]:
        """What tells wrangler the database."""
        is_named = self.environment and not self.own_config
        environment = ("--env", str(self.environment)) if is_named else ()
        return (BINDING, *environment, *self.storage())

    def storage(self) -> tuple[str, ...]:
        """What tells wrangler at Cloudflare's, or where on this machine."""
        if self.environment:
            return ("--remote",)
        return ("--local", *(("--persist-to", str(self.persist_to)) if self.persist_to else ()))


def choose_target(
    environment: Environment | None, persist_to: Path | None, *, local: bool
) -> Target:
    """The database that the options name.

    Raises:
        WrongUsageError: they name none, or two.
    """
    if local == (environment is not None):
        raise WrongUsageError(
            "say which database: either --local (this machine) or --env production"
        )
    if environment:
        if persist_to:
            raise WrongUsageError("--persist-to goes with --local only")
        return Target(environment, *_database(environment))
    if not LOCAL_CONFIG.exists():
        raise WrongUsageError("there is no local database yet: run `make dev` once")
    return Target(None, *_database(None), persist_to)


def settings_of(environment: Environment | None) -> dict[str, Any]:
    """The part of wrangler.toml that is an environment; None is this machine."""
    config = tomllib.loads((ROOT / "wrangler.toml").read_text(encoding="utf-8"))
    settings: dict[str, Any] = config["env"][environment] if environment else config
    return settings


def _database(environment: Environment | None) -> tuple[str, str]:
    database = _bound(settings_of(environment)["d1_databases"], BINDING)
    return database["database_name"], database["database_id"]


def _bound(bindings: list[dict[str, str]], name: str) -> dict[str, str]:
    [found] = [each for each in bindings if each["binding"] == name]
    return found
