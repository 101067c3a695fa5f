"""What a pixel saw by one property, as scripts of ops and people read it."""

from __future__ import annotations

import json

import pytest

from services.reports.breakdowns import PROPERTIES
from tests.harness.keys import READ_KEY
from tests.harness.worker import Answer, Row, Worker, some_event, some_visitor

PIXELS = "INSERT INTO pixels (id, project_id, name) VALUES (?, 'ppp-demo-project', ?)"
SITE = "https://a.example/"


@pytest.fixture
def pixel(keyed: Worker) -> str:
    """A pixel that saw nothing yet."""
    name = f"pixel-{some_visitor()}"
    keyed.query(PIXELS, name, name)
    return name


def ask(worker: Worker, pixel_id: str, query: str) -> Answer:
    path = f"/api/reports/breakdown/{pixel_id}?{query}"
    return worker.fetch(path, headers={"x-api-key": READ_KEY})


def breakdown(worker: Worker, pixel_id: str, query: str) -> Row:
    answer = ask(worker, pixel_id, query)
    assert answer.status == 200, answer.body
    data: Row = answer.json()["data"]
    return data


def values(worker: Worker, pixel_id: str, query: str) -> dict[str, int]:
    """The events of each value, in the order of the rows."""
    rows = breakdown(worker, pixel_id, query)["rows"]
    return {row["value"]: row["events"] for row in rows}


def record_view(worker: Worker, pixel_id: str, page: str = "", **fields: object) -> int:
    """Sends an event from a page of the site; returns its id."""
    answer = worker.send(some_event(pixel_id=pixel_id, page_url=f"{SITE}{page}", **fields))
    assert answer.status_code == 200, answer.text
    event_id: int = answer.json()["event_id"]
    return event_id


def form(worker: Worker, pixel_id: str, visitor: str, outcome: str | None = None) -> None:
    lead = {"event_type": "form_submit", "form_data": {"email": f"{some_visitor()}@example.com"}}
    record_view(worker, pixel_id, "form", visitor_cookie=visitor, outcome=outcome, **lead)


def test_each_row_has_what_came_of_its_events(keyed: Worker, pixel: str) -> None:
    one, two, three = some_visitor(), some_visitor(), some_visitor()
    for visitor in (one, two, three):
        record_view(keyed, pixel, "?utm_source=news&utm_medium=email", visitor_cookie=visitor)
    form(keyed, pixel, one, "accepted")
    form(keyed, pixel, two, "rejected")
    form(keyed, pixel, two)
    record_view(keyed, pixel)

    answer = ask(keyed, pixel, "by=source")
    data = answer.json()["data"]
    assert answer.headers["x-ratelimit-limit"] == "1000"
    assert data.pop("date_range")["days"] == 30
    assert data == {
        "pixel_id": pixel,
        "by": "source",
        "attribution": "credit",
        "classifier_version": 5,
        "rows": [
            {
                "value": "news",
                "events": 6,
                "visitors": 3,
                "sessions": 3,
                "submissions": 2,
                "conversion": 0.6667,
            },
            {
                "value": "direct",
                "events": 1,
                "visitors": 1,
                "sessions": 1,
                "submissions": 0,
                "conversion": 0.0,
            },
        ],
        "next_cursor": None,
        "archived": {"events": 0, "until": None},
    }


def test_the_credit_is_the_events_and_the_first_touch_the_visitors(
    keyed: Worker, pixel: str
) -> None:
    visitor = some_visitor()
    first = "?utm_source=a&utm_medium=cpc&utm_campaign=b&utm_content=c&utm_term=d&msclkid=M"
    record_view(keyed, pixel, first, visitor_cookie=visitor)
    record_view(keyed, pixel, "?gclid=G&ad_group=shoes", visitor_cookie=visitor)
    record_view(keyed, pixel)
    both = {
        "source": ({"a": 1, "direct": 1, "google": 1}, {"a": 2, "direct": 1}),
        "medium": ({"cpc": 2, "unknown": 1}, {"cpc": 2, "unknown": 1}),
        "campaign": ({"b": 1, "none": 2}, {"b": 2, "none": 1}),
        "content": ({"none": 2, "c": 1}, {"c": 2, "none": 1}),
        "term": ({"none": 2, "d": 1}, {"d": 2, "none": 1}),
        "click_id": ({"google": 1, "microsoft": 1, "none": 1}, {"microsoft": 2, "none": 1}),
    }
    for by, (last, first_touch) in both.items():
        assert values(keyed, pixel, f"by={by}") == last
        assert values(keyed, pixel, f"by={by}&attribution=first") == first_touch


@pytest.mark.parametrize("touch", ["credit", "last", "first"])
def test_words_that_differ_by_case_and_spaces_are_one_line(
    keyed: Worker, pixel: str, touch: str
) -> None:
    for campaign in ("Spring+Sale", "SPRING+SALE", "spring+sale", "Summer"):
        query = f"?UTM_Source=News&amp;utm_medium=Email&amp;utm_campaign={campaign}"
        record_view(keyed, pixel, query, visitor_cookie=some_visitor())
    keyed.query("UPDATE tracking_events SET utm_medium = ' email ' WHERE utm_campaign = 'Summer'")

    by_campaign = values(keyed, pixel, f"by=campaign&attribution={touch}")
    assert by_campaign == {"spring sale": 3, "Summer": 1}
    assert values(keyed, pixel, f"by=source&attribution={touch}") == {"News": 4}
    medium = values(keyed, pixel, f"by=medium&attribution={touch}")
    assert medium == ({"Email": 4} if touch == "first" else {"email": 4})


@pytest.mark.parametrize(
    ("click_id", "network", "medium"),
    [
        ("gclid", "google", "cpc"),
        ("wbraid", "google", "cpc"),
        ("epik", "pinterest", "social"),
        ("fbp", "none", "unknown"),
    ],
)
def test_clicks_are_counted_by_their_network(
    keyed: Worker, pixel: str, click_id: str, network: str, medium: str
) -> None:
    record_view(keyed, pixel, f"?{click_id}=0A")
    for touch in ("last", "first"):
        assert values(keyed, pixel, f"by=click_id&attribution={touch}") == {network: 1}
        assert values(keyed, pixel, f"by=medium&attribution={touch}") == {medium: 1}


# The rules themselves are tested in tests/unit/services/reports/test_channel_rules.py.
CHANNELS = [
    ("?utm_source=Google%20Ads&utm_medium=PPC", None, "Paid Search"),
    ("?utm_source=spring&gclid=G", None, "Paid Search"),
    ("?utm_source=spring&utm_medium=video&li_fat_id=L", None, "Paid Social"),
    ("?fbclid=F", None, "Organic Social"),
    ("?fbclid=F&utm_source=ig&utm_medium=paid", None, "Paid Social"),
    ("?utm_source=partner&utm_medium=cpc&utm_campaign=cross-network", None, "Cross-network"),
    ("?utm_source=chatgpt.com", None, "AI Assistant"),
    ("?gbraid=0A", None, "Paid Search"),
    ("?wbraid=0A&utm_source=spring", None, "Paid Search"),
    ("?rdt_cid=R", None, "Paid Social"),
    ("?dclid=D", None, "Display"),
    ("?irclid=I", None, "Affiliates"),
    ("?oppref=O", None, "Paid Other"),
    ("?_gl=1*x", None, "Direct"),
    ("?utm_source=poster&utm_medium=print", None, "Unassigned"),
    ("", None, "Direct"),
    ("", "https://www.google.co.uk/", "Organic Search"),
    ("", "https://gemini.google.com/", "AI Assistant"),
    ("", "android-app://com.google.android.googlequicksearchbox/", "Organic Search"),
    ("", "https://mail.google.com/mail/u/0", "Email"),
    ("", "https://accounts.google.com/", "Referral"),
    ("", "https://shop.a.example/other", "Direct"),
]


@pytest.mark.parametrize(("query", "referrer", "channel"), CHANNELS)
def test_a_channel_follows_source_medium_click_id_and_referrer(
    keyed: Worker, pixel: str, query: str, referrer: str | None, channel: str
) -> None:
    visitor = some_visitor()
    record_view(keyed, pixel, query, referrer_url=referrer, visitor_cookie=visitor)
    for touch in ("credit", "last", "first"):
        assert values(keyed, pixel, f"by=channel&attribution={touch}") == {channel: 1}
    form(keyed, pixel, visitor)
    [row] = breakdown(keyed, pixel, "by=channel&attribution=linear")["rows"]
    assert (row["value"], row["submissions"]) == (channel, 1)


def test_a_projects_own_rules_come_before_the_table(keyed: Worker) -> None:
    project, name = f"project-{some_visitor()}", f"pixel-{some_visitor()}"
    rules = {"channel_rules": [{"medium": "print", "channel": "Display"}]}
    insert = "INSERT INTO projects (id, name, configuration) VALUES (?, ?, ?)"
    keyed.query(insert, project, project, json.dumps(rules))
    keyed.query("INSERT INTO pixels (id, project_id, name) VALUES (?, ?, ?)", name, project, name)
    record_view(keyed, name, "?utm_source=poster&utm_medium=Print")
    record_view(keyed, name, "?utm_source=news&utm_medium=email")
    for touch in ("last", "first"):
        counted = values(keyed, name, f"by=channel&attribution={touch}")
        assert counted == {"Display": 1, "Email": 1}


def test_a_visit_without_a_touch_keeps_the_channel_of_its_first_page(
    keyed: Worker, pixel: str
) -> None:
    visitor = some_visitor()
    record_view(keyed, pixel, visitor_cookie=visitor, referrer_url="https://www.bing.com/")
    record_view(keyed, pixel, "shop", visitor_cookie=visitor, referrer_url=SITE)
    assert values(keyed, pixel, "by=channel") == {"Organic Search": 2}
    before = "UPDATE tracking_events SET timestamp = datetime(timestamp, '-1 minute')"
    keyed.query(f"{before} WHERE pixel_id = ?", pixel)
    for _ in range(2):
        record_view(keyed, pixel, "?utm_source=news&utm_medium=email", visitor_cookie=visitor)
    for attribution in ("credit", "first"):
        counted = values(keyed, pixel, f"by=channel&attribution={attribution}")
        assert counted == {"Organic Search": 2, "Email": 2}


def test_a_landing_page_is_the_first_of_its_visit_without_its_campaign(
    keyed: Worker, pixel: str
) -> None:
    one = some_visitor()
    record_view(keyed, pixel, "home?utm_source=a#top", visitor_cookie=one)
    record_view(keyed, pixel, "shop", visitor_cookie=one)
    record_view(keyed, pixel, "home#x?y")
    record_view(keyed, pixel, "shop?x=1")
    record_view(keyed, pixel, "shop?x=1?gclid=G1")
    record_view(keyed, pixel, "#/prices?utm_source=a")
    assert values(keyed, pixel, "by=landing_page") == {
        f"{SITE}home": 3,
        f"{SITE}shop": 2,  # as one without the right to see leads sees it
        f"{SITE}#/prices": 1,
    }


def test_places_and_machines_are_the_events_own(keyed: Worker, pixel: str) -> None:
    event = some_event(pixel_id=pixel)
    keyed.deliver(event, "2001:db8:77::1", {"country": "DE"})
    # What the old Worker left has other shapes, or none.
    old = record_view(keyed, pixel)
    change = "UPDATE tracking_events SET browser_data = 'odd', device_data = ?, country = NULL"
    keyed.query(f"{change} WHERE id = ?", None, old)
    assert values(keyed, pixel, "by=country") == {"DE": 1, "unknown": 1}
    assert values(keyed, pixel, "by=device") == {"desktop": 1, "unknown": 1}
    assert values(keyed, pixel, "by=browser") == {"Chrome": 1, "unknown": 1}


def test_pages_go_on_where_the_one_before_ended_whatever_comes_in(
    keyed: Worker, pixel: str
) -> None:
    for source in ("b", "a", "c", "c", "d"):
        record_view(keyed, pixel, f"?utm_source={source}")
    moved = "UPDATE tracking_events SET timestamp = datetime(timestamp, '-1 hour')"
    keyed.query(f"{moved} WHERE pixel_id = ?", pixel)
    pages, query = [], "by=source&limit=2"
    for _ in range(3):
        data = breakdown(keyed, pixel, query)
        pages.append([row["value"] for row in data["rows"]])
        # A minute later a new event would come first.
        now = "UPDATE tracking_events SET timestamp = datetime(timestamp, '+1 minute')"
        new = record_view(keyed, pixel, "?utm_source=d")
        keyed.query(f"{now} WHERE id = ?", new)
        query = f"by=source&limit=2&cursor={data['next_cursor']}"
        if data["next_cursor"] is None:
            break
    assert pages == [["c", "a"], ["b", "d"]]


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ("", f"by must be one of {', '.join(PROPERTIES)}"),
        ("by=secret", f"by must be one of {', '.join(PROPERTIES)}"),
        ("by=source&attribution=best", "attribution must be one of credit, first, last"),
        ("by=country&attribution=first", "attribution must be credit: a touch says nothing of"),
        ("by=source&window=30", "window is for attribution last_non_direct, linear"),
        ("by=source&attribution=linear&window=366", "window must be a whole number from 1 to 365"),
        ("by=source&limit=0", "limit must be a whole number from 1 to 500"),
        ("by=source&cursor=x", "cursor must be the next_cursor of the page before"),
        ("by=source&cursor=W10", "cursor must be the next_cursor of the page before"),
        ("by=source&cursor=%C3%A4", "cursor must be the next_cursor of the page before"),
        ("by=source&attributon=first", "attributon: is unknown; there are by, attribution,"),
        ("by=source&by=medium", "by: stands there more than once; give it once"),
        ("by=source&days=0", "days must be a whole number from 1 to 365"),
    ],
)
def test_what_cannot_be_asked_is_400(keyed: Worker, pixel: str, query: str, error: str) -> None:
    answer = ask(keyed, pixel, query)
    assert answer.status == 400
    assert answer.json()["error"].startswith(error)


def test_a_pixel_that_does_not_exist_has_no_breakdown(keyed: Worker) -> None:
    answer = ask(keyed, "nobody-knows-it", "by=source")
    assert (answer.status, answer.json()["error"]) == (404, "Pixel not found")
