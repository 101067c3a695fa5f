"""What several tests of the Worker's protected addresses start."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pyodide_bundle import Bundle
from tests.harness.keys import keys
from tests.harness.worker import Worker, running_worker


@pytest.fixture(scope="module")
def keyed(local_config: Bundle) -> Iterator[Worker]:
    """A Worker with two API keys and a storage of its own; some modules have another one."""
    with running_worker(env_vars={"API_KEYS": keys()}) as running:
        yield running
