"""A chain of backups, put together: as the database was, or refused with the reason."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from ops.backup.backup_chain import BrokenBackupError
from ops.backup.manifests import Manifest
from ops.restore.assembly import AssembledBackup, assemble, required_parts
from ops.restore.erase_again import Erasure
from ops.restore.staging_database import MIGRATIONS, UnknownSchemaError, open_staging
from services.archive.rewriting import batch_counts
from tests.ops.backup_files import Objects, Written, write_backup

TABLES = ("projects", "pixels", "visitors", "sessions", "tracking_events", "d1_migrations")


def new_database(until: str | None = None) -> sqlite3.Connection:
    """A database that wrangler would have migrated, with one project and pixel of its own."""
    staging = open_staging(Path(":memory:"))
    staging.migrate(until)
    database = staging.database
    for trigger in staging.triggers:
        database.execute(trigger)
    database.executemany(
        "INSERT INTO d1_migrations (name) VALUES (?)",
        [(name,) for name in ("0012_add_new_projects.sql", *staging.applied)],
    )
    database.execute("INSERT INTO projects (id, name) VALUES ('p', 'Client')")
    database.execute("INSERT INTO pixels (id, project_id, name) VALUES ('x', 'p', 'site')")
    return database


def visit(database: sqlite3.Connection, *numbers: int) -> None:
    """An event with a session and a visitor of its own, for each number."""
    for number in numbers:
        database.execute(
            f"INSERT INTO visitors (id, visitor_cookie) VALUES ('v{number}', {number})"
        )
        database.execute(
            "INSERT INTO sessions (id, visitor_id, session_cookie)"
            f" VALUES ('s{number}', 'v{number}', {number})"
        )
        database.execute(
            "INSERT INTO tracking_events (id, pixel_id, visitor_id, session_id, page_title)"
            f" VALUES ({number}, 'x', 'v{number}', 's{number}', 'title {number}')"
        )


def restored(
    chain: Sequence[Written], tmp_path: Path, objects: Objects | None = None, *erased: Erasure
) -> AssembledBackup:
    """The chain, put together from its objects."""
    stored = objects if objects is not None else objects_of(chain)
    files: dict[str, Path | None] = {}
    for number, part in enumerate(required_parts(manifests(chain))):
        content = stored.get(part.key)
        files[part.key] = None if content is None else tmp_path / f"part-{number}"
        if content is not None:
            (tmp_path / f"part-{number}").write_bytes(content)
    staging = open_staging(tmp_path / "staging.sqlite")
    return assemble(manifests(chain), files, erased, staging, lambda: None)


def manifests(chain: Sequence[Written]) -> Sequence[Manifest]:
    return [backup.manifest for backup in chain]


def objects_of(chain: Sequence[Written]) -> Objects:
    return {key: content for backup in chain for key, content in backup.objects.items()}


def contents(database: sqlite3.Connection, table: str) -> list[tuple[object, ...]]:
    rows = database.execute(f"SELECT * FROM {table} ORDER BY id").fetchall()
    return [tuple(row) for row in rows]


def test_a_chain_is_the_database_as_it_was_at_its_end(tmp_path: Path) -> None:
    database = new_database()
    visit(database, *range(1, 31))
    full = write_backup(database, "20261121T020000Z-full", rows_of_a_part=7)
    visit(database, 31, 32)
    database.execute("UPDATE tracking_events SET pipedrive_sync_status = 'synced' WHERE id = 3")
    for table, row in (("tracking_events", 5), ("sessions", "'s5'"), ("visitors", "'v5'")):
        database.execute(f"DELETE FROM {table} WHERE id = {row}")
    hour = write_backup(database, "20261121T030000Z-hourly", full)
    visit(database, 33)
    for table, row in (("tracking_events", 33), ("sessions", "'s33'"), ("visitors", "'v33'")):
        database.execute(f"DELETE FROM {table} WHERE id = {row}")
    database.execute("UPDATE pixels SET name = 'new name' WHERE id = 'x'")
    chain = [full, hour, write_backup(database, "20261121T040000Z-hourly", hour)]

    assembled = restored(chain, tmp_path)
    for table in TABLES:
        assert contents(assembled.staging.database, table) == contents(database, table), table
    [last] = assembled.staging.database.execute(
        "SELECT seq FROM sqlite_sequence WHERE name = 'tracking_events'"
    ).fetchall()
    assert last == (33,)
    assert assembled.staging.skipped_rows == {}


def test_an_older_schema_becomes_what_the_newest_migration_makes_of_it(tmp_path: Path) -> None:
    names = sorted(file.name for file in MIGRATIONS.glob("*.sql"))
    database = new_database(names[-2])
    visit(database, 1, 2)
    assembled = restored([write_backup(database, "20261121T020000Z-full")], tmp_path).staging
    assert assembled.row_counts()["tracking_events"] == 2
    applied = [row[1] for row in contents(assembled.database, "d1_migrations")]
    assert applied == ["0012_add_new_projects.sql", *names]


def test_a_chain_may_go_over_a_migration(tmp_path: Path) -> None:
    names = sorted(file.name for file in MIGRATIONS.glob("*.sql"))
    before = names.index("0022_add_backups.sql")
    database = new_database(names[before])
    visit(database, 1)
    full = write_backup(database, "20261121T020000Z-full")
    for name in names[before + 1 :]:
        database.executescript((MIGRATIONS / name).read_text())
        database.execute("INSERT INTO d1_migrations (name) VALUES (?)", (name,))
    visit(database, 2)
    chain = [full, write_backup(database, "20261121T030000Z-hourly", full)]
    assembled = restored(chain, tmp_path).staging
    assert [row[0] for row in contents(assembled.database, "tracking_events")] == [1, 2]


def test_what_was_erased_after_the_backup_is_erased_again(tmp_path: Path) -> None:
    database = new_database()
    visit(database, 1, 2)
    erasure = Erasure("r1", {"event_ids": [1], "session_ids": ["s1"], "visitor_ids": ["v1"]})
    assembled = restored([write_backup(database, "20261121T020000Z-full")], tmp_path, None, erasure)
    assert assembled.erased == 3
    assert [row[0] for row in contents(assembled.staging.database, "visitors")] == ["v2"]


def test_an_event_that_was_gone_when_its_visitor_was_erased_does_not_come_back(
    tmp_path: Path,
) -> None:
    database = new_database()
    visit(database, 1, 2)
    # Retention deleted the event after the backup, so that the receipt does not name it.
    erasure = Erasure("r1", {"event_ids": [], "session_ids": ["s1"], "visitor_ids": ["v1"]})
    assembled = restored([write_backup(database, "20261121T020000Z-full")], tmp_path, None, erasure)
    assert assembled.erased == 3
    assert [row[0] for row in contents(assembled.staging.database, "tracking_events")] == [2]


def test_rows_come_back_as_they_were_whatever_the_triggers_say_of_new_ones(tmp_path: Path) -> None:
    database = new_database()
    visit(database, 1)
    database.execute("UPDATE tracking_events SET utm_source = 'google'")
    assembled = restored([write_backup(database, "20261121T020000Z-full")], tmp_path)
    for table in TABLES:
        assert contents(assembled.staging.database, table) == contents(database, table), table
    kinds = [statement.split()[1] for statement in assembled.staging.triggers]
    assert kinds == ["TRIGGER"] * len(kinds)
    assert len(kinds) >= 3


def test_a_run_that_was_at_work_holds_up_no_run_after_the_restore(tmp_path: Path) -> None:
    database = new_database()
    began, ended, until = "2026-11-21 02:00:00", "2026-11-21 02:01:00", "2026-11-21 02:05:00"
    database.executemany(
        "INSERT INTO job_runs (job, run, started_at, lease_until, finished_at)"
        " VALUES ('backup', ?, ?, ?, ?)",
        [("ended", began, until, ended), ("at work", began, until, None)],
    )
    assembled = restored([write_backup(database, "20261121T020000Z-full")], tmp_path)
    runs = "SELECT run, lease_until FROM job_runs ORDER BY id"
    assert assembled.staging.database.execute(runs).fetchall() == [
        ("ended", until),
        ("at work", began),
    ]


def test_what_the_sync_remembers_of_erased_events_goes_with_them(tmp_path: Path) -> None:
    database = new_database()
    visit(database, 1, 2)
    # The third one's event was archived before, and erased there.
    database.executemany(
        "INSERT INTO pipedrive_persons (destination, person_id, claimed_event_id)"
        " VALUES ('default', ?, ?)",
        [(71, 1), (72, 2), (73, 999)],
    )
    erasure = Erasure("r1", {"event_ids": [1, 999], "session_ids": [], "visitor_ids": []})
    assembled = restored([write_backup(database, "20261121T020000Z-full")], tmp_path, None, erasure)
    assert assembled.erased == 3
    persons = assembled.staging.database.execute("SELECT person_id FROM pipedrive_persons")
    assert persons.fetchall() == [(72,)]


def test_rows_of_the_old_log_are_erased_again_too(tmp_path: Path) -> None:
    database = new_database()
    database.executemany(
        "INSERT INTO system_logs (id, level, category, action, message)"
        " VALUES (?, 'INFO', 'sync', 'sent', 'jane@example.com')",
        [(1,), (2,)],
    )
    chain = [write_backup(database, "20261121T020000Z-full")]
    assembled = restored(chain, tmp_path, None, Erasure("r1", {"log_ids": [1]}))
    assert [row[0] for row in contents(assembled.staging.database, "system_logs")] == [2]


def test_what_was_erased_after_a_backup_of_an_older_schema_is_erased_again(tmp_path: Path) -> None:
    database = new_database("0022_add_backups.sql")
    visit(database, 1, 2)
    part = batch_counts("archive/x/2026-01-01/1-1-abc.ndjson.gz", 0, "", 0)
    ids: dict[str, list[str | int]] = {"event_ids": [1], "session_ids": [], "visitor_ids": []}
    chain = [write_backup(database, "20261121T020000Z-full")]
    assert restored(chain, tmp_path, None, Erasure("r1", ids, [part])).erased == 1


def broken(backup: Written, tmp_path: Path, objects: Objects) -> str:
    with pytest.raises(BrokenBackupError) as raised:
        restored([backup], tmp_path, objects)
    return str(raised.value)


@pytest.fixture
def backup() -> Written:
    """A whole backup in several parts."""
    database = new_database()
    visit(database, *range(1, 11))
    return write_backup(database, "20261121T020000Z-full", rows_of_a_part=4)


def test_a_part_that_is_missing_or_changed_is_named_with_all_others(
    backup: Written, tmp_path: Path
) -> None:
    missing, changed, cut, *_ = (part.key for part in backup.manifest.parts)
    objects = dict(backup.objects)
    del objects[missing]
    objects[changed] += b"?"
    objects[cut] = objects[cut][:-20]
    message = broken(backup, tmp_path, objects)
    assert f"{missing} is missing" in message
    assert f"{changed} has another checksum" in message
    assert f"{cut} has another checksum" in message


def test_a_part_with_other_rows_than_it_says_is_refused(backup: Written, tmp_path: Path) -> None:
    first, *others = backup.manifest.parts
    lying = replace(backup.manifest, parts=[replace(first, rows=first.rows + 1), *others])
    message = broken(replace(backup, manifest=lying), tmp_path, backup.objects)
    assert f"{first.key} has {first.rows} rows, not {first.rows + 1}" in message


def test_rows_that_no_part_holds_are_missed(backup: Written, tmp_path: Path) -> None:
    parts = [part for part in backup.manifest.parts if part.table != "tracking_events"]
    lying = replace(backup.manifest, parts=parts)
    message = broken(replace(backup, manifest=lying), tmp_path, backup.objects)
    assert "tracking_events would have 0 rows, and had 10" in message


def test_rows_without_what_they_refer_to_are_refused(backup: Written, tmp_path: Path) -> None:
    parts = [part for part in backup.manifest.parts if part.table != "pixels"]
    lying = replace(backup.manifest, parts=parts, totals={})
    message = broken(replace(backup, manifest=lying), tmp_path, backup.objects)
    assert "10 tracking_events without their pixels" in message


def test_tables_and_columns_that_no_migration_makes_are_left_out_and_told(tmp_path: Path) -> None:
    database = new_database()
    database.executescript("""
      CREATE TABLE by_hand (id INTEGER PRIMARY KEY, what TEXT);
      INSERT INTO by_hand VALUES (1, 'a'), (2, 'b');
      ALTER TABLE projects ADD COLUMN colour TEXT;
    """)
    assembled = restored([write_backup(database, "20261121T020000Z-full")], tmp_path).staging
    assert assembled.skipped_rows == {"by_hand": 2, "projects (colour)": 2}


def test_a_backup_of_a_newer_schema_asks_for_newer_code(tmp_path: Path) -> None:
    database = new_database()
    database.execute("INSERT INTO d1_migrations (name) VALUES ('9999_of_tomorrow.sql')")
    with pytest.raises(UnknownSchemaError, match="check out the code"):
        restored([write_backup(database, "20261121T020000Z-full")], tmp_path)


def test_another_content_is_another_plan(tmp_path: Path) -> None:
    database = new_database()
    visit(database, 1)
    backup = write_backup(database, "20261121T020000Z-full")
    erasure = Erasure("r1", {"event_ids": [1], "session_ids": [], "visitor_ids": []})

    def plan(name: str, *erased: Erasure) -> str:
        (tmp_path / name).mkdir()
        return restored([backup], tmp_path / name, None, *erased).plan

    assert plan("first") == plan("second")
    assert plan("third", erasure) != plan("fourth")
    # The same erasure went on meanwhile.
    more = replace(erasure, ids={**erasure.ids, "session_ids": ["s1"]})
    assert plan("fifth", more) != plan("sixth", erasure)


def test_an_erasure_in_another_database_deletes_no_row_of_the_same_id(tmp_path: Path) -> None:
    database = new_database()
    visit(database, 1, 2)
    chain = [write_backup(database, "20261121T020000Z-full")]
    [own] = database.execute("SELECT id FROM database_identity").fetchone()
    ids: dict[str, list[str | int]] = {"event_ids": [1]}
    for database_id, erased in ((own, 1), (None, 1), ("b" * 32, 0)):
        folder = tmp_path / str(database_id)
        folder.mkdir()
        erasure = Erasure("r1", dict(ids), database_id=database_id)
        assert restored(chain, folder, None, erasure).erased == erased
