"""Links as they are really built."""

from __future__ import annotations

from urllib.parse import quote, quote_plus, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.tracking.attribution import (
    has_parameters,
    read_touch,
    resolve_touch,
    unstored_parameters,
    without_touch,
)
from services.tracking.link_parameters import (
    FIELD_OF_PARAMETER,
    FIELDS,
    bare_page,
    campaign_fields,
    pairs_of,
    unescaped,
    without_further_encoding,
)
from services.tracking.touch_values import meaningful

SITE = "https://client.example/"


def values_in(url: str) -> dict[str, object]:
    touch = read_touch(url, "page_url")
    values = touch.stored_fields() if touch else {}
    values.pop("origin", None)
    return values


def values_in_old_body(**body: object) -> dict[str, object]:
    touch = resolve_touch(SITE, body, None)
    values = touch.stored_fields() if touch else {}
    values.pop("origin", None)
    return values


@pytest.mark.parametrize(
    "ampersand",
    [
        "&",
        "&amp;",
        "&amp;amp;",
        "&AMP;",
        "&amp%3B",
        "&#38;",
        "&#038;",
        "&#x26;",
        "&amp;#038;",
    ],
)
@pytest.mark.parametrize("start", ["?", "?page=2&", "?amp;"])
def test_an_ampersand_may_be_escaped(start: str, ampersand: str) -> None:
    query = ampersand.join(("utm_source=news", "utm_medium=email", "gclid=G1"))
    assert values_in(f"{SITE}{start}{query}") == {
        "utm_source": "news",
        "utm_medium": "email",
        "gclid": "G1",
    }


@pytest.mark.parametrize(
    ("query", "values"),
    [
        ("utm_campaign=brand?gclid=G1", {"utm_campaign": "brand", "gclid": "G1"}),
        ("utm_campaign=brand%3Fgclid=G1", {"utm_campaign": "brand", "gclid": "G1"}),
        (
            "page=2?utm_source=a?UTM_Medium=b&gclid=G1",
            {"utm_source": "a", "utm_medium": "b", "gclid": "G1"},
        ),
        ("?utm_source=news", {"utm_source": "news"}),
        ("utm_campaign=why?", {"utm_campaign": "why?"}),
        ("utm_campaign=why?&gclid=G1", {"utm_campaign": "why?", "gclid": "G1"}),
        ("utm_campaign=why%3F&gclid=G1", {"utm_campaign": "why?", "gclid": "G1"}),
        ("utm_campaign=why?now=1", {"utm_campaign": "why?now=1"}),
        ("utm_campaign=why?gclid", {"utm_campaign": "why?gclid"}),
        ("utm_campaign=what?utm_sources=x", {"utm_campaign": "what?utm_sources=x"}),
    ],
)
def test_a_further_question_mark_counts_only_before_a_known_name(
    query: str, values: dict[str, str]
) -> None:
    assert values_in(f"{SITE}?{query}") == values


@pytest.mark.parametrize(
    "query",
    [
        "next=https://other.example/?utm_source=other",
        "next=https%3A%2F%2Fother.example%2F%3Futm_source=other",
        "next=https%3A%2F%2Fother.example%2F%3Futm_source%3Dother%26gclid%3DG1",
    ],
)
def test_the_parameters_of_an_address_in_a_parameter_are_another_pages(query: str) -> None:
    assert values_in(f"{SITE}?{query}") == {}


def test_a_query_that_was_encoded_whole_is_read() -> None:
    assert values_in(f"{SITE}?page=2&utm_source%3Dnews%26utm_campaign%3Dspring%2520sale") == {
        "utm_source": "news",
        "utm_campaign": "spring sale",
    }


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("spring%20sale", "spring sale"),
        ("spring%2520sale", "spring sale"),
        ("spring%252520sale", "spring sale"),
        ("caf%25C3%25A9", "café"),
        ("100%25", "100%"),
        ("50%25off", "50%off"),
        ("50%25+discount", "50% discount"),
        ("20%25ab", "20%ab"),
        ("1%252B1", "1+1"),
        ("a%2500b", "ab"),
    ],
)
def test_a_value_may_be_encoded_more_than_once(raw: str, value: str) -> None:
    assert values_in(f"{SITE}?utm_campaign={raw}") == {"utm_campaign": value}


@pytest.mark.parametrize("name", ["utm_source", "UTM_Source", "Utm_source", "UTM%5FSOURCE"])
def test_names_have_any_case(name: str) -> None:
    assert values_in(f"{SITE}?{name}=News") == {"utm_source": "News"}
    assert values_in(f"{SITE}#{name}=News") == {"utm_source": "News"}


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("spring+sale", "spring sale"),
        ("spring+2026", "spring 2026"),
        ("spring+sale today", "spring+sale today"),
        ("spring%20sale", "spring sale"),
        ("1+1", "1+1"),
        ("C++", "C++"),
        ("+", "+"),
        ("Brand+-+US", "Brand - US"),
        ("(US)+Brand", "(US) Brand"),
        ("Brand+|+Exact", "Brand | Exact"),
        ("spring+%26+sale", "spring & sale"),
        ("sale+%2B+more", "sale + more"),
        ("50%+off", "50% off"),
        ("Disney+", "Disney+"),
        ("learn+C++", "learn C++"),
        ("50%", "50%"),
        ("%20", "%20"),
    ],
)
def test_an_old_pixels_values_are_only_half_decoded(raw: str, value: str) -> None:
    assert values_in_old_body(utm_campaign=raw) == {"utm_campaign": value}


# The same ad, as the address says it and as an old pixel says it on the next page.
@pytest.mark.parametrize(
    "raw", ["Brand+-+US", "(US)+Brand", "a+%26+b", "50%25+off", "été+2026", "R%26D", "x"]
)
def test_an_old_pixels_body_says_what_the_address_said(raw: str) -> None:
    said = values_in(f"{SITE}?utm_campaign={raw}")
    assert values_in_old_body(utm_campaign=raw) == said
    assert values_in_old_body(utm_campaign=unquote(raw)) == said


def test_the_parameters_that_were_left_in_a_value_are_read() -> None:
    assert values_in_old_body(utm_source="google&amp;utm_medium=cpc") == {
        "utm_source": "google",
        "utm_medium": "cpc",
    }
    assert values_in_old_body(utm_campaign="brand?gclid=G1") == {
        "utm_campaign": "brand",
        "gclid": "G1",
    }
    assert values_in_old_body(utm_campaign="R&D?") == {"utm_campaign": "R&D?"}


BOTH = {"utm_source": "a", "utm_medium": "b"}


@pytest.mark.parametrize(
    "link",
    [
        "?utm_source%3Da%26utm_medium%3Db",
        "?utm_source%3da%26utm_medium%3db",
        "?utm_source%253Da%2526utm_medium%253Db",
        "?utm_source%3Da%26amp%3Butm_medium%3Db&x=1",
        "?utm_source=a%26utm_medium=b",
        "?utm_source=a%26amp;utm_medium=b",
        "?utm_source=a%26amp%3Butm_medium=b",
        "?utm_source=a;utm_medium=b",
        "?utm_source=a&amp;;utm_medium=b",
        "?utm_source=a&amp%253Butm_medium=b",
        r"?utm_source=a\u0026utm_medium=b",
        "?utm_source=a& utm_medium=b",
        "?utm_source=a&%20utm_medium=b",
        "?utm_source%20=a&utm_medium =b",
        "?utm_source[]=a&utm_medium%5B%5D=b",
        "?id%3D5%26utm_source%3Da%26utm_medium%3Db",
        "?id=5%26utm_source%3Da%26utm_medium%3Db",
        "page%3Futm_source=a&utm_medium=b",
        "page%3Futm_source%3Da%26utm_medium%3Db",
        "page&utm_source=a&utm_medium=b",
        "??utm_source=a&utm_medium=b",
        "#utm_source%3Da%26utm_medium%3Db",
        "#!utm_source=a&utm_medium=b",
        "#/route&utm_source=a&utm_medium=b",
        "#/route#utm_source=a&utm_medium=b",
        "?utm_source=a#utm_medium=b",
    ],
)
def test_a_damaged_link_says_what_it_said(link: str) -> None:
    assert values_in(SITE + link) == BOTH


@pytest.mark.parametrize(
    ("query", "values"),
    [
        ("next=https://o.example/?utm_source=o&utm_medium=b", {}),
        ("next=https://o.example/?utm_source=o&utm_medium=b&gclid=G1", {"gclid": "G1"}),
        ("utm_source=a&url=https://o.example/?gclid=G&utm_medium=b", BOTH),
        ("next=%2Fp%3Futm_source%3Do%26utm_medium%3Dm", {}),
    ],
)
def test_an_address_keeps_its_own_campaign(query: str, values: dict[str, str]) -> None:
    assert values_in(f"{SITE}?{query}") == values


@pytest.mark.parametrize(
    "nothing",
    [
        "null",
        "Undefined",
        "(not set)",
        "{campaign}",
        "{{ad.name}}",
        "__CAMPAIGN__",
        "%%X%%",
        "*|CAMPAIGN_UID|*",
        "[[x]]",
        "${x}",
    ],
)
def test_what_stands_for_nothing_is_nothing_in_links_and_bodies(nothing: str) -> None:
    encoded = quote(nothing)
    for name in ("utm_source", "utm_campaign", "utm_term", "gclid"):
        assert values_in(f"{SITE}?{name}={encoded}&fbclid=F1") == {"fbclid": "F1"}
        assert values_in_old_body(**{name: nothing, "fbclid": "F1"}) == {"fbclid": "F1"}


@pytest.mark.parametrize(
    ("pairs", "field"),
    [
        (("keyword=1", "utm_term=own"), "utm_term"),
        (("adgroup=1", "ad_group=own"), "ad_group"),
        (("hsa_ad=1", "ad_id=own"), "ad_id"),
        (("region=1", "campaign_region=own"), "campaign_region"),
        (("sccid=1", "sc_click_id=own"), "sc_click_id"),
    ],
)
def test_the_fields_own_name_comes_first(pairs: tuple[str, str], field: str) -> None:
    for ordered in (pairs, pairs[::-1]):
        assert values_in(f"{SITE}?utm_source=a&{'&'.join(ordered)}")[field] == "own"
        body = dict(pair.split("=") for pair in ordered)
        assert values_in_old_body(**body)[field] == "own"


def test_a_new_pixels_values_are_what_they_are() -> None:
    body = {"event_key": "k" * 8, "utm_campaign": "spring+sale%20"}
    assert values_in_old_body(**body) == {"utm_campaign": "spring+sale%20"}


def test_names_in_a_body_have_any_case_and_the_first_counts() -> None:
    assert values_in_old_body(UTM_Source="a", utm_source="b", ScCid="S1") == {
        "utm_source": "a",
        "sc_click_id": "S1",
    }


def test_a_damaged_page_is_the_page_of_the_undamaged_link() -> None:
    for damaged in ("?a=1&amp;utm_source=x", "?a=1?gclid=G1", "?a=1&#038;gclid=G1#top"):
        assert without_touch(f"{SITE}{damaged}").removesuffix("#top") == f"{SITE}?a=1"
    assert unstored_parameters(f"{SITE}?zz=1&amp;utm_source=x?gclid=G1") == ["zz"]


# Whatever comes

VALUES = st.text(
    st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=9
)
FIELD_VALUES = st.dictionaries(
    st.sampled_from(FIELDS), VALUES.filter(lambda text: meaningful("utm_source", text)), min_size=1
)


def is_plain(values: dict[str, str]) -> bool:
    return not any(set(value) & set("%:?&;") for value in values.values())


@given(
    FIELD_VALUES.filter(is_plain),
    st.sampled_from(("&", "&amp;", "&amp;amp;", "&#38;", "?")),
    st.integers(1, 3),
)
def test_damage_changes_no_value(fields: dict[str, str], joint: str, encodings: int) -> None:
    pairs = []
    for name, value in fields.items():
        encoded = value
        for _ in range(encodings):
            encoded = quote(encoded, safe="")
        pairs.append(f"{name}={encoded}")
    assert campaign_fields(unescaped("?" + joint.join(pairs))[1:]) == fields


@given(FIELD_VALUES)
def test_a_value_that_was_encoded_once_stays(fields: dict[str, str]) -> None:
    query = "&".join(f"{name}={quote_plus(value)}" for name, value in fields.items())
    assert campaign_fields(query) == {
        name: decoded
        for name, value in fields.items()
        if (decoded := meaningful(name, without_further_encoding(value)))
    }


@given(st.text(st.characters(categories=None)))
def test_reading_never_raises_and_loses_no_parameter_of_the_site(text: str) -> None:
    campaign_fields(text)
    without_further_encoding(text)
    rest = unescaped(text)
    if not any(name in rest.lower() for name in FIELD_OF_PARAMETER):
        assert "&".join(pairs_of(rest)) == rest


@given(
    st.lists(
        st.sampled_from(
            [
                *("?", "#", "&", ";", "/", "!", "=", "%3F", "%253f", "%26", "%3B", "%23", "%3D"),
                *("\\u0026", "amp;", "[]", "http://x.example/", "utm_source", "UTM%5FSource"),
                *("gclid", "keyword", "route", "a", " ", "%20"),
            ]
        ),
        max_size=12,
    )
)
def test_a_bare_page_has_no_parameter_and_what_is_read_is_known_to_be_there(
    parts: list[str],
) -> None:
    link = SITE + "".join(parts)
    assert has_parameters(link) or read_touch(link, "referrer") is None
    bare = bare_page(link)
    assert link.startswith(bare)
    assert not has_parameters(bare)
    assert read_touch(bare, "referrer") is None
