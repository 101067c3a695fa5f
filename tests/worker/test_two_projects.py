"""Two clients share a visitor, and neither finds anything of the other."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from services.reports.breakdowns import BREAKDOWNS
from tests.harness.keys import LEADS_KEY, keys
from tests.harness.sync import Lab, running_lab, some_email
from tests.harness.worker import PIXEL, PROJECT, Row, Worker, some_event, some_visitor

MINE, OTHER = "ppp-website-1", PIXEL
PROJECT_OF = {MINE: "ppp-default-project", OTHER: PROJECT}
MARK_OF = {MINE: "betamark", "ppp-website-2": "betamark", OTHER: "alphamark"}
PARAMETERS = (
    *("utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term"),
    *("gclid", "fbclid", "msclkid", "ttclid", "twclid", "li_fat_id", "sc_click_id"),
    *("campaign_region", "ad_group", "ad_id", "search_query"),
    *(MEMBERS := ("gbraid", "rdt_cid", "utm_id", "placement")),
)
REPORTS = (
    *(f"breakdown/{{pixel}}?by={by}&attribution={kind}" for by, kind in BREAKDOWNS),
    *("stats/{pixel}", "realtime/{pixel}", "project/{project}/stats"),
    *("export/{pixel}?format=json", "export/{pixel}?format=csv"),
)
LEGACY_REPORTS = (
    *("stats/{pixel}", "realtime/{pixel}", "project/{project}/stats"),
    *("export/{pixel}?format=json", "export/{pixel}?format=csv"),
)
ADDRESSES = (
    *(f"/api/reports/{report}" for report in REPORTS),
    *(f"/api/analytics/{report}" for report in LEGACY_REPORTS),
)


@pytest.fixture(scope="module")
def lab(local_config: object) -> Iterator[Lab]:
    with running_lab(API_KEYS=keys()) as running:
        yield running


def ad_of(pixel: str) -> str:
    """A page of a client's site, with a campaign and click IDs that carry the client's mark."""
    query = "&".join(f"{name}={MARK_OF[pixel]}-{name}" for name in PARAMETERS)
    return f"https://{MARK_OF[pixel]}.example.com/landing?{query}"


def send(worker: Worker, pixel: str, cookie: str, url: str = "", **fields: object) -> Row:
    event = some_event(
        pixel_id=pixel,
        visitor_cookie=cookie,
        page_url=url or f"https://{MARK_OF[pixel]}.example.com/page",
        page_title=f"A page of {MARK_OF[pixel]}",
        **{"event_key": some_visitor(), "fill": True, **fields},
    )
    answer = worker.send(event)
    assert answer.status_code == 200, answer.text
    body: Row = answer.json()
    return body


def lead(email: str) -> Row:
    return {"event_type": "form_submit", "form_data": {"email": email}}


def all_that_is_answered(worker: Worker, pixel: str) -> str:
    """Every report and export of a pixel and its project, as one text."""
    texts = []
    for address in ADDRESSES:
        path = address.format(pixel=pixel, project=PROJECT_OF[pixel])
        answer = worker.fetch(path, headers={"x-api-key": LEADS_KEY})
        assert answer.status == 200, (path, answer.body)
        texts.append(answer.body.decode())
    return "\n".join(texts).lower()


def assert_nothing_of(pixel: str, text: object) -> None:
    assert MARK_OF[pixel] not in json.dumps(text).lower()


def an_hour_passes(worker: Worker) -> None:
    worker.query(
        "UPDATE sessions SET started_at = datetime(started_at, '-1 hour'),"
        " last_activity = datetime(last_activity, '-1 hour')"
    )


@pytest.mark.parametrize("sessions", [1, 2])
def test_two_clients_with_one_visitor_find_nothing_of_each_other(lab: Lab, sessions: int) -> None:
    lab.clean()
    worker, cookie = lab.worker, some_visitor()
    persons = {pixel: some_email() for pixel in (OTHER, MINE)}
    ids = {pixel: lab.person(email) for pixel, email in persons.items()}
    send(worker, OTHER, cookie, ad_of(OTHER))
    if sessions > 1:
        an_hour_passes(worker)

    # Before the second client has a touch of its own, all is direct.
    for fields in ({}, lead(persons[MINE]), {"event_type": "event", "event_name": "click"}):
        answer = send(worker, MINE, cookie, **fields)
        assert_nothing_of(OTHER, answer)
        assert answer["attribution"]["source"] == "direct"
        assert set(answer["touch"].values()) == {None}
        assert_nothing_of(OTHER, worker.event(answer["event_id"]))
    image = worker.fetch(
        f"/e/page.gif?pixel_id={MINE}&page_url=https%3A%2F%2Fbetamark.example.com%2Fnoscript",
        headers={"cookie": f"ppp_visitor={cookie}"},
    )
    assert image.status == 200
    assert lab.sync()["synced"] == 1
    assert_nothing_of(OTHER, lab.written(ids[MINE]))
    assert lab.written(ids[MINE])["first_touch_source"] == "direct"
    assert lab.written(ids[MINE])["last_touch_source"] == "direct"
    assert MARK_OF[OTHER] not in all_that_is_answered(worker, MINE)

    # With a touch of its own, each client has its own, whoever asks.
    send(worker, MINE, cookie, ad_of(MINE))
    for pixel, stranger in ((MINE, OTHER), (OTHER, MINE)):
        answer = send(worker, pixel, cookie, **lead(persons[pixel]))
        assert_nothing_of(stranger, answer)
        assert answer["touch"]["gclid"] == f"{MARK_OF[pixel]}-gclid"
        assert lab.sync()["synced"] == 1
        written = lab.written(ids[pixel])
        assert_nothing_of(stranger, written)
        assert written["first_touch_source"] == f"{MARK_OF[pixel]}-utm_source"
        assert written["last_touch_campaign"] == f"{MARK_OF[pixel]}-utm_campaign"
        text = all_that_is_answered(worker, pixel)
        assert MARK_OF[stranger] not in text
        assert MARK_OF[pixel] in text


def test_a_visitor_has_a_first_touch_with_each_project(lab: Lab) -> None:
    cookie = some_visitor()
    for pixel in (OTHER, MINE):
        send(lab.worker, pixel, cookie, ad_of(pixel))
        send(lab.worker, pixel, cookie, f"{ad_of(pixel)}-again")
    [row] = lab.worker.query("SELECT * FROM visitors WHERE visitor_cookie = ?", cookie)
    touches = json.loads(row["first_touches"])
    assert all(touch.pop("at") >= row["first_seen"] for touch in touches.values())
    assert touches == {
        PROJECT_OF[pixel]: {
            **{name: f"{MARK_OF[pixel]}-{name}" for name in PARAMETERS if name not in MEMBERS},
            "click_ids": {name: f"{MARK_OF[pixel]}-{name}" for name in MEMBERS},
            "origin": "page_url",
        }
        for pixel in (OTHER, MINE)
    }
    # For Workers that know no other one.
    assert json.loads(row["first_touch"]) == touches[PROJECT_OF[OTHER]]


def test_another_pixel_of_the_same_project_has_the_first_touch_too(lab: Lab) -> None:
    cookie = some_visitor()
    send(lab.worker, MINE, cookie, ad_of(MINE))
    answer = send(lab.worker, "ppp-website-2", cookie)
    assert answer["touch"]["utm_campaign"] == "betamark-utm_campaign"


def two_projects(worker: Worker) -> tuple[list[str], list[str]]:
    """The ids of two new projects, and of two pixels of each in the same order."""
    projects = [f"project-{some_visitor()}" for _ in range(2)]
    pixels = [f"{project}-{site}" for project in projects for site in ("shop", "form")]
    for project in projects:
        worker.query("INSERT INTO projects (id, name) VALUES (?1, ?1)", project)
    for pixel in pixels:
        project = pixel.rpartition("-")[0]
        worker.query(
            "INSERT INTO pixels (id, project_id, name) VALUES (?1, ?2, ?1)", pixel, project
        )
    return projects, pixels


def report(worker: Worker, path: str) -> Row:
    answer = worker.fetch(f"/api/reports/{path}", headers={"x-api-key": LEADS_KEY})
    assert answer.status == 200, answer.body
    data: Row = answer.json()["data"]
    return data


def breakdown(worker: Worker, pixel: str, by: str) -> dict[str, int]:
    """The sessions of each value."""
    rows = report(worker, f"breakdown/{pixel}?by={by}")["rows"]
    return {row["value"]: row["sessions"] for row in rows}


def test_sessions_with_their_pages_and_referrers_are_of_one_project(lab: Lab) -> None:
    lab.clean()
    worker, cookie = lab.worker, some_visitor()
    projects, pixels = two_projects(worker)
    shop, form, other_shop, other_form = pixels
    visits = {
        shop: ("https://a.shared.example/start", "https://www.google.com/"),
        other_shop: ("https://b.shared.example/begin", "https://partner.example/list"),
        form: ("https://a.shared.example/form", "https://a.shared.example/start"),
        other_form: ("https://b.shared.example/form", "https://b.shared.example/begin"),
    }
    persons = {pixel: some_email() for pixel in (form, other_form)}
    written = {pixel: lab.person(email) for pixel, email in persons.items()}
    answers = {}
    for pixel, (page, referrer) in visits.items():
        event = some_event(
            pixel_id=pixel, visitor_cookie=cookie, page_url=page, referrer_url=referrer,
            event_key=some_visitor(), **(lead(persons[pixel]) if pixel in persons else {}),
        )  # fmt: skip
        answers[pixel] = worker.send(event).json()
        if pixel == shop:
            # The first client's visit began before the other's.
            worker.query(
                "UPDATE sessions SET started_at = datetime(started_at, '-20 minutes') WHERE id = ?",
                answers[shop]["session_id"],
            )

    assert answers[shop]["session_id"] == answers[form]["session_id"]
    assert answers[other_shop]["session_id"] == answers[other_form]["session_id"]
    sessions = worker.query(
        "SELECT owning_project_id, pixel_id, page_views FROM sessions WHERE visitor_id = ?"
        " ORDER BY started_at",
        answers[shop]["visitor_id"],
    )
    assert [tuple(row.values()) for row in sessions] == [
        (projects[0], shop, 2),
        (projects[1], other_shop, 2),
    ]
    assert lab.sync()["synced"] == 2
    durations = [lab.written(written[pixel])["session_duration"] for pixel in persons]
    assert [duration == "20 minutes" for duration in durations] == [True, False]

    for project, first, second, channel in (
        (projects[0], shop, form, "Organic Search"),
        (projects[1], other_shop, other_form, "Referral"),
    ):
        summary = report(worker, f"project/{project}/stats")["summary"]
        assert (summary["total_events"], summary["unique_sessions"]) == (2, 1)
        for pixel in (first, second):
            assert report(worker, f"stats/{pixel}")["summary"]["unique_sessions"] == 1
            address = visits[pixel][0]
            assert breakdown(worker, pixel, "landing_page") == {address: 1}
        assert breakdown(worker, first, "channel") == {channel: 1}


@pytest.mark.parametrize("kind", ["pageview", "form_submit"])
def test_the_same_key_with_two_projects_is_two_events(lab: Lab, kind: str) -> None:
    worker, cookie, key = lab.worker, some_visitor(), some_visitor()
    fields: Row = {"event_key": key, **({} if kind == "pageview" else lead(some_email()))}
    first = send(worker, OTHER, cookie, ad_of(OTHER), **fields)
    second = send(worker, MINE, cookie, **fields)
    assert_nothing_of(OTHER, second)
    assert second["event_id"] != first["event_id"]
    assert second["session_id"] != first["session_id"]
    assert worker.event(second["event_id"])["pixel_id"] == MINE

    repeat = send(worker, MINE, cookie, **fields)
    assert repeat["event_id"] == second["event_id"]
    assert send(worker, OTHER, cookie, ad_of(OTHER), **fields)["event_id"] == first["event_id"]
    sessions = worker.query(
        "SELECT pixel_id, page_views FROM sessions WHERE visitor_id = ?", second["visitor_id"]
    )
    assert {row["pixel_id"]: row["page_views"] for row in sessions} == {MINE: 1, OTHER: 1}


def test_a_correction_reaches_the_form_of_its_own_project(lab: Lab) -> None:
    worker, cookie, key = lab.worker, some_visitor(), some_visitor()
    events = {}
    for pixel in (OTHER, MINE):
        form = {"event_key": key, "outcome": "submitted", **lead(some_email())}
        events[pixel] = send(worker, pixel, cookie, **form)["event_id"]
    form = {"event_key": key, "outcome": "rejected", **lead(some_email())}
    assert send(worker, MINE, cookie, **form)["event_id"] == events[MINE]
    outcomes = [worker.event(events[pixel])["form_outcome"] for pixel in (OTHER, MINE)]
    assert outcomes == ["submitted", "rejected"]


@pytest.mark.parametrize("touch_origin", [None, "page_url"])
def test_what_other_workers_record_is_kept_apart_by_project(
    lab: Lab, touch_origin: str | None
) -> None:
    """The old Worker's rows, and those of this product before it kept the touches apart."""
    worker, cookie = lab.worker, some_visitor()
    worker.query("INSERT INTO visitors (id, visitor_cookie) VALUES (?1, ?1)", cookie)
    for number, pixel in enumerate((OTHER, MINE, OTHER)):
        worker.query(
            "INSERT INTO tracking_events (project_id, pixel_id, visitor_id, utm_source, gclid,"
            " touch_origin) VALUES ('said by a page', ?, ?, ?, ?, ?)",
            *(pixel, cookie, f"{MARK_OF[pixel]}-{number}", f"G{number}", touch_origin),
        )
    for number, pixel in enumerate((OTHER, MINE)):
        touch = send(worker, pixel, cookie)["touch"]
        assert (touch["utm_source"], touch["gclid"]) == (f"{MARK_OF[pixel]}-{number}", f"G{number}")


def test_a_visitor_of_countless_projects_loses_no_event(lab: Lab) -> None:
    worker, cookie = lab.worker, some_visitor()
    worker.query(
        "INSERT INTO visitors (id, visitor_cookie, first_touches) VALUES (?1, ?1, ?2)",
        *(cookie, json.dumps({"another": {"utm_source": "x" * 100_000}})),
    )
    assert send(worker, MINE, cookie, ad_of(MINE))["touch"]["gclid"] == "betamark-gclid"
    [row] = worker.query("SELECT first_touches FROM visitors WHERE id = ?", cookie)
    assert list(json.loads(row["first_touches"])) == ["another"]
