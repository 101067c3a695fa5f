"""`ppp restore --to-time`: which commands would run, and what is said where it is impossible."""

from __future__ import annotations

import json
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Never

import pytest

from ops.cloudflare import wrangler_command
from ops.cloudflare.target import Environment, choose_target
from ops.restore import time_travel
from ops.terminal.errors import NoAnswerError
from pyodide_bundle import Bundle
from services.loss.contents import DatabaseContents
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


def test_how_to_undo_it_is_said_before_anything_behind_it_can_fail(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*arguments: str, **_options: object) -> str:
        return json.dumps({"previous_bookmark": "0-1"} if "restore" in arguments else {})

    def fail(*_arguments: object) -> Never:
        raise NoAnswerError("the database did not answer")

    monkeypatch.setattr(wrangler_command, "wrangler", run)
    monkeypatch.setattr(time_travel, "read_erasures", lambda *_arguments: ())
    contents = DatabaseContents()
    monkeypatch.setattr(time_travel, "read_database_contents", lambda _target: contents)
    monkeypatch.setattr(time_travel, "marked_as_lost", lambda *_arguments: nullcontext())
    monkeypatch.setattr(time_travel, "raise_event_ids", fail)
    target = choose_target(Environment.PRODUCTION, None, local=False)
    with pytest.raises(NoAnswerError):
        time_travel.travel_back(target, BEFORE, yes=True, dry_run=False, as_json=True)
    assert "To undo it: npx wrangler d1 time-travel restore" in capsys.readouterr().err
