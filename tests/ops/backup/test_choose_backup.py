"""Which backup a restore takes: the newest that holds what there was."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import ops.backup.choose_backup as choosing
from ops.backup.choose_backup import BackupChooser
from ops.backup.index import Backup
from ops.cloudflare.target import Environment, Target
from services.loss.high_water_mark import HighWaterMark

TARGET = Target(Environment.PRODUCTION, "db", "id")
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def backup(name: str, hours_ago: int, events: int) -> Backup:
    finished = NOON - timedelta(hours=hours_ago)
    return Backup(name, "production", finished, True, events, "0026_x.sql")  # noqa: FBT003


MARK = HighWaterMark("a" * 32, 2_300, 2_258, 1, 3, "2026-11-21T09:00:00Z")
ANEW = backup("anew", 1, 3)
COMPLETE = backup("whole", 4, 2_258)
OLDER = backup("older", 5, 2_200)
ARCHIVED = backup("archived", 2, 900)
HIGHEST = {"anew": 3, "whole": 2_300, "older": 2_250, "archived": 2_310}


def chosen(
    monkeypatch: pytest.MonkeyPatch, *backups: Backup, mark: HighWaterMark | None = MARK
) -> str:
    monkeypatch.setattr(choosing, "read_mark", lambda _target: mark)
    monkeypatch.setattr(
        choosing,
        "highest_events",
        lambda _target, ids, _folder: {name: HIGHEST[name] for name in ids},
    )
    return BackupChooser(TARGET, Path()).choose(backups, None, None)


@pytest.mark.parametrize("mark", [MARK, None], ids=["mark", "no mark"])
def test_a_backup_of_a_database_made_anew_is_not_taken(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    mark: HighWaterMark | None,
) -> None:
    assert chosen(monkeypatch, ANEW, COMPLETE, OLDER, mark=mark) == "whole"
    warning = capsys.readouterr().err
    assert "an older backup has 2,258 events (whole), the newest one 3 (anew)" in warning


def test_where_none_reaches_the_mark_the_fullest_is_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    mark = replace(MARK, highest_event=9_999)
    assert chosen(monkeypatch, ANEW, OLDER, COMPLETE, mark=mark) == "whole"


def test_the_archive_makes_a_newer_backup_smaller_and_no_worse(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert chosen(monkeypatch, ARCHIVED, COMPLETE, OLDER) == "archived"


def test_backups_from_before_an_acceptance_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    accepted = ({"at": "2026-11-21T10:00:00Z"},)
    mark = replace(MARK, database_id="b" * 32, highest_event=5, accepted=accepted)
    assert chosen(monkeypatch, ANEW, COMPLETE, OLDER, mark=mark) == "anew"


def test_a_backup_that_somebody_names_is_taken_with_a_warning(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    chooser = BackupChooser(TARGET, Path())
    assert chooser.choose([ANEW, COMPLETE], "anew", None) == "anew"
    warning = capsys.readouterr().err
    assert "warning: another backup has 2,258 events (whole), this one 3 (anew)" in warning


def test_a_larger_backup_is_always_named_also_from_before_an_acceptance(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert chosen(monkeypatch, ARCHIVED, COMPLETE, OLDER) == "archived"
    warning = "another backup has 2,258 events (whole), this one"
    assert f"{warning} 900 (archived)" in capsys.readouterr().err
    accepted = ({"at": "2026-11-21T10:00:00Z"},)
    mark = replace(MARK, database_id="b" * 32, highest_event=5, accepted=accepted)
    assert chosen(monkeypatch, ANEW, COMPLETE, mark=mark) == "anew"
    assert f"{warning} 3 (anew)" in capsys.readouterr().err
    assert chosen(monkeypatch, COMPLETE, OLDER) == "whole"
    assert "warning" not in capsys.readouterr().err
