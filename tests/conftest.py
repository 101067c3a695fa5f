"""What all tests share: one Worker, one bundle and one migrated storage for the whole session."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from local_config import prepare_local_config
from pyodide_bundle import Bundle
from tests.harness import prepared
from tests.harness.prepared import worker_bundle
from tests.harness.worker import Worker, running_worker

TESTS = Path(__file__).parent
# Each takes more than a minute. Dealt out last, one would run while other processes have no work.
LONG_FILES = frozenset(
    TESTS / name for name in ("browser/test_thousand_submissions.py", "worker/test_contract.py")
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files come before the others of their folder; everything else keeps its place."""
    order: dict[str, int] = {}
    for item in items:
        order.setdefault(_folder_of(item), len(order))
    items.sort(key=lambda item: (order[_folder_of(item)], item.path not in LONG_FILES))


def _folder_of(item: pytest.Item) -> str:
    return item.path.relative_to(TESTS).parts[0]


@pytest.fixture(scope="session", autouse=True)
def no_secrets_of_the_shell() -> Iterator[None]:
    """Whoever runs the tests may be logged in: no test may work on what is theirs."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("CLOUDFLARE_ACCOUNT_ID", "CLOUDFLARE_API_TOKEN", "PPP_API_KEY"):
            patch.delenv(name, raising=False)
        yield


@pytest.fixture(scope="session")
def local_config() -> Bundle:
    """Prepares the Pyodide bundle and wrangler.local.json, once."""
    return prepare_local_config()


@pytest.fixture(scope="session")
def worker(local_config: Bundle) -> Iterator[Worker]:
    """The Worker in real workerd; its storage is the session's, so tests use rows of their own.

    Old ones stay: a setting of its archive cannot be used, which stops nothing else.
    """
    with running_worker(env_vars={"LOG_LEVEL": "debug", "ARCHIVE_DAYS": "many"}) as running:
        yield running


@pytest.fixture(scope="session")
def bundle(local_config: Bundle) -> Path:
    """The files that would be uploaded; tests do not change them."""
    return worker_bundle()


@pytest.fixture(scope="session")
def migrated_storage(local_config: Bundle) -> Path:
    """A storage with a migrated database; tests work on copies."""
    return prepared.migrated_storage()
