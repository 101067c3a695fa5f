"""Production as a deployment of this checkout leaves it, put up at once, for other commands."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from local_config import read_wrangler_toml
from paths import ASSETS, ROOT
from rehearsal.old_production import LAST_OLD_MIGRATION, write_old_database
from stand_in.account import SECRET, CloudWorker, Version
from stand_in.cloud import Cloud, new_id, new_tag, now_text
from stand_in.production import add_stores, production_settings
from stand_in.uploads import deploy_version

CLASS = "RateLimiter"
PYTHON, DATA = "text/x-python", "application/octet-stream"
JAVASCRIPT = "application/javascript+module"


def build_production(cloud: Cloud, bundle: Path, secrets: dict[str, str], events: int) -> Version:
    """Fill an empty account: stores, a migrated database with events, the Worker of a bundle."""
    cloud.stop_workerd()
    add_stores(cloud.account)
    [database] = cloud.account.databases
    file = cloud.database_path(database.uuid)
    write_old_database(file, events)
    migrate(file)
    return put_up(cloud, bundle, secrets, "put up for a rehearsal")


def migrate(file: Path) -> None:
    """Apply the migrations that the old Worker's database lacks, and record them."""
    paths = sorted((ROOT / "migrations").glob("*.sql"))
    with closing(sqlite3.connect(file)) as database:
        for path in paths:
            if path.name > LAST_OLD_MIGRATION:
                database.executescript(path.read_text(encoding="utf-8"))
                database.execute("INSERT INTO d1_migrations (name) VALUES (?)", (path.name,))
        database.commit()


def put_up(cloud: Cloud, bundle: Path, secrets: dict[str, str], message: str) -> Version:
    """Make a bundle a version with all the traffic, as an upload and a deployment do."""
    settings, wrangler = production_settings(), read_wrangler_toml()
    name = settings["name"]
    worker = cloud.account.workers.get(name) or CloudWorker(name, new_tag(), now_text())
    worker.migration_tag = settings["migrations"][-1]["tag"]
    worker.classes = [CLASS]
    worker.crons = settings["triggers"]["crons"]
    worker.routes = [dict(route) for route in settings["routes"]]
    version_id = new_id()
    folder = cloud.folder / "versions" / version_id
    folder.mkdir(parents=True)
    (folder / "modules").symlink_to(bundle)
    (folder / "assets").symlink_to(ASSETS)
    version = Version(
        id=version_id,
        number=len(worker.versions) + 1,
        created_on=now_text(),
        main="entry.py",
        modules=_modules(bundle),
        bindings=[*_bindings(), *_secret_bindings(secrets)],
        compatibility_date=wrangler["compatibility_date"],
        compatibility_flags=wrangler["compatibility_flags"],
        annotations={"workers/message": message},
        source="wrangler",
        migration_tag=worker.migration_tag,
        files=version_id,
        assets={"config": {"html_handling": "none"}},
    )
    worker.versions.append(version)
    cloud.account.workers[name] = worker
    deploy_version(cloud, worker, version, version.annotations)
    return version


def _modules(bundle: Path) -> list[dict[str, str]]:
    names = sorted(
        path.relative_to(bundle).as_posix()
        for path in bundle.rglob("*")
        if path.suffix in {".py", ".js", ".pth"}
    )
    rest = [{"name": name, "type": _module_type(name)} for name in names if name != "entry.py"]
    return [{"name": "entry.py", "type": PYTHON}, *rest]


def _module_type(name: str) -> str:
    if name.endswith(".js"):
        return JAVASCRIPT
    return DATA if name.startswith("python_modules/") else PYTHON


def _bindings() -> list[dict[str, object]]:
    settings = production_settings()
    [database], [bucket] = settings["d1_databases"], settings["r2_buckets"]
    [namespace] = settings["kv_namespaces"]
    return [
        *(
            {"type": "plain_text", "name": name, "text": text}
            for name, text in settings["vars"].items()
        ),
        {"type": "d1", "name": database["binding"], "id": database["database_id"]},
        {"type": "r2_bucket", "name": bucket["binding"], "bucket_name": bucket["bucket_name"]},
        {
            "type": "kv_namespace",
            "name": namespace["binding"],
            "namespace_id": namespace["id"],
        },
        {"type": "durable_object_namespace", "name": "RATE_LIMITER", "class_name": CLASS},
        {"type": "version_metadata", "name": "CF_VERSION_METADATA"},
    ]


def _secret_bindings(secrets: dict[str, str]) -> list[dict[str, object]]:
    return [{"type": SECRET, "name": name, "text": text} for name, text in secrets.items()]
