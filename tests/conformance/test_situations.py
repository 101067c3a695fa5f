"""Further situations of today's web: what the pixel makes of them, in real D1.

Some at a time, by one visitor, each on a site of its own: what takes time is to wait for the
outcome, and a new visitor costs a browser more than a new tab.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Error as PlaywrightError

from tests.conformance.conftest import RecordLeads
from tests.conformance.engines import ChromiumVisitor, Engine
from tests.conformance.situations import Situation
from tests.conformance.table import SITUATIONS
from tests.conformance.test_conformance import person_in
from tests.conformance.visit import Visit, eventually, visit_of
from tests.harness.worker import Worker

AT_A_TIME = 12
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
    try:
        visit.look_further()
    except (AssertionError, PlaywrightError) as problem:
        yield f"{situation.title}: {problem}"
    eventually(lambda: len(visit.leads()) == situation.leads)
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
    siblings = [situation for situation in SITUATIONS if situation.kind == kind]
    for start in range(0, len(siblings), AT_A_TIME):
        with ExitStack() as stack:
            somebody = stack.enter_context(engine.visitor())
            assert isinstance(somebody, ChromiumVisitor)
            visits = []
            for situation in siblings[start : start + AT_A_TIME]:
                opening = visit_of(somebody.in_another_tab(), worker, situation.markup)
                visits.append((stack.enter_context(opening), situation))
            problems += filter(None, [act(*visit) for visit in visits])
            time.sleep(OUTCOME_SECONDS)
            for visit, situation in visits:
                problems += judge(visit, situation, record_leads, engine)
    assert problems == []
