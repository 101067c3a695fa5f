"""A checkout with a running `make dev` whose database is deleted at night, and what it says."""

from __future__ import annotations

import json
import shutil
import sqlite3
import sys
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.harness.prepared import database_file
from tests.harness.worker import BROWSER, some_address, some_event, some_visitor
from tests.ops.runbook_blocks import commands_under
from tests.ops.running import Output
from tests.tools.checkout import Checkout, Dev, until

SECTION = "#### On this machine"
# What `make dev` does at its first start, but for the migrations, which the storage has had.
PREPARE = """
import dev_database
from local_config import prepare_local_config
dev_database.wrangler = lambda *_, **__: ""
prepare_local_config()
dev_database.prepare_database()
"""
NEW_IDENTITY = "UPDATE database_identity SET id = lower(hex(randomblob(16)))"
VISIT = """
INSERT INTO visitors (id, visitor_cookie) VALUES ('visitor', 'pxl_0123456789abcdef');
INSERT INTO sessions (id, visitor_id, session_cookie) VALUES ('session', 'visitor', 'session');
"""
INHERIT = """
WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?)
INSERT INTO tracking_events (
  project_id, pixel_id, visitor_id, session_id, event_type, event_key, page_url, timestamp,
  created_at
)
SELECT 'ppp-demo-project', 'ppp-demo-pixel', 'visitor', 'session', 'pageview',
  printf('inherited-%06d', n), 'https://shop.example/', datetime('now', '-1 hour'),
  datetime('now', '-1 hour')
FROM numbers
"""


@dataclass(frozen=True, slots=True)
class Night:
    """The checkout, its `make dev`, and what is asked of both."""

    checkout: Checkout
    dev: Dev

    @property
    def url(self) -> str:
        return f"http://localhost:{self.checkout.ports[0]}"

    @property
    def _crm(self) -> str:
        return f"http://127.0.0.1:{self.checkout.ports[2]}/simulator"

    def send(self, key: str, email: str = "", *, status: int = 200) -> None:
        """One event from a client of its own."""
        event = some_event(event_key=key, visitor_cookie=some_visitor())
        if email:
            event |= {"event_type": "form_submit", "form_data": {"email": email}}
        headers = {
            "content-type": "text/plain",
            "user-agent": BROWSER,
            "cf-connecting-ip": some_address(),
        }
        answer = httpx.post(f"{self.url}/e", content=json.dumps(event), headers=headers, timeout=60)
        assert answer.status_code == status, answer.text

    def add_person(self, email: str) -> None:
        """Somebody whom Pipedrive knows already."""
        answer = httpx.post(f"{self._crm}/persons", json={"name": email, "email": email})
        assert answer.status_code == 201

    def writes(self) -> Mapping[str, int]:
        """How often each person was written, by address."""
        state = httpx.get(f"{self._crm}/state").json()
        return {email: row["writes"] for row in state["persons"] for email in row["emails"]}

    def lines(self, event: str) -> list[dict[str, Any]]:
        """The Worker's log lines of this kind so far."""
        lines = [line for line in self.dev.said().splitlines() if f'"event": "{event}"' in line]
        return [json.loads(line) for line in lines if line.endswith("}")]

    def alerts(self, state: str) -> set[str]:
        """The problems of which it was said that they are in this state."""
        return {row["problem"] for row in self.lines("alert") if row["state"] == state}

    def await_cron(self) -> None:
        """Waits until the next run of the cron has ended."""
        runs = len(self.lines("cron_run"))
        until(lambda: len(self.lines("cron_run")) > runs)

    def database(self) -> Path:
        """The file that the Worker has open."""
        return Path(self.dev.state()["database"])

    def delete_database(self, migrated: Path) -> None:
        """Somebody deletes it and makes a new one, with all migrations, before anybody notices."""
        worker = self.dev.state()["worker"]
        database = self.database()
        new = self.checkout.root / "new.sqlite"
        source = sqlite3.connect(f"file:{database_file(migrated)}?mode=ro", uri=True)
        with closing(source), closing(sqlite3.connect(new)) as rows, rows:
            source.backup(rows)
            rows.execute(NEW_IDENTITY)
        for file in database.parent.glob(f"{database.stem}*"):
            file.unlink()
        new.rename(database)
        until(lambda: self.dev.state()["worker"] != worker)
        assert "the database is not the one that was here" in self.dev.said()

    def follow_runbook(self) -> dict[str, Output]:
        """Runs the commands of the runbook as they stand; every question is answered with yes."""
        outputs: dict[str, Output] = {}
        for line in commands_under(SECTION):
            assert line.startswith("./ppp "), line
            outputs[line] = self.checkout.shell(line, answer="y\n")
            assert outputs[line].code in {0, 1}, outputs[line]
        return outputs


def inherit(checkout: Checkout, migrated: Path, events: int) -> None:
    """Leaves the checkout as after a `make dev` that has seen so many events."""
    state = checkout.root / ".wrangler" / "state"
    shutil.copytree(migrated, state)
    with closing(sqlite3.connect(database_file(state))) as database, database:
        database.executescript(VISIT)
        database.execute(INHERIT, (events,))
    prepared = checkout.run(sys.executable, "-c", PREPARE)
    assert prepared.code == 0, prepared


def stored_rows(database: Path) -> tuple[Counter[str], str]:
    """How often each event is stored, and everything that forms said."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as tables:
        rows = tables.execute("SELECT event_key, form_data FROM tracking_events").fetchall()
    return Counter(key for key, _ in rows), " ".join(form or "" for _, form in rows)
