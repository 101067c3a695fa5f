"""Whatever is sent to a CRM is plain text."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.core.text import FORMULA_SIGNS
from services.pipedrive.fields import LeadValue
from services.sync.plain_text import plain_value

FORMULA = '=HYPERLINK("https://evil.example","Your invoice")'


@pytest.mark.parametrize(
    ("sent", "plain"),
    [
        (FORMULA, FORMULA[1:]),
        ("+-@=1", "1"),
        ("  = +cmd|' /C calc'!A0", "cmd|' /C calc'!A0"),
        ("\u200b=1+1", "1+1"),
        ("\uff1d1+1", "1+1"),
        ("\ufe661+1", "1+1"),
        ("\ufe62\ufe63\ufe6bA1", "A1"),
        ("\u22121", "1"),
        ("\u202eevil\u2066", "evil"),
        ("two\nlines\u2028three", "two lines three"),
        ("nul\x00l", "null"),
        ("a-b=c@d", "a-b=c@d"),
        ("M\u00fcnchen \u2013 K\u00f6ln", "M\u00fcnchen \u2013 K\u00f6ln"),
        ("=", None),
        ("\u200b", None),
    ],
)
def test_a_text_is_no_formula_and_has_nothing_invisible(sent: str, plain: str | None) -> None:
    value = plain_value("page_title", LeadValue(sent))
    assert (value and value.text) == plain


@pytest.mark.parametrize(
    ("sent", "plain"),
    [
        ("https://shop.example/?a=b", "https://shop.example/?a=b"),
        ("https://shop.example/\u200bx", "https://shop.example/x"),
        ("javascript:alert(1)", None),
        ("=https://shop.example/", None),
        ("https://shop.example/ call 0900", "https://shop.example/%20call%200900"),
    ],
)
def test_an_address_is_an_address_or_nothing(sent: str, plain: str | None) -> None:
    value = plain_value("referrer_url", LeadValue(sent))
    assert (value and value.text) == plain


def test_pages_that_are_no_addresses_are_left_out() -> None:
    parts = ("https://a.example/", "=1", "https://b.example/\u202e")
    value = plain_value("visited_pages", LeadValue(", ".join(parts), parts=parts))
    assert value == LeadValue(
        "https://a.example/, https://b.example/",
        parts=("https://a.example/", "https://b.example/"),
    )
    assert plain_value("visited_pages", LeadValue("=1", parts=("=1",))) is None


def test_a_number_and_a_cleared_value_stay() -> None:
    assert plain_value("event_id", LeadValue("7", 7)) == LeadValue("7", 7)
    assert plain_value("gclid", None) is None


@given(st.text())
def test_no_text_gets_through_otherwise(sent: str) -> None:
    value = plain_value("utm_term", LeadValue(sent))
    if value is not None:
        assert value.text[0] not in f"{FORMULA_SIGNS} "
        assert not any(unicodedata.category(sign) in {"Cc", "Cf", "Cs"} for sign in value.text)
