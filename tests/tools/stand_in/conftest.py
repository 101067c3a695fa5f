"""A stand-in with a small Worker's stores, for the tests of one file."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from stand_in.account import Database
from stand_in.server import stand_in
from tests.tools.stand_in.cloud import BUCKET, DATABASE, DATABASE_ID, HOST, NAMESPACE, Tiny


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tiny]:
    """The Worker, not deployed yet."""
    with stand_in(tmp_path_factory.mktemp("cloud"), (HOST,)) as running:
        account = running.cloud.account
        account.databases.append(Database(DATABASE_ID, DATABASE, "2025-01-01T00:00:00Z"))
        account.buckets.append(BUCKET)
        account.namespaces[NAMESPACE] = "CACHE"
        account.zones.append("example.com")
        running.cloud.restart()
        checkout = Tiny(tmp_path_factory.mktemp("checkout"), running)
        checkout.write("one")
        yield checkout
