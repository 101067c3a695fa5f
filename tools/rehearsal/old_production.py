"""Production as the JavaScript Worker left it: its database, and a Worker that stands for it."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from paths import ROOT
from stand_in.account import SECRET, CloudWorker, Version
from stand_in.cloud import Cloud, new_tag, now_text
from stand_in.production import production_settings
from stand_in.uploads import deploy_version

LAST_OLD_MIGRATION = "0011_add_retry_tracking.sql"
# It holds client data and exists in production only.
PRODUCTION_ONLY = "0012_add_new_projects.sql"
# Its modules, the main one first.
OLD_MODULES = ("old_worker.mjs", "rate_limiter.mjs")
OLD_COMPATIBILITY_DATE = "2024-01-01"
# As somebody set it up years ago: a plain var, and no secret.
PLAIN_VARIABLE = "API_KEYS"
DAYS = 60
EVENTS_PER_VISITOR = 10
CHANGED_MIGRATIONS = (
    "CREATE TABLE IF NOT EXISTS d1_migrations(id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " name TEXT UNIQUE, applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL)"
)


def write_old_database(file: Path, events: int) -> None:
    """Write the database of the old Worker, with so many events of the last two months."""
    file.parent.mkdir(parents=True, exist_ok=True)
    names = sorted(path.name for path in (ROOT / "migrations").glob("*.sql"))
    with closing(sqlite3.connect(file)) as database, database:
        database.execute(CHANGED_MIGRATIONS)
        for name in names:
            if name <= LAST_OLD_MIGRATION:
                database.executescript((ROOT / "migrations" / name).read_text(encoding="utf-8"))
                database.execute("INSERT INTO d1_migrations (name) VALUES (?)", (name,))
        database.execute("INSERT INTO d1_migrations (name) VALUES (?)", (PRODUCTION_ONLY,))
        _add_rows(database, events)
    # As workerd opens it.
    with closing(sqlite3.connect(file)) as database:
        database.execute("PRAGMA journal_mode = WAL")


def _add_rows(database: sqlite3.Connection, events: int) -> None:
    database.execute(
        "INSERT INTO projects (id, name, webhook_url) VALUES ('project-1', 'Acme',"
        " 'https://hooks.example.com/1')"
    )
    database.execute(
        "INSERT INTO pixels (id, project_id, name) VALUES ('pixel-1-shop', 'project-1', 'shop')"
    )
    visitors = max(1, events // EVENTS_PER_VISITOR)
    database.executemany(
        "INSERT INTO visitors (id, visitor_cookie) VALUES (?, ?)",
        ((f"visitor-{n}", f"pxl_{n:016x}") for n in range(visitors)),
    )
    database.executemany(
        "INSERT INTO sessions (id, visitor_id, pixel_id, session_cookie) VALUES (?, ?, ?, ?)",
        (
            (f"session-{n}", f"visitor-{n}", "pixel-1-shop", f"sess_{n:016x}")
            for n in range(visitors)
        ),
    )
    start = datetime.now(UTC) - timedelta(days=DAYS)
    step = timedelta(days=DAYS) / events
    database.executemany(
        "INSERT INTO tracking_events (project_id, pixel_id, visitor_id, session_id, event_type,"
        " page_url, utm_source, timestamp, created_at) VALUES ('project-1', 'pixel-1-shop', ?, ?,"
        " 'pageview', 'https://shop.example.com/?utm_source=google', 'google', ?, ?)",
        (
            (f"visitor-{n % visitors}", f"session-{n % visitors}", moment, moment)
            for n in range(events)
            for moment in [f"{start + n * step:%Y-%m-%d %H:%M:%S}"]
        ),
    )


def stand_old_worker(cloud: Cloud, secrets: dict[str, str]) -> None:
    """Put the old Worker into production, with the secrets that are set before the change.

    Its keys are no secret yet.
    """
    settings = production_settings()
    [database] = settings["d1_databases"]
    name, version_id = settings["name"], "00000000-0000-4000-8000-000000000000"
    folder = cloud.folder / "versions" / version_id / "modules"
    folder.mkdir(parents=True, exist_ok=True)
    for module in OLD_MODULES:
        shutil.copy(Path(__file__).parent / module, folder)
    version = Version(
        id=version_id,
        number=1,
        created_on=now_text(),
        main=OLD_MODULES[0],
        modules=[
            {"name": module, "type": "application/javascript+module"} for module in OLD_MODULES
        ],
        bindings=[
            {"type": "d1", "name": "DB", "id": database["database_id"]},
            *(
                {
                    "type": "plain_text" if key == PLAIN_VARIABLE else SECRET,
                    "name": key,
                    "text": text,
                }
                for key, text in secrets.items()
            ),
        ],
        compatibility_date=OLD_COMPATIBILITY_DATE,
        compatibility_flags=[],
        annotations={"workers/message": "the JavaScript Worker"},
        source="dash",
        migration_tag=None,
        files=version_id,
    )
    worker = CloudWorker(name, new_tag(), now_text(), versions=[version])
    worker.routes = [dict(route) for route in settings["routes"]]
    cloud.account.workers[name] = worker
    deploy_version(cloud, worker, version, version.annotations)


def write_old_checkout(folder: Path) -> None:
    """Write the repository from which the old Worker is deployed, without its plain keys."""
    settings = production_settings()
    names = ("name", "routes", "triggers", "d1_databases", "kv_namespaces")
    production = {name: settings[name] for name in names}
    folder.mkdir()
    for module in OLD_MODULES:
        shutil.copy(Path(__file__).parent / module, folder)
    config = {
        "name": settings["name"],
        "main": OLD_MODULES[0],
        "compatibility_date": OLD_COMPATIBILITY_DATE,
        "env": {"production": production},
    }
    (folder / "wrangler.json").write_text(json.dumps(config), encoding="utf-8")
    (folder / "node_modules").symlink_to((ROOT / "node_modules").resolve())


def count_rows(file: Path) -> dict[str, int]:
    """Count the rows of the main tables in a database file."""
    tables = ("projects", "pixels", "visitors", "sessions", "tracking_events")
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
        return {
            name: database.execute(f"SELECT count(*) FROM {name}").fetchone()[0]  # noqa: S608
            for name in tables
        }


def secret_values(keys: str, token: str, field_map: object) -> dict[str, str]:
    """Return the secrets that the documents tell to set before the first deployment."""
    return {
        "API_KEYS": keys,
        "PIPEDRIVE_API_KEY": token,
        "PIPEDRIVE_FIELDS": json.dumps(field_map),
        "ALERT_WEBHOOK_URL": "https://hooks.example.com/alerts",
    }
