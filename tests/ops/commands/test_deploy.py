"""`ppp deploy`: on a real local D1 and R2 as far as there is one, and the plan for production."""

from __future__ import annotations

import gzip
import re
import shutil
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import ops.deploy.deployment as ops_deployment
from ops.backup.index import BackupContents
from ops.cloudflare.bucket import Bucket
from ops.cloudflare.target import Environment, choose_target
from ops.deploy.deployment import Deployment, DeploymentOptions
from ops.deploy.dry_run import plan_deployment
from ops.deploy.facts import read_rows
from ops.deploy.release import Release
from ops.terminal.errors import OpsError
from ops.worker_api.client import Api, open_client
from ops.worker_api.worker import Key, choose_worker
from pyodide_bundle import Bundle
from tests.harness.prepared import database_file
from tests.ops.deployed import local, log_of
from tests.ops.running import Output, fails, here, ppp
from tests.worker.inherited import inherited_database

KEY = {"PPP_API_KEY": "some-key"}
FIRST = DeploymentOptions(first=True, all_traffic=True, watch_seconds=0)


SILENT_WORKER = "http://127.0.0.1:1"


@pytest.fixture(scope="module")
def left_behind(local_config: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The storage that the JavaScript Worker leaves."""
    folder = tmp_path_factory.mktemp("inherited")
    inherited_database(folder)
    return folder / "state"


@pytest.fixture
def inherited(left_behind: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it for one test; exports go elsewhere than into the checkout."""
    monkeypatch.setattr(ops_deployment, "EXPORTS", tmp_path / "exports")
    copy = tmp_path / "state"
    shutil.copytree(left_behind, copy)
    return copy


def deploy(storage: Path, *arguments: object, answer: str = "") -> Output:
    # A Worker that does not answer: none is asked before its code is deployed.
    target = ("--local", "--persist-to", storage, "--url", SILENT_WORKER)
    return here("deploy", *target, *arguments, env=KEY, answer=answer)


def query(storage: Path, sql: str) -> list[Any]:
    with closing(sqlite3.connect(database_file(storage))) as database, database:
        return database.execute(sql).fetchall()


def test_the_first_deployment_exports_migrates_counts_and_logs(
    inherited: Path, tmp_path: Path
) -> None:
    [(events,)] = query(inherited, "SELECT count(*) FROM tracking_events")
    output = deploy(inherited, "--first", "--yes", "--json")
    assert output.code == 0, output
    verdicts = {check["check"]: check["verdict"] for check in output.json["checks"]}
    assert [name for name, verdict in verdicts.items() if verdict == "pass"] == [
        *("loss", "migrations", "rows", "jobs", "projects", "backup"),
        *(["secrets"] if verdicts["secrets"] == "pass" else []),
        *("settings", "bundle", "snapshot"),
    ]
    deployment = output.json["deployment"]
    assert deployment["migrations"][0] == "0013_make_webhook_url_nullable.sql"
    assert deployment["rows"]["tracking_events"] == events > 0
    assert query(inherited, "SELECT max(name) FROM d1_migrations") == [
        (deployment["migrations"][-1],)
    ]
    started, finished = log_of(inherited)
    assert (started["id"], started["state"]) == (finished["id"], "started")
    assert finished == deployment
    assert (finished["state"], finished["backup"]) == (
        "finished",
        f"exports/{finished['id']}.sql.gz",
    )
    assert "rows after the migrations: " in output.err
    # Export and migrations, from when until when.
    assert len(re.findall(r"D1 answers .* \d\d:\d\d:\d\d UTC", output.err)) == 4
    assert (tmp_path / "exports").stat().st_mode & 0o777 == 0o700
    backup_sql = gzip.decompress(Bucket(local(inherited)).read(finished["backup"]) or b"")
    assert b'INSERT INTO "tracking_events"' in backup_sql
    assert [file.name for file in (tmp_path / "exports").iterdir()] == [f"{finished['id']}.sql.gz"]


def test_nothing_is_deployed_over_a_lost_record_of_migrations(inherited: Path) -> None:
    query(inherited, "DELETE FROM d1_migrations")
    output = deploy(inherited, "--first", "--yes")
    assert output.code == 1
    assert "d1_migrations is empty" in output.out
    assert query(inherited, "SELECT count(*) FROM d1_migrations") == [(0,)]
    assert log_of(inherited) == []


def first_deployment(storage: Path, contents: BackupContents, pending: Sequence[str]) -> Deployment:
    """One behind its preflight, which does not ask the Worker anything."""
    worker = choose_worker(None, SILENT_WORKER, local=False)
    api = Api(worker, None, open_client(worker, None))
    return Deployment(local(storage), api, FIRST, contents, list(pending), None)


def test_a_migration_that_fails_is_logged_and_nothing_is_lost(
    inherited: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    query(inherited, "CREATE TABLE job_runs (something_else)")
    contents = read_rows(local(inherited))
    with pytest.raises(OpsError, match=r"job_runs.*No traffic was moved") as failed:
        first_deployment(inherited, contents, ["0013_make_webhook_url_nullable.sql"]).run()
    assert "docs/runbook.md#rollback" in capsys.readouterr().err
    [*_, line] = log_of(inherited)
    assert line["state"] == "failed"
    assert line["reason"] in str(failed.value)
    assert query(inherited, "SELECT count(*) FROM tracking_events") == [
        (contents.rows["tracking_events"],)
    ]


# ---- what cannot be done here ------------------------------------------------------------------


def without_message(command: str) -> str:
    before, _, after = command.partition(" --message '")
    return before + after.partition("'")[2]


def test_the_plan_for_production_is_made_of_the_exact_commands(
    home: Path, local_config: Bundle
) -> None:
    output = ppp("deploy", "--env", "production", "--dry-run", "--json", home=home)
    assert output.code == 0, output
    assert "Worker ppp-pixel, D1 ppp-tracking-db (777a0ed8-" in output.err
    assert "account not known, wrangler is not logged in" in output.err
    steps = output.json["steps"]
    log = (
        "npx wrangler r2 object put ppp-pixel-backups/deployments/log.ndjson "
        "--file log.ndjson --remote"
    )
    post = 'curl -X POST -H "X-API-Key: $PPP_API_KEY" https://pixel.salesmagic.us/api/backups'
    split = "npx wrangler versions deploy NEW_VERSION@"
    override = 'Cloudflare-Workers-Version-Overrides: ppp-pixel="NEW_VERSION"'
    assert [without_message(command) for step in steps for command in step["commands"]] == [
        "./ppp preflight --env production",
        log,
        post,
        f"{post}/ID/continue  # until verified",
        "npx wrangler d1 migrations apply DB --env production --remote",
        "npx wrangler versions upload --env production",
        f"{split}0% OLD_VERSION@100% --yes --env production",
        f"curl -H '{override}' https://pixel.salesmagic.us/health",
        f"{split}10% OLD_VERSION@90% --yes --env production",
        f"{split}50% OLD_VERSION@50% --yes --env production",
        f"{split}100% --yes --env production",
        "npx wrangler triggers deploy --env production",
        "npx wrangler versions deploy OLD_VERSION@100% --yes --env production",
        log,
    ]
    assert "where a step fails from here on" in [step["step"] for step in steps]
    assert "what they delete or move within a day is not known: " in steps[-1]["step"]


def test_the_first_plan_exports_and_deploys_at_once() -> None:
    target = choose_target(Environment.PRODUCTION, None, local=False)
    steps = plan_deployment(target, "https://pixel.example", "--env production", FIRST, "nothing")
    assert steps[-1].description == "the jobs: nothing"
    commands = [without_message(command) for step in steps for command in step.commands]
    packed = "exports/ID.sql.gz"
    assert commands[0] == "./ppp preflight --env production --first"
    assert commands[2:5] == [
        "npx wrangler d1 export DB --env production --remote --output exports/ID.sql",
        "gzip exports/ID.sql",
        f"npx wrangler r2 object put ppp-pixel-backups/{packed} --file {packed} --remote",
    ]
    assert "npx wrangler deploy --env production" in commands
    assert not any("versions upload" in command for command in commands)


def test_going_back_that_fails_says_so_loudly_with_the_command(
    local_config: Bundle, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(home))
    target = choose_target(Environment.PRODUCTION, None, local=False)
    worker = choose_worker(Environment.PRODUCTION, None, local=False)
    api = Api(worker, Key("a test", "k"), open_client(worker, None))
    release = Release(target, api, "old-version", "3.1.0 at abc", watch_seconds=0)
    assert release.roll_back() == (
        False,
        "No traffic was moved: the code that runs is the one that ran",
    )
    release.took_traffic = True
    rolled_back, output = release.roll_back()
    assert not rolled_back
    assert "THE OLD VERSION COULD NOT BE BROUGHT BACK" in output
    assert "Run: npx wrangler versions deploy old-version@100% --message" in output


@pytest.mark.parametrize(
    ("arguments", "remedy"),
    [
        (("--local", "--json"), "--yes or --dry-run"),
        (("--env", "production", "--url", "http://127.0.0.1:1"), "--url goes with --local"),
        (
            ("--local", "--persist-to", "x", "--url", "https://pixel.salesmagic.us"),
            "an address on this machine",
        ),
        ((), "--local (this machine) or --env production"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_wrong_usage_touches_nothing(
    local_config: Bundle, arguments: tuple[str, ...], remedy: str
) -> None:
    assert remedy in fails(here("deploy", *arguments, env=KEY), 2)
