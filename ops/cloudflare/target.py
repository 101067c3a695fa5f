"""Which database a command works on. The options name it; there is no default."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from dev_state import running_dev
from local_storage import PREPARED
from ops.terminal.errors import WrongUsageError
from paths import LOCAL_CONFIG, LOCAL_STORAGE, ROOT

BINDING = "DB"
BUCKET_BINDING = "BACKUPS"


class Environment(StrEnum):
    """The environments of wrangler.toml that are deployed to Cloudflare."""

    PRODUCTION = "production"


Local = Annotated[bool, typer.Option("--local", help="The database of this checkout's `make dev`.")]
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

    `own_config` is the configuration file of a database that wrangler.toml does not name, `remark`
    is printed with the target.
    """

    environment: Environment | None
    database: str
    database_id: str
    persist_to: Path | None = None
    own_config: Path | None = None
    remark: str = ""

    def __str__(self) -> str:
        if self.environment:
            return f"{self.environment}: D1 {self.database} ({self.database_id}), remote"
        return f"local: D1 {self.database} in {self._folder()}, on this machine{self.remark}"

    @property
    def name(self) -> str:
        """The environment's name, or `local`."""
        return self.environment or "local"

    @property
    def config(self) -> Path | None:
        """The configuration file for wrangler; None is wrangler.toml."""
        return self.own_config or (None if self.environment else LOCAL_CONFIG)

    @property
    def settings(self) -> dict[str, Any]:
        """The environment's part of wrangler.toml."""
        return read_settings(self.environment)

    @property
    def bucket(self) -> str:
        """The name of the R2 bucket for backups."""
        return str(_find_binding(self.settings["r2_buckets"], BUCKET_BINDING)["bucket_name"])

    @property
    def bucket_sharers(self) -> Sequence[str]:
        """The names of other environments at Cloudflare that have the same bucket."""
        if self.environment is None:
            return ()
        config = tomllib.loads((ROOT / "wrangler.toml").read_text(encoding="utf-8"))
        buckets = {
            name: {bucket["bucket_name"] for bucket in settings.get("r2_buckets", ())}
            for name, settings in config["env"].items()
            if name != self.environment
        }
        return [name for name, names in buckets.items() if self.bucket in names]

    def arguments(self) -> tuple[str, ...]:
        """The arguments that name the database to wrangler."""
        is_named = self.environment and not self.own_config
        environment = ("--env", str(self.environment)) if is_named else ()
        return (BINDING, *environment, *self.storage())

    def storage(self) -> tuple[str, ...]:
        """The arguments that choose Cloudflare or a storage folder of this machine."""
        if self.environment:
            return ("--remote",)
        # Without it wrangler takes the folder beside the configuration, which may be another one.
        return ("--local", "--persist-to", str(self._folder()))

    @property
    def folder(self) -> Path:
        """Where it lies on this machine."""
        return self.persist_to or LOCAL_STORAGE

    def _folder(self) -> Path:
        """The same, as short as a person would write it."""
        is_ours = self.folder.is_relative_to(ROOT)
        return self.folder.relative_to(ROOT) if is_ours else self.folder


def choose_target(
    environment: Environment | None, persist_to: Path | None, *, local: bool
) -> Target:
    """Return the database that the options name.

    Raises:
        WrongUsageError: they name none or two.
    """
    if local == (environment is not None):
        raise WrongUsageError(
            "say which database: either --local (this machine) or --env production"
        )
    if environment:
        if persist_to:
            raise WrongUsageError("--persist-to goes with --local only")
        database = _find_binding(read_settings(environment)["d1_databases"], BINDING)
        return Target(environment, database["database_name"], database["database_id"])
    if not LOCAL_CONFIG.exists() or not (persist_to or PREPARED.exists()):
        raise WrongUsageError("this checkout has no local database yet: run `make dev` once")
    return Target(None, *_local_database(), persist_to, remark=_remark(persist_to))


def _remark(persist_to: Path | None) -> str:
    """Say whether `make dev` is running on its database."""
    if persist_to:
        return ""
    state = running_dev()
    return f" (`make dev` serves it at {state.url})" if state else " (`make dev` is not running)"


def _local_database() -> tuple[str, str]:
    """Return name and id of the local Worker's database, which a restore may have replaced."""
    config = json.loads(LOCAL_CONFIG.read_text(encoding="utf-8"))
    database = _find_binding(config["d1_databases"], BINDING)
    return database["database_name"], database["database_id"]


def read_settings(environment: Environment | None) -> dict[str, Any]:
    """Read the part of wrangler.toml of an environment; None is this machine."""
    config = tomllib.loads((ROOT / "wrangler.toml").read_text(encoding="utf-8"))
    settings: dict[str, Any] = config["env"][environment] if environment else config
    return settings


def _find_binding(bindings: list[dict[str, str]], name: str) -> dict[str, str]:
    [binding] = [binding for binding in bindings if binding["binding"] == name]
    return binding
