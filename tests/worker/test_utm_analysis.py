"""What of the last two days can be credited, and what nobody stored."""

from __future__ import annotations

import pytest

from tests.harness.keys import LEADS_KEY, READ_KEY
from tests.harness.worker import Answer, Worker, some_event

SITE = "https://a.example/"


@pytest.fixture(autouse=True)
def nothing_seen(keyed: Worker) -> None:
    keyed.query("DELETE FROM tracking_events")


def ask(worker: Worker, key: str = LEADS_KEY) -> Answer:
    return worker.fetch("/api/reports/debug/utm-analysis", headers={"x-api-key": key})


def record_view(
    worker: Worker, page: str, hours_ago: int = 0, pixel: str = "ppp-demo-pixel"
) -> None:
    answer = worker.send(some_event(pixel_id=pixel, page_url=f"{SITE}{page}"))
    change = "UPDATE tracking_events SET timestamp = datetime(timestamp, ?) WHERE id = ?"
    worker.query(change, f"-{hours_ago} hours", answer.json()["event_id"])


def test_shares_are_of_the_events_of_all_pixels_in_two_days(keyed: Worker) -> None:
    record_view(keyed, "?utm_source=news&utm_medium=email")
    record_view(keyed, "?utm_term=shoes&gclid=G", 47, pixel="ppp-website-1")
    record_view(keyed, "?wbraid=F&_gl=1*x")
    record_view(keyed, "")
    record_view(keyed, "", 47)
    record_view(keyed, "?gclid=G", 49)
    data = ask(keyed).json()["data"]
    assert data == {
        "hours": 48,
        "summary": {
            "total_events": 5,
            "with_utm": 2,
            "with_click_id": 2,
            "with_either": 3,
            "share_with_utm": 0.4,
            "share_with_click_id": 0.4,
            "share_with_either": 0.6,
        },
        "unstored_parameters": [],
        "unstored": [],
        "archived": {"events": 0, "until": None},
    }


def test_addresses_are_listed_whose_parameters_nobody_stored(keyed: Worker) -> None:
    record_view(keyed, "?zzclid=1&utm_source=a")
    for _ in range(2):
        record_view(keyed, "?UTM_AD=7&zzclid=1&zzclid=2#x=1")
    record_view(keyed, "?utm_source=a&ScCid=S")
    record_view(keyed, "#?utm_source=a")
    data = ask(keyed).json()["data"]
    assert data["unstored_parameters"] == [
        {"name": "zzclid", "events": 3},
        {"name": "utm_ad", "events": 2},
    ]
    assert data["unstored"] == [
        {
            "page_url": f"{SITE}?UTM_AD=7&zzclid=1&zzclid=2#x=1",
            "pixel_id": "ppp-demo-pixel",
            "events": 2,
            "parameters": ["utm_ad", "zzclid"],
        },
        {
            "page_url": f"{SITE}?zzclid=1&utm_source=a",
            "pixel_id": "ppp-demo-pixel",
            "events": 1,
            "parameters": ["zzclid"],
        },
    ]
    without_persons = ask(keyed, READ_KEY).json()["data"]["unstored"]
    assert [address["page_url"] for address in without_persons] == [
        SITE,
        f"{SITE}?utm_source=a",
    ]


def test_where_nothing_was_seen_there_is_no_share(keyed: Worker) -> None:
    summary = ask(keyed).json()["data"]["summary"]
    assert summary["total_events"] == 0
    assert summary["share_with_either"] is None


def test_the_analysis_needs_a_key(keyed: Worker) -> None:
    assert keyed.fetch("/api/reports/debug/utm-analysis").status == 401
