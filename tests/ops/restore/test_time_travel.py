"""`ppp restore --to-time`: which commands would run, and what is said where it is impossible."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Never

import pytest

from ops.cloudflare import wrangler_command
from ops.cloudflare.target import Environment, choose_target
from ops.cloudflare.wrangler_command import RefusedError
from ops.restore import time_travel
from ops.terminal.errors import NoAnswerError
from ops.terminal.output import note
from pyodide_bundle import Bundle
from services.loss.contents import DatabaseContents
from tests.ops.running import fails, here
from wrangler import WranglerError

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


@pytest.fixture
def lost_answer(monkeypatch: pytest.MonkeyPatch) -> list[DatabaseContents | NoAnswerError]:
    """Cloudflare's answer is lost; the list is what the database holds, look by look."""
    looks: list[DatabaseContents | NoAnswerError] = [DatabaseContents(highest_event=9)]

    def run(*arguments: str, **_options: object) -> str:
        if "restore" in arguments:
            raise WranglerError("wrangler failed:\n[ERROR] fetch failed")
        return "{}"

    def look(_target: object) -> DatabaseContents:
        contents = looks.pop(0)
        if isinstance(contents, NoAnswerError):
            raise contents
        return contents

    @contextmanager
    def mark(*_arguments: object) -> Iterator[None]:
        try:
            yield
        except RefusedError:
            note("the mark is what it was")
            raise

    monkeypatch.setattr(wrangler_command, "wrangler", run)
    monkeypatch.setattr(time_travel, "read_database_contents", look)
    monkeypatch.setattr(time_travel, "marked_as_lost", mark)
    for name in ("raise_event_ids", "renew_generation"):
        monkeypatch.setattr(time_travel, name, lambda *_arguments: None)
    monkeypatch.setattr(time_travel, "read_erasures", lambda *_arguments: ())
    return looks


def travel() -> int:
    target = choose_target(Environment.PRODUCTION, None, local=False)
    return time_travel.travel_back(target, BEFORE, yes=True, dry_run=False, as_json=True)


def test_a_lost_answer_is_looked_up_and_the_restore_goes_on(
    lost_answer: list[DatabaseContents | NoAnswerError], capsys: pytest.CaptureFixture[str]
) -> None:
    lost_answer.append(DatabaseContents(highest_event=4))
    assert travel() == 0
    errors = capsys.readouterr().err
    assert "the answer was lost (fetch failed), and the database went back" in errors
    assert "To undo it: npx wrangler d1 time-travel restore ppp-tracking-db --timestamp" in errors
    assert "the mark is what it was" not in errors


def test_where_the_database_did_not_go_back_its_mark_is_what_it_was(
    lost_answer: list[DatabaseContents | NoAnswerError], capsys: pytest.CaptureFixture[str]
) -> None:
    lost_answer.append(DatabaseContents(highest_event=10))
    with pytest.raises(NoAnswerError, match="cannot go back: fetch failed"):
        travel()
    assert "the mark is what it was" in capsys.readouterr().err


def test_where_nobody_can_tell_it_counts_as_lost(
    lost_answer: list[DatabaseContents | NoAnswerError], capsys: pytest.CaptureFixture[str]
) -> None:
    lost_answer.append(NoAnswerError("the database did not answer"))
    with pytest.raises(NoAnswerError, match="nobody can tell whether ppp-tracking-db went back"):
        travel()
    assert "the mark is what it was" not in capsys.readouterr().err
