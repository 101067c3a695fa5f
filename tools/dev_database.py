"""The database of `make dev`: its file, its migrations, and whether somebody deleted it."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from local_storage import PREPARED, database_file, is_migrated, replace_text
from paths import LOCAL_CONFIG, LOCAL_STORAGE, ROOT
from wrangler import wrangler

SEED = ROOT / "demo" / "seed.sql"


def local_database() -> Path:
    """Return the file of the database that the local configuration names."""
    [binding] = json.loads(LOCAL_CONFIG.read_text(encoding="utf-8"))["d1_databases"]
    return database_file(binding["database_id"])


def prepare_database() -> None:
    """Apply the migrations to the local database and add the demo project and pixel.

    A hash of what was applied lies beside the database: the next start need not ask wrangler.
    """
    sources = [*sorted((ROOT / "migrations").glob("*.sql")), SEED]
    recipe = hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()
    was_prepared = PREPARED.exists() and PREPARED.read_text(encoding="utf-8") == recipe
    if was_prepared and is_migrated(local_database()):
        return
    wrangler("d1", "migrations", "apply", "DB", "--local")
    wrangler("d1", "execute", "DB", "--local", "--file", SEED)
    replace_text(PREPARED, recipe)


def storage_inodes(database: Path) -> Mapping[Path, int]:
    """Return the inodes of the database and of the folders of the Worker's data."""
    folder = LOCAL_STORAGE / "v3"
    paths = [database, folder, *filter(Path.is_dir, folder.glob("*"))]
    return {path: inode for path in paths if (inode := read_inode(path))}


def read_inode(path: Path) -> int:
    """Return the inode of a file or folder; 0 if there is none."""
    with contextlib.suppress(OSError):
        return path.stat().st_ino
    return 0
