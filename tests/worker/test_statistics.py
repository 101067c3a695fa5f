"""The statistics of a pixel, as scripts of ops and people read them."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from tests.harness.keys import ADMIN_KEY, LEADS_KEY
from tests.harness.worker import Answer, Row, Worker, some_event, some_visitor

PIXELS = "INSERT INTO pixels (id, project_id, name) VALUES (?, 'ppp-demo-project', ?)"


@pytest.fixture
def pixel(keyed: Worker) -> str:
    """A pixel that saw nothing yet."""
    name = f"pixel-{some_visitor()}"
    keyed.query(PIXELS, name, name)
    return name


def ask(worker: Worker, pixel_id: str, query: str = "") -> Answer:
    return worker.fetch(f"/api/reports/stats/{pixel_id}{query}", headers={"x-api-key": LEADS_KEY})


def stats(worker: Worker, pixel_id: str, query: str = "") -> Row:
    answer = ask(worker, pixel_id, query)
    assert answer.status == 200, answer.body
    data: Row = answer.json()["data"]
    return data


def record_view(worker: Worker, pixel_id: str, days_ago: int = 0, **fields: object) -> int:
    """Sends an event and moves it into the past; returns its id."""
    event = some_event(**{"pixel_id": pixel_id, "event_key": some_visitor(), **fields})
    answer = worker.send(event)
    assert answer.status_code == 200, answer.text
    event_id: int = answer.json()["event_id"]
    worker.query(
        "UPDATE tracking_events SET timestamp = datetime(timestamp, ?) WHERE id = ?",
        f"-{days_ago} days",
        event_id,
    )
    return event_id


def test_a_pixel_that_saw_nothing_has_numbers_all_the_same(keyed: Worker, pixel: str) -> None:
    answer = ask(keyed, pixel)
    assert answer.headers["x-ratelimit-limit"] == "1000"
    content = answer.json()
    assert content["success"] is True
    data = content["data"]
    span = data.pop("date_range")
    assert span["days"] == 30
    start, end = datetime.fromisoformat(span["from"]), datetime.fromisoformat(span["to"])
    assert end - start == timedelta(days=30)
    summary = ("total_events", "unique_visitors", "unique_sessions", "unique_pages")
    assert data == {
        "pixel_id": pixel,
        "summary": dict.fromkeys(summary, 0),
        "top_sources": [],
        "top_pages": [],
        "daily_breakdown": [],
        "submissions": dict.fromkeys(
            (
                *("total", "submitted", "accepted", "rejected", "unknown"),
                *("suspicious", "held", "forged"),
            ),
            0,
        ),
        "delivery": {"numbered_events": 0, "missing_events": 0, "measured_loss": None},
        "archived": {"events": 0, "until": None},
    }


def test_events_are_counted_by_visitor_session_page_and_day(keyed: Worker, pixel: str) -> None:
    one, two = some_visitor(), some_visitor()
    home, shop = "https://a.example/", "https://a.example/shop"
    record_view(keyed, pixel, visitor_cookie=one, page_url=home, page_title="Old title")
    record_view(keyed, pixel, visitor_cookie=one, page_url=home, page_title="Home")
    record_view(
        keyed, pixel, visitor_cookie=one, page_url=shop, event_type="event", event_name="buy"
    )
    record_view(keyed, pixel, 2, visitor_cookie=two, page_url=shop, page_title="Shop")

    data = stats(keyed, pixel)
    assert data["summary"] == {
        "total_events": 4,
        "unique_visitors": 2,
        "unique_sessions": 2,
        "unique_pages": 2,
    }
    days = data["daily_breakdown"]
    assert [(day["events"], day["visitors"], day["sessions"]) for day in days] == [
        (3, 1, 1),
        (1, 1, 1),
    ]
    assert days[0]["date"] > days[1]["date"]
    assert data["top_pages"] == [
        {"page_url": home, "page_title": "Home", "views": 2, "visitors": 1},
        {"page_url": shop, "page_title": "Shop", "views": 1, "visitors": 1},
    ]


def test_a_page_is_one_however_its_visitors_came(keyed: Worker, pixel: str) -> None:
    shop = "https://a.example/shop"
    for query in ("", "?gclid=G1", "?gclid=G2", "?fbclid=F&utm_source=x", "#prices", "?_gl=1*2"):
        record_view(keyed, pixel, page_url=f"{shop}{query}", page_title="Shop")
    for query in ("?p=1", "?utm_source=x&p=1"):
        record_view(keyed, pixel, page_url=f"{shop}{query}", page_title="Page")
    report = stats(keyed, pixel)
    assert report["summary"]["unique_pages"] == 2
    assert report["top_pages"] == [
        {"page_url": shop, "page_title": "Shop", "views": 6, "visitors": 6},
        {"page_url": f"{shop}?p=1", "page_title": "Page", "views": 2, "visitors": 2},
    ]
    address = f"/api/reports/breakdown/{pixel}?by=landing_page"
    landing = keyed.fetch(address, headers={"x-api-key": LEADS_KEY}).json()["data"]["rows"]
    assert [(row["value"], row["events"]) for row in landing] == [(shop, 6), (f"{shop}?p=1", 2)]


SOURCES = [
    ("?utm_source=news&utm_medium=email&utm_campaign=may", ("news", "email", "may")),
    ("?gclid=G1", ("google", "cpc", "none")),
    ("?msclkid=M1&ad_group=shoes", ("microsoft", "cpc", "none")),
    ("?fbclid=F1", ("facebook", "social", "none")),
    ("?ttclid=T1", ("tiktok", "social", "none")),
    ("?twclid=T1", ("twitter", "social", "none")),
    ("?li_fat_id=L1", ("linkedin", "social", "none")),
    ("?sc_click_id=S1", ("snapchat", "social", "none")),
    ("?utm_source=news&gclid=G1", ("news", "cpc", "none")),
    ("?utm_campaign=may", ("none", "unknown", "may")),
    ("?gclid=G1&hsa_grp=777&hsa_cam=888", ("google", "cpc", "888")),
    ("?utm_source=news&fbclid=F1&gclid=G1", ("news", "cpc", "none")),
    ("", ("direct", "unknown", "none")),
]


@pytest.mark.parametrize(("query", "labels"), SOURCES)
def test_a_source_has_the_words_that_the_pixel_was_answered(
    keyed: Worker, pixel: str, query: str, labels: tuple[str, str, str]
) -> None:
    event = some_event(pixel_id=pixel, page_url=f"https://a.example/{query}")
    attribution = keyed.send(event).json()["attribution"]
    assert tuple(attribution.values()) == labels
    assert stats(keyed, pixel)["top_sources"] == [{**attribution, "events": 1, "visitors": 1}]


def test_lists_hold_the_first_ten(keyed: Worker, pixel: str) -> None:
    for number in range(12):
        url = f"https://a.example/{number:02}?utm_source=s{number:02}&utm_medium=m&utm_campaign=c"
        for _ in range(2 if number == 11 else 1):
            record_view(keyed, pixel, page_url=url)
    data = stats(keyed, pixel)
    names = ["s11", *(f"s{number:02}" for number in range(9))]
    assert [source["source"] for source in data["top_sources"]] == names
    assert [page["page_url"][18:20] for page in data["top_pages"]] == [n[1:] for n in names]
    assert data["top_pages"][0]["views"] == data["top_sources"][0]["visitors"] == 2


def test_gaps_in_the_numbers_of_each_visitor_are_what_was_lost(keyed: Worker, pixel: str) -> None:
    one, two, three = some_visitor(), some_visitor(), some_visitor()
    for days_ago, sequence in ((3, 1), (3, 2), (1, 5), (0, 6)):
        record_view(keyed, pixel, days_ago, visitor_cookie=one, sequence=sequence)
    for days_ago, sequence in ((3, 10), (0, 12)):
        record_view(keyed, pixel, days_ago, visitor_cookie=two, sequence=sequence)
    record_view(keyed, pixel, visitor_cookie=three, sequence=40)
    # Two tabs may give the same number; a correction brings its event's number again.
    record_view(keyed, pixel, visitor_cookie=three, sequence=40)
    record_view(keyed, pixel)

    data = stats(keyed, pixel)
    assert data["delivery"] == {
        "numbered_events": 8,
        "missing_events": 3,
        "measured_loss": round(3 / 11, 4),
    }
    assert data["summary"]["total_events"] == 9
    assert stats(keyed, pixel, "?days=2")["delivery"]["missing_events"] == 0


def test_a_visitor_counts_for_each_pixel_by_itself(keyed: Worker, pixel: str) -> None:
    visitor = some_visitor()
    record_view(keyed, pixel, visitor_cookie=visitor, sequence=1)
    record_view(keyed, "ppp-website-2", visitor_cookie=visitor, sequence=1)
    record_view(keyed, "ppp-website-2", visitor_cookie=visitor, sequence=2)
    record_view(keyed, pixel, visitor_cookie=visitor, sequence=2)
    delivery = stats(keyed, pixel)["delivery"]
    assert (delivery["numbered_events"], delivery["missing_events"]) == (2, 0)


def test_forms_are_counted_by_what_became_of_them(keyed: Worker, pixel: str) -> None:
    for outcome in ("submitted", "accepted", "accepted", "rejected", None, "nonsense"):
        record_view(
            keyed,
            pixel,
            event_type="form_submit",
            form_data={"email": "jane@example.com"},
            outcome=outcome,
        )
    record_view(keyed, pixel)
    assert stats(keyed, pixel)["submissions"] == {
        "total": 6,
        "submitted": 1,
        "accepted": 2,
        "rejected": 1,
        "unknown": 2,
        "suspicious": 0,
        "held": 0,
        "forged": 0,
    }


def test_leads_that_may_be_forged_are_counted_until_a_person_released_them(
    keyed: Worker, pixel: str
) -> None:
    only_event = '["the visitor has no other event"]'
    released = '["the visitor has no other event", "released by a person"]'
    judged = [
        *((only_event, "synced"), (only_event, "held"), (only_event, "forged")),
        *((released, "synced"), ("[]", "synced"), (None, None)),
    ]
    for suspicious, status in judged:
        record_view(keyed, pixel, event_type="form_submit", form_data={"email": "jane@x.com"})
        keyed.query(
            "UPDATE tracking_events SET suspicious = ?, pipedrive_sync_status = ?"
            " WHERE id = (SELECT max(id) FROM tracking_events WHERE pixel_id = ?)",
            *(suspicious, status, pixel),
        )
    submissions = stats(keyed, pixel)["submissions"]
    counts = [submissions[name] for name in ("total", "suspicious", "held", "forged")]
    assert counts == [6, 3, 1, 1]


@pytest.mark.parametrize(("days", "events"), [("1", 1), ("10", 2), ("365", 3)])
def test_only_the_days_that_are_asked_for_count(
    keyed: Worker, pixel: str, days: str, events: int
) -> None:
    for days_ago in (0, 9, 300, 366):
        record_view(keyed, pixel, days_ago)
    data = stats(keyed, pixel, f"?days={days}")
    assert data["date_range"]["days"] == int(days)
    assert data["summary"]["total_events"] == events


@pytest.mark.parametrize("days", ["0", "366", "-1", "", "x", "1.5", "1e2", "٣", "9" * 5_000])
def test_other_numbers_of_days_are_400(keyed: Worker, pixel: str, days: str) -> None:
    answer = ask(keyed, pixel, f"?days={days}")
    assert answer.status == 400
    assert answer.json()["error"] == "days must be a whole number from 1 to 365"


def at(worker: Worker, pixel_id: str, *times: str) -> None:
    """Events of a pixel at these times in UTC."""
    for time in times:
        event_id = record_view(worker, pixel_id)
        change = "UPDATE tracking_events SET timestamp = ? WHERE id = ?"
        worker.query(change, time, event_id)


def test_the_days_are_those_of_the_zone_when_its_clocks_change(keyed: Worker, pixel: str) -> None:
    # In Berlin 29 March 2026 has 23 hours: from 23:00 UTC to 22:00 UTC.
    at(keyed, pixel, "2026-03-28 22:59:59", "2026-03-28 23:00:00", "2026-03-29 00:59:59")
    at(keyed, pixel, "2026-03-29 01:00:00", "2026-03-29 21:59:59", "2026-03-29 22:00:00")
    in_berlin = "&tz=Europe/Berlin"

    data = stats(keyed, pixel, f"?from=2026-03-28&to=2026-03-30{in_berlin}")
    assert [(day["date"], day["events"]) for day in data["daily_breakdown"]] == [
        ("2026-03-30", 1),
        ("2026-03-29", 4),
        ("2026-03-28", 1),
    ]
    data = stats(keyed, pixel, f"?from=2026-03-29&to=2026-03-29{in_berlin}")
    assert data["summary"]["total_events"] == 4
    assert data["date_range"] == {
        "from": "2026-03-28T23:00:00.000Z",
        "to": "2026-03-29T21:59:59.000Z",
        "days": 1,
        "tz": "Europe/Berlin",
    }
    data = stats(keyed, pixel, "?from=2026-03-29&to=2026-03-29")
    assert [(day["date"], day["events"]) for day in data["daily_breakdown"]] == [("2026-03-29", 4)]


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ("?from=today", "from must be a date"),
        ("?from=2026-01-01&to=2025-01-01", "from must not be after to"),
        ("?tz=Mars/Olympus", "tz must be the IANA name of a time zone"),
    ],
)
def test_a_span_that_cannot_be_meant_is_400(
    keyed: Worker, pixel: str, query: str, error: str
) -> None:
    answer = ask(keyed, pixel, query)
    assert answer.status == 400
    assert answer.json()["error"].startswith(error)


def test_a_pixel_that_does_not_exist_has_no_statistics(keyed: Worker) -> None:
    answer = ask(keyed, "nobody-knows-it")
    assert (answer.status, answer.json()["error"]) == (404, "Pixel not found")


def test_a_key_opens_the_statistics_and_nothing_else_does(keyed: Worker, pixel: str) -> None:
    path = f"/api/reports/stats/{pixel}"
    assert keyed.fetch(path).status == 401
    assert keyed.fetch(path, headers={"authorization": f"Bearer {ADMIN_KEY}"}).status == 200
