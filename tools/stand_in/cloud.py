"""The stand-in itself: the account, the files of uploads, and the workerd that runs them."""

from __future__ import annotations

import json
import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from threading import RLock
from typing import Any

from local_storage import database_file
from paths import LOCAL_CONFIG
from pyodide_bundle import DEVELOPMENT_FLAGS, with_development_flags
from stand_in.account import CloudAccount, CloudWorker, Version, load_account
from stand_in.refusals import no_bucket, no_database, no_namespace, no_worker
from stand_in.runtime import Runtime

PYTHON_FLAG = "python_workers"


@dataclass
class Cloud:
    """An account that lives in a folder. `lock` is held while a request of the API is answered.

    `redirects` are the addresses of the outside world that versions may reach, by host;
    `exporting` are the databases that are being exported, and answer nothing else.
    """

    folder: Path
    account: CloudAccount
    runtime: Runtime
    address: str
    redirects: dict[str, str] = field(default_factory=dict)
    exporting: set[str] = field(default_factory=set)
    uploads: dict[str, dict[str, Any]] = field(default_factory=dict)
    tails: dict[str, str] = field(default_factory=dict)
    lock: RLock = field(default_factory=RLock)

    @property
    def storage(self) -> Path:
        """Where D1, R2 and KV lie, as miniflare lays them out."""
        return self.folder / "storage"

    def save(self) -> None:
        """Keep the account for the next start."""
        self.account.save(self.folder / "account.json")

    def database_path(self, database_id: str) -> Path:
        """Return the SQLite file of a database."""
        return database_file(database_id, self.storage)

    def worker(self, name: str) -> CloudWorker:
        """Return a Worker.

        Raises:
            RefusedCallError: there is none of that name.
        """
        worker = self.account.workers.get(name)
        if worker is None:
            raise no_worker()
        return worker

    def database_id(self, name_or_id: str) -> str:
        """Return the id of a database.

        Raises:
            RefusedCallError: there is none.
        """
        database = self.account.database(name_or_id)
        if database is None:
            raise no_database(name_or_id)
        return database.uuid

    def require_bucket(self, name: str) -> None:
        """Refuse a bucket that does not exist.

        Raises:
            RefusedCallError: it does not.
        """
        if name not in self.account.buckets:
            raise no_bucket()

    def require_namespace(self, namespace_id: str) -> None:
        """Refuse a KV namespace that does not exist.

        Raises:
            RefusedCallError: it does not.
        """
        if namespace_id not in self.account.namespaces:
            raise no_namespace()

    def restart(self) -> None:
        """Run the versions that have a deployment; requests wait meanwhile."""
        self.save()
        self.runtime.configure(self._settings())

    def share_traffic(self) -> None:
        """Set the shares of versions that run already."""
        self.save()
        self.runtime.act("share", **self._settings())

    def stop_workerd(self) -> None:
        """Stop workerd until the next restart, so that its files can be changed."""
        self.runtime.act("stop")

    def _settings(self) -> dict[str, Any]:
        workers = self.account.workers.values()
        deployed = [worker for worker in workers if worker.deployments]
        return {
            "databases": [database.uuid for database in self.account.databases],
            "buckets": self.account.buckets,
            "namespaces": list(self.account.namespaces),
            "redirects": self.redirects,
            "routes": [
                {"host": route["pattern"].partition("/")[0], "worker": worker.name}
                for worker in workers
                for route in worker.routes
            ],
            "deployments": {worker.name: worker.deployments[-1].shares for worker in deployed},
            "versions": [
                self._version_settings(worker, version)
                for worker in deployed
                for version in map(worker.version, worker.deployments[-1].shares)
                if version
            ],
        }

    def _version_settings(self, worker: CloudWorker, version: Version) -> dict[str, Any]:
        folder = self.folder / "versions" / version.files
        metadata = {"id": version.id, "tag": "", "timestamp": version.created_on}
        assets = version.assets and {
            **version.assets,
            "folder": str(folder / "assets"),
        }
        return {
            "worker": worker.name,
            "id": version.id,
            "folder": str(folder / "modules"),
            "modules": version.modules,
            "bindings": version.bindings,
            "metadata": metadata,
            "compatibility_date": version.compatibility_date,
            "compatibility_flags": local_flags(version.compatibility_flags),
            "assets": assets,
        }


def local_flags(flags: list[str]) -> list[str]:
    """Return the flags with which an uploaded Worker runs here: those of this machine's Pyodide."""
    if PYTHON_FLAG not in flags:
        return flags
    local: list[str] = json.loads(LOCAL_CONFIG.read_text(encoding="utf-8"))["compatibility_flags"]
    is_official = not set(DEVELOPMENT_FLAGS) <= set(local)
    return flags if is_official else with_development_flags(flags)


def new_id() -> str:
    """Return an id of a version, a deployment or a database."""
    return str(uuid.uuid4())


def new_tag() -> str:
    """Return 32 hexadecimal digits, as Cloudflare's other ids."""
    return secrets.token_hex(16)


def now_text() -> str:
    """Return the time as Cloudflare's answers have it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def open_cloud(folder: Path, runtime: Runtime, address: str, redirects: Mapping[str, str]) -> Cloud:
    """Open the account in a folder, and run what it has deployed."""
    account = load_account(folder / "account.json")
    cloud = Cloud(folder, account, runtime, address, dict(redirects))
    cloud.restart()
    return cloud
