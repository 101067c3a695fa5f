"""`ppp accept-database`, on a local D1 and its bucket."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from ops.backup.high_water import read_mark
from ops.cloudflare.bucket import Bucket
from pyodide_bundle import Bundle
from services.loss.high_water_mark import KEY, HighWaterMark
from tests.harness.prepared import database_file
from tests.ops.deployed import local
from tests.ops.running import Output, fails, here

pytestmark = pytest.mark.timeout(400)
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


def test_a_database_without_tables_cannot_be_accepted(local_config: Bundle, tmp_path: Path) -> None:
    assert "nothing to accept yet" in fails(accept(tmp_path, "--yes"), 1)


def test_a_reason_is_required(local_config: Bundle, tmp_path: Path) -> None:
    output = here("accept-database", "--local", "--persist-to", tmp_path, "--reason", " ", "--yes")
    assert "--reason must be" in fails(output, 2)
