"""Which database of this machine the Worker of `make dev` serves, and in which file it lies."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import sqlite3
from contextlib import closing
from pathlib import Path

from paths import LOCAL_STORAGE

# Which migrations the database has had; written by `make dev`.
PREPARED = LOCAL_STORAGE / "prepared"
# Written by a restore; goes with the storage. Without it the database is wrangler.toml's.
SERVED = LOCAL_STORAGE / "served-database"
_NAMESPACE = b"miniflare-D1DatabaseObject"


def served_database(otherwise: str) -> str:
    """The id of the database that a restore put in place of wrangler.toml's, or that one."""
    return SERVED.read_text(encoding="utf-8").strip() if SERVED.exists() else otherwise


def database_file(database_id: str, storage: Path = LOCAL_STORAGE) -> Path:
    """Where a local D1 database lies: miniflare's names of Durable Objects, which D1 is made of."""
    key = hashlib.sha256(_NAMESPACE).digest()
    name = hmac.digest(key, database_id.encode(), "sha256")[:16]
    checksum = hmac.digest(key, name, "sha256")[:16]
    file = f"{(name + checksum).hex()}.sqlite"
    return storage / "v3" / "d1" / _NAMESPACE.decode() / file


def is_migrated(file: Path) -> bool:
    """Whether a database is there and has had migrations."""
    if not file.exists():
        return False
    try:
        with closing(sqlite3.connect(file)) as database:
            return bool(database.execute("SELECT 1 FROM d1_migrations LIMIT 1").fetchall())
    except sqlite3.Error:
        return False


def replace_text(file: Path, text: str) -> None:
    """Writes a file whole or not at all: others may be reading it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_name(f"{file.name}.{os.getpid()}.new")
    new.write_text(text, encoding="utf-8")
    new.replace(file)


def with_database(config: str, database_id: str) -> str:
    """A configuration of wrangler in JSON, with another id of its database."""
    settings = json.loads(config)
    [binding] = settings["d1_databases"]
    binding["database_id"] = database_id
    return json.dumps(settings, indent=2) + "\n"
