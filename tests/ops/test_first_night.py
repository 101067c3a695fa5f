"""The first night: no rollback reaches the JavaScript Worker, docs/upgrade.md does.

Its blocks run here on a production in which this Worker has just got all the traffic.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest

from ops.cloudflare.target import Environment, choose_target
from ops.deploy.release import Release
from ops.worker_api.client import Api, open_client
from ops.worker_api.worker import Key, choose_worker
from paths import NODE_BIN, ROOT
from pyodide_bundle import Bundle
from rehearsal.new_production import migrate, put_up
from rehearsal.old_production import (
    secret_values,
    stand_old_worker,
    write_old_checkout,
    write_old_database,
)
from rehearsal.upgrade import (
    ADD_PIXEL,
    ADD_PROJECT,
    COUNT_ACTIVE,
    GO_BACK,
    KEEP_PIXELS,
    OLD_HEALTH,
    SWITCH_ON,
    block_with,
)
from stand_in.faults import ApiFault
from stand_in.production import add_stores, production_hosts
from stand_in.server import StandIn, stand_in
from tests.harness.prepared import worker_bundle
from tests.ops.running import here

EVENTS = 30
KEPT = "pixels-switched-off.json"
QUERY = "POST .*/query"


@dataclass(frozen=True, slots=True)
class Night:
    """The stand-in, the folder of whoever follows the document, and the versions there are."""

    cloud: StandIn
    folder: Path
    old: str
    new: str

    def shell(self, commands: str) -> subprocess.CompletedProcess[str]:
        """Runs a block as somebody pastes it, who has a shell that goes on after a failure."""
        checkout = {"OLD_CHECKOUT": str(self.folder.parent / "old-checkout"), "CI": "true"}
        path = {"PATH": f"{NODE_BIN}{os.pathsep}{os.environ['PATH']}"}
        return subprocess.run(
            ["/bin/bash", "-c", commands],
            cwd=self.folder,
            env=os.environ | self.cloud.variables() | checkout | path,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def query(self, sql: str) -> list[dict[str, object]]:
        """Runs SQL in the database and returns its rows."""
        [database] = self.cloud.cloud.account.databases
        [answer] = self.cloud.cloud.runtime.query(database.uuid, [(sql, [])], raw=False)
        rows: list[dict[str, object]] = answer["results"]
        return rows

    def active(self) -> int:
        """How many pixels of the project that is switched off are active in their rows."""
        [row] = self.query(COUNT_ACTIVE)
        return int(str(row["active"]))


@pytest.fixture(scope="module")
def night(local_config: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Night]:
    folder = tmp_path_factory.mktemp("night")
    write_old_checkout(folder / "old-checkout")
    checkout = folder / "checkout"
    checkout.mkdir()
    shutil.copy(ROOT / "wrangler.toml", checkout)
    (checkout / "node_modules").symlink_to((ROOT / "node_modules").resolve())
    with stand_in(folder / "cloud", production_hosts()) as cloud:
        control = cloud.cloud
        control.stop_workerd()
        add_stores(control.account)
        [database] = control.account.databases
        file = control.database_path(database.uuid)
        write_old_database(file, EVENTS)
        migrate(file)
        secrets = secret_values(str(uuid4()), "no token", {})
        stand_old_worker(control, secrets)
        [worker] = control.account.workers.values()
        old = worker.versions[-1].id
        new = put_up(control, worker_bundle(), secrets, "the first night").id
        running = Night(cloud, checkout, old, new)
        running.query(ADD_PROJECT)
        running.query(ADD_PIXEL)
        yield running


def test_no_rollback_is_proposed_and_the_way_back_is_named(night: Night) -> None:
    output = here("rollback", "--env", "production", "--dry-run", env=night.cloud.variables())
    assert output.code == 1, output
    assert f"{night.old} cannot be brought back: a Durable Object migration lies" in output.err
    assert "docs/upgrade.md#back" in output.err
    assert "versions deploy" not in output.out + output.err


@pytest.mark.parametrize("is_named", [True, False], ids=["uploaded", "answer lost"])
def test_a_deployment_that_fails_prints_no_command_that_is_refused(
    night: Night, monkeypatch: pytest.MonkeyPatch, *, is_named: bool
) -> None:
    new = night.new if is_named else None
    for name, value in night.cloud.variables().items():
        monkeypatch.setenv(name, value)
    target = choose_target(Environment.PRODUCTION, None, local=False)
    worker = choose_worker(Environment.PRODUCTION, None, local=False)
    api = Api(worker, Key("a test", "k"), open_client(worker, None))
    release = Release(target, api, night.old, "3.1.0 at abc", 0, new, took_traffic=True)
    is_back, output = release.roll_back()
    assert not is_back
    assert "AND THE OLD VERSION COULD NOT BE BROUGHT BACK" in output
    assert "docs/upgrade.md#back" in output
    assert "Run: " not in output


@pytest.mark.parametrize("failing_statement", [1, 2, 3])
def test_a_block_that_fails_ends_there_and_is_done_again(
    night: Night, failing_statement: int
) -> None:
    block = block_with(KEEP_PIXELS)
    night.query("UPDATE pixels SET active = 1 WHERE id = 'of-it'")
    (night.folder / KEPT).unlink(missing_ok=True)
    night.cloud.faults.add(ApiFault("error", QUERY, nth=failing_statement, times=9))
    try:
        failed = night.shell(block)
    finally:
        night.cloud.faults.clear()
    assert failed.returncode == 1, failed
    assert "FAILED: do this block again" in failed.stdout
    assert night.active() == 1
    assert (night.folder / KEPT).exists() == (failing_statement == 3)
    for _ in range(2):
        retried = night.shell(block)
        assert retried.returncode == 0, retried
        assert night.active() == 0
        [answer] = json.loads((night.folder / KEPT).read_text(encoding="utf-8"))
        assert answer["results"] == [{"id": "of-it"}]


def test_the_javascript_worker_gets_the_leads_that_are_due_and_no_others(night: Night) -> None:
    add = (
        "INSERT INTO tracking_events (id, project_id, pixel_id, event_type, pipedrive_sync_status,"
        " pipedrive_retry_count, pipedrive_due_at) SELECT {}, project_id, id, 'form_submit', {}"
        " FROM pixels LIMIT 1"
    )
    # One that was tried in vain, one that is never due, and one that is finished.
    night.query(add.format(900_001, "NULL, 7, '2026-11-30 03:00:00'"))
    night.query(add.format(900_002, "NULL, 0, '9999-12-31 00:00:00'"))
    night.query(add.format(900_003, "'synced', 5, '2026-11-30 03:00:00'"))
    assert night.shell(block_with(KEEP_PIXELS)).returncode == 0
    rows = night.query("SELECT pipedrive_retry_count FROM tracking_events WHERE id > 900000")
    assert [row["pipedrive_retry_count"] for row in rows] == [0, 3, 5]


def test_the_pixels_are_switched_on_only_with_their_list(night: Night) -> None:
    block = block_with(SWITCH_ON)
    assert night.shell(block_with(KEEP_PIXELS)).returncode == 0
    kept_list = night.folder / KEPT
    elsewhere = kept_list.rename(night.folder / "elsewhere.json")
    missing = night.shell(block)
    assert missing.returncode == 1
    assert "FAILED: the pixels are not switched on" in missing.stdout
    assert night.active() == 0
    elsewhere.rename(kept_list)
    retried = night.shell(block)
    assert retried.returncode == 0, retried
    assert night.active() == 1
    assert not kept_list.exists()


def test_the_javascript_worker_is_deployed_over_the_first_version(night: Night) -> None:
    deployed = night.shell(block_with(GO_BACK))
    assert deployed.returncode == 0, deployed
    command = f"{OLD_HEALTH} | jq -e '.worker_version == null'"
    [question] = [line for line in block_with(command).splitlines() if line.startswith(command)]
    assert night.shell(question).returncode == 0
