"""A deleted database, brought back from the Worker's own backup; and the drill of it."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ops.cloudflare.bucket import Bucket
from ops.cloudflare.target import choose_target
from ops.restore.scratch_worker import scratch_worker
from ops.worker_api.client import Api
from tests.harness.prepared import database_file
from tests.harness.worker import some_event
from tests.ops.running import fails, here

TABLES = ("projects", "pixels", "visitors", "sessions", "tracking_events", "d1_migrations")
EVENTS = 30


def visit(api: Api, number: int) -> None:
    event = some_event(page_title=f"Grüße \u2028 'x'; BEGIN TRANSACTION; {number}")
    answer = api.http.post("/e", json=event)
    assert answer.status_code == 200, answer.text


def contents(file: Path) -> dict[str, list[tuple[object, ...]]]:
    with closing(sqlite3.connect(file)) as database:
        return {
            table: database.execute(f"SELECT * FROM {table} ORDER BY id").fetchall()
            for table in TABLES
        }


def is_ours(file: Path) -> bool:
    if file.suffix != ".sqlite":
        return False
    with closing(sqlite3.connect(file)) as database:
        return bool(database.execute("PRAGMA table_info(tracking_events)").fetchall())


@pytest.mark.timeout(1_500)
def test_a_deleted_database_comes_back(migrated_storage: Path, tmp_path: Path) -> None:
    storage, reports = tmp_path / "storage", tmp_path / "reports"
    shutil.copytree(migrated_storage, storage)
    live = choose_target(None, storage, local=True)
    local = ("--local", "--persist-to", storage)
    with scratch_worker(live, tmp_path, own_bucket=False) as api:
        for number in range(EVENTS):
            visit(api, number)
        assert api.key
        key = {"PPP_API_KEY": api.key.text}
        backup = here("backup", "--url", api.worker.url, "--label", "story", "--json", env=key)
        assert (backup.code, backup.json["state"]) == (0, "verified")
        as_backed_up = contents(database_file(storage))
        visit(api, EVENTS)

    drill = here("drill", *local, "--reports", reports, "--json")
    assert drill.code == 0, drill
    assert drill.json["problems"] == []
    tables = drill.json["tables"]
    assert tables["tracking_events"] == {"backup": EVENTS, "living": EVENTS + 1, "verdict": "same"}
    assert {table["verdict"] for table in tables.values()} <= {"same", "moved on"}
    report = next(reports.iterdir())
    assert Bucket(live).read(f"drills/{report.name}") == report.read_bytes()
    assert f"recovery point: age of backup {backup.json['id']}" in report.read_text()
    assert drill.json["smoke"] == "passed"
    [remembered] = Bucket(live).read_json("drills/index.json")
    assert remembered["name"] == report.stem

    for file in (storage / "v3" / "d1" / "miniflare-D1DatabaseObject").iterdir():
        file.unlink()
    blocked = here("preflight", *local, "--only", "migrations", "--only", "rows", "--json")
    assert blocked.code == 1
    stopped = {check["check"]: check for check in blocked.json["checks"] if check["next"]}
    assert stopped.keys() == {"migrations", "rows"}
    assert stopped["migrations"]["next"].startswith("./ppp restore")
    assert stopped["rows"]["next"] == "it follows from migrations: that comes first"
    restored = here("restore", *local, "--yes", "--json")
    assert restored.code == 0, restored
    assert restored.json["differences"] == []
    # The preflight made an empty database of the old name; the restore went beside it.
    [file] = filter(is_ours, (storage / "v3" / "d1" / "miniflare-D1DatabaseObject").iterdir())
    assert contents(file) == as_backed_up
    lost = datetime.now(UTC) - datetime.fromisoformat(restored.json["as_of"])
    assert lost < timedelta(hours=1)


def test_there_is_nothing_to_exercise_without_a_backup(migrated_storage: Path) -> None:
    output = here("drill", "--local", "--persist-to", migrated_storage)
    assert "there is no backup in ppp-pixel-backups-local" in fails(output, 1)
