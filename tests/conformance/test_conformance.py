"""Every way to send a form, in every engine: what the pixel makes of it, in real D1."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from tests.conformance.conftest import RecordLeads
from tests.conformance.engines import Engine
from tests.conformance.scenarios import SCENARIOS, Kind, Scenario
from tests.conformance.site import SECRETS
from tests.conformance.visit import Visit, eventually, visiting
from tests.harness.worker import Row, Worker

ACCEPTED_SECONDS = 6.0
SETTLE_SECONDS = 0.3  # a second event would be on its way by then


def id_of(scenario: Scenario) -> str:
    return scenario.name


def settled_leads(visit: Visit, expected_leads: int) -> list[Row]:
    """The leads after a further page view, with which the pixel has said all that it had to."""
    visit.look_further()
    eventually(lambda: len(visit.leads()) == expected_leads, seconds=1)
    time.sleep(SETTLE_SECONDS)
    return visit.leads()


def person_in(row: Row) -> dict[str, Any]:
    person: dict[str, Any] = json.loads(row["form_data"])
    return person


@pytest.mark.parametrize("scenario", SCENARIOS, ids=id_of)
def test_a_form_is_as_many_leads_as_it_was_sent(
    engine: Engine, worker: Worker, scenario: Scenario, record_leads: RecordLeads
) -> None:
    record_leads(engine.name, scenario.name, None)
    with visiting(engine, worker) as visit:
        scenario.act(visit)
        if scenario.leads and scenario.kind is not Kind.UNCERTAIN:
            assert eventually(lambda: all(map(visit.site.knows, visit.emails))), "never sent"
        unaided = eventually(lambda: len(visit.leads()) >= scenario.leads)
        time.sleep(scenario.patience)
        leads = settled_leads(visit, scenario.leads)
    record_leads(engine.name, scenario.name, len(leads))
    people = [person_in(row) for row in leads]
    assert len(leads) == scenario.leads, people
    assert unaided, "the lead came only with a later page of the site"
    assert all(person.items() >= scenario.person.items() for person in people)
    if scenario.leads:
        assert sorted(person["email"] for person in people) == sorted(visit.emails)
    sent = "\n".join(request.body for request in visit.road.requests)
    assert [secret for secret in SECRETS if secret in sent] == []


@pytest.mark.parametrize(
    "scenario",
    [scenario for scenario in SCENARIOS if scenario.name in {"ajax", "formless"}],
    ids=id_of,
)
def test_a_form_that_the_site_took_is_accepted(
    engine: Engine, worker: Worker, scenario: Scenario
) -> None:
    with visiting(engine, worker) as visit:
        scenario.act(visit)

        def outcomes() -> list[object]:
            return [row.get("form_outcome") for row in visit.leads()]

        eventually(lambda: outcomes() == ["accepted"], ACCEPTED_SECONDS)
        assert outcomes() == ["accepted"]
