"""The models of attribution share each lead wholly, by their definitions."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.core.stored_time import format_stored_time
from services.reports.attribution_models import SHARES
from services.reports.breakdowns import BREAKDOWNS

LEAD_AT = datetime(2026, 6, 1, 12, tzinfo=UTC)
COLUMNS = (
    *("project_id", "pixel_id", "visitor_id", "session_id", "timestamp", "event_type"),
    *("form_outcome", "touch_origin", "utm_source", "utm_medium", "utm_campaign", "utm_content"),
    *("utm_term", "gclid", "fbclid", "msclkid", "ttclid", "twclid", "li_fat_id", "sc_click_id"),
    *("ad_group", "click_ids", "referrer_url", "page_url", "pipedrive_sync_status"),
)
OWN = ("page_url", "body", "referrer")


class Events:
    """The events of one pixel, in a database in memory."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self.database = database
        columns = ", ".join(COLUMNS)
        database.execute(f"CREATE TABLE tracking_events (id INTEGER PRIMARY KEY, {columns})")
        database.execute("CREATE TABLE pixels (id TEXT PRIMARY KEY, project_id TEXT)")
        database.execute("INSERT INTO pixels VALUES ('x', 'p')")

    def add(self, days: float = 0, source: str | None = None, **columns: object) -> None:
        """Adds a page view so many days before the leads; with a source, it has a touch."""
        event = {
            "project_id": "p",
            "pixel_id": "x",
            "visitor_id": "v",
            "session_id": f"s{days}",
            "timestamp": format_stored_time(LEAD_AT - timedelta(days=days)),
            "event_type": "pageview",
            "touch_origin": "page_url" if source else None,
            "utm_source": source,
            **columns,
        }
        marks = ", ".join("?" * len(event))
        names = ", ".join(event)
        self.database.execute(
            f"INSERT INTO tracking_events ({names}) VALUES ({marks})", tuple(event.values())
        )

    def lead(self, **columns: Any) -> None:  # noqa: ANN401  # of any column
        """Adds a form."""
        self.add(event_type="form_submit", **columns)

    def shares(self, model: str, window: int = 90, by: str = "source") -> dict[str, float]:
        """What each source gets of the leads."""
        parameters = {"pixel_id": "x", "from": "2026-01-01", "to": "2026-12-31", "window": window}
        page = {"rows": 1_000, "skipped": 0}
        statement = BREAKDOWNS[by, model]
        rows = self.database.execute(statement, (json.dumps({**parameters, **page}),))
        return {value: submissions for value, _, _, _, submissions in rows}


@contextmanager
def database() -> Iterator[Events]:
    connection = sqlite3.connect(":memory:")
    yield Events(connection)
    connection.close()


@pytest.fixture
def events() -> Iterator[Events]:
    with database() as journey:
        yield journey


def expected(model: str, ages: Sequence[float]) -> list[float]:
    """The share of each touch by the model's definition; the oldest touch is first."""
    number = len(ages)
    if model == "last_non_direct":
        return [0.0] * (number - 1) + [1.0]
    if model == "linear":
        return [1 / number] * number
    if model == "position":
        if number <= 2:
            return [1 / number] * number
        return [0.4, *[0.2 / (number - 2)] * (number - 2), 0.4]
    weights = [0.5 ** (age / 7) for age in ages]
    return [weight / sum(weights) for weight in weights]


AGES = st.lists(st.integers(0, 89), min_size=1, max_size=8).map(lambda ages: sorted(ages)[::-1])


@given(AGES)
def test_the_shares_are_those_of_the_definition_and_add_up_to_one(ages: list[int]) -> None:
    with database() as journey:
        for number, age in enumerate(ages):
            journey.add(age, f"source {number}")
        journey.lead()
        for model in SHARES:
            by_definition = {
                f"source {number}": share
                for number, share in enumerate(expected(model, ages))
                if share
            }
            shares = journey.shares(model)
            assert shares == pytest.approx(by_definition)
            assert sum(shares.values()) == pytest.approx(1)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["v", "w"]),
        st.sampled_from([None, "a", "b", "c"]),
        st.booleans(),
        st.integers(0, 200),
    ),
    max_size=12,
)


@given(STEPS, st.integers(1, 365))
def test_all_models_share_as_many_leads_as_there_are(
    steps: list[tuple[str, str | None, bool, int]], window: int
) -> None:
    with database() as journey:
        for visitor, source, is_lead, days in sorted(steps, key=lambda step: -step[3]):
            kind = "form_submit" if is_lead else "pageview"
            journey.add(days % 140, source, visitor_id=visitor, event_type=kind)
        leads = sum(is_lead for _, _, is_lead, _ in steps)
        for model in SHARES:
            assert sum(journey.shares(model, window).values()) == pytest.approx(leads)


def test_a_touch_is_in_the_window_to_its_last_second(events: Events) -> None:
    events.add(91, "too old")
    events.add(90, "just in time")
    events.lead()
    assert events.shares("linear") == {"just in time": 1}
    assert events.shares("linear", 91) == {"too old": 0.5, "just in time": 0.5}
    assert events.shares("linear", 89) == {"direct": 1}


def test_what_repeats_the_touch_before_it_in_a_session_is_none(events: Events) -> None:
    for source, session in (("a", "1"), ("a", "1"), ("b", "1"), ("a", "1"), ("a", "2")):
        events.add(1, source, session_id=session)
    events.add(1, "a", session_id="2", touch_origin="referrer")
    events.lead()
    assert events.shares("linear") == {"a": 0.75, "b": 0.25}


@pytest.mark.parametrize("model", SHARES)
def test_a_click_id_without_a_column_is_a_touch_of_its_network(events: Events, model: str) -> None:
    events.add(1, click_ids='{"gbraid":"0A"}', touch_origin="page_url")
    events.lead()
    for by, value in (("source", "google"), ("medium", "cpc"), ("click_id", "google")):
        assert events.shares(model, by=by) == {value: 1}


def test_cookies_of_the_browser_make_no_other_touch(events: Events) -> None:
    events.add(1, "a", session_id="1")
    events.add(1, "a", session_id="1", click_ids='{"fbp":"fb.1.2.3"}')
    events.add(1, "a", session_id="1", click_ids='{"rdt_cid":"R","fbp":"fb.1.2.3"}')
    events.add(1, "b", session_id="1")
    events.lead()
    assert events.shares("linear") == pytest.approx({"a": 2 / 3, "b": 1 / 3})


AD = {"utm_medium": "cpc", "gclid": "G", "click_ids": '{"gad_source":"1"}'}


@pytest.mark.parametrize(
    "later",
    [
        [{"utm_source": "google", "utm_medium": "cpc"}],
        [{"utm_source": "GOOGLE "}],
        [{"utm_source": "google", "utm_medium": "cpc", "gclid": "G"}],
        [{"utm_source": None, "gclid": "G"}, {"utm_source": "google", "utm_medium": "CPC"}],
        [{"utm_medium": "cpc"}, {"gclid": "G"}, {"utm_medium": "cpc"}, {"gclid": "g"}],
        [{"utm_medium": "cpc"}, {"utm_campaign": "brand", **AD}],
        [{"utm_source": None, "click_ids": '{"gad_source":"1","fbp":"fb.1.2.3"}'}],
        [{"click_ids": '{"gad_source":"1","utm_id":"7"}'}],
    ],
)
def test_a_click_with_and_without_its_parameters_is_one_touch(
    events: Events, later: list[dict[str, object]]
) -> None:
    events.add(7, "facebook")
    events.add(1, "google", session_id="1", **AD)
    for columns in later:
        touch = {"source": "google", "touch_origin": "page_url", "session_id": "1", **columns}
        events.add(1, **touch)  # type: ignore[arg-type]  # of any column
    events.lead(session_id="1")
    assert events.shares("linear") == {"facebook": 0.5, "google": 0.5}


def test_a_click_that_came_first_without_its_parameters_is_one_touch(events: Events) -> None:
    events.add(7, "facebook")
    events.add(1, gclid="G", touch_origin="page_url", session_id="1")
    events.add(1, "google", utm_campaign="brand", session_id="1", **AD)
    events.add(1, gclid="G", touch_origin="page_url", session_id="1")
    events.lead(session_id="1")
    assert events.shares("linear") == {"facebook": 0.5, "google": 0.5}


def test_a_click_id_alone_says_its_network(events: Events) -> None:
    events.add(7, "facebook")
    events.add(1, gclid="G", touch_origin="page_url", session_id="1")
    events.add(1, "Google", utm_medium="cpc", session_id="1")
    events.lead(session_id="1")
    assert events.shares("linear") == {"facebook": 0.5, "google": 0.5}


def test_whatever_is_new_makes_another_touch(events: Events) -> None:
    events.add(1, "a", session_id="1")
    events.add(1, "a", session_id="1", gclid="G2")
    events.add(1, "b", session_id="1")
    events.add(1, "a", session_id="1")
    events.lead(session_id="1")
    assert events.shares("linear") == {"a": 0.75, "b": 0.25}


def test_a_click_after_a_part_of_another_one_is_a_touch(events: Events) -> None:
    events.add(1, "google", session_id="1", utm_campaign="one", gclid="G1")
    events.add(1, "google", session_id="1")
    events.add(1, "google", session_id="1", utm_campaign="two", gclid="G2")
    events.add(1, "facebook", session_id="1")
    events.add(1, gclid="G2", touch_origin="page_url", session_id="1")
    events.lead(session_id="1")
    shares = events.shares("linear", by="campaign")
    assert shares == {"one": 0.25, "two": 0.25, "none": 0.5}


VALUES = st.sampled_from([None, "a", "b"])
PARAMETERS = st.fixed_dictionaries({"utm_source": VALUES, "utm_campaign": VALUES, "gclid": VALUES})
VISIT = st.lists(PARAMETERS, max_size=6)


def touches_of(visit: list[dict[str, str | None]]) -> list[dict[str, str | None]]:
    """The touches of a visit by the rule, in Python."""
    touches: list[dict[str, str | None]] = []
    names = ("utm_source", "utm_campaign", "gclid", "utm_medium")
    last: dict[str, str | None] = dict.fromkeys(names)
    for touch in visit:
        click = touch["gclid"] is not None
        values = {
            **touch,
            "utm_source": touch["utm_source"] or ("google" if click else None),
            "utm_medium": "cpc" if click else None,
        }
        present = {name: value for name, value in values.items() if value}
        contradicts = any(last[name] not in (None, value) for name, value in present.items())
        is_new = any(last[name] is None for name in present)
        is_same_click = click and last["gclid"] == touch["gclid"]
        if not touches or contradicts or (is_new and not is_same_click):
            touches.append(touch)
        last |= present
    return touches


@given(VISIT)
def test_the_touches_of_a_visit_are_those_of_the_rule(visit: list[dict[str, str | None]]) -> None:
    with database() as journey:
        for touch in visit:
            journey.add(1, None, session_id="1", **{"touch_origin": "page_url", **touch})
        journey.lead(session_id="1")
        touches = touches_of(visit)
        expected_shares = Counter(touch["utm_campaign"] or "none" for touch in touches)
        number = len(touches) or 1
        by_rule = {value: share / number for value, share in expected_shares.items()}
        assert journey.shares("linear", by="campaign") == pytest.approx(by_rule or {"none": 1})


def test_events_count_in_the_order_of_their_times(events: Events) -> None:
    events.add(0.1, "facebook", session_id="1")
    events.add(0.3, "google", session_id="1")
    events.lead(days=0.2, session_id="1")
    assert events.shares("last_non_direct") == {"google": 1}


def test_a_forged_lead_is_no_submission(events: Events) -> None:
    events.lead(source="a", visitor_id="w", pipedrive_sync_status="forged")
    events.lead(source="b", pipedrive_sync_status="synced")
    assert events.shares("linear") == {"b": 1}


@pytest.mark.parametrize("origin", ["page_url", None])
def test_odd_click_ids_lose_no_lead(events: Events, origin: str | None) -> None:
    events.lead(source="a", click_ids="{", touch_origin=origin)
    for model in SHARES:
        for by in ("source", "click_id"):
            assert sum(events.shares(model, by=by).values()) == 1


def test_what_came_after_the_lead_or_with_another_project_has_no_part(events: Events) -> None:
    events.add(2, "a")
    events.add(1, "of another project", project_id="q")
    events.add(1, "of another visitor", visitor_id="w")
    events.lead()
    events.add(0, "too late")
    events.lead(form_outcome="rejected")
    assert events.shares("linear") == {"a": 1}


def test_the_touch_of_the_form_itself_is_the_last_one(events: Events) -> None:
    events.add(7, "a")
    events.lead(source="b")
    assert events.shares("last_non_direct") == {"b": 1}
    assert events.shares("time_decay") == pytest.approx({"a": 1 / 3, "b": 2 / 3})


@pytest.mark.parametrize("origin", ["session", "visitor"])
def test_what_was_only_handed_on_is_no_touch(events: Events, origin: str) -> None:
    events.lead(utm_source="a", touch_origin=origin)
    assert events.shares("linear") == {"direct": 1}


def test_a_lead_of_the_old_worker_keeps_its_credit(events: Events) -> None:
    events.lead(utm_source="a")
    for model in SHARES:
        assert events.shares(model) == {"a": 1}


@pytest.mark.parametrize("origin", OWN)
def test_each_origin_of_its_own_is_a_touch(events: Events, origin: str) -> None:
    events.add(3, "a", touch_origin=origin)
    events.lead()
    assert events.shares("position") == {"a": 1}


def test_times_that_cannot_be_read_lose_no_lead(events: Events) -> None:
    events.add(3, "a", timestamp="2026-05-99")
    events.lead()
    for model in SHARES:
        assert sum(events.shares(model).values()) == pytest.approx(1)


@pytest.mark.parametrize("source", ["a", None])
def test_last_is_the_session_and_credit_the_visitor(events: Events, source: str | None) -> None:
    events.lead(utm_source="first", touch_origin="visitor")
    events.lead(utm_source=source, touch_origin="session" if source else None)
    credited = Counter({"first": 1, source or "direct": 1})
    assert {value: share for value, share in events.shares("credit").items() if share} == credited
    latest = Counter(["direct", source or "direct"])
    assert {value: share for value, share in events.shares("last").items() if share} == latest
