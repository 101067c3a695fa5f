"""Which touch gets the credit: of an event by properties, of a lead by the documented journeys."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.reports.breakdowns import ATTRIBUTIONS
from tests.harness.keys import READ_KEY
from tests.harness.worker import Row, Worker, some_event, some_visitor

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "attribution.md"
PAGE = "https://shop.example/"
ADD_PROJECT = "INSERT INTO projects (id, name) VALUES (?, ?)"
ADD_PIXEL = "INSERT INTO pixels (id, project_id, name) VALUES (?, ?, ?)"
AGE_SESSIONS = """
UPDATE sessions SET
  started_at = datetime(started_at, '-' || ?2 || ' minutes'),
  last_activity = datetime(last_activity, '-' || ?2 || ' minutes')
WHERE visitor_id = (SELECT id FROM visitors WHERE visitor_cookie = ?1)
"""
SET_TIME = """
UPDATE tracking_events SET timestamp = datetime(?3, '-' || ?2 || ' days', '-1 minutes')
WHERE id = ?1
"""


def new_pixel(worker: Worker) -> str:
    """A pixel of a project of its own; both have the same id."""
    name = f"credit-{some_visitor()}"
    worker.query(ADD_PROJECT, name, name)
    worker.query(ADD_PIXEL, name, name, name)
    return name


# ---- the credit of an event ----------------------------------------------------------------------


@dataclass(frozen=True)
class View:
    """One event: in a new session or not, on which pixel, with which source."""

    opens_session: bool
    pixel: int
    source: str | None


VIEWS = st.lists(
    st.builds(View, st.booleans(), st.integers(0, 1), st.sampled_from([None, "a", "b", "c"])),
    min_size=1,
    max_size=7,
)


def credits_by_the_rule(views: Sequence[View]) -> Iterator[tuple[str | None, str | None]]:
    """The source and the origin of each event's credit."""
    firsts: dict[int, str] = {}
    latest: dict[int, str] = {}
    for view in views:
        if view.opens_session:
            latest.clear()
        if view.source:
            firsts.setdefault(view.pixel, view.source)
            latest[view.pixel] = view.source
            yield view.source, "page_url"
        elif view.pixel in latest:
            yield latest[view.pixel], "session"
        elif view.pixel in firsts:
            yield firsts[view.pixel], "visitor"
        else:
            yield None, None


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(VIEWS)
def test_an_event_is_credited_to_its_own_touch_its_sessions_latest_or_its_visitors_first(
    worker: Worker, views: list[View]
) -> None:
    pixels = [new_pixel(worker), new_pixel(worker)]
    cookie = some_visitor()
    credited = []
    for view in views:
        if view.opens_session:
            worker.query(AGE_SESSIONS, cookie, 60)
        query = f"?utm_source={view.source}" if view.source else ""
        event = some_event(
            visitor_cookie=cookie, pixel_id=pixels[view.pixel], page_url=PAGE + query
        )
        row = worker.event(worker.send(event).json()["event_id"])
        credited.append((row["utm_source"], row["touch_origin"]))
    assert credited == list(credits_by_the_rule(views))


# ---- the journeys of the document ----------------------------------------------------------------


@dataclass(frozen=True)
class Journey:
    """Events with their day, link, whether they are the form, and credit; shares by attribution."""

    title: str
    events: Sequence[tuple[int, str, bool, str]]
    shares: dict[str, dict[str, float]]


def table_rows(text: str) -> list[list[str]]:
    """The cells of each row of tables, without the line below a heading."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [
        [cell.strip().strip("`") for cell in line.strip("|").split("|")]
        for line in lines
        if not line.startswith("| ---")
    ]


def journeys() -> list[Journey]:
    """The journeys as they stand in the document."""
    parts = re.split(r"^### (A .*)\n", DOCUMENT.read_text(encoding="utf-8"), flags=re.MULTILINE)
    read = []
    for title, text in zip(parts[1::2], parts[2::2], strict=True):
        rows = table_rows(text.partition("\n## ")[0])
        [start] = [number for number, row in enumerate(rows) if row[0] == "attribution"]
        events = [
            (int(day), link, action == "sends the form", credit)
            for day, link, action, credit in rows[1:start]
        ]
        sources = rows[start][1:]
        shares = {
            row[0]: dict(zip(sources, map(float, row[1:]), strict=True))
            for row in rows[start + 1 :]
        }
        read.append(Journey(title, events, shares))
    return read


JOURNEYS = journeys()


def shares_of(worker: Worker, pixel: str, attribution: str) -> dict[str, float]:
    path = f"/api/reports/breakdown/{pixel}?by=source&attribution={attribution}"
    answer = worker.fetch(path, headers={"x-api-key": READ_KEY})
    assert answer.status == 200, answer.body
    rows: list[Row] = answer.json()["data"]["rows"]
    return {row["value"]: row["submissions"] for row in rows if row["submissions"]}


def test_the_document_has_three_journeys_with_every_attribution() -> None:
    assert len(JOURNEYS) == 3
    for journey in JOURNEYS:
        assert tuple(journey.shares) == ATTRIBUTIONS
        for shares in journey.shares.values():
            assert sum(shares.values()) == pytest.approx(1)


@pytest.mark.parametrize("journey", JOURNEYS, ids=lambda journey: journey.title)
def test_the_numbers_of_a_journey_are_those_of_the_product(keyed: Worker, journey: Journey) -> None:
    pixel, cookie = new_pixel(keyed), some_visitor()
    # One for all events: on a slow machine seconds pass between them.
    [start] = keyed.query("SELECT datetime('now') AS time")
    last_day, day_before = journey.events[-1][0], journey.events[0][0]
    for day, link, is_form, credit in journey.events:
        if day != day_before:
            keyed.query(AGE_SESSIONS, cookie, (day - day_before) * 1_440)
        day_before = day
        lead = {"event_type": "form_submit", "form_data": {"email": f"{cookie}@example.com"}}
        event = some_event(
            visitor_cookie=cookie,
            pixel_id=pixel,
            page_url=f"{PAGE}?{link}" if link else PAGE,
            **(lead if is_form else {}),
        )
        answer = keyed.send(event).json()
        assert answer["attribution"]["source"] == credit
        keyed.query(SET_TIME, answer["event_id"], last_day - day, start["time"])
    for attribution, shares in journey.shares.items():
        with_a_share = {source: share for source, share in shares.items() if share}
        assert shares_of(keyed, pixel, attribution) == with_a_share, attribution
