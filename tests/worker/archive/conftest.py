"""Two Workers for all tests of the archive; each test starts with no events and no objects."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pyodide_bundle import Bundle
from tests.harness.archive import Receiver, clean, receiving
from tests.harness.keys import keys
from tests.harness.worker import Worker, running_worker


@pytest.fixture(scope="session")
def shared_archiving(local_config: Bundle) -> Iterator[Worker]:
    """A Worker with the archive in R2 alone, a small budget, and API keys."""
    settings = {"ARCHIVE_ROWS_PER_RUN": "1000", "API_KEYS": keys()}
    with running_worker(env_vars=settings) as running:
        yield running


@pytest.fixture
def archiving(shared_archiving: Worker) -> Worker:
    """The same, without anything that an earlier test left."""
    clean(shared_archiving)
    return shared_archiving


@pytest.fixture(scope="session")
def shared_receiver() -> Iterator[Receiver]:
    """A server that is sent what is archived."""
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def receiver(shared_receiver: Receiver) -> Receiver:
    """The same, which acknowledges everything."""
    shared_receiver.forget()
    return shared_receiver


@pytest.fixture(scope="session")
def shared_sending(local_config: Bundle, shared_receiver: Receiver) -> Iterator[Worker]:
    """A Worker that sends its old events to that server too."""
    settings = {
        "ARCHIVE_ENDPOINT": f"http://127.0.0.1:{shared_receiver.port}/",
        "ARCHIVE_API_KEY": "hunter2",
        "ARCHIVE_BACKOFF_MS": "1",
        "ARCHIVE_TIMEOUT_SECONDS": "5",
    }
    with running_worker(env_vars=settings) as running:
        yield running


@pytest.fixture
def sending(shared_sending: Worker) -> Worker:
    """The same, without anything that an earlier test left."""
    clean(shared_sending)
    return shared_sending
