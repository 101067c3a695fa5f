"""What the account of the stand-in holds; kept in one file of JSON in its folder."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

ACCOUNT_ID = "0123456789abcdef0123456789abcdef"
ACCOUNT_NAME = "Rehearsals"
ZONE_ID = "fedcba9876543210fedcba9876543210"
SECRET = "secret_text"  # noqa: S105  # the type of a binding


@dataclass
class Database:
    """A D1 database; its rows lie in workerd's own file."""

    uuid: str
    name: str
    created_at: str
    version: str = "production"


@dataclass
class Version:
    """A version of a Worker: its modules lie in a folder of its id."""

    id: str
    number: int
    created_on: str
    main: str
    modules: list[dict[str, str]]
    bindings: list[dict[str, Any]]
    compatibility_date: str
    compatibility_flags: list[str]
    annotations: dict[str, str]
    source: str
    migration_tag: str | None
    files: str
    assets: dict[str, Any] | None = None

    @property
    def secrets(self) -> dict[str, str]:
        """The secrets by name."""
        return {entry["name"]: entry["text"] for entry in self.bindings if entry["type"] == SECRET}


@dataclass
class Deployment:
    """Which versions have which share of the traffic, in percent."""

    id: str
    created_on: str
    shares: dict[str, float]
    annotations: dict[str, str]
    source: str = "wrangler"


@dataclass
class CloudWorker:
    """A Worker; the newest of its versions and deployments are the last ones."""

    name: str
    tag: str
    created_on: str
    versions: list[Version] = field(default_factory=list)
    deployments: list[Deployment] = field(default_factory=list)
    migration_tag: str | None = None
    classes: list[str] = field(default_factory=list)
    crons: list[str] = field(default_factory=list)
    routes: list[dict[str, Any]] = field(default_factory=list)
    subdomain: dict[str, bool] = field(
        default_factory=lambda: {"enabled": False, "previews_enabled": False}
    )

    def version(self, version_id: str) -> Version | None:
        """Return a version by its id."""
        return next((entry for entry in self.versions if entry.id == version_id), None)


@dataclass
class CloudAccount:
    """Everything that the control plane knows."""

    databases: list[Database] = field(default_factory=list)
    buckets: list[str] = field(default_factory=list)
    namespaces: dict[str, str] = field(default_factory=dict)
    zones: list[str] = field(default_factory=list)
    workers: dict[str, CloudWorker] = field(default_factory=dict)

    def database(self, name_or_id: str) -> Database | None:
        """Return a database by its name or id."""
        matches = (entry for entry in self.databases if name_or_id in {entry.uuid, entry.name})
        return next(matches, None)

    def save(self, file: Path) -> None:
        """Write it, whole or not at all."""
        new = file.with_name(f"{file.name}.{os.getpid()}.new")
        new.write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")
        new.replace(file)


def load_account(file: Path) -> CloudAccount:
    """Read an account, or return an empty one."""
    if not file.exists():
        return CloudAccount()
    content = json.loads(file.read_text(encoding="utf-8"))
    workers = {name: _worker(fields) for name, fields in content.pop("workers").items()}
    databases = [Database(**fields) for fields in content.pop("databases")]
    return CloudAccount(databases=databases, workers=workers, **content)


def _worker(fields: dict[str, Any]) -> CloudWorker:
    versions = [Version(**entry) for entry in fields.pop("versions")]
    deployments = [Deployment(**entry) for entry in fields.pop("deployments")]
    return CloudWorker(versions=versions, deployments=deployments, **fields)
