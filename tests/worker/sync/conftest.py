"""One Worker and one simulator for all tests of the sync; each test starts with nothing pending."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pyodide_bundle import Bundle
from tests.harness.sync import Lab, running_lab


@pytest.fixture(scope="session")
def shared_lab(local_config: Bundle) -> Iterator[Lab]:
    """The Worker and the simulator of the whole session."""
    with running_lab() as lab:
        yield lab


@pytest.fixture
def lab(shared_lab: Lab) -> Lab:
    """The shared lab, cleaned up."""
    shared_lab.clean()
    return shared_lab
