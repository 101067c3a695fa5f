"""Migrations on a local database in one workerd: `wrangler` starts another one for each of them."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from paths import NODE_BIN, ROOT, tool_environment
from rehearsal.old_production import CHANGED_MIGRATIONS

MIGRATIONS = ROOT / "migrations"
SCRIPT = ROOT / "tests" / "harness" / "migrate.mjs"


def migrate(storage: Path, database: str) -> None:
    """Applies and records what a database of a storage, named by its id, does not record yet."""
    options = {
        "d1": str(storage / "v3" / "d1"),
        "database": database,
        "migrations": str(MIGRATIONS),
        "record": CHANGED_MIGRATIONS,
    }
    subprocess.run(
        [NODE_BIN / "node", SCRIPT, json.dumps(options)],
        env=tool_environment(),
        cwd=ROOT,
        check=True,
    )
