"""Backups that the Worker makes, and a deployment that has one made."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from ops.backup.backup_maker import BackupMaker, BackupRow, list_backups, start_backup
from ops.backup.index import newest_verified, read_backup_contents, read_index
from ops.cloudflare.bucket import Bucket
from ops.terminal.errors import NoAnswerError
from ops.worker_api.client import Api, open_client
from ops.worker_api.worker import Key, choose_worker
from paths import LOCAL_CONFIG
from tests.harness.direct import running_directly
from tests.ops.asking import ADMIN_KEY, KEYS
from tests.ops.deployed import EVENTS, local, log_of, write_events
from tests.ops.running import here

KEY = Key("a test", ADMIN_KEY)


@pytest.fixture(scope="module")
def storage(migrated_storage: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A storage with events."""
    folder = tmp_path_factory.mktemp("backed-up") / "storage"
    shutil.copytree(migrated_storage, folder)
    write_events(folder)
    return folder


@pytest.fixture(scope="module")
def api(bundle: Path, storage: Path) -> Iterator[Api]:
    """A Worker on that storage, whose runs do a few steps only."""
    config = json.loads(LOCAL_CONFIG.read_text(encoding="utf-8"))
    settings = {"API_KEYS": KEYS, "BACKUP_RUN_STEPS": "2"}
    with running_directly(bundle, "entry.py", config, storage, settings) as running:
        worker = choose_worker(None, running.url, local=False)
        with open_client(worker, KEY) as http:
            yield Api(worker, KEY, http)


def test_a_backup_is_made_to_its_end_portion_by_portion(api: Api, storage: Path) -> None:
    progress: list[BackupRow] = []
    backup = BackupMaker(api, progress.append).make("before something")
    assert [row["state"] for row in progress] == [*["running"] * (len(progress) - 1), "verified"]
    assert len(progress) > 2
    assert list_backups(api)[0]["label"] == "before something"
    read = Bucket(local(storage)).read_json
    last = newest_verified(read_index(read))
    assert last
    assert (last.id, last.events) == (backup, EVENTS)
    contents = read_backup_contents(read, last)
    assert contents
    assert (contents.rows["tracking_events"], contents.highest_event) == (EVENTS, EVENTS)


def test_one_that_is_under_way_is_taken_to_its_end(api: Api) -> None:
    started = start_backup(api, "begun and left")
    assert BackupMaker(api, lambda _backup: None).make("another") == started["id"]
    assert list_backups(api)[0]["id"] == started["id"]


def test_a_worker_that_does_not_answer_begins_nothing() -> None:
    worker = choose_worker(None, "http://127.0.0.1:1", local=False)
    with open_client(worker, KEY) as http:
        maker = BackupMaker(Api(worker, KEY, http), lambda _backup: None)
        with pytest.raises(NoAnswerError, match="nothing answers at"):
            maker.make(None)


def test_a_deployment_has_a_backup_made_first(api: Api, storage: Path) -> None:
    target = ("--local", "--persist-to", storage, "--url", api.worker.url)
    output = here("deploy", *target, "--yes", "--json", env={"PPP_API_KEY": ADMIN_KEY})
    assert output.code == 0, output
    deployment = output.json["deployment"]
    [newest, *_] = list_backups(api)
    assert (newest["id"], newest["state"]) == (deployment["backup"], "verified")
    assert newest["label"].startswith("before deploy ")
    assert deployment["rows"]["tracking_events"] == EVENTS
    assert "migrations: none to apply" in output.err
    assert log_of(storage)[-1] == deployment
