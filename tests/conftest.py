"""What all tests share: one Worker for the whole session."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from local_config import prepare_local_config
from pyodide_bundle import Bundle
from tests.harness.worker import Worker, running_worker


@pytest.fixture(scope="session")
def local_config() -> Bundle:
    """Prepares the Pyodide bundle and wrangler.local.json, once."""
    return prepare_local_config()


@pytest.fixture(scope="session")
def worker(local_config: Bundle) -> Iterator[Worker]:
    """The Worker in real workerd; its storage is the session's, so tests use rows of their own."""
    with running_worker(env_vars={"LOG_LEVEL": "debug"}) as running:
        yield running
