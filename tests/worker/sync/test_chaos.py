"""Whatever goes wrong, in whatever order: every lead ends, and no person goes back in time."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor

import pytest

from simulator.faults import Fault
from tests.harness.sync import CRON, FIELDS, Lab, some_email

PERSONS = 12
ROUNDS = 8
LEADS_A_ROUND = 6
FAULTS = [
    ("timeout", 2.0),
    ("hang_after", 2.0),
    ("slow", 0.2),
    *((kind, 0.0) for kind in ("server_error", "bad_gateway", "reset", "broken_json", "empty")),
    *((kind, 0.0) for kind in ("too_many_requests", "unauthorized", "blocked")),
]
OPERATIONS = ("search", "person", "update", None)


@pytest.mark.parametrize("seed", [1, 3])
def test_every_lead_ends_and_no_person_goes_back_in_time(lab: Lab, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311  # a test that can be repeated
    addresses = [(some_email(), some_email()) for _ in range(PERSONS)]
    persons = [lab.pipedrive.account.add_person("Jane", emails) for emails in addresses]
    sent: dict[int, int] = {}  # the person of each event

    for _ in range(ROUNDS):
        for _ in range(LEADS_A_ROUND):
            person_index = chance.randrange(PERSONS)
            sent[lab.submit(chance.choice(addresses[person_index]))] = persons[person_index]
        for _ in range(3):
            kind, seconds = chance.choice(FAULTS)
            operation, times = chance.choice(OPERATIONS), chance.randint(1, 4)
            lab.pipedrive.faults.add(Fault(kind, operation, times=times, seconds=seconds))
        if chance.random() < 0.3:
            lab.worker.act("kv_clear")
        _some_time_passes(lab, chance)
        with ThreadPoolExecutor(2) as runs:
            for _ in range(chance.randint(1, 2)):
                runs.submit(lab.worker.act, "scheduled", cron=CRON)

    lab.pipedrive.faults.clear()
    for _ in range(4):
        lab.sync()

    assert {event: lab.status(event) for event in sent} == {
        event: ("synced", str(person)) for event, person in sent.items()
    }
    for person in set(sent.values()):
        written = [
            write.custom_fields[FIELDS["event_id"]]
            for write in lab.pipedrive.account.person(person).writes
        ]
        assert written == sorted(written, key=_number)
        assert written[-1] == max(
            event for event, person_index in sent.items() if person_index == person
        )


def _number(value: object) -> int:
    assert isinstance(value, int)
    return value


def _some_time_passes(lab: Lab, chance: random.Random) -> None:
    """For some leads it does, and for none that is being sent by somebody else."""
    if chance.random() < 0.5:
        lab.time_passes()
        return
    lab.worker.query(
        "UPDATE tracking_events SET pipedrive_due_at = '2026-01-01' "
        "WHERE event_type = 'form_submit' AND pipedrive_sync_status IS NULL "
        "AND pipedrive_due_at < '9999' AND id % 2 = ?",
        chance.randrange(2),
    )
