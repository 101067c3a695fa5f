"""What all tests share: one Worker for the whole session."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from local_config import prepare_local_config

from tests.harness.worker import Worker, running_worker

API_KEY = "a-key-for-tests"
API_KEYS = (
    '[{"name":"tests","role":"admin","sha256":'
    '"2f5bb8b4b3d5f1d4dc1d6a0ad0a1d0e8e9d7b9a6a3f8c6c1e0c9b8a7d6e5f4c3"}]'
)


@pytest.fixture(scope="session")
def local_config() -> None:
    """Prepares the Pyodide bundle and wrangler.local.json, once."""
    prepare_local_config()


@pytest.fixture(scope="session")
def worker(local_config: None) -> Iterator[Worker]:
    """The Worker in real workerd; its storage is the session's, so tests use rows of their own."""
    with running_worker(env_vars={"LOG_LEVEL": "debug"}) as running:
        yield running
