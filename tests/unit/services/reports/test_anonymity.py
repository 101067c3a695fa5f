from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.core.event_lines import CHECKED_COLUMNS, COLUMNS, archived_csv
from services.reports.anonymity import (
    MASK,
    anonymous,
    is_suspicious,
    shown_address,
    shown_line,
    shown_text,
    without_persons,
)


@pytest.mark.parametrize(
    ("address", "masked"),
    [
        ("https://shop.example", "https://shop.example"),
        ("https://shop.example/", "https://shop.example/"),
        ("https://shop.example/a/b-2026.html", "https://shop.example/a/b-2026.html"),
        ("https://shop.example:8443/a//b/", "https://shop.example:8443/a//b/"),
        ("http://203.0.113.9/a", "http://203.0.113.9/a"),
        ("https://anna:secret@shop.example/", "https://shop.example/"),
        ("https://shop.example/?email=anna%40shop.example&first=Anna", "https://shop.example/"),
        (
            "https://shop.example/?utm_source=google&name=Anna&UTM_Content=a%20b",
            "https://shop.example/?utm_source=google&UTM_Content=a%20b",
        ),
        ("https://shop.example?name=Anna/Muster&utm_id=7", "https://shop.example?utm_id=7"),
        ("https://shop.example/?gclid=EAIaIQobChMI&x=1", "https://shop.example/?gclid=***"),
        ("https://shop.example/?ScCid=a&fbclid=", "https://shop.example/?ScCid=***"),
        (
            "https://shop.example/?irclickid=a?gclid=b",
            "https://shop.example/?irclickid=***&gclid=***",
        ),
        (
            "https://shop.example/?utm_campaign=b%3Fgclid%3DG1",
            "https://shop.example/?utm_campaign=b",
        ),
        (
            "https://shop.example/?utm_term=anna%2540shop.example",
            "https://shop.example/?utm_term=***",
        ),
        ("https://shop.example/?utm_anna@shop.example=1", "https://shop.example/"),
        ("https://shop.example/hi/anna@shop.example/x", "https://shop.example/hi/***/x"),
        ("https://shop.example/hi/anna%40shop.example", "https://shop.example/hi/***"),
        ("https://shop.example/hi/anna%252540shop.example", "https://shop.example/hi/***"),
        ("https://shop.example/call/+49%20171%202345678", "https://shop.example/call/***"),
        ("https://shop.example/call/01712345678", "https://shop.example/call/***"),
        ("https://shop.example/call/491712345678", "https://shop.example/call/***"),
        ("https://shop.example/call/(415)%20555-2671", "https://shop.example/call/***"),
        ("https://shop.example/from/203.0.113.9", "https://shop.example/from/***"),
        (
            "https://shop.example/reset/3f2504e0-4f89-11d3-9a0c-0305e82c3301/now",
            "https://shop.example/reset/***/now",
        ),
        ("https://shop.example/t/eyJhbGciOiJIUzI1NiJ9.e30", "https://shop.example/t/***"),
        ("https://shop.example/2026/05/01/a-12", "https://shop.example/2026/05/01/a-12"),
        (
            "https://shop.example/winter-sale-2026-offers-for-everybody-in-town",
            "https://shop.example/winter-sale-2026-offers-for-everybody-in-town",
        ),
        ("https://shop.example/#contact-us", "https://shop.example/#contact-us"),
        ("https://shop.example/#Anna Muster", "https://shop.example/"),
        ("https://shop.example/#email=anna@shop.example", "https://shop.example/"),
        (
            "https://shop.example/#/thanks/anna@shop.example?name=Anna&utm_source=x",
            "https://shop.example/#/thanks/***?utm_source=x",
        ),
        (
            "https://shop.example/#utm_source=x&email=anna@shop.example",
            "https://shop.example/#utm_source=x",
        ),
    ],
)
def test_an_address_keeps_its_page_and_its_campaign_alone(address: str, masked: str) -> None:
    assert shown_address(address) == masked
    assert shown_text(address) == masked
    assert shown_address(masked) == masked


PAGE = "https://shop.example/danke"


@pytest.mark.parametrize(
    ("written", "masked"),
    [
        ("  https://shop.example/danke?first_name=Anna", PAGE),
        ("\x00\ufeff https://shop.example/danke?first_name=Anna", PAGE),
        ("http:shop.example/danke?first_name=Anna", "http://shop.example/danke"),
        ("https:/shop.example/danke?first_name=Anna", PAGE),
        ("https:///shop.example/danke?first_name=Anna", PAGE),
        ("https:\\\\shop.example\\danke?first_name=Anna", PAGE),
        ("https:\\\\anna:secret@shop.example\\danke", PAGE),
        ("ht\ttps://shop.example/dan\nke?first_name=Anna", PAGE),
        ("https://shop.example/danke;first_name=Anna", PAGE),
        ("https://shop.example/danke&first_name=Anna", PAGE),
        ("https://shop.example/danke;first_name=Anna/a;b=c?d=e#f=g", f"{PAGE}/a"),
        ("https://shop.example/danke%3Bname%3DAnna", "https://shop.example/***"),
        ("https://shop.example/first_name=Anna/danke", "https://shop.example/***/danke"),
        ("https://shop.example/danke?utm_first_name=Anna&utm_id=7", f"{PAGE}?utm_id=7"),
        ("https://shop.example/danke?utm_term=x;name=Anna", f"{PAGE}?utm_term=***"),
        ("https://shop.example/danke?utm_term=x%26name%3DAnna", f"{PAGE}?utm_term=***"),
        ("https://shop.example/danke#!/a;name=Anna", f"{PAGE}#!/a"),
        ("//shop.example/danke?first_name=Anna", "//shop.example/danke"),
        ("/danke?first_name=Anna", "/danke"),
        ("/danke?Anna", "/danke"),
        ("shop.example/danke?Anna Muster&utm_id=7", "shop.example/danke?utm_id=7"),
        ("shop.example?first_name=Anna", "shop.example"),
        ("danke?first_name=Anna", MASK),
        ("spring&first_name=Anna", MASK),
        ("spring;first name=Anna", MASK),
        ("https%3A%2F%2Fshop.example%2Fdanke%3Ffirst_name%3DAnna", MASK),
        ('"https://shop.example/danke?first_name=Anna"', f'"{PAGE}'),
    ],
)
def test_an_address_that_is_written_loosely_shows_no_value_of_its_parameters(
    written: str, masked: str
) -> None:
    assert shown_text(written) == masked
    assert anonymous({"top_pages": [{"page_url": written}]}) == {
        "top_pages": [{"page_url": masked}]
    }


@pytest.mark.parametrize(
    "text",
    [
        *("anna@shop.example", "Anna <anna@shop.example>", "anna%40shop.example", "@anna"),
        *(
            "anna\uff20shop.example",
            "anna%2540shop.example",
            "see https://x.example/?a=b@c.example",
        ),
        *(
            "+49 171 2345678",
            "+49(0)171/2345678",
            "tel:+491701234567",
            "tel:01701234567",
            "sms:+1 555 123 4567",
            "call:+491701234567",
            "0049 171 2345678",
            "0171 2345678",
            "030-1234567 8",
        ),
        *("%2B49%20171%202345678", "415-555-2671", "(415) 555-2671", "call 0171/23 45 67 8"),
        *("203.0.113.9", "2001:db8::1", "2001:db8:0:1:2:3:4:5", "client 198.51.100.7 said"),
        "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36",
    ],
)
def test_what_shows_a_person_is_masked_as_a_whole(text: str) -> None:
    assert shown_text(text) == MASK


@pytest.mark.parametrize(
    "text",
    [
        *("google", "cpc", "spring+sale", "summer 2026", "2026-05-01", "2026-05-01 12:00:00"),
        *("2026-05-01T02:00:00.000Z", "01.05.2026", "01/05/2026", "12345678901", "20260501"),
        *("00:00:00", "v2.10.3", "142.0", "1920x1080", "a:b:c", "50%", "100% off", "Läufer 👟"),
        "ppp-demo-pixel",
    ],
)
def test_what_campaigns_are_called_stays(text: str) -> None:
    assert shown_text(text) == text


def test_an_answer_keeps_its_shape() -> None:
    content = {
        "page_title": "Thank you, Anna",
        "pixel_name": "@home",
        "utm_sources": {"anna@shop.example": 2, "+49 171 2345678": 3, "google": 4},
        "rows": [{"value": "anna@shop.example", "events": 1, "share": 0.5, "is": True, "no": None}],
    }
    assert anonymous(content) == {
        "page_title": None,
        "pixel_name": "@home",
        "utm_sources": {MASK: 5, "google": 4},
        "rows": [{"value": MASK, "events": 1, "share": 0.5, "is": True, "no": None}],
    }


@pytest.mark.parametrize(
    ("browser", "masked"),
    [
        ({"user_agent": "Mozilla/5.0", "os": "Linux"}, {"user_agent": None, "os": "Linux"}),
        ({"user_agent": "Mozilla/5.0", "by": "anna@shop.example", "first": "Anna"}, None),
        (None, None),
    ],
)
def test_what_describes_a_browser_is_shown_without_its_user_agent_or_not_at_all(
    browser: object, masked: object
) -> None:
    assert anonymous({"browser_data": browser}) == {"browser_data": masked}


TEXTS = st.one_of(
    st.text(alphabet="ab0179 @%+.:/-_?#='\"()\uff20", max_size=30),
    st.from_regex(r"https?://[a-z.]{1,9}/[ -~]{0,30}", fullmatch=True),
    st.text(max_size=20),
)


@given(TEXTS)
def test_a_text_that_is_not_suspicious_changes_in_nothing(text: str) -> None:
    assert is_suspicious(text) or shown_text(text) == text


@given(TEXTS)
def test_a_second_look_changes_nothing(text: str) -> None:
    assert shown_text(shown_text(text)) == shown_text(text)


@given(st.dictionaries(st.sampled_from(CHECKED_COLUMNS), TEXTS))
def test_csv_and_json_of_an_export_hide_the_same(values: dict[str, str]) -> None:
    event = dict.fromkeys(COLUMNS) | {"id": 7} | values
    stored = json.dumps(event)
    cells = archived_csv(stored, without_persons)
    line = json.loads(shown_line(stored, is_csv=False))
    assert archived_csv(json.dumps(line)) == cells
    hidden = json.dumps(event | {name: line[name] for name in ("page_url", "referrer_url")})
    assert shown_line(archived_csv(hidden), is_csv=True) == cells
