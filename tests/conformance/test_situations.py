"""Further situations of today's web: what the pixel makes of them, in real D1.

Some at a time, each with a visitor of its own: what takes time is to wait for the outcome.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Error as PlaywrightError

from tests.conformance.conftest import RecordLeads
from tests.conformance.engines import Engine
from tests.conformance.situations import Situation
from tests.conformance.table import SITUATIONS
from tests.conformance.test_conformance import person_in
from tests.conformance.visit import Visit, eventually, visiting
from tests.harness.worker import Worker

AT_A_TIME = 8
OUTCOME_SECONDS = 6.5  # after which the pixel has said what became of a form
KINDS = tuple(dict.fromkeys(situation.kind for situation in SITUATIONS))


def act(visit: Visit, situation: Situation) -> str:
    """What went wrong on the page, if anything did."""
    try:
        visit.open(f"situation/{situation.path}")
        situation.act(visit)
    except (AssertionError, PlaywrightError) as problem:
        return f"{situation.title}: {problem}"
    return ""


def judge(visit: Visit, situation: Situation, record: RecordLeads, engine: Engine) -> Iterator[str]:
    """What is wrong with the leads of a visit."""
    visit.look_further()
    eventually(lambda: len(visit.leads()) == situation.leads, seconds=1)
    leads = [person_in(row) for row in visit.leads() if row["form_data"]]
    record(engine.name, situation.name, len(leads))
    if len(leads) != situation.leads:
        yield f"{situation.title}: {len(leads)} leads, not {situation.leads}"
    for person in leads:
        if {"email": visit.email, **situation.person}.items() - person.items():
            yield f"{situation.title}: {person}"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("engine", ["Chromium"], indirect=True)
def test_a_situation_is_as_many_leads_as_it_is(
    engine: Engine, worker: Worker, kind: str, record_leads: RecordLeads
) -> None:
    problems: list[str] = []
    of_kind = [situation for situation in SITUATIONS if situation.kind == kind]
    for start in range(0, len(of_kind), AT_A_TIME):
        with ExitStack() as stack:
            visits = [
                (stack.enter_context(visiting(engine, worker, situation.markup)), situation)
                for situation in of_kind[start : start + AT_A_TIME]
            ]
            problems += filter(None, [act(*visit) for visit in visits])
            time.sleep(OUTCOME_SECONDS)
            for visit, situation in visits:
                problems += judge(visit, situation, record_leads, engine)
    assert problems == []
