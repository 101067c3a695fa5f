"""`ppp replay`: what waits is stored, each event once, however often it is interrupted."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pyodide_bundle import Bundle
from tests.harness.waiting import waiting_objects
from tests.harness.worker import running_worker
from tests.ops.asking import KEYS, READ_KEY, Service
from tests.ops.running import fails

# More than a portion.
EVENTS = 340
COUNT = "SELECT count(*) AS number FROM tracking_events WHERE event_key LIKE ?"
LOSE = "UPDATE database_identity SET id = 'another' || id"
FIND_AGAIN = "UPDATE database_identity SET id = substr(id, 8)"


@pytest.fixture(scope="module")
def service(local_config: Bundle) -> Iterator[Service]:
    with running_worker(env_vars={"API_KEYS": KEYS}) as worker:
        yield Service(worker)


def let_wait(service: Service, events: int, prefix: str, event_type: str = "pageview") -> None:
    for key, content in waiting_objects(events, event_type, prefix).items():
        service.worker.store(key, content)


def count(service: Service, prefix: str) -> int:
    [row] = service.worker.query(COUNT, f"{prefix}%")
    number: int = row["number"]
    return number


def test_everything_that_waits_is_stored_once_and_in_order(service: Service) -> None:
    let_wait(service, EVENTS, "all")
    assert service.json("replay", "--dry-run") == {"waiting": EVENTS}
    service.worker.act("clear_logs")
    outcome = service.json("replay")
    del outcome["seconds"]
    assert outcome == {"stored": EVENTS, "refused": 0, "parked": 0, "unreadable": 0, "waiting": 0}
    assert service.worker.stored_keys("waiting/") == []
    rows = service.worker.query("SELECT event_key FROM tracking_events ORDER BY id")
    assert [row["event_key"] for row in rows] == [f"all-event-{n:06}" for n in range(EVENTS)]
    [sessions] = service.worker.query("SELECT count(*) AS number FROM sessions")
    assert sessions["number"] == -(-EVENTS // 3)
    portions = [line for line in service.worker.log_lines() if line["event"] == "waiting_replayed"]
    assert len(portions) == 2
    assert sum(line["stored"] for line in portions) == EVENTS

    # A run that died after it had stored some, and before it removed them from R2.
    objects = waiting_objects(EVENTS, prefix="all")
    for key in list(objects)[:50]:
        service.worker.store(key, objects[key])
    assert service.json("replay")["stored"] == 50
    assert count(service, "all") == EVENTS


def test_leads_are_due_as_ever_and_what_no_pixel_takes_is_parked(service: Service) -> None:
    let_wait(service, 3, "lead", "form_submit")
    [(key, content)] = waiting_objects(1, prefix="stranger").items()
    service.worker.store(key, content.replace(b"ppp-demo-pixel", b"nobodys-pixel"))
    output = service.ppp("replay")
    assert output.code == 0
    assert "3 events stored of what waited, 1 parked until their pixels take them" in output.out
    due = service.worker.query(
        "SELECT 1 FROM tracking_events WHERE event_key LIKE 'lead%' AND pipedrive_due_at < '9999'"
    )
    assert len(due) == 3


def test_what_cannot_be_read_waits_on_and_is_said(service: Service) -> None:
    service.worker.store("waiting/00/20260501T120000000000Z-0.json", b'{"format": 2}')
    output = service.ppp("replay")
    assert output.code == 1
    assert "1 of another environment or version of the Worker wait on" in output.out
    service.worker.forget("waiting/00/20260501T120000000000Z-0.json")


def test_a_lost_database_gets_nothing(service: Service) -> None:
    assert service.worker.act("scheduled", cron="*/5 * * * *")["outcome"] == "ok"
    let_wait(service, 2, "lost")
    service.worker.query(LOSE)
    assert "The database is lost" in fails(service.ppp("replay"), 1)
    assert len(service.worker.stored_keys("waiting/")) == 2
    service.worker.query(FIND_AGAIN)
    assert service.json("replay")["stored"] == 2


def test_it_needs_the_key_of_an_admin(service: Service) -> None:
    assert "403" in fails(service.ppp("replay", key=READ_KEY), 3)
    assert service.ppp("replay", "--dry-run", key=READ_KEY).code == 0
