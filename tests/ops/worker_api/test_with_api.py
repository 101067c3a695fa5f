"""A command that asks a Worker has the Worker's options, before those of all commands."""

from __future__ import annotations

import inspect

import httpx
import pytest

from ops.terminal.errors import WrongUsageError
from ops.terminal.options import AsJson, DryRun
from ops.worker_api.client import Api
from ops.worker_api.with_api import with_api

SILENT_WORKER = "http://127.0.0.1:9"


@with_api
def host(api: Api, prefix: str, *, dry_run: DryRun = False, as_json: AsJson = False) -> int:
    """Returns the port of the Worker, if it was asked in JSON."""
    assert isinstance(api.http, httpx.Client)
    assert prefix == "of"
    assert not dry_run
    return int(as_json and api.worker.url.rpartition(":")[2])


def test_its_own_arguments_come_first_and_the_api_is_none_of_them() -> None:
    names = list(inspect.signature(host).parameters)
    assert names == ["prefix", "local", "env", "url", "dry_run", "as_json"]
    assert inspect.getdoc(host) == "Returns the port of the Worker, if it was asked in JSON."


def test_it_gets_the_api_of_the_worker_that_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PPP_API_KEY", "some-key")
    chosen = {"local": False, "env": None, "url": SILENT_WORKER}
    assert host(prefix="of", dry_run=False, as_json=True, **chosen) == 9


@pytest.mark.parametrize("chosen", [{"local": False, "url": None}, {"local": True, "url": "x"}])
def test_without_one_worker_it_does_not_begin(chosen: dict[str, object]) -> None:
    with pytest.raises(WrongUsageError, match="say which Worker"):
        host(prefix="of", dry_run=False, as_json=False, env=None, **chosen)
