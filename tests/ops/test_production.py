"""Commands on a production: the real wrangler, the real Worker, and a stand-in for Cloudflare."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pyodide_bundle import Bundle
from stand_in.faults import ApiFault
from tests.ops.production import Production, running_production
from tests.ops.running import fails

EVENTS = 300


@pytest.fixture(scope="module")
def production(
    local_config: Bundle, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Production]:
    with running_production(tmp_path_factory.mktemp("production"), EVENTS) as running:
        yield running


def test_the_first_look_the_backup_and_the_way_back(production: Production) -> None:
    production.cron()
    status = production.ppp("status")
    assert status.code in {0, 1}, status
    assert f"{EVENTS} events" in status.out

    made = production.ppp("backup", "--label", "by hand", "--json")
    assert made.code == 0, made
    assert "by hand" in production.ppp("backups").out

    new = production.deploy("a newer one")
    back = production.ppp("rollback", "--yes", "--json")
    assert back.code == 0, back
    assert back.json["version"] != new
    assert "answers and is healthy" in back.err


def test_an_api_that_fails_is_said_in_one_line(production: Production) -> None:
    production.cloud.faults.add(ApiFault("expired", "", times=100))
    try:
        line = fails(production.ppp("rollback", "--dry-run"), 3)
    finally:
        production.cloud.faults.clear()
    assert "wrangler" in line
