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

from config import read_archive_config, read_config
from local_config import read_wrangler_toml
from ops.deploy.job_forecast import JobForecast, check_jobs
from pyodide_bundle import Bundle
from simulator.server import Simulator
from tests.harness.prepared import database_file
from tests.ops.deployed import EVENTS, MIGRATION, write_backup, write_events
from tests.ops.running import Output, fails, here, ppp

DATABASE_CHECKS = ("--only", "migrations", "--only", "rows")


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


def run(storage: Path, *arguments: object) -> Output:
    return here("preflight", "--local", "--persist-to", storage, *arguments)


def checks(output: Output) -> dict[str, dict[str, Any]]:
    return {check["check"]: check for check in output.json["checks"]}


def test_a_database_with_its_backup_may_be_deployed_on(deployed: Path) -> None:
    output = run(deployed, *DATABASE_CHECKS, "--only", "backup")
    assert output.code == 0, output
    first, *_ = output.out.splitlines()
    assert first.startswith("local: D1 ppp-tracking-db-local in ")
    assert first.endswith("; R2 ppp-pixel-backups-local")
    printed = " ".join(output.out.split())
    assert f"tracking_events {EVENTS}" in printed
    assert f"all are applied, up to {MIGRATION}" in printed
    # A slow machine takes minutes from the backup to here.
    assert re.search(rf"-full, 3 h \d+ min old, {EVENTS} events", printed), printed
    assert "bundle skipped not asked for" in printed
    assert printed.endswith("nothing stands against it")
    assert "checking: rows" in output.err


def test_a_database_that_was_deleted_and_created_empty_blocks(changed: Path) -> None:
    shutil.rmtree(changed / "v3" / "d1")
    output = run(changed, "--json", *DATABASE_CHECKS, "--accept-database", "0" * 8)
    assert output.code == 1
    assert not output.json["fine"]
    results = checks(output)
    assert f"the last backup was at {MIGRATION}" in results["migrations"]["why"]
    assert "was created anew" in results["migrations"]["why"]
    assert "projects has no row, and had 1, by the backup" in results["rows"]["why"]
    failed = DATABASE_CHECKS[1::2]
    assert {results[check]["verdict"] for check in failed} == {"fail"}
    first, *others = sorted((results[check]["next"] for check in failed), key=len, reverse=True)
    assert first.startswith("./ppp restore --local (docs/runbook.md#")
    assert set(others) == {"it follows from migrations: that comes first"}


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
    results = checks(run(changed, "--json", "--only", "rows"))
    assert results["rows"]["verdict"] == "fail"
    assert f"the newest event is number 12, and was {EVENTS}" in results["rows"]["why"]


def test_a_database_whose_record_of_migrations_is_lost_blocks(changed: Path) -> None:
    with closing(sqlite3.connect(database_file(changed))) as database, database:
        database.execute("DELETE FROM d1_migrations")
    output = run(changed, "--only", "migrations")
    assert output.code == 1
    printed = " ".join(output.out.split())
    assert re.search(r"d1_migrations is empty, but there are \d+ tables: every migration", printed)
    assert "migrations, next: docs/runbook.md#the-record-of-migrations-is-lost" in printed
    assert printed.endswith("1 check failed")


def test_a_backup_that_is_too_old_blocks(deployed: Path) -> None:
    output = run(deployed, "--only", "backup", "--max-backup-age", 2.5)
    assert output.code == 1
    printed = " ".join(output.out.split())
    assert "the last verified backup is too old" in printed
    assert "allowed are 2.5 h" in printed
    assert "backup, next: ./ppp backup --local" in printed


def test_a_database_without_any_backup_blocks(migrated_storage: Path) -> None:
    output = run(migrated_storage, "--only", "backup", "--json")
    assert output.code == 1
    assert checks(output)["backup"]["why"] == "there is no backup"
    assert checks(output)["backup"]["next"].startswith("./ppp backup --local")


def test_a_field_map_that_does_not_fit_blocks(
    pipedrive: Simulator, tmp_path: Path, local_config: Bundle
) -> None:
    file = tmp_path / "map.json"
    file.write_text('{"utm_source": "%s"}' % ("0" * 40), encoding="utf-8")
    local = ("--local", "--persist-to", tmp_path)
    arguments = ("preflight", *local, "--json", "--only", "fields", "--map", file)
    account = {"PIPEDRIVE_API_KEY": pipedrive.token, "PIPEDRIVE_URL": pipedrive.api_url}
    output = here(*arguments, env=account)
    assert output.code == 1
    assert "utm_source: the account has no field" in checks(output)["fields"]["why"]
    assert checks(output)["fields"]["next"] == f"./ppp fields check --map {file}"
    file.unlink()
    assert checks(here(*arguments, env=account))["fields"]["verdict"] == "skipped"


def test_an_unknown_check_is_named_with_those_there_are(
    local_config: Bundle, tmp_path: Path
) -> None:
    line = fails(run(tmp_path, "--only", "weather"), 2)
    assert "there is no check weather: they are database, loss, migrations, rows" in line


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
    deleted = checks(run(changed, "--json", "--only", "jobs"))["jobs"]["why"]
    assert re.search(r": 3 events older than 41 days, the oldest of \S+, are deleted", deleted)
    assert re.search(r": 1 event older than 30 days, the oldest of \S+, move to R2", deleted)
    assert re.search(r"; 1 visitor older than 395 days, the oldest of \S+, are deleted", deleted)


def test_before_a_first_deployment_the_jobs_may_take_nothing() -> None:
    forecasts = [JobForecast(None, "visitor", 1, "2025-01-01", 395)]
    result = check_jobs(forecasts, is_first=True)
    assert result.verdict == "fail"
    assert 'VISITOR_RETENTION_DAYS = "36500"' in result.next_step
    assert check_jobs(forecasts, is_first=False).verdict == "pass"
    assert check_jobs([], is_first=True).verdict == "pass"


def test_production_as_it_is_committed_holds_the_jobs_back() -> None:
    variables = read_wrangler_toml()["env"]["production"]["vars"]
    config, archive = read_config(variables.get), read_archive_config(variables.get)
    assert min(config.session_retention_days, config.visitor_retention_days) == 36_500
    assert archive.run.days > 36_500
    assert not config.problems


def test_no_reason_is_cut(changed: Path) -> None:
    with closing(sqlite3.connect(database_file(changed))) as database, database:
        for number in range(30):
            project, pixel = f"project-{number}", f"pixel-{number}"
            database.execute("INSERT INTO projects (id, name) VALUES (?1, ?1)", (project,))
            database.execute(
                "INSERT INTO pixels (id, project_id, name) VALUES (?1, ?2, ?1)", (pixel, project)
            )
            database.execute(
                "INSERT INTO tracking_events (project_id, pixel_id, timestamp) "
                "VALUES (?, ?, datetime('now', '-300 days'))",
                (project, pixel),
            )
    [line] = [
        line for line in run(changed, "--only", "jobs").out.splitlines() if line.startswith("jobs")
    ]
    assert line.count("move to R2") >= 30


def test_it_names_projects_that_the_old_worker_read_in_another_way(changed: Path) -> None:
    with closing(sqlite3.connect(database_file(changed))) as database, database:
        odd = '{"pipedrive_enabled": 0, "session_minutes": 5}'
        database.execute("UPDATE projects SET configuration = ?, active = 0", (odd,))
    reason = checks(run(changed, "--json", "--only", "projects"))["projects"]["why"]
    assert "pipedrive_enabled is 0, not false" in reason
    assert re.search(r"is switched off and its pixels .*\(ppp-demo-pixel\).* are not", reason)
    assert "will be obeyed" not in reason
    first = checks(run(changed, "--json", "--first", "--only", "projects"))["projects"]["why"]
    assert "session_minutes will be obeyed here" in first


def test_it_says_where_the_jobs_take_nothing(deployed: Path) -> None:
    why = checks(run(deployed, "--json", "--only", "jobs"))["jobs"]["why"]
    assert why == "within a day nothing is deleted or moved"
