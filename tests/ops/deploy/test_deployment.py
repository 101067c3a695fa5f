"""The steps of a deployment on a local database: its backup, and failures of any kind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Never

import pytest

import ops.deploy.deployment as ops_deployment
from ops.backup.index import BackupContents
from ops.cloudflare.bucket import Bucket
from ops.deploy.deployment import Deployment, DeploymentOptions
from ops.deploy.facts import read_rows
from ops.terminal.errors import NoAnswerError, OpsError
from ops.worker_api.client import Api, open_client
from ops.worker_api.worker import Worker
from pyodide_bundle import Bundle
from tests.ops.deployed import local, log_of, write_backup, write_events

NOWHERE = Worker("local", "http://127.0.0.1:1")


def deployment(storage: Path, *, first: bool = False) -> Deployment:
    """One behind its preflight, without migrations to apply."""
    options = DeploymentOptions(first=first, all_traffic=True, watch_seconds=0)
    api = Api(NOWHERE, None, open_client(NOWHERE, None))
    return Deployment(local(storage), api, options, read_rows(local(storage)), [], None)


def maker_of(backup_id: str) -> type:
    """A maker whose backup is verified at once."""

    class Maker:
        def __init__(self, *_arguments: object, **_options: object) -> None:
            """Takes what the real one does."""

        def make(self, _label: str) -> str:
            return backup_id

    return Maker


def test_an_hourly_backup_may_end_between_ours_and_the_look_for_it(
    local_config: Bundle, storage: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_events(storage)
    backup_id = write_backup(storage)
    bucket = Bucket(local(storage))
    index = bucket.read_json("backups/index.json")
    hourly = {**index["backups"][0], "id": "29991231T000000Z-hourly", "kind": "hourly"}
    bucket.write_json("backups/index.json", {**index, "backups": [hourly, *index["backups"]]})
    monkeypatch.setattr(ops_deployment, "BackupMaker", maker_of(backup_id))
    assert deployment(storage).run()["backup"] == backup_id


def test_a_backup_that_is_not_in_the_bucket_stops_it(
    local_config: Bundle, storage: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_events(storage)
    write_backup(storage)
    monkeypatch.setattr(ops_deployment, "BackupMaker", maker_of("another"))
    with pytest.raises(OpsError, match="another is not among the verified ones"):
        deployment(storage).run()


def fails_with(error: BaseException) -> Callable[..., Never]:
    def fail(*_arguments: object) -> Never:
        raise error

    return fail


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (KeyError("data"), "KeyError: 'data'. No traffic was moved"),
        (RuntimeError(), "RuntimeError. No traffic was moved"),
        (OSError(28, "No space left on device"), "No space left on device. No"),
        (NoAnswerError("timed out"), "timed out. No traffic was moved"),
        (KeyboardInterrupt(), "stopped by hand. No traffic was moved"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
)
def test_a_failure_of_any_kind_says_what_was_taken_back_and_is_logged(
    local_config: Bundle,
    storage: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
    expected: str,
) -> None:
    monkeypatch.setattr(ops_deployment, "export_database", fails_with(error))
    with pytest.raises(OpsError) as raised:
        deployment(storage, first=True).run()
    assert isinstance(raised.value, NoAnswerError) == isinstance(error, NoAnswerError)
    assert expected in str(raised.value)
    assert [line["state"] for line in log_of(storage)] == ["started", "failed"]


class WatchedRelease:
    """Says how traffic would be moved."""

    version = "new"

    def __init__(self) -> None:
        self.ways: list[str] = []

    def deploy_at_once(self) -> None:
        self.ways.append("at once")

    def deploy_gradually(self) -> None:
        self.ways.append("gradually")

    def require_traffic(self) -> None:
        self.ways.append("looked who serves")


@pytest.mark.parametrize(
    ("option", "way"),
    [
        ({}, "gradually"),
        ({"all_traffic": True}, "at once"),
        ({"accepts_database": True}, "at once"),
        ({"switches_database": True}, "at once"),
    ],
)
def test_no_two_versions_store_shares_of_the_events_in_two_databases(
    local_config: Bundle,
    storage: Path,
    monkeypatch: pytest.MonkeyPatch,
    option: dict[str, bool],
    way: str,
) -> None:
    options = DeploymentOptions(**{"first": False, "all_traffic": False, **option}, watch_seconds=0)
    api = Api(NOWHERE, None, open_client(NOWHERE, None))
    contents = BackupContents({}, 0)
    monkeypatch.setattr(ops_deployment, "read_rows", lambda _target: contents)
    to_release = Deployment(local(storage), api, options, contents, [], "old")
    release = WatchedRelease()
    monkeypatch.setattr(to_release, "release", release)
    to_release._release()  # noqa: SLF001  # the whole deployment needs Cloudflare
    assert release.ways == [way, "looked who serves"]
