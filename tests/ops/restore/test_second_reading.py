"""The second reading of `ppp restore --local`: by a new process, as the Worker will read it.

What goes wrong between the two readings is real: the file that the Worker would open is changed, or
the program that reads it is gone.
"""

from __future__ import annotations

import json
import sqlite3
import sys
import uuid
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from local_storage import database_file
from pyodide_bundle import Bundle
from tests.ops.backup_files import index_of, store, write_backup
from tests.ops.night_checkout import inherit
from tests.ops.running import Output, fails
from tests.tools.checkout import Checkout, new_checkout

EVENTS = 40
NAME = "beside"
RESTORE = ("restore", "--local", "--overwrite", NAME, "--yes")
# `./ppp`, with something that happens to the filled database before it is read again.
PPP = """
import sqlite3, sys, wrangler
from pathlib import Path
from local_storage import database_file
from ops.__main__ import main
from ops.commands import restore

read_as_worker = restore.read_as_worker

def read_later(restored, prepared):
    file = database_file(restored.database_id)
    {fault}
    return read_as_worker(restored, prepared)

restore.read_as_worker = read_later
sys.exit(main())
"""
CHANGE = "database = sqlite3.connect(file); database.execute({!r}); database.commit()"
# With what SQLite has beside it.
DELETE_FILE = "[each.unlink() for each in file.parent.glob(f'{{file.name}}*')]; "
OTHER_VALUE = CHANGE.format("UPDATE tracking_events SET event_key = 'another' WHERE id = 7")
FEWER_ROWS = CHANGE.format("DELETE FROM tracking_events WHERE id > 30")
# It has the same rows as the backup.
OTHER_FILE = DELETE_FILE + "sqlite3.connect({live!r}).execute('VACUUM INTO ?', [str(file)])"
NO_DATABASE = DELETE_FILE + "file.write_bytes(b'no database' * 1_000)"
NO_PROGRAM = "wrangler.NODE_BIN = Path('/nowhere')"


@dataclass(frozen=True, slots=True)
class Location:
    """A checkout whose database has a backup."""

    checkout: Checkout

    @property
    def config(self) -> Path:
        """What the Worker is told, its database too."""
        return self.checkout.root / "wrangler.local.json"

    @property
    def state(self) -> Path:
        return self.checkout.root / ".wrangler" / "state"

    def database(self) -> Path:
        """The file of the database that the Worker uses."""
        [binding] = json.loads(self.config.read_text(encoding="utf-8"))["d1_databases"]
        return database_file(binding["database_id"], self.state)

    def filled(self) -> Path:
        """The file of the database that is filled."""
        return database_file(str(uuid.uuid5(uuid.NAMESPACE_URL, NAME)), self.state)

    def restore_with(self, fault: str) -> Output:
        """Restores, with a fault before the second reading; the Worker keeps its database."""
        before = self.config.read_bytes()
        script = PPP.format(fault=fault.format(live=str(self.database())))
        output = self.checkout.run(sys.executable, "-P", "-c", script, *RESTORE)
        assert self.config.read_bytes() == before
        assert not (self.state / "served-database").exists()
        assert [*self.checkout.root.glob("wrangler.restored-*")] == []
        assert "`make dev`" not in output.out.partition("chosen: ")[2]
        return output


@pytest.fixture(scope="module")
def location(
    local_config: Bundle, migrated_storage: Path, tmp_path_factory: pytest.TempPathFactory
) -> Location:
    folder = tmp_path_factory.mktemp("reading")
    location = Location(new_checkout(folder / "checkout"))
    inherit(location.checkout, migrated_storage, EVENTS)
    with closing(sqlite3.connect(location.database())) as database:
        backup = write_backup(database, "20261121T020000Z-full")
    store(location.state, folder / "objects", {**backup.objects, **index_of(backup)})
    return location


@pytest.mark.parametrize(
    ("fault", "difference"),
    [
        (OTHER_VALUE, f"tracking_events: 1 of {EVENTS} rows compared whole are different"),
        (OTHER_FILE, "the Worker would open another database than the one that was filled"),
    ],
    ids=["another value", "another database's file"],
)
def test_a_database_that_reads_otherwise_the_second_time_is_not_used(
    location: Location, fault: str, difference: str
) -> None:
    output = location.restore_with(fault)
    assert output.code == 1, output
    assert f"different: {difference}\n" in output.out
    assert output.out.endswith(f"Do not use it: restore again with --overwrite {NAME}\n")
    assert "compared with the backup" not in output.out


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (NO_PROGRAM, "it cannot be started"),
        (NO_DATABASE, "the database did not answer: internal error"),
    ],
    ids=["no program", "no database"],
)
def test_a_second_reading_that_cannot_be_made_ends_the_restore(
    location: Location, fault: str, reason: str
) -> None:
    output = location.restore_with(fault)
    line = fails(output, 3)
    assert f"{NAME} is filled, and cannot be read as the Worker will: " in line
    assert reason in line
    assert "Run the same command again" in line
    assert "compared with the backup" not in output.out


def test_a_database_that_lacks_rows_is_filled_again_by_what_the_restore_says(
    location: Location,
) -> None:
    # It may be no database since another test.
    location.filled().unlink(missing_ok=True)
    output = location.restore_with(FEWER_ROWS)
    assert output.code == 1, output
    assert f"different: tracking_events has 30 rows, not {EVENTS}\n" in output.out
    refused = location.checkout.ppp("restore", "--local", "--into", NAME, "--yes")
    assert f"{NAME} did not hold what the backup does: empty it" in fails(refused, 1)
    output = location.checkout.ppp(*RESTORE)
    assert output.code == 0, output
    assert "counted and compared with the backup" in output.out
    assert location.database() == location.filled()
    with closing(sqlite3.connect(location.database())) as database:
        assert database.execute("SELECT count(*) FROM tracking_events").fetchone() == (EVENTS,)
