"""The night in which the database is deleted, by the runbook's own commands.

A client's page is open in Chromium the whole time. What only the deleted database held is named and
is lost; everything else that the browser sent is there in the end, once. `NIGHT_EVENTS=2000,50`
sets how many events come before the backup and how many after it; else they are 60 and 10.
"""

from __future__ import annotations

import json
import os
import signal
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page

from pyodide_bundle import Bundle
from tests.browser.client_site import FORM, PAGES, WAITING, ClientSite, client_site, with_pixel
from tests.harness.chromium import running_chromium
from tests.harness.road import Road, running_road
from tests.harness.worker import BROWSER, PIXEL, some_address, some_event, some_visitor
from tests.ops.runbook_blocks import commands_under
from tests.ops.running import Output
from tests.tools import checkout as checkouts
from tests.tools.checkout import Checkout, Dev, new_checkout, until

# The Worker starts three times and wrangler many more, on a machine that may be busy.
pytestmark = pytest.mark.timeout(1_200)

SECTION = "#### On this machine"
RESTORE = "./ppp restore --local"
BEFORE_BACKUP, AFTER_BACKUP = map(int, os.environ.get("NIGHT_EVENTS", "60,10").split(","))
LEADS = 10
INHERITED = BEFORE_BACKUP - LEADS
# The cron runs more often than `make dev` has it, so that nobody waits for it.
CRON = "worker.CRON_SECONDS = 4"
PAUSE_MS = 400
FORMS = range(3)
ERASED = "erased@example.com"
PREPARE = """
from local_config import prepare_local_config
from dev_database import local_database, prepare_database
prepare_local_config()
prepare_database()
print(local_database())
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
VISIT = """
INSERT INTO visitors (id, visitor_cookie) VALUES ('visitor', 'pxl_0123456789abcdef');
INSERT INTO sessions (id, visitor_id, session_cookie) VALUES ('session', 'visitor', 'session');
"""
# What status may mark a minute after the restore, by the runbook: the loss itself.
EXPLAINED = ("do first", "alert", "last hour")


def email_of(number: int) -> str:
    return f"night{number}@example.com"


@dataclass
class Browsing:
    """Somebody who goes from page to page of a client's site until the night is over."""

    site: ClientSite
    road: Road
    is_over: Event = field(default_factory=Event)
    is_form_due: Event = field(default_factory=Event)
    forms_sent: int = 0
    problem: BaseException | None = None
    waiting: list[str] = field(default_factory=list)

    def run(self) -> None:
        try:
            self._browse()
        except BaseException as error:  # noqa: BLE001  # shown by the test, which waits for it
            self.problem = error

    def _browse(self) -> None:
        with running_chromium() as browser:
            page = browser.new_page()
            while not self.is_over.is_set():
                self._visit(page, "/")
                if self.is_form_due.is_set():
                    self._visit(page, f"/form{self.forms_sent}")
                    page.get_by_role("button", name="Send").click()
                    page.wait_for_url("**/thank-you")
                    self.is_form_due.clear()
                    self.forms_sent += 1
            # What the browser kept comes with the next pages.
            for _ in range(60):
                self._visit(page, "/")
                self.waiting = page.evaluate(WAITING)
                if not self.waiting:
                    break

    def _visit(self, page: Page, path: str) -> None:
        # The limits are by address, and this is about another thing.
        self.road.address = some_address()
        page.goto(self.site.url + path)
        page.wait_for_timeout(PAUSE_MS)

    def fill_in_form(self) -> None:
        """Has one more form sent, and waits for that."""
        forms = self.forms_sent
        self.is_form_due.set()
        until(lambda: self.forms_sent > forms or self.problem)

    def sent(self) -> list[tuple[str, str, int]]:
        """Key, e-mail address and status of each event that came along, in order."""
        sent = []
        for request in list(self.road.events):
            event = json.loads(request.body)
            address = (event.get("form_data") or {}).get("email", "")
            sent.append((event["event_key"], address, request.status))
        return sent

    def answered(self) -> set[str]:
        """The keys of the events that a database took."""
        return {key for key, _, status in self.sent() if status == 200}


@contextmanager
def browsing(url: str) -> Iterator[Browsing]:
    """Somebody browses until the block ends, and then until the browser keeps nothing more."""
    with running_road(url) as road, client_site(road.url, PIXEL) as site:
        pages = {
            f"/form{number}": with_pixel(FORM.replace("ada@example.org", email_of(number)))
            for number in FORMS
        }
        site.pages = {**PAGES, **pages}
        person = Browsing(site, road)
        thread = Thread(target=person.run, daemon=True)
        thread.start()
        yield person
        person.is_over.set()
        thread.join(300)


@dataclass(frozen=True, slots=True)
class Night:
    """A checkout with a running `make dev`, and what somebody does there."""

    checkout: Checkout
    dev: Dev

    @property
    def url(self) -> str:
        return f"http://localhost:{self.checkout.ports[0]}"

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
        answer = httpx.post(
            f"http://127.0.0.1:{self.checkout.ports[2]}/simulator/persons",
            json={"name": email, "email": email},
        )
        assert answer.status_code == 201

    def writes(self) -> dict[str, int]:
        """How often each person was written, by address."""
        state = httpx.get(f"http://127.0.0.1:{self.checkout.ports[2]}/simulator/state").json()
        return {email: row["writes"] for row in state["persons"] for email in row["emails"]}

    def lines(self, event: str) -> list[dict[str, Any]]:
        """The Worker's log lines of this kind so far."""
        lines = [line for line in self.dev.said().splitlines() if f'"event": "{event}"' in line]
        return [json.loads(line) for line in lines if line.endswith("}")]

    def await_cron(self) -> None:
        """Waits until the next run of the cron has ended."""
        runs = len(self.lines("cron_run"))
        until(lambda: len(self.lines("cron_run")) > runs)

    def backups(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.checkout.ppp("backups", "--local", "--json").json
        return rows

    def database(self) -> Path:
        return Path(self.dev.state()["database"])


def inherit(checkout: Checkout) -> None:
    """Leaves the checkout as after a `make dev` that has seen many events."""
    output = checkout.run(*checkout.command()[:1], "-c", PREPARE)
    assert output.code == 0, output
    with closing(sqlite3.connect(output.out.split()[-1])) as database, database:
        database.executescript(VISIT)
        database.execute(INHERIT, (INHERITED,))


def delete_database(night: Night) -> None:
    """Deletes it as an operator does by mistake; `make dev` makes an empty one, migrated."""
    worker = night.dev.state()["worker"]
    database = night.database()
    for file in database.parent.glob(f"{database.stem}*"):
        file.unlink()
    until(lambda: night.dev.state()["worker"] != worker)
    assert "the database is not the one that was here" in night.dev.said()


def follow_runbook(night: Night) -> dict[str, Output]:
    """Runs the commands of the runbook as they stand; every question is answered with yes."""
    outputs: dict[str, Output] = {}
    for line in commands_under(SECTION):
        assert line.startswith("./ppp "), line
        outputs[line] = night.checkout.shell(line, answer="y\n")
        assert outputs[line].code in {0, 1}, outputs[line]
    return outputs


def unexplained(status: Output) -> list[str]:
    """The lines that `status` marks, and that the runbook does not explain."""
    lines = [line[1:].strip() for line in status.out.splitlines() if line.startswith("!")]
    return [line for line in lines if not line.startswith(EXPLAINED)]


def stored_rows(database: Path) -> tuple[Counter[str], str]:
    """How often each event is stored, and everything that forms said."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as tables:
        rows = tables.execute("SELECT event_key, form_data FROM tracking_events").fetchall()
    return Counter(key for key, _ in rows), " ".join(form or "" for _, form in rows)


@pytest.fixture
def checkout(local_config: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checkout:
    monkeypatch.setattr(checkouts, "PATIENCE_SECONDS", 600)
    return new_checkout(tmp_path / "checkout")


def test_a_deleted_database_comes_back_by_the_runbook_alone(checkout: Checkout) -> None:
    inherit(checkout)
    with checkout.dev(CRON) as dev:
        dev.state()
        night = Night(checkout, dev)
        for number in FORMS:
            night.add_person(email_of(number))
        for number in range(LEADS):
            night.send(f"before-lead-{number:03}", ERASED if number == 7 else "jane@example.com")
        with browsing(night.url) as person:
            person.fill_in_form()
            loss = lose_database(night, person)
            outputs = follow_runbook(night)
            night.await_cron()
        assert person.problem is None
        assert person.waiting == []
        assert_recovered(night, loss, outputs)
        database = night.database()
        dev.end(signal.SIGTERM)
    assert_complete(database, person, loss, outputs[RESTORE])


@dataclass(frozen=True, slots=True)
class Loss:
    """What was when the database was deleted. Keys are those that it had answered till then."""

    backup: str
    keys_before_backup: set[str]
    keys_after_backup: set[str]
    lost_keys: set[str]
    backups: list[dict[str, Any]]
    leads: set[str]


def lose_database(night: Night, person: Browsing) -> Loss:
    """A backup, some events, an erasure, the deletion, and a while until somebody notices."""
    before_backup = person.answered()
    backup = night.checkout.ppp("backup", "--local", "--json").json["id"]
    after_backup = person.answered()
    for number in range(AFTER_BACKUP):
        night.send(f"after-backup-{number:03}")
    erased = night.checkout.ppp("privacy", "erase", "--local", "--yes", answer=f"{ERASED}\n")
    assert erased.code == 0, erased
    night.await_cron()
    backups = night.backups()

    delete_database(night)
    lost_keys = person.answered()
    night.send("before-the-next-cron", status=503)
    until(lambda: "database_lost" in {row["problem"] for row in night.lines("alert")})
    for _ in FORMS[1:]:
        person.fill_in_form()
    assert person.answered() == lost_keys
    leads = {address for key, address, _ in person.sent() if key not in lost_keys} - {""}
    assert leads
    assert night.backups() == backups
    return Loss(backup, before_backup, after_backup, lost_keys, backups, leads)


def assert_recovered(night: Night, loss: Loss, outputs: dict[str, Output]) -> None:
    restored = outputs[RESTORE]
    assert restored.code == 0, restored
    assert f"chosen: {loss.backup}" in restored.out
    assert "stored of what waited" in restored.out
    assert unexplained(outputs["./ppp status --local"]) == []
    until(lambda: httpx.get(f"{night.url}/health", timeout=60).status_code == 200)
    ended = {row["problem"] for row in night.lines("alert") if row["state"] == "over"}
    assert "database_lost" in ended
    # The leads of the loss are sent once, when their time has come.
    until(lambda: all(night.writes()[address] for address in loss.leads))
    night.await_cron()
    assert {night.writes()[address] for address in loss.leads} == {1}
    count = night.checkout.ppp("replay", "--local", "--dry-run", "--json")
    assert count.json == {"waiting": 0}
    assert {row["id"] for row in loss.backups} <= {row["id"] for row in night.backups()}


def assert_complete(database: Path, person: Browsing, loss: Loss, restored: Output) -> None:
    """Everything is there once, but what only the deleted database had: that is named."""
    stored, forms_said = stored_rows(database)
    sent = {key for key, _, _ in person.sent()}
    lost_with_database = loss.lost_keys - loss.keys_before_backup
    assert sent - lost_with_database - stored.keys() == set()
    assert {key: stored[key] for key in sent if stored[key] > 1} == {}
    assert stored["before-the-next-cron"] == 1
    assert sum(str(key).startswith("inherited-") for key in stored) == INHERITED
    assert sum(str(key).startswith("before-lead-") for key in stored) == LEADS - 1
    assert ERASED not in forms_said
    missing = {f"after-backup-{number:03}" for number in range(AFTER_BACKUP)}
    assert missing.isdisjoint(stored)
    missing |= lost_with_database - stored.keys()
    [line] = [line for line in restored.out.splitlines() if line.startswith("not in the backup: ")]
    assert AFTER_BACKUP <= int(line.split()[4].replace(",", "")) <= len(missing) + 1
