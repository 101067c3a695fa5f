"""The counts of the old Worker's analysis."""

from __future__ import annotations

from services.core.ports import Row
from services.reports.legacy_utm_analysis import MAX_SAMPLES, analyse


def event(**fields: object) -> Row:
    names = ("utm_source", "utm_medium", "utm_campaign", "gclid", "click_id")
    return {
        **dict.fromkeys(names),
        "id": 1,
        "event_type": "pageview",
        "page_url": "https://shop.example/",
        "has_form_data": 0,
        "created_at": "2026-05-01 12:00:00",
        "browser_data": None,
        "user_agent": "Mozilla/5.0",
        **fields,
    }


def test_events_are_counted_by_what_they_have() -> None:
    analysis = analyse(
        [
            event(utm_source="news", browser_data='{"browser": "Chrome"}'),
            event(gclid="G", click_id="G", utm_source="news"),
            event(event_type="form_submit", has_form_data=1, page_url=None),
            event(page_url="https://blog.example/?utm_source=lost"),
            # Both are stored in another column.
            event(page_url="https://shop.example/?gbraid=B&utm_id=7", browser_data="broken"),
        ]
    )
    samples = analysis.pop("sample_events") if isinstance(analysis, dict) else []
    assert analysis == {
        "total_events": 5,
        "events_with_utm": 2,
        "events_with_gclid": 1,
        "events_with_form_data": 1,
        "events_sent_to_pipedrive": 1,
        "utm_sources": {"news": 2},
        "page_url_analysis": {"shop.example": 3, "blog.example": 1},
        "missing_utm_with_params": 1,
        "utm_capture_rate": 40,
        "pipedrive_delivery_rate": 100,
    }
    assert samples[0]["browser_data"] == {"user_agent": "Mozilla/5.0", "browser": "Chrome"}
    assert samples[1]["browser_data"] is None
    assert [sample["url_has_utm"] for sample in samples] == [False, False, False, True, True]


def test_without_events_there_are_zeros_and_samples_are_ten() -> None:
    assert analyse([])["utm_capture_rate"] == 0
    many = analyse([event()] * 50)["sample_events"]
    assert isinstance(many, list)
    assert len(many) == MAX_SAMPLES
