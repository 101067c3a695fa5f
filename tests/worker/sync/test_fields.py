"""What is written onto a person, field by field."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

import pytest

from services.core.click_ids import CLICK_FIELDS, CLICK_ID_COLUMNS
from services.pipedrive.fields import FIELD_NAMES, TOUCH_FIELDS
from tests.harness.sync import FIELDS, Lab, running_lab, some_email
from tests.harness.worker import BROWSER, PIXEL, PROJECT, some_event, some_visitor

SHOP = "https://shop.example"
AD = (
    "/?utm_source=google&utm_medium=cpc&utm_campaign=spring&utm_content=red&utm_term=shoes"
    "&gclid=G1&campaign_region=eu&ad_group=A&ad_id=7&search_query=red+shoes"
    "&gbraid=0A&gad_source=1&utm_id=7"
)
MUNICH = {"country": "DE", "region": "Bavaria", "city": "Munich"}


@pytest.fixture(scope="module")
def berlin(local_config: object) -> Iterator[Lab]:
    """A Worker whose marketers look at a clock in Berlin."""
    with running_lab(SYNC_TIME_ZONE="Europe/Berlin") as lab:
        yield lab


def visit(lab: Lab, cookie: str, path: str, **fields: object) -> int:
    """One event as Cloudflare delivers it; returns its id."""
    event = some_event(
        visitor_cookie=cookie,
        page_url=SHOP + path,
        page_title=f"Title of {path.partition('?')[0]}",
        screen={"width": 1920, "height": 1080},
        **fields,
    )
    answer = lab.worker.deliver(event, "192.0.2.7", MUNICH)
    assert answer.status == 200, answer.body
    event_id: int = answer.json()["event_id"]
    return event_id


def happened_at(lab: Lab, event_id: int, time: str) -> None:
    """Moves one event to its time, and its visitor's first touch to no later one."""
    lab.worker.query("UPDATE tracking_events SET timestamp = ? WHERE id = ?", time, event_id)
    lab.worker.query(
        "UPDATE visitors SET first_touches = ("
        " SELECT json_group_object(key, json_set(value, '$.at', min(value ->> 'at', ?)))"
        " FROM json_each(first_touches)"
        ") WHERE first_touches IS NOT NULL"
        " AND id = (SELECT visitor_id FROM tracking_events WHERE id = ?)",
        time,
        event_id,
    )


def session_lasted(lab: Lab, event_id: int, started: str, ended: str) -> None:
    session = lab.worker.event(event_id)["session_id"]
    lab.worker.query(
        "UPDATE sessions SET started_at = ?, last_activity = ? WHERE id = ?",
        started,
        ended,
        session,
    )


def test_the_whole_table_of_one_realistic_journey(berlin: Lab) -> None:
    """An ad click and three pages; two days later a return without parameters, and the form."""
    lab, cookie, email = berlin, some_visitor(), some_email()
    lab.clean()
    person = lab.person(email)
    first_visit = [
        visit(lab, cookie, AD, referrer_url="https://www.google.com/"),
        visit(lab, cookie, "/shoes"),
        visit(lab, cookie, "/shoes/red?size=42"),
    ]
    for minute, event in enumerate(first_visit):
        happened_at(lab, event, f"2025-01-25 09:0{minute}:00")
    session_lasted(lab, first_visit[0], "2025-01-25 09:00:00", "2025-01-25 09:02:00")

    return_visit = visit(lab, cookie, "/")
    form = visit(
        lab,
        cookie,
        "/contact",
        fbp="fb.1.17.9",
        referrer_url=f"{SHOP}/",
        event_type="form_submit",
        event_key=some_visitor(),
        form_data={"email": email, "first_name": "Jane", "last_name": "Doe"},
    )
    thanks = visit(lab, cookie, "/thank-you", referrer_url=f"{SHOP}/contact")
    for event, time in ((return_visit, "12:07:00"), (form, "13:29:10"), (thanks, "13:30:00")):
        happened_at(lab, event, f"2025-01-27 {time}")
    session_lasted(lab, form, "2025-01-27 12:07:00", "2025-01-27 13:30:00")
    row = lab.worker.event(form)
    assert row["session_id"] != lab.worker.event(first_visit[0])["session_id"]

    assert lab.sync()["synced"] == 1

    expected: dict[str, object] = {
        "utm_source": "google",
        "utm_medium": "cpc",
        "utm_campaign": "spring",
        "utm_content": "red",
        "utm_term": "shoes",
        "gclid": "G1",
        "campaign_region": "eu",
        "ad_group": "A",
        "ad_id": "7",
        "search_query": "red shoes",
        "gbraid": "0A",
        "gad_source": "1",
        "utm_id": "7",
        "fbp": "fb.1.17.9",
        "first_touch_source": "google",
        "first_touch_medium": "cpc",
        "first_touch_campaign": "spring",
        "last_touch_source": "google",
        "last_touch_medium": "cpc",
        "last_touch_campaign": "spring",
        "page_url": f"{SHOP}/contact",
        "page_title": "Title of /contact",
        "referrer_url": f"{SHOP}/",
        "visited_pages": ", ".join(
            f"{SHOP}{path}"
            for path in ("/thank-you", "/contact", "/", "/shoes/red?size=42", "/shoes")
        ),
        "last_visited_on": "January 27, 2025 at 2:30 PM",
        "session_duration": "1h 23m",
        "country": "DE",
        "region": "Bavaria",
        "city": "Munich",
        "location": {"value": "Munich, Bavaria, DE"},
        "ip_address": "192.0.2.7",
        "device_type": 1,
        "operating_system": "Windows 10",
        "screen_resolution": "1920x1080",
        "user_agent": BROWSER,
        "event_id": form,
        "event_type": "form_submit",
        "visitor_id": row["visitor_id"],
        "session_id": row["session_id"],
        "pixel_id": PIXEL,
        "project_id": PROJECT,
    }
    assert lab.written(person) == expected
    unseen = {*CLICK_ID_COLUMNS, *CLICK_FIELDS} - expected.keys()
    assert set(FIELD_NAMES) == expected.keys() | unseen


def test_first_and_last_touch_of_two_campaigns(lab: Lab) -> None:
    cookie, email = some_visitor(), some_email()
    person = lab.person(email)
    visit(lab, cookie, "/?utm_source=google&utm_medium=cpc&utm_campaign=spring&gclid=G1")
    visit(lab, cookie, "/?utm_source=facebook&utm_medium=paid_social&utm_campaign=may&fbclid=F1")
    visit(lab, cookie, "/contact", event_type="form_submit", form_data={"email": email})
    lab.sync()

    written = lab.written(person)
    assert [written[f"first_touch_{part}"] for part in ("source", "medium", "campaign")] == [
        *("google", "cpc", "spring")
    ]
    assert [written[f"last_touch_{part}"] for part in ("source", "medium", "campaign")] == [
        *("facebook", "paid_social", "may")
    ]


def test_a_person_never_carries_the_campaign_of_one_visit_and_the_click_of_another(
    lab: Lab,
) -> None:
    email = some_email()
    person = lab.person(email)
    for query in ("utm_source=google&utm_term=shoes&gclid=G1", "utm_source=facebook&fbclid=F1"):
        visit(
            lab, some_visitor(), f"/?{query}", event_type="form_submit", form_data={"email": email}
        )
        lab.sync()

    written = lab.written(person)
    touch = {name: written[name] for name in TOUCH_FIELDS if name in written}
    assert touch == {"utm_source": "facebook", "fbclid": "F1"}


def test_a_submission_without_any_touch_leaves_the_campaign_of_the_person_alone(lab: Lab) -> None:
    email = some_email()
    person = lab.person(email)
    for path in ("/?utm_source=google&gclid=G1", "/"):
        visit(lab, some_visitor(), path, event_type="form_submit", form_data={"email": email})
        lab.sync()

    written = lab.written(person)
    assert (written["utm_source"], written["gclid"]) == ("google", "G1")
    assert written["first_touch_source"] == "direct"


def test_pages_of_another_project_are_not_told(lab: Lab) -> None:
    cookie, email = some_visitor(), some_email()
    person = lab.person(email)
    visit(lab, cookie, "/secret", pixel_id="ppp-website-1")
    visit(lab, cookie, "/contact", event_type="form_submit", form_data={"email": email})
    lab.sync()
    assert lab.written(person)["visited_pages"] == f"{SHOP}/contact"


@contextmanager
def fields_are(lab: Lab, types: Mapping[str, str]) -> Iterator[None]:
    """Some fields of the account have other types for a while."""
    fields = lab.pipedrive.account.fields
    before = list(fields)
    names = {FIELDS[name]: field_type for name, field_type in types.items()}
    options = ((11, "DE"), (12, "FR"))
    for index, field in enumerate(before):
        if field.field_code in names:
            fields[index] = replace(field, field_type=names[field.field_code], options=options)
    try:
        yield
    finally:
        fields[:] = before


def test_values_take_the_shape_of_the_fields_type(lab: Lab) -> None:
    types = {
        "last_visited_on": "date",
        "session_duration": "double",
        "country": "enum",
        "city": "set",
        "visited_pages": "varchar",
        "utm_campaign": "double",
        "ad_id": "double",
        "ip_address": "monetary",
    }
    cookie, email = some_visitor(), some_email()
    person = lab.person(email)
    for number in range(40):
        visit(lab, cookie, f"/page/{number}")
    event = visit(
        lab,
        cookie,
        "/contact?utm_source=x&utm_campaign=spring&ad_id=77",
        event_type="form_submit",
        form_data={"email": email},
    )
    happened_at(lab, event, "2099-01-27 13:30:00")
    session_lasted(lab, event, "2026-01-27 13:00:00", "2026-01-27 13:00:45")
    with fields_are(lab, types):
        lab.sync()

    assert lab.status(event) == ("synced", str(person))
    written = lab.written(person)
    assert written["last_visited_on"] == "2099-01-27"
    assert written["session_duration"] == 45
    assert written["country"] == 11
    assert written["ad_id"] == 77
    pages = str(written["visited_pages"])
    assert len(pages) <= 255
    assert pages.partition(", ")[0] == f"{SHOP}/contact"
    assert all(page.startswith(f"{SHOP}/") for page in pages.split(", "))
    assert not {"city", "utm_campaign", "ip_address"} & written.keys()
    for name in ("city", "utm_campaign", "ip_address"):
        assert f"{name} (a field of type" in lab.reason(event)


def test_a_long_value_is_cut_on_a_character(lab: Lab) -> None:
    email = some_email()
    person = lab.person(email)
    event = lab.submit(email, page_title="🌷" * 200)
    lab.sync()
    assert lab.status(event)[0] == "synced"
    assert lab.written(person)["page_title"] == "🌷" * 127


def test_a_project_may_have_a_map_and_an_account_of_its_own(local_config: object) -> None:
    with (
        running_lab() as other,
        running_lab(
            PIPEDRIVE_ACCOUNTS=json.dumps(
                {"acme": {"api_key": other.pipedrive.token, "url": other.pipedrive.api_url}}
            )
        ) as lab,
    ):
        configuration = {
            "pipedrive_account": "acme",
            "pipedrive_fields": {
                "utm_source": FIELDS["utm_source"],
                "event_id": FIELDS["event_id"],
            },
        }
        lab.worker.query(
            "UPDATE projects SET configuration = ? WHERE id = ?", json.dumps(configuration), PROJECT
        )
        email = some_email()
        person, other_person = lab.person(email), other.person(email)
        event = lab.submit(email, page_url=f"{SHOP}/?utm_source=google")
        lab.sync()

        assert lab.status(event) == ("synced", str(other_person))
        assert other.written(other_person) == {"utm_source": "google", "event_id": event}
        assert lab.written(person) == {}
        assert lab.pipedrive.requests == []


@pytest.mark.parametrize(
    ("configuration", "reason"),
    [
        ({"pipedrive_account": "nobody"}, "no Pipedrive account is called nobody"),
        ({"pipedrive_fields": {"utm_source": "short"}}, "utm_source: a key has 40 digits"),
        ({"pipedrive_fields": {}}, "must not be empty"),
    ],
)
def test_a_project_whose_settings_are_wrong_waits_and_says_why(
    lab: Lab, configuration: dict[str, object], reason: str
) -> None:
    name = f"wrong-{some_visitor()}"
    lab.worker.query(
        "INSERT INTO projects (id, name, configuration) VALUES (?, ?, ?)",
        name,
        name,
        json.dumps(configuration),
    )
    lab.worker.query("INSERT INTO pixels (id, project_id, name) VALUES (?, ?, 'x')", name, name)
    email = some_email()
    person = lab.person(email)
    event = lab.submit(email, pixel_id=name)
    lab.sync()
    assert lab.status(event) == (None, None)
    assert reason in lab.reason(event)

    lab.worker.query("UPDATE projects SET configuration = '{}' WHERE id = ?", name)
    lab.sync()
    assert lab.status(event) == ("synced", str(person))
