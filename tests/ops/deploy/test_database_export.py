"""The first backup is believed only when it was loaded again and holds what the database held."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from ops.backup.index import BackupContents
from ops.cloudflare.target import Environment, choose_target
from ops.deploy.database_export import read_export, store_export
from ops.terminal.errors import OpsError


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """An export of two visitors and three events, with all that confuses a reader of SQL."""
    with closing(sqlite3.connect(":memory:")) as database:
        database.executescript("""
          CREATE TABLE visitors (id TEXT PRIMARY KEY, note TEXT);
          CREATE TABLE tracking_events (id INTEGER PRIMARY KEY AUTOINCREMENT, page TEXT);
          CREATE TRIGGER touched AFTER UPDATE ON visitors BEGIN SELECT 1; SELECT 2; END;
          INSERT INTO visitors VALUES ('a', 'it''s; here
            on two lines'), ('b', NULL);
          INSERT INTO tracking_events (page) VALUES ('1'), ('2'), ('3');
          DELETE FROM tracking_events WHERE id = 3;
        """)
        export = tmp_path / "export.sql"
        export.write_text("\n".join(database.iterdump()), encoding="utf-8")
    return export


def test_an_export_says_what_is_in_it(file: Path) -> None:
    assert read_export(file) == BackupContents({"visitors": 2, "tracking_events": 2}, 3)


@pytest.mark.parametrize("part", [0.4, 0.7])
def test_an_export_that_broke_off_is_refused(file: Path, part: float) -> None:
    sql = file.read_text(encoding="utf-8")
    file.write_text(sql[: int(len(sql) * part)], encoding="utf-8")
    with pytest.raises(OpsError, match="is no whole export"):
        read_export(file)


def test_an_export_that_lacks_rows_is_not_kept(file: Path) -> None:
    target = choose_target(Environment.PRODUCTION, None, local=False)
    with pytest.raises(OpsError, match=r"lacks rows \(visitors 3 → 2\): export again"):
        store_export(target, file, "exports/x.sql.gz", BackupContents({"visitors": 3}, 0))
    assert [path.name for path in file.parent.iterdir()] == [file.name]
