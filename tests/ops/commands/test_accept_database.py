"""`ppp accept-database`, on a local D1 and its bucket."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import httpx

from ops.backup.high_water import read_database_contents, read_mark
from ops.cloudflare.bucket import Bucket
from ops.restore.identity import accept_restored
from paths import LOCAL_CONFIG
from pyodide_bundle import Bundle
from services.loss.contents import MAX_EVENTS_MEANWHILE
from services.loss.high_water_mark import KEY, HighWaterMark
from tests.harness.direct import running_directly
from tests.harness.prepared import database_file
from tests.ops.asking import ADMIN_KEY, KEYS
from tests.ops.deployed import local, write_backup, write_events
from tests.ops.running import Output, fails, here

BEFORE = HighWaterMark("a" * 32, 2_300, 2_258, 1, 3, "2026-11-21T03:00:00Z")


def accept(storage: Path, *arguments: object, answer: str = "") -> Output:
    options = ("--local", "--persist-to", storage, "--reason", "begun anew")
    return here("accept-database", *options, *arguments, answer=answer)


def test_the_mark_becomes_what_the_database_holds_and_the_one_before_is_remembered(
    local_config: Bundle, storage: Path
) -> None:
    bucket = Bucket(local(storage))
    bucket.write(KEY, BEFORE.as_bytes())
    output = accept(storage, "--dry-run", "--json")
    assert (output.code, read_mark(local(storage))) == (0, BEFORE)
    assert "this is another database" in output.json["lost"]

    output = accept(storage, "--yes", "--json")
    assert output.code == 0, output
    mark = read_mark(local(storage))
    with closing(sqlite3.connect(database_file(storage))) as database:
        [(database_id,)] = database.execute("SELECT id FROM database_identity").fetchall()
        [(events,)] = database.execute("SELECT count(*) FROM tracking_events").fetchall()
    assert mark is not None
    assert (mark.database_id, mark.events) == (database_id, events)
    [acceptance] = mark.accepted
    assert acceptance["reason"] == "begun anew"
    assert acceptance["before"]["highest_event"] == BEFORE.highest_event  # type: ignore[index]

    output = accept(storage, answer="n\n")
    assert output.code == 1
    assert "nothing says that it is lost" in output.out
    assert read_mark(local(storage)) == replace(mark)


def test_a_database_that_lacks_its_identity_is_told_how_to_get_it(
    local_config: Bundle, storage: Path
) -> None:
    with closing(sqlite3.connect(database_file(storage))) as database, database:
        database.execute("DROP TABLE database_identity")
    line = fails(accept(storage, "--yes"), 1)
    assert "npx wrangler d1 migrations apply DB --local --persist-to " in line


def test_a_database_that_was_set_back_is_judged_before_its_ids_are_raised(
    local_config: Bundle, storage: Path
) -> None:
    write_events(storage)
    with closing(sqlite3.connect(database_file(storage))) as database, database:
        [(database_id,)] = database.execute("SELECT id FROM database_identity").fetchall()
        database.execute(
            "INSERT INTO backups (id, kind, state, started_at, progress)"
            " VALUES ('b', 'full', 'verified', '', '{}')"
        )
    mark = replace(BEFORE, database_id=database_id)
    Bucket(local(storage)).write(KEY, mark.as_bytes())
    output = accept(storage, "--yes", "--json")
    assert output.code == 0, output
    assert "set back" in output.json["lost"]
    with closing(sqlite3.connect(database_file(storage))) as database:
        # No chain goes on from a backup of what was, and no id is given twice.
        assert database.execute("SELECT id FROM backups").fetchall() == []
        highest = "SELECT seq FROM sqlite_sequence WHERE name = 'tracking_events'"
        assert database.execute(highest).fetchall() == [
            (mark.highest_event + MAX_EVENTS_MEANWHILE,)
        ]


def test_a_restored_database_gives_no_id_twice_though_it_holds_all_that_the_mark_knows(
    local_config: Bundle, storage: Path
) -> None:
    write_events(storage)
    target = local(storage)
    contents = read_database_contents(target)
    assert contents.database_id
    counts = (contents.highest_event, 20, contents.projects, contents.pixels)
    mark = HighWaterMark(contents.database_id, *counts, "2026-11-21T03:00:00Z")
    Bucket(target).write(KEY, mark.as_bytes())
    # Events that came after the mark are in no backup.
    accept_restored(target, "20261121T030000Z-full")
    highest = read_database_contents(target).highest_event
    assert highest == mark.highest_event + MAX_EVENTS_MEANWHILE
    accepted = read_mark(target)
    assert accepted is not None
    assert accepted.highest_event == highest
    assert accepted.accepted[-1]["reason"] == "restored: 20261121T030000Z-full"


CHECKS = ("loss", "migrations", "rows", "backup")


def verdicts(storage: Path) -> dict[str, str]:
    """The verdicts of the preflight's checks of the data."""
    only = [word for check in CHECKS for word in ("--only", check)]
    output = here("preflight", "--local", "--persist-to", storage, *only, "--json")
    results = {check["check"]: check["verdict"] for check in output.json["checks"]}
    return {check: results[check] for check in CHECKS}


def test_a_start_anew_gets_to_a_working_system_by_this_command_alone(
    bundle: Path, local_config: Bundle, storage: Path
) -> None:
    write_events(storage)
    write_backup(storage)
    Bucket(local(storage)).write(KEY, BEFORE.as_bytes())
    for file in database_file(storage).parent.glob("*.sqlite*"):
        file.unlink()
    output = accept(storage, "--yes")
    assert output.code == 0, output
    assert "it has no tables: the migrations of this checkout make them first" in output.out
    assert verdicts(storage) == dict.fromkeys(CHECKS, "pass")
    config = json.loads(LOCAL_CONFIG.read_text(encoding="utf-8"))
    with running_directly(bundle, "entry.py", config, storage, {"API_KEYS": KEYS}) as running:
        assert httpx.get(f"{running.url}/health", timeout=60).status_code == 200
        env = {"PPP_API_KEY": ADMIN_KEY}
        made = here("backup", "--url", running.url, "--json", env=env)
        assert made.code == 0, made
        assert made.json["verified_at"]


def test_a_reason_is_required(local_config: Bundle, tmp_path: Path) -> None:
    output = here("accept-database", "--local", "--persist-to", tmp_path, "--reason", " ", "--yes")
    assert "--reason must be" in fails(output, 2)
