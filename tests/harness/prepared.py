"""What tests of the Worker need and what depends on sources only: made once, kept by their hash.

A Worker starts from a snapshot of its memory, as it does in production: 0.5 s instead of 3 s. The
snapshot holds the imported modules, so its name is a hash of everything that it was made of.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from paths import CACHE, LOCAL_CONFIG, ROOT
from startup_check import SNAPSHOT, bundle_worker, workerd_config
from tests.harness.migrating import MIGRATIONS, SCRIPT, migrate
from worker_source import SHIPPED
from wrangler import wrangler

MAIN = "entry.py"
SNAPSHOT_FLAG = "python_dedicated_snapshot"
# Set to anything, every Worker starts without a snapshot.
WITHOUT_SNAPSHOT = "PPP_TEST_WITHOUT_SNAPSHOT"
KEPT_VERSIONS = 3
# The default project, which a migration adds.
SEEDED_PROJECTS = """
SELECT 'INSERT INTO projects (id, name) VALUES (' || quote(id) || ', ' || quote(name) || ')'
FROM projects WHERE id <> 'ppp-demo-project'
"""
SEEDED_PIXELS = """
SELECT 'INSERT INTO pixels (id, project_id, name) VALUES ('
  || quote(id) || ', ' || quote(project_id) || ', ' || quote(name) || ')'
FROM pixels WHERE project_id <> 'ppp-demo-project'
"""
# As its migration does: every new database is another one.
IDENTIFY = (
    "INSERT INTO database_identity (id, generation)"
    " VALUES (lower(hex(randomblob(16))), lower(hex(randomblob(16))))"
)


def migrated_storage() -> Path:
    """A storage with the migrated database and the demo project; never written to."""
    sources = [*sorted(MIGRATIONS.glob("*.sql")), SCRIPT, ROOT / "demo" / "seed.sql"]
    return _made_once("migrated", _hash_of(sources), _migrate)


def database_file(storage: Path) -> Path:
    """The SQLite file of the only D1 database in a storage."""
    files = storage.glob("v3/d1/miniflare-D1DatabaseObject/*.sqlite")
    [database] = [file for file in files if file.name != "metadata.sqlite"]
    return database


def schema_statements() -> Sequence[str]:
    """Statements that make the migrated database, without the demo project, from an empty one."""
    with sqlite3.connect(f"file:{database_file(migrated_storage())}?mode=ro", uri=True) as database:
        schema = database.execute(
            "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL"
            " AND name NOT LIKE 'sqlite_%' AND name NOT LIKE '_cf_%' ORDER BY rowid"
        ).fetchall()
        applied = database.execute("SELECT id, name, applied_at FROM d1_migrations").fetchall()
        seeded = [
            statement
            for rows in (SEEDED_PROJECTS, SEEDED_PIXELS)
            for (statement,) in database.execute(rows).fetchall()
        ]
    database.close()
    rows = ", ".join(f"({number}, '{name}', '{moment}')" for number, name, moment in applied)
    return [
        *(statement for (statement,) in schema),
        f"INSERT INTO d1_migrations (id, name, applied_at) VALUES {rows}",
        IDENTIFY,
        *seeded,
    ]


def worker_bundle() -> Path:
    """The Worker's files as they would be uploaded."""
    return _made_once("bundles", _hash_of(_worker_sources()), bundle_worker)


def snapshot_folder() -> Path | None:
    """The folder with the snapshot of this Worker; None where workerd makes none, or is not to."""
    if os.environ.get(WITHOUT_SNAPSHOT):
        return None
    folder = _made_once("snapshots", _hash_of(_worker_sources()), _take_snapshot)
    return folder if (folder / SNAPSHOT).exists() else None


def started_from_snapshot(config: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """A configuration, and variables for wrangler, with which a Worker starts from its snapshot."""
    folder = snapshot_folder()
    if folder is None:
        return dict(config), {}
    flags = [*config.get("compatibility_flags", ()), SNAPSHOT_FLAG]
    variables = {"MINIFLARE_WORKERD_PATH": str(_workerd_with(folder))}
    return {**config, "compatibility_flags": flags}, variables


def _workerd_with(folder: Path) -> Path:
    """An executable that starts workerd with the snapshot in a folder."""
    wrapper = folder / "workerd"
    options = f'--python-load-snapshot={SNAPSHOT} --python-snapshot-dir="{folder}"'
    if not wrapper.exists():
        fresh = folder / f"workerd.{os.getpid()}"
        fresh.write_text(
            f'#!/bin/sh\nexec "{CACHE / "workerd"}" "$@" {options}\n', encoding="utf-8"
        )
        fresh.chmod(0o755)
        fresh.rename(wrapper)
    return wrapper


def _take_snapshot(folder: Path) -> None:
    """Lets workerd run the top level of the Worker once and store its memory in the folder."""
    folder.mkdir()
    bundle = worker_bundle()
    config = bundle / f"snapshot.{os.getpid()}.capnp"
    config.write_text(workerd_config(bundle, MAIN, [SNAPSHOT_FLAG]), encoding="utf-8")
    # It has no tests to run, which workerd says; the snapshot is what counts.
    process = subprocess.run(
        [
            *(str(CACHE / "workerd"), "test", str(config), "--experimental"),
            *("--python-save-snapshot", f"--python-snapshot-dir={folder}"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    config.unlink()
    if not (folder / SNAPSHOT).exists():
        warnings.warn(f"no snapshot was made: {process.stderr[-500:]}", stacklevel=2)


def _migrate(folder: Path) -> None:
    [database] = json.loads(LOCAL_CONFIG.read_text(encoding="utf-8"))["d1_databases"]
    migrate(folder, database["database_id"])
    seed = ROOT / "demo" / "seed.sql"
    wrangler("d1", "execute", "DB", "--local", "--persist-to", folder, "--file", seed)


def _worker_sources() -> Iterable[Path]:
    """Every file that decides what the Worker is and how it is started."""
    modules = (path for folder in (SHIPPED, ROOT / "python_modules") for path in _files_in(folder))
    pinned = (ROOT / name for name in ("package-lock.json", "uv.lock", "wrangler.toml"))
    return [*sorted(modules), *pinned, LOCAL_CONFIG, CACHE / "workerd"]


def _files_in(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            yield path


def _hash_of(sources: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for source in sources:
        content = source.read_bytes()
        name = os.path.relpath(source, ROOT)
        digest.update(json.dumps([name, len(content)]).encode() + content)
    return digest.hexdigest()[:16]


def _made_once(kind: str, version: str, make: Callable[[Path], None]) -> Path:
    """The folder of a version; made under a lock, for test processes begin at the same time."""
    folder = CACHE / kind / version
    if folder.exists():
        return folder
    with _lock(kind):
        if not folder.exists():
            unfinished = folder.with_name(f"{version}.unfinished")
            shutil.rmtree(unfinished, ignore_errors=True)
            make(unfinished)
            _forget_old_versions(folder.parent)
            unfinished.rename(folder)
    return folder


def _forget_old_versions(folder: Path) -> None:
    versions = [path for path in folder.iterdir() if path.suffix != ".unfinished" and path.is_dir()]
    for path in sorted(versions, key=lambda path: path.stat().st_mtime)[:-KEPT_VERSIONS]:
        shutil.rmtree(path, ignore_errors=True)


@contextmanager
def _lock(kind: str) -> Iterator[None]:
    (CACHE / kind).mkdir(parents=True, exist_ok=True)
    with (CACHE / kind / "lock").open("w", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
