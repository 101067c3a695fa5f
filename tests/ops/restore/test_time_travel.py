"""`ppp restore --to-time`: which commands would run, and what is said where it is impossible."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pyodide_bundle import Bundle
from tests.ops.running import fails, here

BEFORE = datetime.now(UTC).replace(microsecond=0) - timedelta(days=2)


def test_the_commands_for_production_are_printed() -> None:
    output = here("restore", "--env", "production", "--to-time", BEFORE.isoformat(), "--dry-run")
    assert output.code == 0
    info, restore = output.out.splitlines()[-2:]
    when = f"--timestamp {BEFORE:%Y-%m-%dT%H:%M:%SZ} --json --env production"
    assert info == f"npx wrangler d1 time-travel info ppp-tracking-db {when}"
    assert restore == f"npx wrangler d1 time-travel restore ppp-tracking-db {when}"


def test_the_name_of_the_database_must_be_typed() -> None:
    arguments = ("restore", "--env", "production", "--to-time", BEFORE.isoformat())
    output = here(*arguments, answer="ppp\n")
    assert "nothing was changed: that is not ppp-tracking-db" in fails(output, 2)
    assert "Everything after" in output.out


@pytest.mark.parametrize(
    ("when", "reason"),
    [
        ("2020-01-01", "the last 30 days only"),
        ("2999-01-01T00:00", "in the future"),
        ("yesterday", "is no time"),
    ],
)
def test_a_time_that_is_out_of_reach_is_refused(when: str, reason: str) -> None:
    output = here("restore", "--env", "production", "--to-time", when, "--dry-run")
    assert reason in fails(output, 2)


def test_this_machine_has_no_time_travel(local_config: Bundle, tmp_path: Path) -> None:
    local = ("--local", "--persist-to", tmp_path)
    output = here("restore", *local, "--to-time", BEFORE.isoformat(), "--dry-run")
    assert "Time Travel is at Cloudflare only" in fails(output, 2)


def test_it_is_the_living_database_that_goes_back() -> None:
    output = here(
        "restore", "--env", "production", "--to-time", "2026-01-01", "--into", "x", "--yes"
    )
    assert "--to-time goes alone" in fails(output, 2)
