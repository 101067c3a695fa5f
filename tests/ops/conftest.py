"""What the commands are tried on: a home without any login, a storage with leads, an account."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyodide_bundle import Bundle
from simulator.server import Simulator, simulator
from tests.harness.worker import Worker, running_worker
from tests.ops.asking import KEYS, Service
from tests.ops.leads_in_d1 import write_leads

NO_LIMIT = "999999999"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The home of somebody who is logged in nowhere; also where they stand."""
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


@pytest.fixture
def storage(migrated_storage: Path, tmp_path: Path) -> Path:
    """A local database with a submission of each kind, for one test to change."""
    copy = tmp_path / "storage"
    shutil.copytree(migrated_storage, copy)
    write_leads(copy)
    return copy


@pytest.fixture
def pipedrive() -> Iterator[Simulator]:
    """The demo account, served."""
    with simulator() as running:
        yield running


@pytest.fixture(scope="session")
def keyed(local_config: Bundle) -> Iterator[Worker]:
    """A Worker with API keys, which may be asked as often as tests like."""
    limits = dict.fromkeys(("ANALYTICS_PER_HOUR", "MANAGEMENT_PER_HOUR"), NO_LIMIT)
    with running_worker(env_vars={"API_KEYS": KEYS, **limits}) as running:
        yield running


@pytest.fixture(scope="session")
def service(keyed: Worker) -> Service:
    """The commands, run on that Worker."""
    return Service(keyed)
