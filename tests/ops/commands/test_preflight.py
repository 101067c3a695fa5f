"""`ppp preflight`, on a real local D1 and R2: above all, the database that was once lost."""

from __future__ import annotations

import re
import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pyodide_bundle import Bundle
from simulator.server import Simulator
from tests.harness.prepared import database_file
from tests.ops.deployed import EVENTS, MIGRATION, write_backup, write_events
from tests.ops.running import Said, fails, here, ppp

OF_THE_DATABASE = ("--only", "migrations", "--only", "rows")


@pytest.fixture(scope="module")
def deployed(migrated_storage: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A storage with events and a backup three hours old."""
    folder = tmp_path_factory.mktemp("deployed") / "storage"
    shutil.copytree(migrated_storage, folder)
    write_events(folder)
    write_backup(folder)
    return folder


@pytest.fixture
def changed(deployed: Path, tmp_path: Path) -> Path:
    """A copy for one test to spoil."""
    copy = tmp_path / "storage"
    shutil.copytree(deployed, copy)
    return copy


def run(storage: Path, *arguments: object) -> Said:
    return here("preflight", "--local", "--persist-to", storage, *arguments)


def checks(said: Said) -> dict[str, dict[str, Any]]:
    return {each["check"]: each for each in said.json["checks"]}


def test_a_database_with_its_backup_may_be_deployed_on(deployed: Path) -> None:
    said = run(deployed, *OF_THE_DATABASE, "--only", "backup")
    assert said.code == 0, said
    first, *_ = said.out.splitlines()
    assert first.startswith("local: D1 ppp-tracking-db-local in ")
    assert first.endswith("; R2 ppp-pixel-backups-local")
    words = " ".join(said.out.split())
    assert f"tracking_events {EVENTS}" in words
    assert f"all are applied, up to {MIGRATION}" in words
    assert f"-full, 3 h 0 min old, {EVENTS} events" in words
    assert "bundle skipped not asked for" in words
    assert words.endswith("nothing stands against it")
    assert "checking: rows" in said.err


def test_a_database_that_was_deleted_and_created_empty_blocks(changed: Path) -> None:
    shutil.rmtree(changed / "v3" / "d1")
    said = run(changed, "--json", *OF_THE_DATABASE, "--accept-database", "0" * 8)
    assert said.code == 1
    assert not said.json["fine"]
    found = checks(said)
    assert f"the last backup was at {MIGRATION}" in found["migrations"]["why"]
    assert "was created anew" in found["migrations"]["why"]
    assert "projects has no row, and had 1, by the backup" in found["rows"]["why"]
    for check in OF_THE_DATABASE[1::2]:
        assert found[check]["verdict"] == "fail"
        assert found[check]["next"].startswith("./ppp restore --local (docs/runbook.md#")


def test_one_that_was_created_anew_and_migrated_and_is_used_again_blocks(
    changed: Path, migrated_storage: Path
) -> None:
    """The first events of a day hide that all the others are gone; their numbers do not."""
    shutil.rmtree(changed / "v3" / "d1")
    shutil.copytree(migrated_storage / "v3" / "d1", changed / "v3" / "d1")
    write_events(changed)
    with closing(sqlite3.connect(database_file(changed))) as database, database:
        database.execute("DELETE FROM tracking_events WHERE id > 12")
        database.execute("UPDATE sqlite_sequence SET seq = 12 WHERE name = 'tracking_events'")
    found = checks(run(changed, "--json", "--only", "rows"))
    assert found["rows"]["verdict"] == "fail"
    assert f"the newest event is number 12, and was {EVENTS}" in found["rows"]["why"]


def test_a_database_whose_record_of_migrations_is_lost_blocks(changed: Path) -> None:
    with closing(sqlite3.connect(database_file(changed))) as database, database:
        database.execute("DELETE FROM d1_migrations")
    said = run(changed, "--only", "migrations")
    assert said.code == 1
    words = " ".join(said.out.split())
    assert re.search(r"d1_migrations is empty, but there are \d+ tables: every migration", words)
    assert "migrations, next: docs/runbook.md#the-record-of-migrations-is-lost" in words
    assert words.endswith("1 check failed")


def test_a_backup_that_is_too_old_blocks(deployed: Path) -> None:
    said = run(deployed, "--only", "backup", "--max-backup-age", 2.5)
    assert said.code == 1
    words = " ".join(said.out.split())
    assert "the last verified backup is too old" in words
    assert "allowed are 2.5 h" in words
    assert "backup, next: ./ppp backup --local" in words


def test_a_database_without_any_backup_blocks(migrated_storage: Path) -> None:
    said = run(migrated_storage, "--only", "backup", "--json")
    assert said.code == 1
    assert checks(said)["backup"]["why"] == "there is no backup"
    assert checks(said)["backup"]["next"].startswith("./ppp backup --local")


def test_a_field_map_that_does_not_fit_blocks(
    pipedrive: Simulator, tmp_path: Path, local_config: Bundle
) -> None:
    file = tmp_path / "map.json"
    file.write_text('{"utm_source": "%s"}' % ("0" * 40), encoding="utf-8")
    local = ("--local", "--persist-to", tmp_path)
    arguments = ("preflight", *local, "--json", "--only", "fields", "--map", file)
    account = {"PIPEDRIVE_API_KEY": pipedrive.token, "PIPEDRIVE_URL": pipedrive.api_url}
    said = here(*arguments, env=account)
    assert said.code == 1
    assert "utm_source: the account has no field" in checks(said)["fields"]["why"]
    assert checks(said)["fields"]["next"] == f"./ppp fields check --map {file}"
    file.unlink()
    assert checks(here(*arguments, env=account))["fields"]["verdict"] == "skipped"


def test_an_unknown_check_is_named_with_those_there_are(
    local_config: Bundle, tmp_path: Path
) -> None:
    line = fails(run(tmp_path, "--only", "weather"), 2)
    assert "there is no check weather: they are database, migrations, rows" in line


def test_nobody_is_logged_in_is_told_before_anything_else(home: Path, local_config: Bundle) -> None:
    line = fails(ppp("preflight", "--env", "production", home=home), 3)
    assert "npx wrangler login" in line


def test_it_says_what_the_jobs_take_within_a_day(changed: Path) -> None:
    add = (
        "INSERT INTO tracking_events (project_id, pixel_id, timestamp) "
        "VALUES ('ppp-demo-project', 'ppp-demo-pixel', datetime('now', ?))"
    )
    with closing(sqlite3.connect(database_file(changed))) as database, database:
        database.executemany(add, [("-200 days",), ("-180 days",), ("-178 days",), ("-39 days",)])
        # As the old Worker wrote it: no command.
        old = '{"retention_days": 30}'
        database.execute("UPDATE projects SET configuration = ?", (old,))
    oldest = datetime.now(UTC) - timedelta(days=200)
    moved = checks(run(changed, "--json", "--only", "jobs"))["jobs"]["why"]
    assert "2 events older than 180 days" in moved
    assert f"the oldest of {oldest:%Y-%m-%d}, move to R2" in moved
    assert "deleted" not in moved

    with closing(sqlite3.connect(database_file(changed))) as database, database:
        chosen = '{"jobs": {"retention_days": 41, "archive_days": 30}}'
        database.execute("UPDATE projects SET configuration = ?", (chosen,))
        database.execute("INSERT INTO visitors (id, visitor_cookie, last_seen) VALUES (2, 3, 0)")
    taken = checks(run(changed, "--json", "--only", "jobs"))["jobs"]["why"]
    assert re.search(r": 3 events older than 41 days, the oldest of \S+, are deleted", taken)
    assert re.search(r": 1 event older than 30 days, the oldest of \S+, move to R2", taken)
    assert re.search(r"; 1 visitor older than 395 days, the oldest of \S+, are deleted", taken)


def test_it_says_where_the_jobs_take_nothing(deployed: Path) -> None:
    why = checks(run(deployed, "--json", "--only", "jobs"))["jobs"]["why"]
    assert why == "within a day nothing is deleted or moved"
