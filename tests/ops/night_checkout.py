"""A checkout with a running `make dev` whose database is deleted at night, and what it says."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from tests.harness.prepared import database_file
from tests.harness.worker import BROWSER, some_address, some_event, some_visitor
from tests.ops.night_browsing import Browsing
from tests.ops.runbook_blocks import commands_under
from tests.ops.running import Output
from tests.tools.checkout import Checkout, Dev

SECTION = "#### On this machine"
# By these nights are measured, not by the clock: a busy machine has fewer of them in an hour.
MAX_CRON_RUNS = 40
POLL_SECONDS = 0.5
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
    """The checkout, its `make dev`, somebody who browses, and what is asked of all three."""

    checkout: Checkout
    dev: Dev
    person: Browsing
    client: httpx.Client

    @property
    def _crm(self) -> str:
        return f"http://127.0.0.1:{self.checkout.ports[2]}/simulator"

    def until(self, condition: Callable[[], Any]) -> Any:  # noqa: ANN401  # whatever is waited for
        """Waits for something as long as there is progress, and returns it."""
        runs = len(self.lines("cron_run"))
        while not (value := condition()):
            self.require_running()
            assert len(self.lines("cron_run")) < runs + MAX_CRON_RUNS, "waited in vain"
            time.sleep(POLL_SECONDS)
        return value

    def require_running(self) -> None:
        """Neither `make dev` nor the browser ended before its time."""
        assert self.dev.process.poll() is None, self.dev.said()
        assert self.person.problem is None

    def fill_in_form(self) -> str:
        """The person sends a form; returns its address when it came along the road."""
        email = self.person.fill_in_form()
        self.until(lambda: email in self.person.senders())
        return email

    def send(self, key: str, email: str = "", visitor: str = "") -> int:
        """One event from a client of its own; returns the status of the answer."""
        event = some_event(event_key=key, visitor_cookie=visitor or some_visitor())
        if email:
            event |= {"event_type": "form_submit", "form_data": {"email": email}}
        headers = {
            "content-type": "text/plain",
            "user-agent": BROWSER,
            "cf-connecting-ip": some_address(),
        }
        url = f"{url_of(self.checkout)}/e"
        return self.client.post(url, content=json.dumps(event), headers=headers).status_code

    def health(self) -> int:
        return self.client.get(f"{url_of(self.checkout)}/health").status_code

    def add_person(self, email: str) -> None:
        """Somebody whom Pipedrive knows already."""
        answer = self.client.post(f"{self._crm}/persons", json={"name": email, "email": email})
        assert answer.status_code == 201

    def writes(self) -> Mapping[str, int]:
        """How often each person was written, by address."""
        state = self.client.get(f"{self._crm}/state").json()
        return {email: row["writes"] for row in state["persons"] for email in row["emails"]}

    def lines(self, event: str) -> Sequence[dict[str, Any]]:
        """The Worker's log lines of this kind so far."""
        lines = [line for line in self.dev.said().splitlines() if f'"event": "{event}"' in line]
        return [json.loads(line) for line in lines if line.endswith("}")]

    def alerts(self, state: str) -> set[str]:
        """The problems of which it was said that they are in this state."""
        return {row["problem"] for row in self.lines("alert") if row["state"] == state}

    def await_cron(self) -> None:
        """Waits until a run of the cron has begun and ended."""
        # The one that is under way began earlier.
        runs = len(self.lines("cron_run"))
        self.until(lambda: len(self.lines("cron_run")) > runs + 1)

    def database(self) -> Path:
        """The file that the Worker has open."""
        return Path(self.dev.state()["database"])

    def delete_database(self, migrated: Path) -> None:
        """Somebody deletes it and makes a new one with all migrations, before anybody notices."""
        database = self.database()
        new = self.checkout.root / "new.sqlite"
        source = sqlite3.connect(f"file:{database_file(migrated)}?mode=ro", uri=True)
        with closing(source), closing(sqlite3.connect(new)) as rows, rows:
            source.backup(rows)
            rows.execute(NEW_IDENTITY)
        for file in database.parent.glob(f"{database.stem}*"):
            file.unlink()
        new.rename(database)
        self.until(lambda: f"{database.name} was deleted" in self.dev.said())

    def follow_runbook(self) -> dict[str, Output]:
        """Runs the commands of the runbook as they stand; every question is answered with yes."""
        outputs: dict[str, Output] = {}
        for line in commands_under(SECTION):
            assert line.startswith("./ppp "), line
            outputs[line] = self.checkout.shell(line, answer="y\n")
            assert outputs[line].code in {0, 1}, outputs[line]
        return outputs


def url_of(checkout: Checkout) -> str:
    """Where the Worker of its `make dev` answers."""
    return f"http://localhost:{checkout.ports[0]}"


def put_off_backups(checkout: Checkout) -> None:
    """Lets the Worker make no backup by the clock tonight, once it has made its first full one."""
    far = datetime.now(UTC) + timedelta(hours=12)
    constants = {
        "HOURLY_INTERVAL": "timedelta(days=1)",
        "FULL_AT": f"time({far.hour}, {far.minute})",
    }
    file = checkout.root / "src" / "services" / "backup" / "schedule.py"
    text = file.read_text(encoding="utf-8")
    for name, value in constants.items():
        pattern = re.compile(rf"^{name} = .*$", re.MULTILINE)
        text, number = pattern.subn(f"{name} = {value}", text)
        assert number == 1, name
    file.write_text(text, encoding="utf-8")


def inherit(checkout: Checkout, migrated: Path, events: int) -> None:
    """Leaves the checkout as after a `make dev` that has seen so many events."""
    state = checkout.root / ".wrangler" / "state"
    shutil.copytree(migrated, state)
    with closing(sqlite3.connect(database_file(state))) as database, database:
        database.executescript(VISIT)
        database.execute(INHERIT, (events,))
    prepared = checkout.run(sys.executable, "-c", PREPARE)
    assert prepared.code == 0, prepared


@dataclass(frozen=True, slots=True)
class StoredRows:
    """What a database holds: how often each event, and all of it as SQL."""

    keys: Counter[str]
    text: str


def stored_rows(database: Path) -> StoredRows:
    """Everything in a database whose Worker has ended."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as tables:
        keys = Counter(key for (key,) in tables.execute("SELECT event_key FROM tracking_events"))
        return StoredRows(keys, "\n".join(tables.iterdump()))
