"""The runbook's blocks for production, to the letter: the real wrangler and Worker, a stand-in.

One production is looked at, loses its database and gets it back, in the order of these tests.
Visitors send events all the time, and none of those that were answered is gone in the end.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler

import pytest

from new_api_key import entry_of
from processes import kill_group
from pyodide_bundle import Bundle
from rehearsal.checkout_copy import copy_checkout
from rehearsal.new_production import build_production
from rehearsal.old_production import secret_values
from rehearsal.stage import PAUSE_SECONDS, Output, Stage
from rehearsal.traffic import Traffic
from services.core.stored_time import NEVER_DUE
from simulator.fields import demo_field_map
from simulator.server import simulator
from stand_in.production import production_hosts, production_settings
from stand_in.server import stand_in
from tests.harness.listening import listening
from tests.harness.prepared import worker_bundle
from tests.ops.runbook_blocks import blocks_by_heading, commands_under

KEY = "opens-production"
EVENTS, ARCHIVED = 300, 3
OVERVIEW = "## What is going on"
FIRST = "## Who is notified, and how fast somebody responds"
DAY = "## An archived day"
SITE = "## A client's site must stop, or its leads must not go to Pipedrive"
BACKUPS = "## Backups"
DRILL = "## The drill, once a month"
LOST = "#### In production"
NEVER_SENT = "## Leads that the JavaScript Worker never sent"
# tests/ops/test_night.py runs it.
LOCAL = "#### On this machine"
# tests/ops/test_stand_in_by_hand.py runs it.
BY_HAND = "## Deployment"
OTHER_PIXEL = "pixel-to-stop"
ADD_PIXEL = "INSERT INTO pixels (id, project_id, name) VALUES (?, 'project-1', 'to be stopped')"
ADD_OLD_EVENTS = """
INSERT INTO tracking_events (project_id, pixel_id, event_type, event_key, timestamp, created_at)
VALUES ('project-1', 'pixel-to-stop', 'pageview', ?1, '2026-01-31 12:00:00', '2026-01-31 12:00:00')
"""
# Leads from before the first deployment, as its migrations leave them.
ADD_LEAD = f"""
INSERT INTO tracking_events (
  project_id, pixel_id, event_type, form_data, pipedrive_due_at, timestamp, created_at
) VALUES (
  'project-1', 'pixel-1-shop', 'form_submit', '{{"email": "old@example.com"}}', '{NEVER_DUE}',
  datetime('now', '-30 days'), datetime('now', '-30 days')
)
"""
MAX_CRON_RUNS, COMMAND_SECONDS = 15, 120
READ_URLS = "SELECT page_url FROM tracking_events WHERE page_url LIKE '%/rehearsal/%'"


class Webhook(BaseHTTPRequestHandler):
    """Takes every alert."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


def outside(pipedrive: str, webhook_port: int) -> dict[str, str]:
    """What the Worker reaches."""
    return {
        "api.pipedrive.com": pipedrive,
        "hooks.example.com": f"http://127.0.0.1:{webhook_port}",
    }


@pytest.fixture(scope="module")
def stage(local_config: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A production that has run for a while, and the checkout of whoever looks after it."""
    folder = tmp_path_factory.mktemp("blocks")
    checkout = folder / "checkout"
    copy_checkout(checkout)
    shutil.copy(checkout / "config" / "oncall.example.toml", checkout / "config" / "oncall.toml")
    [host] = production_hosts()
    with (
        simulator() as pipedrive,
        listening(Webhook) as port,
        stand_in(folder / "cloud", (host,), outside(pipedrive.url, port)) as cloud,
    ):
        keys = json.dumps([entry_of("admin", "admin", KEY)])
        secrets = secret_values(keys, pipedrive.token, demo_field_map())
        control = cloud.cloud
        version = build_production(control, worker_bundle(), secrets, EVENTS)
        # The file holds the archive back as long as somebody may go back to the old Worker.
        [days] = [each for each in version.bindings if each["name"] == "ARCHIVE_DAYS"]
        days["text"] = "180"
        [database] = control.account.databases
        control.stop_workerd()
        with closing(sqlite3.connect(control.database_path(database.uuid))) as tables, tables:
            tables.execute(ADD_PIXEL, (OTHER_PIXEL,))
            tables.executemany(ADD_OLD_EVENTS, [(f"old-{n}",) for n in range(ARCHIVED)])
            tables.execute(ADD_LEAD)
        control.restart()
        with Traffic(host, cloud.variables(), lambda _: None) as traffic:
            running = Stage(cloud, checkout, pipedrive, traffic, KEY, EVENTS)
            running.variables["PPP_WATCH_SECONDS"] = "1"
            yield running


def run(stage: Stage, command: str, codes: tuple[int, ...] = (0,), answer: str = "") -> Output:
    """Runs a command of the runbook in a shell."""
    output = stage.shell(command, answer)
    assert output.code in codes, output
    assert "Traceback" not in output.text
    return output


def follow(stage: Stage, command: str, event: str) -> None:
    """Follows a log until it shows a line, while the cron runs and somebody tries a key."""
    log = stage.checkout.parent / "followed.log"
    with (
        log.open("w") as file,
        subprocess.Popen(
            shlex.split(command, comments=True),
            cwd=stage.checkout,
            env=stage.environment(),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            text=True,
            start_new_session=True,
        ) as process,
    ):
        try:
            for _ in range(MAX_CRON_RUNS):
                if event in log.read_text(encoding="utf-8"):
                    break
                time.sleep(PAUSE_SECONDS)
                stage.cron()
                stage.traffic.http.get("/api/projects", headers={"x-api-key": "unknown"})
            # As a terminal does: to all that the command has started.
            os.killpg(process.pid, signal.SIGINT)
            assert process.wait(COMMAND_SECONDS) == 0, log.read_text(encoding="utf-8")
        finally:
            kill_group(process)
    assert event in log.read_text(encoding="utf-8")


def alert_of(stage: Stage) -> str:
    """The first alert that is open."""
    [alert, *_] = stage.ppp("alerts", "--env", "production", "--json").json["problems"]
    return str(alert["problem"])


def test_every_block_of_the_runbook_is_run_by_a_test() -> None:
    covered = {OVERVIEW, FIRST, DAY, SITE, BACKUPS, DRILL, LOST, NEVER_SENT}
    assert blocks_by_heading().keys() == covered | {LOCAL, BY_HAND}


def test_what_somebody_looks_at(stage: Stage) -> None:
    stage.cron()
    status, leads, logs = commands_under(OVERVIEW)
    run(stage, status, (0, 1))
    run(stage, leads)
    follow(stage, logs, "cron_run")
    run(stage, commands_under(FIRST)[0]).expect(0, "Uploaded secret ON_CALL")

    list_all, verify, make = commands_under(BACKUPS)
    run(stage, make).expect(0, "verified")
    [newest] = re.findall(r"^\S+Z-manual", run(stage, list_all).out, re.MULTILINE)
    run(stage, verify.replace(" ID ", f" {newest} ")).expect(0, "are whole")
    [drill] = commands_under(DRILL)
    # The stand-in has no remote bindings, with which the restored database would be tried.
    run(stage, drill, (1,)).expect(1, "restored and proven", "problem: the smoke test was not run")


def test_an_archived_day_is_read_by_hand(stage: Stage) -> None:
    find, fetch, show = (
        command.replace("PIXEL_ID", OTHER_PIXEL) for command in commands_under(DAY)
    )
    stage.cron()
    stage.cron()
    [batch] = re.findall(r'"batch": "(.+)"', run(stage, find).out)
    [sha256] = re.findall(r'"sha256": "(\w+)"', run(stage, find).out)
    run(stage, fetch.replace("BATCH", batch))
    part = run(stage, show).out
    assert part.startswith(f"{sha256}  part.ndjson.gz\n")
    assert part.count('"event_key":"old-') == ARCHIVED


def test_a_site_stops_and_an_old_lead_is_sent(stage: Stage) -> None:
    stop, no_sync = commands_under(SITE)
    run(stage, stop.replace("PIXEL_ID", OTHER_PIXEL), answer="y\n")
    run(stage, no_sync.replace("PROJECT_ID", "project-1"), answer="y\n")
    listed, planned, sent = commands_under(NEVER_SENT)
    [lead] = re.findall(r'"id": (\d+)', run(stage, listed).out)
    run(stage, planned.replace("EVENT_ID", lead))
    run(stage, sent.replace("EVENT_ID", lead), answer="y\n")


def test_a_deleted_database_is_served_again_and_nothing_that_was_kept_is_lost(
    stage: Stage,
) -> None:
    lost_name = str(production_settings()["d1_databases"][0]["database_name"])
    stage.ppp("backup", "--env", "production", "--label", "before the loss").expect(0)
    first_lost = len(stage.traffic.addresses())
    stage.wrangler("d1", "delete", lost_name, "--skip-confirmation").expect(0)
    # Some of them came behind the backup's snapshot.
    stage.traffic.forget(0, max(first_lost, len(stage.traffic.addresses())))
    stage.cron()

    status, acknowledge, logs = commands_under(FIRST)[1:]
    run(stage, status, (1,)).expect(1, "do first")
    run(stage, acknowledge.replace("ALERT", alert_of(stage)).replace("NAME", "Kim")).expect(0)
    follow(stage, logs, "key_refused")

    outputs = dict[str, Output]()
    for command in commands_under(LOST):
        text = command.replace("NEW_ID", stage.database_id)
        outputs[command] = run(stage, text, (0, 1), answer="y\n")
        if command == "./ppp restore --env production":
            name_restored(stage, outputs[command].out)
    failed = {command for command, output in outputs.items() if output.code}
    # It still marks the alarm and the answers of the loss, as the runbook says.
    marked = {f"./ppp {name} --env production" for name in ("status", "alerts", "smoke")}
    assert failed <= marked
    # The visitors come from this address, too, and send what was not answered all at once.
    smoke = outputs["./ppp smoke --env production"].out.splitlines()
    assert [line for line in smoke if line.startswith("!") and "answered 429" not in line] == []
    stage.cron()
    stage.traffic.settle()
    assert not stage.traffic.unsent
    stored = stage.wrangler(
        *("d1", "execute", "DB", "--env", "production", "--remote", "--json", "--command"),
        READ_URLS,
    )
    [answer] = stored.expect(0).json
    urls = {row["page_url"] for row in answer["results"]}
    assert set(stage.traffic.addresses()) - urls == set()


def name_restored(stage: Stage, text: str) -> None:
    """Writes the two lines with which a restore ends into wrangler.toml."""
    [name] = re.findall(r'database_name = "(.+)"', text)
    [database_id] = re.findall(r'database_id = "(.+)"', text)
    stage.name_database(database_id, name)
