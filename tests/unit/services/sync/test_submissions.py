import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.core.ports import Row
from services.pipedrive.fields import FIELD_NAMES, TOUCH_FIELDS, LeadValue
from services.sync.submissions import Submission, read_submission
from services.tracking.attribution import stored_touch
from services.tracking.form_data import Lead

SITE = "https://shop.example"
CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
    " Chrome/140.0.0.0 Safari/537.36"
)
TEXTS = (
    *("project_id", "pixel_id", "visitor_id", "session_id", "event_type", "page_url"),
    *("page_title", "referrer_url", "user_agent", "ip_address", "country", "region", "city"),
    *("device_data", "form_data", "configuration", "first_touch", "last_touch"),
    *("started_at", "last_activity", "last_event_at", *TOUCH_FIELDS),
)
JUDGED = ("website_url", "pixel_configuration", "suspicious")


def row_with(**columns: object) -> Row:
    """A row of the outbox; a column that is not given is NULL."""
    names = (*TEXTS, "pages", "pipedrive_retry_count", "pipedrive_sync_status")
    columns_by_default = dict.fromkeys((*names, *JUDGED)) | {"has_other_events": 1}
    return {**columns_by_default, "addresses_of_client": 1, "id": 42, **columns}


def utc(moment: datetime, zone: str) -> datetime:
    """The wall clock of a place in UTC; `+3` is three hours ahead of it."""
    return moment.astimezone(UTC).replace(tzinfo=None) + timedelta(hours=int(zone))


def values_of(**columns: object) -> Mapping[str, LeadValue | None]:
    values = read_submission(row_with(**columns)).values("+0", utc)
    assert set(values) <= set(FIELD_NAMES)
    return values


def text_of(name: str, **columns: object) -> str | None:
    value = values_of(**columns).get(name)
    return value.text if value else None


# The submission


def test_a_row_becomes_a_submission() -> None:
    row = row_with(
        project_id="project-1",
        form_data=json.dumps({"email": "jane@example.com", "first_name": "Jane"}),
        configuration='{"pipedrive_account": "acme"}',
        pipedrive_retry_count=3,
    )
    assert read_submission(row) == Submission(
        event_id=42,
        project_id="project-1",
        lead=Lead("jane@example.com", "Jane", None),
        tries=3,
        configuration={"pipedrive_account": "acme"},
        row=row,
    )


@pytest.mark.parametrize("odd", [None, "", "{", "[]", "null", "5", '"x"', "NULL"])
def test_invalid_json_in_an_old_row_is_ignored(odd: str | None) -> None:
    submission = read_submission(row_with(configuration=odd, form_data=odd))
    assert submission.configuration == {}
    assert submission.lead == Lead(None, None, None)
    assert (submission.project_id, submission.tries) == ("", 0)
    values = values_of(device_data=odd, first_touch=odd, last_touch=odd)
    assert "screen_resolution" not in values
    assert values["first_touch_source"] == values["last_touch_source"] == LeadValue("direct")


def test_an_empty_row_has_only_the_values_that_need_no_column() -> None:
    assert values_of() == {
        "event_id": LeadValue("42", 42),
        "device_type": LeadValue("desktop"),
        **{
            f"{touch}_{part}": LeadValue(word)
            for touch in ("first_touch", "last_touch")
            for part, word in (("source", "direct"), ("medium", "unknown"), ("campaign", "none"))
        },
    }


@given(
    st.dictionaries(
        st.sampled_from(TEXTS),
        st.text(max_size=30)
        | st.sampled_from(
            (
                *('{"screen": {"width": {}, "height": [1]}}', '{"screen": 5}', '{"gclid": [1]}'),
                *("2025-01-27", "2025-W05-1", "0001-01-01 00:00:00", "9999-12-31T23:59:59Z"),
                *("2025-01-27T25:00:00", "now", "1737984600"),
            )
        ),
    )
)
def test_any_old_row_has_values_that_can_be_sent(columns: dict[str, object]) -> None:
    values = values_of(**columns)
    assert all(value is None or value.text for value in values.values())


# Places, devices, screens


def test_a_plain_column_is_sent_as_it_is() -> None:
    columns = {"page_title": "Contact", "ip_address": "192.0.2.7", "visitor_id": "v1"}
    values = values_of(page_url=f"{SITE}/contact?utm_source=x#form", **columns)
    assert {name: values[name] for name in columns} == {
        name: LeadValue(text) for name, text in columns.items()
    }
    assert values["page_url"] == LeadValue(f"{SITE}/contact?utm_source=x#form")


@pytest.mark.parametrize(
    ("columns", "location"),
    [
        ({"city": "Munich", "region": "Bavaria", "country": "DE"}, "Munich, Bavaria, DE"),
        ({"region": "Bavaria", "country": "DE"}, "Bavaria, DE"),
        ({"country": "DE", "city": ""}, "DE"),
        ({}, None),
    ],
)
def test_a_location_has_the_parts_that_are_known(
    columns: dict[str, object], location: str | None
) -> None:
    assert text_of("location", **columns) == location


@pytest.mark.parametrize(
    ("user_agent", "system", "device"),
    [(CHROME, "Windows 10", "desktop"), ("", None, "desktop"), ("x (Mobile)", None, "mobile")],
)
def test_a_user_agent_becomes_a_device_and_a_system(
    user_agent: str, system: str | None, device: str
) -> None:
    values = values_of(user_agent=user_agent)
    assert values["device_type"] == LeadValue(device)
    assert text_of("operating_system", user_agent=user_agent) == system


@pytest.mark.parametrize(
    ("device_data", "screen"),
    [
        ({"screen": {"width": 1920, "height": 1080}}, "1920x1080"),
        ({"screen": {"width": 0, "height": 1080}}, None),
        ({"screen": {"width": 1920}}, None),
        ({"screen": "1920x1080"}, None),
        ({"screen": None}, None),
        ({}, None),
    ],
)
def test_a_screen_has_a_width_and_a_height(device_data: object, screen: str | None) -> None:
    assert text_of("screen_resolution", device_data=json.dumps(device_data)) == screen


# Times


@pytest.mark.parametrize(
    ("time", "text"),
    [
        ("2025-01-27 14:30:00", "January 27, 2025 at 2:30 PM"),
        ("2025-01-27 00:00:00", "January 27, 2025 at 12:00 AM"),
        ("2025-01-27 00:59:59", "January 27, 2025 at 12:59 AM"),
        ("2025-01-27 01:05:00", "January 27, 2025 at 1:05 AM"),
        ("2025-01-27 11:59:00", "January 27, 2025 at 11:59 AM"),
        ("2025-01-27 12:00:00", "January 27, 2025 at 12:00 PM"),
        ("2025-12-01 23:09:00", "December 1, 2025 at 11:09 PM"),
        ("2024-02-29 09:00:00", "February 29, 2024 at 9:00 AM"),
        ("2025-01-27T14:30:00.123Z", "January 27, 2025 at 2:30 PM"),
        ("2025-01-27T14:30:00+02:00", "January 27, 2025 at 12:30 PM"),
        ("2025-01-27", "January 27, 2025 at 12:00 AM"),
    ],
)
def test_the_last_visit_is_readable(time: str, text: str) -> None:
    assert text_of("last_visited_on", last_event_at=time) == text


def test_the_last_visit_is_in_the_time_zone() -> None:
    values = read_submission(row_with(last_event_at="2024-12-31 22:15:00")).values("+3", utc)
    local = datetime(2025, 1, 1, 1, 15)  # noqa: DTZ001  # a wall clock's
    assert values["last_visited_on"] == LeadValue("January 1, 2025 at 1:15 AM", moment=local)


@pytest.mark.parametrize("time", [None, "", "yesterday", "1737984600000", "2025-02-30 00:00:00"])
def test_an_invalid_time_is_left_out(time: str | None) -> None:
    values = values_of(last_event_at=time, started_at=time, last_activity="2025-01-27 14:30:00")
    assert not {"last_visited_on", "session_duration"} & set(values)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 seconds"),
        (1, "1 second"),
        (45, "45 seconds"),
        (59, "59 seconds"),
        (60, "1 minute"),
        (119, "1 minute"),
        (120, "2 minutes"),
        (900, "15 minutes"),
        (3_599, "59 minutes"),
        (3_600, "1h 0m"),
        (4_980, "1h 23m"),
        (90_060, "25h 1m"),
    ],
)
def test_a_duration_is_readable(seconds: int, text: str) -> None:
    ended = datetime(2025, 1, 27, 13, tzinfo=UTC) + timedelta(seconds=seconds)
    value = values_of(
        started_at="2025-01-27T13:00:00.000Z", last_activity=f"{ended:%Y-%m-%d %H:%M:%S}"
    )["session_duration"]
    assert value == LeadValue(text, seconds)


def test_a_session_that_ends_before_it_begins_has_no_duration() -> None:
    values = values_of(started_at="2025-01-27 13:00:01", last_activity="2025-01-27 13:00:00")
    assert "session_duration" not in values


# Pages


@pytest.mark.parametrize(
    ("visited", "pages"),
    [
        (["/b", "/a"], ["/b", "/a"]),
        (["/a", "/b", "/a"], ["/a", "/b"]),
        (["/?utm_source=x&gclid=1", "/"], ["/"]),
        (["/?size=42&utm_source=x&colour=red"], ["/?size=42&colour=red"]),
        (["/#prices", "/"], ["/"]),
        (["/#/route", "/#!/route"], ["/#/route", "/#!/route"]),
        (["/a,b"], ["/a%2Cb"]),
        (["/?q=a, b"], ["/?q=a%2C%20b"]),
    ],
)
def test_pages_are_unique_and_without_campaigns(visited: list[str], pages: list[str]) -> None:
    parts = tuple(SITE + page for page in pages)
    value = values_of(pages=json.dumps([SITE + page for page in visited]))["visited_pages"]
    assert value == LeadValue(", ".join(parts), parts=parts)


@pytest.mark.parametrize("pages", [None, "", "[]", "[null]", '[""]'])
def test_without_pages_the_value_is_absent(pages: str | None) -> None:
    assert "visited_pages" not in values_of(pages=pages)


# Touches

TOUCH_VALUES = st.none() | st.sampled_from(
    ("google", "cpc", "direct", "none", "unknown", "null", "undefined", "", " ")
)


@given(st.fixed_dictionaries(dict.fromkeys(TOUCH_FIELDS, TOUCH_VALUES)))
def test_the_fields_of_a_touch_are_all_there_or_none(touch: dict[str, object]) -> None:
    values = values_of(**touch)
    touch_values = {name: values[name] for name in TOUCH_FIELDS if name in values}
    stored = stored_touch(touch)
    if stored:
        assert touch_values == {
            name: LeadValue(stored[name]) if name in stored else None for name in TOUCH_FIELDS
        }
    else:
        assert touch_values == {}


def test_first_and_last_touch_are_credited_apart_from_the_events_own() -> None:
    values = values_of(
        utm_source="news",
        gclid="G1",
        first_touch='{"fbclid": "F1", "ad_group": "shoes"}',
        last_touch='{"utm_source": "bing", "utm_medium": "cpc", "utm_campaign": "may"}',
    )
    credited = [
        [values[f"{touch}_touch_{part}"] for part in ("source", "medium", "campaign")]
        for touch in ("first", "last")
    ]
    assert credited == [
        [LeadValue("facebook"), LeadValue("social"), LeadValue("none")],
        [LeadValue("bing"), LeadValue("cpc"), LeadValue("may")],
    ]
    assert (values["utm_source"], values["utm_medium"]) == (LeadValue("news"), None)


def test_the_old_workers_placeholders_are_no_last_touch() -> None:
    placeholders = '{"utm_source": "direct", "utm_medium": "none", "utm_campaign": "none"}'
    assert text_of("last_touch_source", utm_source="news", last_touch=placeholders) == "news"
    assert text_of("last_touch_source", last_touch=placeholders) == "direct"


@pytest.mark.parametrize("column", ["device_data", "first_touch", "last_touch"])
def test_deep_json_in_an_old_row_is_ignored(column: str) -> None:
    values_of(**{column: "[" * 100_000})


def test_a_deep_configuration_is_ignored() -> None:
    assert read_submission(row_with(configuration="[" * 100_000)).configuration == {}


def test_ad_parameters_alone_clear_no_campaign() -> None:
    assert "utm_source" not in values_of(search_query="shoes")


def test_ad_parameters_that_are_a_touch_clear_the_campaign_of_another() -> None:
    values = values_of(search_query="shoes", touch_origin="body")
    assert (values["search_query"], values["utm_source"]) == (LeadValue("shoes"), None)
