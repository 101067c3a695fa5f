"""`ppp restore` and `ppp backups`, on real local D1 and R2."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

import pytest

from ops.backup.high_water import accept_database, read_database_contents
from ops.cloudflare.bucket_objects import fetch_singly
from ops.cloudflare.database import Database
from ops.cloudflare.new_database import drop_all_tables, find
from ops.cloudflare.target import Target, choose_target
from ops.restore import sql_files as loading
from ops.restore.erase_again import Erasure
from ops.restore.sql_files import RestoreStep
from ops.restore.time_travel import erase_again
from ops.terminal.errors import ExitCode, NoAnswerError, OpsError
from services.archive.parts import ARCHIVE, part_key, part_manifest_key
from services.archive.rewriting import batch_counts
from services.core.ndjson_parts import pack
from services.loss.contents import READ_CONTENTS, DatabaseContents
from services.loss.high_water_mark import KEY, HighWaterMark
from services.loss.judgement import judge_loss
from tests.harness.prepared import database_file
from tests.ops.backup_files import Objects, Written, index_of, store, write_backup
from tests.ops.restore.test_sql_text import NASTY
from tests.ops.running import Output, fails, here, ppp

# Each starts wrangler many times.

FULL, HOURLY, DAMAGED = (
    "20261121T020000Z-full",
    "20261121T030000Z-hourly",
    "20261121T013000Z-manual",
)
LIVE = "ppp-tracking-db-local"
PIXEL_AND_DAY = ("ppp-demo-pixel", "2026-01-01")
BATCHES = ("1-3-rewritten", "1-3-emptied", "1-3-damaged")
EVENTS = 40


def write_events(database: sqlite3.Connection, first: int, last: int) -> None:
    """Visitors, sessions and events with everything in them that text can hold."""
    texts = [value for value in NASTY if isinstance(value, str)]
    for number in range(first, last + 1):
        text = f"{texts[number % len(texts)]}{number}"
        database.execute("INSERT INTO visitors (id, visitor_cookie) VALUES (?1, ?1)", (text,))
        database.execute(
            "INSERT INTO sessions (id, visitor_id, session_cookie) VALUES (?1, ?1, ?1)", (text,)
        )
        database.execute(
            "INSERT INTO tracking_events (id, pixel_id, visitor_id, session_id, page_title)"
            " VALUES (?, 'ppp-demo-pixel', ?2, ?2, ?2)",
            (number, text),
        )


def remember_what_was_erased_since(database: sqlite3.Connection) -> None:
    """A person of Pipedrive, and parts of the archive as they were before."""
    database.execute(
        "INSERT INTO pipedrive_persons (destination, person_id, claimed_event_id)"
        " VALUES ('default', 77, 7)"
    )
    place = ", ".join(map(repr, PIXEL_AND_DAY))
    for batch in BATCHES:
        database.execute(
            f"INSERT INTO archive_batches VALUES ({place}, ?, 3, '', 1, '', 3, 'old', 9, '')",
            (batch,),
        )


def parts_since() -> Objects:
    """The same parts: one has two events left, one none, and one is damaged."""
    packed = pack(['{"id":1}', '{"id":2}'])
    manifest = json.dumps({"count": 2, "sha256": packed.sha256}).encode()
    contents = {BATCHES[0]: packed.content, BATCHES[2]: packed.content[:-1]}
    parts = {part_key(ARCHIVE, *PIXEL_AND_DAY, batch): output for batch, output in contents.items()}
    return {**parts, **{part_manifest_key(key): manifest for key in parts}}


@pytest.fixture(scope="module")
def chain(migrated_storage: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Written]:
    """A storage with a full backup, an hourly one, and a damaged one, in its bucket."""
    folder = tmp_path_factory.mktemp("restore")
    storage = folder / "storage"
    shutil.copytree(migrated_storage, storage)
    with closing(sqlite3.connect(database_file(storage))) as database, database:
        remember_what_was_erased_since(database)
        damaged = write_backup(database, DAMAGED)
        write_events(database, 1, EVENTS - 1)
        full = write_backup(database, FULL, rows_of_a_part=15)
        write_events(database, EVENTS, EVENTS)
        hourly = write_backup(database, HOURLY, full)
    erasure = {
        "receipt": "r1",
        "at": "2026-11-21T03:30:00Z",
        "event_ids": [7],
        "session_ids": [],
        "visitor_ids": [],
        "archive_parts": [part_key(ARCHIVE, *PIXEL_AND_DAY, batch) for batch in BATCHES],
    }
    objects = {
        **full.objects,
        **hourly.objects,
        **damaged.objects,
        **index_of(hourly, full, damaged),
        "erasures/index.json": json.dumps({"format": 1, "receipts": ["r1"]}).encode(),
        "erasures/r1.json": json.dumps(erasure).encode(),
        **parts_since(),
    }
    objects[damaged.manifest.parts[0].key] += b"?"
    store(storage, folder / "objects", objects)
    return storage, hourly


@pytest.fixture
def storage(chain: tuple[Path, Written], tmp_path: Path) -> Path:
    """A copy of it, for one test to change."""
    copy = tmp_path / "storage"
    shutil.copytree(chain[0], copy)
    return copy


def run(storage: Path, *arguments: object, answer: str = "") -> Output:
    return here("restore", "--local", "--persist-to", storage, *arguments, answer=answer)


def files_of_databases(storage: Path) -> set[Path]:
    files = storage.glob("v3/d1/miniflare-D1DatabaseObject/*.sqlite")
    return {file for file in files if file.name != "metadata.sqlite"}


def test_the_newest_backup_becomes_a_new_database(
    chain: tuple[Path, Written], storage: Path, tmp_path: Path
) -> None:
    _, hourly = chain
    mark = HighWaterMark("a" * 32, EVENTS + 12, EVENTS, 1, 1, "2026-11-21T03:55:00Z")
    store(storage, tmp_path / "mark", {KEY: mark.as_bytes()})
    before = files_of_databases(storage)
    output = run(storage, "--yes", "--json")
    assert output.code == 0, output
    assert output.json["backup"] == HOURLY
    assert output.json["differences"] == []
    # What is in no backup is counted and named, as far as somebody counted it.
    lost = output.json["not_in_backup"]
    assert (lost["at_least"], lost["first_id"], lost["last_id"]) == (12, EVENTS + 1, EVENTS + 12)
    # The event and the person; one part of the archive is not there any more.
    assert output.json["erased_again"] == 2
    assert output.json["rows"] == sum(hourly.manifest.totals.values()) - 3
    assert f"all parts of {FULL} and 1 hourly one are whole" in output.err

    assert output.json["database"] == f"{LIVE}-{HOURLY.lower()}"
    [restored] = files_of_databases(storage) - before
    [live] = before
    events = "SELECT id, page_title, session_id, CAST(page_title AS BLOB) FROM tracking_events"
    identity = "SELECT id, generation FROM database_identity"
    with closing(sqlite3.connect(live)) as database:
        [(database_id, generation)] = database.execute(identity).fetchall()
        expected = database.execute(f"{events} WHERE id <> 7 ORDER BY id").fetchall()
    with closing(sqlite3.connect(restored)) as database:
        assert database.execute(f"{events} ORDER BY id").fetchall() == expected
        [(restored_id, new_generation)] = database.execute(identity).fetchall()
        assert restored_id == database_id
        assert new_generation != generation
        tables = {row[0] for row in database.execute("SELECT name FROM sqlite_master")}
        counter = database.execute("SELECT seq FROM sqlite_sequence WHERE name = 'tracking_events'")
        assert counter.fetchone() == (EVENTS,)
        parts = database.execute("SELECT batch, events, sha256, bytes FROM archive_batches")
        packed = pack(['{"id":1}', '{"id":2}'])
        assert sorted(parts.fetchall()) == [
            (BATCHES[2], 3, "old", 9),
            (BATCHES[0], 2, packed.sha256, len(packed.content)),
        ]
        assert database.execute("SELECT 1 FROM pipedrive_persons").fetchall() == []
    assert loading.LEDGER not in tables


def test_a_restore_that_was_stopped_goes_on_and_never_over_what_is_there(
    storage: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "MIN_FILE_CHARACTERS", 15_000)
    run_step = loading.run_step

    def stopped(target: Target, step: RestoreStep) -> None:
        if step.number == 2:
            raise KeyboardInterrupt
        run_step(target, step)

    arguments = ("--into", "beside", "--backup", FULL, "--yes")
    with monkeypatch.context() as patch:
        patch.setattr("ops.restore.restore_steps.run_step", stopped)
        assert "run the same command again" in fails(run(storage, *arguments), 1)

    of_another = fails(run(storage, "--into", "beside", "--backup", HOURLY, "--yes"), 1)
    assert "half filled by a restore of other content" in of_another
    assert "--overwrite beside" in of_another

    output = run(storage, *arguments)
    assert output.code == 0, output
    assert "beside has 1 step of this restore already" in output.err
    assert "counted and compared with the backup" in output.out
    assert 'database_name = "beside"' in output.out

    refused = fails(run(storage, *arguments), 1)
    assert re.search(rf"beside is not empty \(.*{EVENTS - 2} rows in tracking_events", refused)
    assert "--overwrite beside" in refused

    beside = find(choose_target(None, storage, local=True), "beside", tmp_path)
    assert beside
    drop_all_tables(Database(beside))
    assert loading.read_state(Database(beside)).rows == {}


def contents_of(storage: Path) -> DatabaseContents:
    """What a database holds, as its loss is judged by it."""
    with closing(sqlite3.connect(database_file(storage))) as database:
        database.row_factory = sqlite3.Row
        try:
            return DatabaseContents(**dict(database.execute(READ_CONTENTS).fetchone()))
        except sqlite3.OperationalError:
            return DatabaseContents()


def write_ledger(storage: Path, run: str) -> None:
    """What the cron of a lost database does."""
    statement = (
        "INSERT INTO job_runs (job, run, started_at, lease_until)"
        " VALUES ('watch', ?, '2099-01-01', '')"
    )
    with (
        closing(sqlite3.connect(database_file(storage))) as database,
        suppress(sqlite3.OperationalError),
        database,
    ):
        database.execute(statement, (run,))


def different(*_: object, **__: object) -> list[str]:
    return ["tracking_events has 1 rows, not 2"]


def test_a_live_database_that_is_half_restored_counts_as_lost(
    storage: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    healthy = contents_of(storage)
    assert healthy.database_id
    counts = (healthy.projects, healthy.pixels)
    mark = HighWaterMark(healthy.database_id, EVENTS, EVENTS, *counts, "2026-11-21T03:55:00Z")
    store(storage, tmp_path / "mark", {KEY: mark.as_bytes()})
    assert judge_loss(mark, healthy) is None
    monkeypatch.setattr(loading, "MIN_FILE_CHARACTERS", 15_000)
    arguments = ("--into", LIVE, "--overwrite", LIVE, "--yes")
    run_step = loading.run_step
    losses: list[str | None] = []

    def watched(database: Target, step: RestoreStep) -> None:
        losses.append(judge_loss(mark, contents_of(storage)))
        run_step(database, step)
        losses.append(judge_loss(mark, contents_of(storage)))
        write_ledger(storage, f"after {len(losses)}")
        if len(losses) == 4:
            raise KeyboardInterrupt

    monkeypatch.setattr("ops.restore.restore_steps.run_step", watched)
    assert "run the same command again" in fails(run(storage, *arguments), 1)
    assert "a restore into it has not ended" in str(judge_loss(mark, contents_of(storage)))
    with pytest.raises(OpsError, match="run it again"):
        accept_database(choose_target(None, storage, local=True), mark, "looks well")

    with monkeypatch.context() as patch:
        patch.setattr("ops.commands.restore.verify_database", different)
        output = run(storage, *arguments)
    assert output.code == 1
    assert "has 2 steps of this restore already" in output.err
    assert judge_loss(mark, contents_of(storage)) is not None

    output = run(storage, *arguments)
    assert output.code == 0, output
    assert len(losses) >= 6
    assert None not in losses
    assert contents_of(storage).database_id == mark.database_id
    with closing(sqlite3.connect(database_file(storage))) as database:
        tables = {row[0] for row in database.execute("SELECT name FROM sqlite_master")}
        [(events,)] = database.execute("SELECT count(*) FROM tracking_events").fetchall()
    assert loading.LEDGER not in tables
    assert events == EVENTS - 1


@pytest.mark.parametrize("table", ["visitors", "job_runs"])
def test_a_restore_brings_back_one_table_that_was_dropped(
    storage: Path, tmp_path: Path, table: str
) -> None:
    target = choose_target(None, storage, local=True)
    healthy = read_database_contents(target)
    counts = (healthy.projects, healthy.pixels)
    mark = HighWaterMark(
        *(str(healthy.database_id), EVENTS - 1, EVENTS, *counts, "2026-11-21T03:55:00Z")
    )
    store(storage, tmp_path / "mark", {KEY: mark.as_bytes()})
    with closing(sqlite3.connect(database_file(storage))) as database:
        database.executescript(f"PRAGMA foreign_keys = OFF; DROP TABLE {table}")
    lacking = read_database_contents(target)
    assert lacking.missing == (table,)
    assert f"the table {table} is missing" in str(judge_loss(mark, lacking))
    with pytest.raises(OpsError, match="ppp restore does"):
        accept_database(target, mark, "looks well")

    output = run(storage, "--into", LIVE, "--overwrite", LIVE, "--yes")
    assert output.code == 0, output
    assert judge_loss(mark, read_database_contents(target)) is None


def test_a_restore_that_ended_before_its_acceptance_counts_as_another_copy_until_then(
    storage: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = choose_target(None, storage, local=True)
    healthy = read_database_contents(target)
    # Its numbers are those of the backup.
    mark = HighWaterMark(
        *(str(healthy.database_id), 1, 1, 0, 0, "2026-11-21T03:55:00Z"),
        generation=str(healthy.generation),
    )
    store(storage, tmp_path / "mark", {KEY: mark.as_bytes()})
    with monkeypatch.context() as patch:
        patch.setattr("ops.restore.identity.read_mark", unanswered)
        output = run(storage, "--into", LIVE, "--overwrite", LIVE, "--yes")
    assert output.code == ExitCode.NO_ANSWER
    assert "./ppp accept-database --local --reason restored" in output.err
    restored = read_database_contents(target)
    assert restored.database_id == healthy.database_id
    assert "restored and not accepted" in str(judge_loss(mark, restored))

    accepted = accept_database(target, mark, "restored")
    assert accepted.generation == restored.generation != mark.generation
    assert judge_loss(accepted, read_database_contents(target)) is None


def unanswered(target: Target) -> None:
    raise NoAnswerError("the bucket did not answer")


def test_a_database_that_travelled_in_time_erases_again(storage: Path) -> None:
    part = batch_counts(part_key(ARCHIVE, *PIXEL_AND_DAY, BATCHES[1]), 0, "", 0)
    database = Database(choose_target(None, storage, local=True))
    erase_again(database, [Erasure("r1", {"event_ids": [7]}, [part])])
    with closing(sqlite3.connect(database_file(storage))) as live:
        assert not live.execute("SELECT 1 FROM tracking_events WHERE id = 7").fetchall()
        assert not live.execute("SELECT 1 FROM pipedrive_persons").fetchall()
        batches = live.execute("SELECT batch FROM archive_batches ORDER BY batch").fetchall()
    assert [batch for (batch,) in batches] == [BATCHES[2], BATCHES[0]]


def test_a_damaged_backup_is_refused_with_its_part_and_an_older_one(
    chain: tuple[Path, Written],
) -> None:
    output = here("backups", "--local", "--persist-to", chain[0], "--verify", DAMAGED)
    error = fails(output, 1)
    assert f"backups/{DAMAGED}/00001-" in error
    assert "has another checksum" in error
    assert f"Nothing was written; restore another one: --backup {HOURLY}" in error


def test_a_backup_that_is_gone_is_refused(chain: tuple[Path, Written]) -> None:
    # Without --yes: nobody is asked about it.
    output = run(chain[0], "--backup", "20250101T000000Z-full")
    assert "backups/20250101T000000Z-full/manifest.json is missing" in fails(output, 1)
    assert "Restore " not in output.out


def test_where_nobody_can_answer_it_is_refused_before_the_work(
    chain: tuple[Path, Written], tmp_path: Path
) -> None:
    output = ppp("restore", "--local", "--persist-to", chain[0], home=tmp_path)
    assert "stdin has ended" in fails(output, 2)
    assert output.out == ""


def test_backups_are_listed_from_the_bucket(chain: tuple[Path, Written]) -> None:
    output = here("backups", "--local", "--persist-to", chain[0], "--json")
    assert output.code == 0
    assert [backup["id"] for backup in output.json["backups"]] == [HOURLY, FULL, DAMAGED]
    assert output.json["backups"][0]["events"] == EVENTS
    table = here("backups", "--local", "--persist-to", chain[0])
    assert table.err.startswith("local: D1 ")
    assert table.out.startswith("backup ")


def test_objects_can_be_fetched_one_by_one(chain: tuple[Path, Written], tmp_path: Path) -> None:
    target = choose_target(None, chain[0], local=True)
    key = chain[1].manifest.parts[0].key
    files = dict(fetch_singly(target, [key, "backups/nothing"], tmp_path))
    assert files["backups/nothing"] is None
    file = files[key]
    assert file
    assert file.read_bytes() == chain[1].objects[key]


def test_what_would_be_done_is_said_and_nothing_done(storage: Path, tmp_path: Path) -> None:
    mark = HighWaterMark("a" * 32, EVENTS + 9, EVENTS, 1, 1, "2026-11-21T03:55:00Z")
    store(storage, tmp_path / "mark", {KEY: mark.as_bytes()})
    before = files_of_databases(storage)
    output = run(storage, "--dry-run", "--into", "beside")
    assert output.code == 0
    execute = output.out.splitlines()[-1]
    assert execute.startswith("npx wrangler d1 execute DB --local --persist-to ")
    assert "rows, without 2 that were erased since, as of " in output.out
    assert "not in the backup: 9 events that came after it, ids 41 to 49, from " in output.out
    assert files_of_databases(storage) == before
