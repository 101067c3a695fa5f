"""A Worker and the Pipedrive simulator that it sends its leads to."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from services.core.stored_time import NEVER_DUE
from simulator.fields import demo_field_map
from simulator.server import Simulator, simulator
from tests.harness.openapi import check_requests
from tests.harness.worker import Row, Worker, running_worker, some_event

CRON = "*/5 * * * *"
FIELDS = demo_field_map()
NAMES = {key: name for name, key in FIELDS.items()}
# No pauses where a test is not about them.
QUICK = {
    "LOG_LEVEL": "info",
    "SYNC_DELAY_SECONDS": "420",
    "PIPEDRIVE_WINDOW_MS": "1",
    "PIPEDRIVE_TIMEOUT_SECONDS": "1",
    "PIPEDRIVE_BACKOFF_MS": "10",
    "SYNC_LEAD_SECONDS": "12",
    "SYNC_LEASE_SECONDS": "30",
}


@dataclass(frozen=True, slots=True)
class Lab:
    """The two, and what tests do with them."""

    worker: Worker
    pipedrive: Simulator

    def clean(self) -> None:
        """Leaves nothing pending, remembered or wrong from an earlier test."""
        check_requests(self.pipedrive.requests)
        self.pipedrive.forget()
        limits = self.pipedrive.limits
        limits.requests_per_window = limits.searches_per_window = limits.daily_tokens = None
        self.worker.act("kv_clear")
        self.worker.query(
            "UPDATE tracking_events SET pipedrive_sync_status = 'error' "
            "WHERE event_type = 'form_submit' AND pipedrive_sync_status IS NULL"
        )
        self.worker.query(
            "UPDATE tracking_events SET pipedrive_due_at = ? "
            "WHERE event_type = 'form_submit' AND pipedrive_sync_status = 'rejected'",
            NEVER_DUE,
        )
        self.worker.query("DELETE FROM pipedrive_accounts")
        self.worker.query("DELETE FROM job_runs")

    def submit(self, email: str, **fields: object) -> int:
        """Sends a form and returns its event's id; the two names go into the form."""
        names: dict[str, object] = {
            name: fields.pop(name) for name in ("first_name", "last_name") if name in fields
        }
        event = some_event(
            event_type="form_submit",
            form_data={"email": email, **names},
            **{"event_key": secrets.token_hex(8), **fields},
        )
        answer = self.worker.send(event)
        assert answer.status_code == 200, answer.text
        event_id: int = answer.json()["event_id"]
        return event_id

    def person(self, email: str, name: str = "Jane Doe") -> int:
        """Adds a person to the account."""
        return self.pipedrive.account.add_person(name, [email])

    def time_passes(self) -> None:
        """Everything pending is due, its timers included, and every breaker and pause is over."""
        self.worker.query(
            "UPDATE tracking_events SET pipedrive_due_at = '2026-01-01 00:00:00' "
            "WHERE event_type = 'form_submit' AND pipedrive_sync_status IS NULL "
            "AND pipedrive_due_at < '9999'"
        )
        past = "2026-01-01T00:00:00.000+00:00"
        self.worker.query(
            "UPDATE pipedrive_accounts SET open_until = iif(state = 'open', ?, NULL), "
            "paused_until = NULL",
            past,
        )

    def run(self) -> Row:
        """One cron run; returns the line in which the sync sums up, or {} where there is none."""
        self.worker.act("clear_logs")
        assert self.worker.act("scheduled", cron=CRON)["outcome"] == "ok"
        lines = [line for line in self.worker.log_lines() if line["event"].startswith("sync_")]
        return lines[-1] if lines else {}

    def sync(self) -> Row:
        """Time passes, and the cron runs."""
        self.time_passes()
        return self.run()

    def status(self, event_id: int) -> tuple[str | None, str | None]:
        """Where a submission stands: its status and the person's id."""
        row = self.worker.event(event_id)
        return row["pipedrive_sync_status"], row["pipedrive_person_id"]

    def reason(self, event_id: int) -> str:
        """What the row says about its status."""
        return self.worker.event(event_id)["pipedrive_sync_reason"] or ""

    def written(self, person_id: int) -> Mapping[str, object]:
        """The values of a person's fields by our names; empty fields are left out."""
        fields = self.pipedrive.account.person(person_id).custom_fields
        return {NAMES[key]: value for key, value in fields.items() if value is not None}


def some_email() -> str:
    """An e-mail address that no other test uses."""
    return f"{secrets.token_hex(6)}@example.com"


def settings_for(pipedrive: Simulator) -> dict[str, str]:
    """The settings with which a Worker uses a simulator."""
    return {
        **QUICK,
        "PIPEDRIVE_API_KEY": pipedrive.token,
        "PIPEDRIVE_URL": pipedrive.api_url,
        "PIPEDRIVE_FIELDS": json.dumps(FIELDS),
    }


@contextmanager
def running_lab(**env_vars: str) -> Iterator[Lab]:
    """A Worker with a simulator of its own; at the end its requests are checked as a whole."""
    with simulator() as pipedrive:
        with running_worker(env_vars={**settings_for(pipedrive), **env_vars}) as worker:
            lab = Lab(worker, pipedrive)
            lab.clean()
            yield lab
        check_requests(pipedrive.requests)


def wait_until(condition: Callable[[], object], seconds: float = 10) -> None:
    """Waits until a condition holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
