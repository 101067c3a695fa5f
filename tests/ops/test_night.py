"""The night in which the database is deleted, by the runbook's own commands and nothing else.

A client's page is open in Chromium the whole time. What only the deleted database held is counted
and is lost; everything else that the browser sent is there in the end, once. Most of the events
before the backup are there from the beginning, the others come along the network.
"""

from __future__ import annotations

import re
import signal
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from pyodide_bundle import Bundle
from tests.harness.worker import some_visitor
from tests.ops.night_browsing import FORMS, Browsing, browsing, email_of
from tests.ops.night_checkout import (
    Night,
    StoredRows,
    inherit,
    put_off_backups,
    stored_rows,
    url_of,
)
from tests.ops.running import Output
from tests.tools import checkout as checkouts
from tests.tools.checkout import Checkout, new_checkout

BEFORE_BACKUP, AFTER_BACKUP = 2_000, 50
LEADS = 10
INHERITED = BEFORE_BACKUP - LEADS
# A night ends by its progress (`Night.until`), not by the clock: this is for a machine that stands
# still. Nor is a busy machine a reason to start the Worker again.
LIMIT_SECONDS = 3_600
SETTINGS = (f"worker.START_SECONDS = dev.SILENT_SECONDS = {LIMIT_SECONDS}",)
ERASED, ERASED_VISITOR = "erased@example.com", some_visitor()
BACKUP_ID = re.compile(r"^\d{8}T\d{6}Z-\w+", re.MULTILINE)
# What status marks when it is over, as the runbook says: answers of the loss in the last hour.
EXPLAINED = {"last hour", "alert many_errors", "alert some_errors"}


@dataclass(frozen=True, slots=True)
class Loss:
    """What was when the database was deleted. Keys are those that it had answered till then."""

    backup: str
    keys_before_backup: set[str]
    keys: set[str]
    leads: set[str]


@pytest.fixture
def checkout(local_config: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checkout:
    monkeypatch.setattr(checkouts, "PATIENCE_SECONDS", LIMIT_SECONDS)
    return new_checkout(tmp_path / "checkout")


@pytest.mark.timeout(LIMIT_SECONDS)
def test_a_deleted_database_comes_back_by_the_runbook_alone(
    checkout: Checkout, migrated_storage: Path
) -> None:
    put_off_backups(checkout)
    inherit(checkout, migrated_storage, INHERITED)
    with checkout.dev(*SETTINGS) as dev, httpx.Client(timeout=LIMIT_SECONDS) as client:
        dev.state()
        with browsing(url_of(checkout)) as person:
            night = Night(checkout, dev, person, client)
            loss = lose_database(night, migrated_storage)
            outputs = night.follow_runbook()
            assert_recovered(night, loss, outputs)
        night.require_running()
        database = night.database()
        dev.end(signal.SIGTERM)
    stored = stored_rows(database)
    assert_complete(stored, person, loss)
    assert_loss_is_named(outputs["./ppp restore --local"], loss, stored)


def lose_database(night: Night, migrated: Path) -> Loss:
    """A backup, some events, an erasure, the deletion, and a while until somebody notices."""
    # The first backup is the cron's own: none may come behind the one that counts.
    night.until(lambda: [line for line in night.lines("backup") if line["state"] == "verified"])
    for form in FORMS:
        night.add_person(email_of(form))
    for number in range(LEADS - 1):
        assert night.send(f"before-lead-{number:03}", "jane@example.com") == 200
    assert night.send("before-lead-erased", ERASED, ERASED_VISITOR) == 200
    night.fill_in_form()
    before_backup = night.person.answered()
    backup = night.checkout.ppp("backup", "--local", "--json").json["id"]
    for key in keys_after_backup():
        assert night.send(key) == 200
    erased = night.checkout.ppp("privacy", "erase", "--local", "--yes", answer=f"{ERASED}\n")
    assert erased.code == 0, erased
    night.await_cron()

    night.delete_database(migrated)
    # This one only the browser keeps, where the Worker is still away.
    leads = {night.fill_in_form()}
    night.until(lambda: "the database is not the one that was here" in night.dev.said())
    keys = night.person.answered()
    assert night.send("during-the-loss") == 503
    leads |= {night.fill_in_form()}
    night.until(lambda: "database_lost" in night.alerts("new"))
    assert night.person.answered() == keys
    assert night.health() == 503
    return Loss(backup, before_backup, keys, leads)


def keys_after_backup() -> set[str]:
    """The keys of events that only the deleted database had."""
    return {f"after-backup-{number:03}" for number in range(AFTER_BACKUP)}


def assert_recovered(night: Night, loss: Loss, outputs: dict[str, Output]) -> None:
    """The runbook's commands did what they say, and the Worker goes on as before."""
    restored = outputs["./ppp restore --local"]
    assert restored.code == 0, restored
    assert f"chosen: {loss.backup}" in restored.out
    assert "stored of what waited" in restored.out
    assert outputs["./ppp replay --local"].code == 0, outputs
    # A busy machine is slow, which `smoke` says.
    smoke = outputs["./ppp smoke --local"].out.splitlines()
    failed = [line for line in smoke if line.startswith("!")]
    assert [line for line in failed if not re.search(r" took [\d.]+ s$", line)] == []
    # None was made of the lost database, and none was deleted.
    backups = BACKUP_ID.findall(outputs["./ppp backups --local"].out)
    assert backups[0] == loss.backup
    # The leads of the loss are sent once, when their time has come.
    night.until(lambda: all(night.writes()[email] for email in loss.leads))
    night.until(lambda: "database_lost" in night.alerts("over"))
    night.await_cron()
    assert {night.writes()[email] for email in loss.leads} == {1}
    assert night.health() == 200
    kept = night.checkout.ppp("backups", "--local").out
    assert set(backups) <= set(BACKUP_ID.findall(kept))
    status = night.checkout.ppp("status", "--local")
    assert marked_lines(status) <= EXPLAINED, status
    assert re.search(r"^    database +healthy", status.out, re.MULTILINE), status


def marked_lines(status: Output) -> set[str]:
    """The names of the lines that need attention, of an alert with its problem."""
    lines = [line[2:].strip() for line in status.out.splitlines() if line.startswith("!")]
    names = [re.split(r"\s{2,}", line) for line in lines]
    return {f"{name} {text.split()[0]}" if name == "alert" else name for name, text in names}


def assert_complete(stored: StoredRows, person: Browsing, loss: Loss) -> None:
    """Everything is there once, but what only the deleted database had."""
    assert person.problem is None
    sent = {event.key for event in person.sent()}
    assert sent - (loss.keys - loss.keys_before_backup) - stored.keys.keys() == set()
    assert {key: number for key, number in stored.keys.items() if key and number > 1} == {}
    assert stored.keys["during-the-loss"] == 1
    assert sum(str(key).startswith("inherited-") for key in stored.keys) == INHERITED
    assert sum(str(key).startswith("before-lead-") for key in stored.keys) == LEADS - 1
    assert ERASED not in stored.text
    assert ERASED_VISITOR not in stored.text


def assert_loss_is_named(restored: Output, loss: Loss, stored: StoredRows) -> None:
    """What is in no backup is counted, as far as somebody counted it."""
    missing = keys_after_backup() | (loss.keys - loss.keys_before_backup)
    assert keys_after_backup().isdisjoint(stored.keys)
    [line] = [line for line in restored.out.splitlines() if line.startswith("not in the backup: ")]
    assert AFTER_BACKUP <= int(line.split()[4].replace(",", "")) <= len(missing)
