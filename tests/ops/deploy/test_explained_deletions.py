"""Rows that go during the migrations are no loss where a job or an erasure recorded them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from ops.cloudflare.database import Database
from ops.deploy.explained_deletions import DeletionRecords, read_clock
from ops.deploy.facts import read_rows
from pyodide_bundle import Bundle
from tests.harness.prepared import database_file
from tests.ops.deployed import EVENTS, local, write_events

NOW, HOUR_AGO = "datetime('now')", "datetime('now', '-1 hour')"
Change = Callable[[Path], None]


def change(*statements: str) -> Change:
    def run(storage: Path) -> None:
        with closing(sqlite3.connect(database_file(storage))) as database, database:
            for statement in statements:
                database.execute(statement)

    return run


UNCHANGED = change()


def delete_events(number: int) -> str:
    return (
        "DELETE FROM tracking_events WHERE id IN"
        f" (SELECT id FROM tracking_events ORDER BY id LIMIT {number})"
    )


def archived(number: int, at: str = NOW) -> str:
    return (
        "INSERT INTO archive_batches VALUES ('ppp-demo-pixel', '2026-01-01', 'b',"
        f" {number}, '', 1, '', 2, '', 1, {at})"
    )


def expired(at: str, **counts: int) -> str:
    return (
        "INSERT INTO job_runs (job, run, started_at, lease_until, finished_at, outcome, summary)"
        f" VALUES ('retention', 'r', {at}, {at}, {at}, 'drained', '{json.dumps(counts)}')"
    )


def erased(at: str, **counts: int) -> str:
    return (
        "INSERT INTO privacy_requests (id, kind, asked_by, started_at, finished_at, counts)"
        f" VALUES ('e', 'erase', 'email', {at}, {at}, '{json.dumps(counts)}')"
    )


def loss_by(storage: Path, happens: Change, pause: Change = UNCHANGED) -> str | None:
    write_events(storage)
    target = local(storage)
    before = read_rows(target)
    database = Database(target)
    records = DeletionRecords(database, read_clock(database), partial(pause, storage))
    happens(storage)
    return records.describe_loss(before, partial(read_rows, target))[0]


@pytest.mark.parametrize(
    "happens",
    [
        change(),
        change(delete_events(7), archived(7)),
        change(delete_events(7), expired(NOW, events=7)),
        change(delete_events(7), erased(NOW, tracking_events=7)),
        change("DELETE FROM sessions", expired(NOW, sessions=100)),
        change("DELETE FROM visitors", erased(NOW, visitors=100)),
    ],
    ids=["nothing", "archive", "retention", "erasure", "sessions", "visitors"],
)
def test_what_a_record_explains_is_no_loss(
    local_config: Bundle, storage: Path, happens: Change
) -> None:
    assert loss_by(storage, happens) is None


@pytest.mark.parametrize(
    "happens",
    [
        change(delete_events(7)),
        change(delete_events(7), archived(6)),
        change(delete_events(7), archived(7, HOUR_AGO)),
        change(delete_events(7), expired(HOUR_AGO, events=7)),
        change(delete_events(7), erased(HOUR_AGO, tracking_events=7)),
        change("DELETE FROM pixels"),
    ],
    ids=["no record", "one too many", "old batch", "old run", "old erasure", "pixels"],
)
def test_what_no_record_explains_is_a_loss(
    local_config: Bundle, storage: Path, happens: Change
) -> None:
    assert loss_by(storage, happens)


def test_a_run_of_retention_is_waited_for(local_config: Bundle, storage: Path) -> None:
    begin_run = change(
        delete_events(EVENTS - 1),
        "INSERT INTO job_runs (job, run, started_at, lease_until) VALUES"
        f" ('retention', 'r', {NOW}, datetime('now', '+1 hour'))",
    )
    end_run = change(
        f"UPDATE job_runs SET finished_at = {NOW}, outcome = 'drained',"
        f" summary = '{json.dumps({'events': EVENTS - 1})}' WHERE run = 'r'"
    )
    assert loss_by(storage, begin_run, pause=end_run) is None
