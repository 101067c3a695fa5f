"""The night in which the database is deleted, by the runbook's own commands.

A client's page is open in Chromium the whole time. What only the deleted database held is named and
is lost; everything else that the browser sent is there in the end, once. `NIGHT_EVENTS=2000,50`
sets how many events come before the backup and how many after it; else they are 60 and 10.
"""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from pyodide_bundle import Bundle
from tests.ops.night_browsing import FORMS, Browsing, browsing, email_of
from tests.ops.night_checkout import Night, inherit, stored_rows
from tests.ops.running import Output
from tests.tools import checkout as checkouts
from tests.tools.checkout import Checkout, new_checkout, until

BEFORE_BACKUP, AFTER_BACKUP = map(int, os.environ.get("NIGHT_EVENTS", "60,10").split(","))
LEADS = 10
INHERITED = BEFORE_BACKUP - LEADS
# The cron runs more often than `make dev` has it, so that nobody waits for it; and a busy machine
# is no reason to start the Worker again.
SETTINGS = ("worker.CRON_SECONDS = 8", "worker.START_SECONDS = 600", "dev.SILENT_SECONDS = 600")
ERASED = "erased@example.com"
BACKUP_ID = re.compile(r"^\d{8}T\d{6}Z-\w+", re.MULTILINE)
# What status may mark a minute after the restore, by the runbook: the loss itself.
EXPLAINED = ("do first", "alert", "last hour")


@dataclass(frozen=True, slots=True)
class Loss:
    """What was when the database was deleted. Keys are those that it had answered till then."""

    backup: str
    keys_before_backup: set[str]
    keys: set[str]
    leads: set[str]


@pytest.fixture
def checkout(local_config: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checkout:
    monkeypatch.setattr(checkouts, "PATIENCE_SECONDS", 600)
    return new_checkout(tmp_path / "checkout")


def test_a_deleted_database_comes_back_by_the_runbook_alone(
    checkout: Checkout, migrated_storage: Path
) -> None:
    inherit(checkout, migrated_storage, INHERITED)
    with checkout.dev(*SETTINGS) as dev:
        dev.state()
        night = Night(checkout, dev)
        for form in FORMS:
            night.add_person(email_of(form))
        for number in range(LEADS):
            night.send(f"before-lead-{number:03}", ERASED if number == 7 else "jane@example.com")
        with browsing(night.url) as person:
            person.fill_in_form()
            loss = lose_database(night, person, migrated_storage)
            outputs = night.follow_runbook()
            night.await_cron()
        assert person.problem is None
        assert person.waiting == []
        assert_recovered(night, loss, outputs)
        database = night.database()
        dev.end(signal.SIGTERM)
    assert_complete(database, person, loss)
    assert_loss_is_named(outputs["./ppp restore --local"], loss, stored_rows(database)[0].keys())


def lose_database(night: Night, person: Browsing, migrated: Path) -> Loss:
    """A backup, some events, an erasure, the deletion, and a while until somebody notices."""
    before_backup = person.answered()
    backup = night.checkout.ppp("backup", "--local", "--json").json["id"]
    for number in range(AFTER_BACKUP):
        night.send(after_backup(number))
    erased = night.checkout.ppp("privacy", "erase", "--local", "--yes", answer=f"{ERASED}\n")
    assert erased.code == 0, erased
    night.await_cron()

    night.delete_database(migrated)
    keys = person.answered()
    night.send("before-the-next-cron", status=503)
    until(lambda: "database_lost" in night.alerts("new"))
    for _ in FORMS[1:]:
        person.fill_in_form()
    assert person.answered() == keys
    leads = {address for key, address, _ in person.sent() if key not in keys} - {""}
    assert leads == {email_of(form) for form in FORMS[1:]}
    return Loss(backup, before_backup, keys, leads)


def after_backup(number: int) -> str:
    """The key of an event that only the deleted database had."""
    return f"after-backup-{number:03}"


def assert_recovered(night: Night, loss: Loss, outputs: dict[str, Output]) -> None:
    """The runbook's commands did what they say, and the Worker goes on as before."""
    restored = outputs["./ppp restore --local"]
    assert restored.code == 0, restored
    assert f"chosen: {loss.backup}" in restored.out
    assert "stored of what waited" in restored.out
    assert unexplained(outputs["./ppp status --local"]) == []
    until(lambda: httpx.get(f"{night.url}/health", timeout=60).status_code == 200)
    assert "database_lost" in night.alerts("over")
    # The leads of the loss are sent once, when their time has come.
    until(lambda: all(night.writes()[address] for address in loss.leads))
    night.await_cron()
    assert {night.writes()[address] for address in loss.leads} == {1}
    count = night.checkout.ppp("replay", "--local", "--dry-run", "--json")
    assert count.json == {"waiting": 0}
    # None was made of the lost database, and none was deleted.
    backups = BACKUP_ID.findall(outputs["./ppp backups --local"].out)
    assert backups[0] == loss.backup
    kept = night.checkout.ppp("backups", "--local").out
    assert set(backups) <= set(BACKUP_ID.findall(kept))


def unexplained(status: Output) -> list[str]:
    """The lines that `status` marks, and that the runbook does not explain."""
    lines = [line[1:].strip() for line in status.out.splitlines() if line.startswith("!")]
    return [line for line in lines if not line.startswith(EXPLAINED)]


def assert_complete(database: Path, person: Browsing, loss: Loss) -> None:
    """Everything is there once, but what only the deleted database had."""
    stored, forms_said = stored_rows(database)
    sent = {key for key, _, _ in person.sent()}
    assert sent - (loss.keys - loss.keys_before_backup) - stored.keys() == set()
    assert {key: stored[key] for key in sent if stored[key] > 1} == {}
    assert stored["before-the-next-cron"] == 1
    assert sum(str(key).startswith("inherited-") for key in stored) == INHERITED
    assert sum(str(key).startswith("before-lead-") for key in stored) == LEADS - 1
    assert ERASED not in forms_said


def assert_loss_is_named(restored: Output, loss: Loss, stored: Collection[str]) -> None:
    """What is in no backup is counted, as far as somebody counted it."""
    missing = {after_backup(number) for number in range(AFTER_BACKUP)}
    assert missing.isdisjoint(stored)
    missing |= (loss.keys - loss.keys_before_backup) - set(stored)
    [line] = [line for line in restored.out.splitlines() if line.startswith("not in the backup: ")]
    assert AFTER_BACKUP <= int(line.split()[4].replace(",", "")) <= len(missing) + 1
