"""A local D1 that has been deployed on and backed up, as its bucket and its log say."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ops.cloudflare.bucket import Bucket
from ops.cloudflare.target import Target, choose_target
from ops.deploy.deployment_log import LOG_KEY, TIME_FORMAT
from paths import ROOT
from tests.harness.prepared import database_file

EVENTS = 30
HOURS_AGO = 3
MIGRATION = max(file.name for file in (ROOT / "migrations").glob("*.sql"))


def local(storage: Path) -> Target:
    """The target that `--local --persist-to` names."""
    return choose_target(None, storage, local=True)


def write_events(storage: Path) -> None:
    """Adds events of one visitor, in one session."""
    with closing(sqlite3.connect(database_file(storage))) as database, database:
        database.execute("INSERT INTO visitors (id, visitor_cookie) VALUES ('v', 'c')")
        database.execute(
            "INSERT INTO sessions (id, visitor_id, pixel_id, session_cookie) "
            "VALUES ('s', 'v', 'ppp-demo-pixel', 'k')"
        )
        database.executemany(
            "INSERT INTO tracking_events (pixel_id, visitor_id) VALUES ('ppp-demo-pixel', 'v')",
            [()] * EVENTS,
        )


def write_backup(storage: Path) -> str:
    """Puts the index and the manifest of a verified backup into the bucket."""
    bucket = Bucket(local(storage))
    at = datetime.now(UTC) - timedelta(hours=HOURS_AGO)
    backup, time = f"{at:%Y%m%dT%H%M%SZ}-full", at.strftime(TIME_FORMAT)
    entry = {
        "id": backup,
        "kind": "full",
        "label": None,
        "base": None,
        "previous": None,
        "environment": "development",
        "migration": MIGRATION,
        "rows": EVENTS,
        "bytes": 1_000,
    }
    ended = {"finished_at": time, "verified_at": time, "events": EVENTS}
    totals = {"projects": 1, "visitors": 1, "tracking_events": EVENTS}
    tables = {name: {"rows": total, "total": total} for name, total in totals.items()}
    bucket.write("backups/index.json", _json({"format": 1, "backups": [entry | ended]}))
    key = f"backups/{backup}/manifest.json"
    marker = {"event": EVENTS, "change": 0, "log": 0}
    bucket.write(key, _json({"format": 1, "id": backup, "marker": marker, "tables": tables}))
    return backup


def log_of(storage: Path) -> list[dict[str, Any]]:
    """The lines of the log of deployments."""
    content = Bucket(local(storage)).read(LOG_KEY) or b""
    return [json.loads(line) for line in content.splitlines()]


def _json(content: object) -> bytes:
    return json.dumps(content).encode()
