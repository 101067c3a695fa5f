"""What the commands are tried on: a home without any login, a storage with leads, an account."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from simulator.server import Simulator, simulator
from tests.ops.leads_in_d1 import write_leads


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
